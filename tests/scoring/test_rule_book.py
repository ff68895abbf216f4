import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from leadml.errors import ConfigError
from leadml.scoring.points import PointsTable
from leadml.scoring.rulebook import Rule, RuleBook, check_rules, find_unknown_columns, load_rules


def make_rule(**given):
    points = {} if {"per_unit", "disqualify", "points"} & set(given) else {"points": 10}
    return Rule(**{"name": "rule", "family": "email", "column": "x", **points, **given})


def fires(values, **condition):
    return make_rule(**condition).fires(pd.DataFrame({"x": values})).tolist()


def points(values, **given):
    table = RuleBook(rules=[make_rule(**given)]).compile()
    return table.decide(pd.DataFrame({"x": values})).tolist()


def test_at_least_and_below():
    values = [2.9, 3, 7.9, 8, np.nan, np.inf, -np.inf]
    assert fires(values, at_least=3) == [False, True, True, True, False, True, False]
    assert fires(values, below=8) == [True, True, True, False, False, False, True]
    assert fires(values, at_least=3, below=8) == [False, True, True, False, False, False, False]


def test_numbers_written_as_text():
    assert fires(["3", "2", "many", None], at_least=3) == [True, False, False, False]


def test_is_in_is_whole_and_ignores_case():
    values = ["Google", " google ", "google ads", None, ""]
    assert fires(values, is_in=["GOOGLE"]) == [True, True, False, False, False]


@pytest.mark.parametrize("values", [[1.0, 2.0, 3.5, np.nan], ["1", "2", "3.5", None]])
def test_is_in_with_numbers(values):
    assert fires(values, is_in=[2, 3.5]) == [False, True, True, False]
    assert fires(values, is_in=[2.0]) == [False, True, False, False]
    assert fires(values, is_in=["2"]) == [False, True, False, False]


def test_is_in_with_booleans():
    assert fires([True, False], is_in=[True]) == [True, False]


def test_contains():
    values = ["Chief of Staff", "mischief", "clerk", None]
    assert fires(values, contains=["CHIEF"]) == [True, True, False, False]
    assert fires(values, contains=["chief of", "clerk"]) == [True, False, True, False]
    assert fires(["a.b", "axb"], contains=["a.b"]) == [True, False]  # no pattern


def test_is_missing():
    values = ["a", None, np.nan, ""]
    assert fires(values, is_missing=True) == [False, True, True, False]
    assert fires(values, is_missing=False) == [True, False, False, True]
    assert fires([1.0, np.nan], is_missing=True) == [False, True]


@pytest.mark.parametrize(
    "values",
    [
        ["Yes", "No", None],
        ["TRUE", "false", None],
        [1, 0, None],
        [1.0, 0.0, np.nan],
        pd.Series([True, False, None], dtype=object),
        pd.Series([True, False, None], dtype="boolean"),
        ["oui", "non", None],
        ["ja", "nein", None],
    ],
)
def test_is_true(values):
    assert fires(values, is_true=True) == [True, False, False]
    assert fires(values, is_true=False) == [False, True, False]


def test_points_can_be_negative():
    assert points([0, 5], at_least=3, points=-7.5) == [0, -7.5]


def test_per_unit_stops_at_its_cap():
    values = [0, 1, 2.5, 4, 100, -3, np.nan, np.inf]
    assert points(values, per_unit=5, cap=20) == [0, 5, 12.5, 20, 20, 0, 0, 20]
    assert points(values, per_unit=-5, cap=20) == [0, -5, -12.5, -20, -20, 0, 0, -20]
    assert points(["3", "x", None], per_unit=2, cap=50) == [6, 0, 0]


def test_caps_by_family_keep_the_sum():
    book = RuleBook(
        caps={"email": 15},
        rules=[
            make_rule(name="a", at_least=1),
            make_rule(name="b", at_least=2),
            make_rule(name="c", at_least=1, family="context", points=30),
        ],
    )
    table = book.compile()
    leads = pd.DataFrame({"x": [0, 1, 2]})
    assert table.decide(leads).tolist() == [0, 40, 45]
    assert table.compute_contributions(leads)[2].tolist() == [7.5, 7.5, 30]


def test_disqualify_gives_no_points():
    book = RuleBook(
        rules=[
            make_rule(name="student", is_in=["student"], disqualify=True),
            make_rule(name="no mail", column="mail", is_missing=True, disqualify=True),
            make_rule(name="any", is_missing=False),
        ]
    )
    leads = pd.DataFrame({"x": ["Student", "clerk", "clerk"], "mail": ["a", None, "b"]})
    out = np.any([rule.fires(leads) for rule in book.rules if rule.disqualify], axis=0)
    assert out.tolist() == [True, True, False]
    assert book.compile().features == ["any"]


def test_bant_letters_are_met_by_any_of_their_rules():
    book = RuleBook(
        rules=[
            make_rule(name="large", at_least=100, bant="budget"),
            make_rule(name="asked", column="asked", is_true=True, bant="budget"),
            make_rule(name="soon", column="weeks", below=6, bant="time"),
        ]
    )
    leads = pd.DataFrame({"x": [200, 1, 1], "asked": ["no", "yes", "no"], "weeks": [9, 2, None]})
    met = {
        letter: np.any([rule.fires(leads) for rule in rules], axis=0).tolist()
        for letter, rules in book.find_bant_rules().items()
    }
    assert met == {"B": [True, True, False], "T": [False, True, False]}


