import pytest
from pydantic import BaseModel, ConfigDict

from leadml.errors import ConfigError
from leadml.toml_file import line_numbers, line_of, read_toml, validate_toml


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: int
    names: list[str] = []


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    inner: Inner
    parts: list[Inner] = []
    label: str = ""


def write(folder, text):
    path = folder / "file.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(folder, text) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        validate_toml(write(folder, text), Outer)
    return [line.removeprefix("  - ") for line in str(caught.value).splitlines()[1:]]


def test_a_sound_file(tmp_path):
    text = 'label = "é"\n[inner]\nsize = 3\n[[parts]]\nsize = 4\n'
    found = validate_toml(write(tmp_path, text), Outer)
    assert (found.label, found.inner.size, found.parts[0].size) == ("é", 3, 4)


def test_a_byte_order_mark_is_no_problem(tmp_path):
    path = tmp_path / "file.toml"
    path.write_text("[inner]\nsize = 3\n", encoding="utf-8-sig")
    assert validate_toml(path, Outer).inner.size == 3


def test_no_file(tmp_path):
    with pytest.raises(ConfigError, match=r"does not exist\. Pass the path"):
        read_toml(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="does not exist"):
        read_toml(tmp_path)


def test_no_toml(tmp_path):
    with pytest.raises(ConfigError, match=r"not valid TOML: .*line 2"):
        read_toml(write(tmp_path, "a = 1\nb =\n"))
    latin = tmp_path / "latin.toml"
    latin.write_bytes("a = 'é'".encode("latin-1"))
    with pytest.raises(ConfigError, match="not valid TOML"):
        read_toml(latin)


def test_missing_tables_and_keys(tmp_path):
    assert problems_of(tmp_path, "") == ["[inner] is missing. Add it."]
    assert problems_of(tmp_path, "\n[inner]\n") == ["line 2: [inner] size is missing. Add it."]


def test_unknown_keys_list_what_is_accepted(tmp_path):
    text = "[inner]\nsize = 3\n# a comment\nsise = 4\n"
    expected = "line 4: [inner] sise is not known. Accepted: size, names. Did you mean 'size'?"
    assert problems_of(tmp_path, text) == [expected]
    first = problems_of(tmp_path, "[iner]\nsize = 1\n")[-1]
    assert first == (
        "line 1: [iner] is not known. Accepted: inner, parts, label. Did you mean 'inner'?"
    )


def test_unknown_keys_in_an_array_of_tables(tmp_path):
    text = "[inner]\nsize = 1\n[[parts]]\nsize = 1\n[[parts]]\nsize = 2\nsizes = 3\n"
    found = problems_of(tmp_path, text)
    assert found == [
        "line 7: [parts 2] sizes is not known. Accepted: size, names. Did you mean 'size'?"
    ]


def test_an_unknown_array_of_tables(tmp_path):
    assert problems_of(tmp_path, "[inner]\nsize = 1\n[[part]]\nsize = 1\n")[0].startswith(
        "line 3: "
    )


def test_wrong_values_are_shown_shortened(tmp_path):
    text = f'[inner]\nsize = "{"x" * 200}"\n'
    (problem,) = problems_of(tmp_path, text)
    assert problem.startswith("line 2: [inner] size should be a valid integer")
    assert problem.endswith("....")
    assert len(problem) < 200


def test_a_list_that_spans_lines_has_the_line_of_its_key(tmp_path):
    text = '[inner]\nsize = 1\nnames = [\n  "a",\n  3,\n]\n'
    (problem,) = problems_of(tmp_path, text)
    assert problem.startswith("line 3: [inner names 2] should be a valid string")
    assert problem.endswith("Got 3.")


def test_inline_tables_have_the_line_of_their_key(tmp_path):
    (problem,) = problems_of(tmp_path, 'label = "x"\ninner = { size = "x" }\n')
    assert problem.startswith("line 2: [inner] size should be a valid integer")


def test_every_problem_at_once(tmp_path):
    text = "label = 3\n[inner]\nsise = 3\n[[parts]]\nsize = 1.5\n"
    found = problems_of(tmp_path, text)
    assert len(found) == 4
    assert sorted(problem.split(":")[0] for problem in found) == [
        *["line 1", "line 2", "line 3", "line 5"]
    ]


def test_line_numbers_of_quoted_names_and_comments():
    places = line_numbers('# [no]\n["a b"] # text\n\'c d\' = 1\n"e" = 2\n[x.y]\nz=3\n')
    assert places == {
        ("a b",): 2,
        ("a b", "c d"): 3,
        ("a b", "e"): 4,
        ("x", "y"): 5,
        ("x", "y", "z"): 6,
    }
    assert line_of(("x", "y", "z", 4), places) == 6
    assert line_of(("none",), places) is None