def test_a_book_is_a_table_that_survives_json():
    book = RuleBook(
        caps={"email": 12},
        rules=[
            make_rule(name="a", at_least=1, below=9),
            make_rule(name="b", column="text", contains=["é", "b"]),
            make_rule(name="c", per_unit=-1.5, cap=6),
            make_rule(name="d", column="text", is_missing=True, points=-3),
        ],
    )
    leads = pd.DataFrame({"x": [0, 5, 10, None], "text": ["É", "x", None, "abc"]})
    table = book.compile()
    back = PointsTable.from_dict(table.to_dict())
    np.testing.assert_array_equal(back.decide(leads), table.decide(leads))


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({}, "exactly one condition .*, got none"),
        ({"at_least": 1, "is_true": True}, "got is_true, at_least/below"),
        ({"at_least": 1, "per_unit": 1, "cap": 5}, "`per_unit` takes no condition"),
        ({"per_unit": 1}, "`per_unit` needs a `cap`"),
        ({"at_least": 1, "points": 1, "disqualify": True}, "exactly one of `points`"),
        ({"at_least": 1, "points": None}, "exactly one of `points`"),
        ({"per_unit": 1, "cap": 0}, "greater than 0"),
        ({"at_least": 1, "family": "emial"}, "'email'"),
        ({"at_least": 1, "bant": "money"}, "'budget', 'authority', 'need' or 'time'"),
    ],
)
def test_rules_that_cannot_be_used(given, match):
    with pytest.raises(ValidationError, match=match):
        make_rule(**given)


@pytest.mark.parametrize(
    "given",
    [
        {"at_least": 1, "points": float("nan")},
        {"at_least": 1, "points": float("inf")},
        {"at_least": float("nan")},
        {"at_least": 10, "below": 5},
        {"at_least": 1, "cap": 5},
        {"is_in": []},
        {"contains": []},
        {"contains": [" "]},
    ],
)
def test_rules_that_mean_nothing(given):
    with pytest.raises(ValidationError, match="error for Rule"):
        make_rule(**given)


@pytest.mark.parametrize("cap", [-5.0, float("nan")])
def test_caps_that_mean_nothing(cap):
    with pytest.raises(ValidationError, match="caps"):
        RuleBook(caps={"email": cap})


BROKEN = """\
[caps]
behavoral = 10
email = "x"

[[rules]]
name = "a"
family = "emial"
column = "x"
points = 3
is_true = true

[[rules]]
family = "email"
column = "x"
at_lest = 3
points = "many"

[[rules]]
name = "c"
family = "email"
column = "x"
points = 3
"""


def test_all_problems_are_listed_with_their_lines(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(BROKEN)
    with pytest.raises(ConfigError) as caught:
        load_rules(path)
    message = str(caught.value)
    assert message.startswith(f"{path} has 7 problems:")
    for expected in (
        "line 2: [caps",
        "line 3: [caps] email should be a valid number",
        "line 7: [rules 1] family should be",
        "line 12: [rules 2] name is missing",
        "line 15: [rules 2] at_lest is not known. Accepted: name, family, column, is_in",
        "Did you mean 'at_least'?",
        "line 16: [rules 2] points should be a valid number",
        "line 18: [rules 3]: rule 'c': needs exactly one condition",
    ):
        assert expected in message


def test_names_are_unique():
    with pytest.raises(ValidationError, match=r"must be unique, repeated: \['rule'\]"):
        RuleBook(rules=[make_rule(at_least=1), make_rule(at_least=2)])


UNKNOWN = """\
[[rules]]
name = "a"
family = "email"
points = 3
column = "Lead Sorce"
is_true = true

[[rules]]
name = "b"
family = "email"
column = "vists"
at_least = 2
points = 3

[[rules]]
name = "c"
family = "email"
column = "visits"
at_least = 2
points = 3
"""


def test_unknown_columns_get_a_did_you_mean(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(UNKNOWN)
    with pytest.raises(ConfigError) as caught:
        check_rules(path, ["Lead Source", "visits"])
    message = str(caught.value)
    assert "has 2 problems" in message
    sorce = "line 5: rule 'a': there is no column 'Lead Sorce'. Did you mean 'Lead Source'?"
    assert sorce in message
    assert "line 11: rule 'b': there is no column 'vists'. Did you mean 'visits'?" in message
    assert list(find_unknown_columns(load_rules(path), ["Lead Sorce", "vists", "visits"])) == []


def test_an_excluded_column_is_said_to_be(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(UNKNOWN)
    with pytest.raises(ConfigError) as caught:
        check_rules(path, ["Lead Source", "visits"], ["vists"])
    told = "line 11: rule 'b': 'vists' is in [features.exclude] of leadml.toml. Delete the rule"
    assert told in str(caught.value)


def test_a_sound_book_is_read(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(UNKNOWN)
    book = check_rules(path, ["Lead Sorce", "vists", "visits"])
    assert [rule.name for rule in book.rules] == ["a", "b", "c"]
