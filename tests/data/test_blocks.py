import gzip
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadml.data import blocks, chunks
from leadml.data.blocks import Wanted, open_file
from leadml.data.chunks import find_end_of_rows
from leadml.data.sources import clean_cells, read_leads
from leadml.errors import DataError

TINY = (1, 7, 1 << 20)


def set_size(monkeypatch, size):
    """Blocks of about `size` bytes of text, or rows of Parquet."""
    monkeypatch.setattr(chunks, "BYTES", size)
    monkeypatch.setattr(blocks, "BYTES", size)
    monkeypatch.setattr(blocks, "ROWS", size)


def read_blocks(path, columns=None, numbers=(), categories=(), missing=()):
    """Return all blocks as one frame of plain columns, with the bad rows."""
    file = open_file(path)
    wanted = Wanted(columns or file.columns, frozenset(numbers), frozenset(categories), missing)
    tables, bad, seen, done = [], [], 0, [0.0]
    for block in file.blocks(wanted):
        parsed = block.parse()
        tables.append(parsed.table.to_pandas())
        bad += [(seen + row.place, row.reason, row.content) for row in parsed.bad]
        seen += len(parsed.table) + len(parsed.bad)
        done.append(block.done)
    assert done == sorted(done)
    assert 0 <= done[-1] <= 1
    frame = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    return frame.astype(
        {name: frame[name].cat.categories.dtype for name in frame if is_cat(frame[name])}
    ), bad


def is_cat(column):
    return isinstance(column.dtype, pd.CategoricalDtype)


def assert_as_whole(path, **given):
    """Blocks hold what `read_leads` reads of the whole file."""
    found, bad = read_blocks(path, **given)
    assert bad == []
    expected = read_leads(path, missing=given.get("missing", ()))
    found = clean_cells(found, given.get("missing", ()))[list(expected)]
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


ROWS_OF_CSV = [
    ["id", "city", "note", "visits"],
    ["007", " Ulm ", 'says "no"', "3"],
    ["008", "Köln", "two\nlines, and\r\nthree", ""],
    ["009", "", '"', "1e3"],
    ["010", "Select", "", "-0.5"],
    ["011", "x" * 90, 'a""b\n"\n"', " 7 "],
    ["012", "Ulm", "\n", "0"],
]


def write_csv(rows, delimiter=",", end="\n"):
    """Quote by hand: only what needs it, so that quotes open at the start of values alone."""

    def quoted(value):
        needs = any(letter in value for letter in (delimiter, '"', "\n", "\r"))
        return '"' + value.replace('"', '""') + '"' if needs else value

    return "".join(delimiter.join(map(quoted, row)) + end for row in rows)


@pytest.mark.parametrize("size", TINY)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_of_any_encoding_and_delimiter(tmp_path, monkeypatch, size, encoding, delimiter):
    # a mark of three bytes is in one chunk
    set_size(monkeypatch, max(size, 3))
    path = tmp_path / "leads.csv"
    path.write_bytes(write_csv(ROWS_OF_CSV, delimiter).encode(encoding))
    assert_as_whole(path, numbers=["visits"], categories=["city"], missing=["Select"])
    assert_as_whole(path)


@pytest.mark.parametrize("size", TINY)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_compressed_csv(tmp_path, monkeypatch, size, end):
    set_size(monkeypatch, size)
    path = tmp_path / "leads.csv.gz"
    data = write_csv(ROWS_OF_CSV, end=end).encode()
    path.write_bytes(gzip.compress(data[:50]) + gzip.compress(data[50:]))
    assert_as_whole(path)
    path.write_bytes(gzip.compress(data)[:-9])
    with pytest.raises(DataError, match="cannot be read"):
        read_blocks(path)


ODD_FILES = {
    "no line end at the end": b"id,a\n1,2\n3,4",
    "empty lines": b"id,a\n\n1,2\n\n\n3,4\n\n",
    "trailing delimiters": b"id,a,\n1,2,\n3,4,\n",
    "names with blanks": b" id , a\n1,2\n",
    "carriage returns alone": b"id,a\r1,2\r3,4\r",
    "line ends of two kinds": b"id,a\r\n1,2\n3,4\r\n",
    "a quote in a value": b'id,a\n1,19" rack\n2,plain\n3,"two\nlines"\n4,x\n5,"a\nb"\n',
    "quotes in two values": b'id,a\n1,19" rack\n2,"x\ny"\n3,24" rack\n4,"1\n2"\n5,6\n',
    "letters after a quote": b'id,a\n1,"x" "y"\n2,"two\nlines"z\n3,4\n',
    "a header of two lines": b'id,"a\nb"\n1,2\n3,4\n',
    "empty texts in quotes": b'id,a\n1,""\n"",""""\n3,"\n"\n',
    "blanks before a quote": b'id,a\n1, "x\n2,"y\n"\n3,z\n',
    "long rows": b"id,a\n1," + b"x" * 500 + b'\n2,"' + b"\n" * 500 + b'"\n3,4\n',
}


@pytest.mark.parametrize("size", TINY)
@pytest.mark.parametrize("name", ODD_FILES)
def test_odd_csv(tmp_path, monkeypatch, name, size):
    set_size(monkeypatch, size)
    path = tmp_path / "leads.csv"
    path.write_bytes(ODD_FILES[name])
    assert_as_whole(path)


CELLS = st.text(alphabet='ab,"\n é', max_size=6)


@given(
    rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=12),
    size=st.integers(1, 40),
)
@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_quoted_table_is_cut_between_rows(tmp_path, rows, size):
    path = tmp_path / "leads.csv"
    table = [["id", "first", "second"], *([str(place), *row] for place, row in enumerate(rows))]
    path.write_text(write_csv(table), encoding="utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        set_size(patch, size)
        found, bad = read_blocks(path)
    assert bad == []
    assert found.to_numpy().tolist() == table[1:]


@given(data=st.text(alphabet='a,"\n', max_size=60))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_the_end_of_rows_is_the_last_line_end_in_no_quotes(data):
    inside, start, end = False, True, 0
    place = 0
    while place < len(data):
        letter = data[place]
        if inside and letter == '"' and data[place + 1 : place + 2] == '"':
            place += 1
        elif letter == '"' and (inside or start):
            inside = not inside
        elif letter == "\n" and not inside:
            end = place + 1
        start = not inside and letter in ",\n"
        place += 1
    assert find_end_of_rows(data.encode(), ",") == end


@pytest.mark.parametrize("size", TINY)
def test_rows_of_another_width_are_told_with_their_places(tmp_path, monkeypatch, size):
    set_size(monkeypatch, size)
    path = tmp_path / "leads.csv"
    path.write_bytes(b'id,a,b\n1,2\n2,"x\ny",4\n\n3,4,5,6\n4,5,6\n5\n6,7,8\n')
    found, bad = read_blocks(path)
    assert found["id"].tolist() == ["2", "4", "6"]
    assert [place for place, _, _ in bad] == [0, 2, 4]
    assert bad[1][1:] == ("4 values, but the header names 3 columns", "3,4,5,6")


@pytest.mark.parametrize("size", [3, 1 << 20])
@pytest.mark.parametrize("odd", ["nan", "inf", "-Infinity", "1e999", "n/a", "0x10", "1_000", "1,5"])
def test_a_text_that_is_no_number_stays_one_alone(tmp_path, monkeypatch, size, odd):
    set_size(monkeypatch, size)
    path = tmp_path / "leads.csv"
    path.write_text(f"id;a;b\n1;2;1.5\n2;{odd};\n3; 4 ;none\n", encoding="utf-8")
    file = open_file(path)
    wanted = Wanted(["b", "a"], numbers=frozenset("ab"), missing=["none"])
    tables = [block.parse().table for block in file.blocks(wanted)]
    values = [value for table in tables for value in table["a"].to_pylist()]
    assert odd in values
    assert pa.concat_tables(table.select(["b"]) for table in tables)["b"].to_pylist() == [
        1.5,
        None,
        None,
    ]
    assert tables[0].column_names == ["b", "a"]


def test_numbers_are_the_nearest_floats(tmp_path):
    random = np.random.default_rng(0)
    numbers = random.normal(size=500) * 10.0 ** random.integers(-300, 300, 500)
    numbers[:6] = [5e-324, 1e-40, -0.0, 1.7e308, np.nextafter(1, 2), 0.1]
    path = tmp_path / "leads.csv"
    pd.DataFrame({"id": range(500), "a": numbers}).to_csv(path, index=False)
    for more in ("", "x,x\n"):  # as numbers at once, and by way of texts
        path.write_text(path.read_text() + more)
        found, _ = read_blocks(path, numbers=["a"] if not more else ["a", "id"])
        found = pd.to_numeric(found["a"][:500])
        assert found.tolist() == numbers.tolist()


@pytest.mark.parametrize("size", TINY)
def test_a_header_alone_has_no_rows(tmp_path, monkeypatch, size):
    set_size(monkeypatch, size)
    path = tmp_path / "leads.csv"
    for data in (b"id,a\n", b"id,a", b"\xef\xbb\xbfid,a\n\n"):
        if size >= 3 or data[:1] == b"i":
            path.write_bytes(data)
            assert read_blocks(path)[0].empty


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\nid,a\n", "line 1: it is empty"),
        (b"id,id\n1,2\n", "'id' more than once"),
        (b'id,a\n1,2\n3,"4\n5,6\n', "line 3: a quote opens and never closes"),
        (b"PK\x03\x04zip", "is an Excel workbook"),
        (b"PAR1", r"Give it the ending \.parquet"),
    ],
)
def test_what_cannot_be_read_as_csv(tmp_path, data, match):
    path = tmp_path / "leads.csv"
    path.write_bytes(data)
    with pytest.raises(DataError, match=match):
        read_blocks(path)


def test_a_quote_that_never_closes_is_no_endless_search(tmp_path, monkeypatch):
    monkeypatch.setattr(chunks, "LONGEST_ROW", 1 << 20)
    set_size(monkeypatch, 1 << 16)
    path = tmp_path / "leads.csv"
    path.write_bytes(b'id,a\n1,2\n3,"4\n' + b"5,6\n" * 600_000)
    with pytest.raises(DataError, match="a row of over 1 MB"):
        read_blocks(path)


def test_only_what_is_wanted_in_its_order(tmp_path):
    path = tmp_path / "leads.csv"
    path.write_bytes(b"id,a,b\n1,2,3\n")
    found, _ = read_blocks(path, columns=["b", "id"])
    assert list(found) == ["b", "id"]


# Parquet

FRAME = pd.DataFrame(
    {
        "id": [f"{place:03d}" for place in range(50)],
        " city ": pd.Series(["Ulm", None, "", "Köln", " Ulm "] * 10),
        "visits": [1.5, None] * 25,
        "count": range(50),
        "is": [True, False, None, True, True] * 10,
        "day": pd.date_range("2026-01-01", periods=50),
    }
)


@pytest.mark.parametrize("size", [1, 7, 20, 1 << 20])
@pytest.mark.parametrize("group", [1, 13, 100])
@pytest.mark.parametrize("coded", [False, True])
def test_parquet_of_any_row_groups(tmp_path, monkeypatch, size, group, coded):
    set_size(monkeypatch, size)
    path = tmp_path / "leads.parquet"
    frame = FRAME.astype({" city ": "category"}) if coded else FRAME
    frame.to_parquet(path, row_group_size=group)
    assert_as_whole(path, numbers=["visits", "count"], categories=["city"])
    found, _ = read_blocks(path, columns=["city"], categories=["city"])
    assert found["city"].isna().sum() == 10
    assert len(found) == 50


def test_a_folder_of_parquet(tmp_path, monkeypatch):
    set_size(monkeypatch, 7)
    (tmp_path / "leads").mkdir()
    for number, rows in enumerate([FRAME[:20], FRAME[:0], FRAME[20:]]):
        rows.to_parquet(tmp_path / "leads" / f"part-{number}.parquet")
    assert_as_whole(tmp_path / "leads", categories=["city"])
    assert open_file(tmp_path / "leads").n_rows == 50
    FRAME[["id", "visits"]].to_parquet(tmp_path / "leads" / "part-3.parquet")
    with pytest.raises(DataError, match=r"part-3\.parquet lacks the columns \['city'"):
        open_file(tmp_path / "leads")


def test_dictionaries_that_differ_from_row_group_to_row_group(tmp_path, monkeypatch):
    set_size(monkeypatch, 5)
    path = tmp_path / "leads.parquet"
    city = [f"city {place // 3}" for place in range(40)]
    pq.write_table(pa.table({"id": range(40), "city": city}), path, row_group_size=4)
    found, _ = read_blocks(path, categories=["city"])
    assert found["city"].tolist() == city


def test_what_cannot_be_read_as_parquet(tmp_path):
    path = tmp_path / "leads.parquet"
    FRAME[:0].to_parquet(path)
    with pytest.raises(DataError, match="has no rows"):
        open_file(path)
    path.write_bytes(b"id,a\n1,2\n")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        open_file(path)
    with pytest.raises(DataError, match="does not exist"):
        open_file(tmp_path / "none.csv")


# JSON Lines


@pytest.mark.parametrize("size", [3, 64, 1 << 20])
@pytest.mark.parametrize("name", ["leads.jsonl", "leads.ndjson", "leads.jsonl.gz"])
def test_json_lines(tmp_path, monkeypatch, size, name):
    set_size(monkeypatch, size)
    rows = [
        {"id": "007", "city": 'a "b"\nü', "visits": 3, "is": True, "day": "2026-01-31"},
        {"id": "008", "visits": 2.5, "more": 1},
        {"id": "009", "city": None, "visits": None, "is": False, "day": "soon"},
    ]
    data = "\ufeff" + "\n\n".join(json.dumps(row) for row in rows)
    data = data.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    found, bad = read_blocks(tmp_path / name, numbers=["visits"])
    assert bad == []
    assert list(found) == ["id", "city", "visits", "is", "day", "more"]
    expected = pd.DataFrame(rows)
    pd.testing.assert_frame_equal(
        clean_cells(found.astype({"is": object})), clean_cells(expected), check_dtype=False
    )


@pytest.mark.parametrize("size", [3, 64, 1 << 20])
def test_lines_that_are_no_json_are_told_with_their_places(tmp_path, monkeypatch, size):
    set_size(monkeypatch, size)
    path = tmp_path / "leads.jsonl"
    lines = ['{"id": 1, "a": 2}', "{broken", '{"id": "x", "a": true}', "[1]", '{"id": 3, "a": 4}']
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found, bad = read_blocks(path)
    assert found["id"].astype("str").tolist() == ["1", "x", "3"]
    assert found["a"].astype("str").str.lower().str.removesuffix(".0").tolist() == [
        "2",
        "true",
        "4",
    ]
    assert [place for place, _, _ in bad] == [1, 3]
    assert "no JSON" in bad[0][1]
    assert bad[0][2] == "{broken"
    assert bad[1][1:] == ("no JSON object", "[1]")


def test_no_json_at_all(tmp_path):
    path = tmp_path / "leads.jsonl"
    for data in (b"", b"id,a\n1,2\n", b"[]"):
        path.write_bytes(data)
        with pytest.raises(DataError, match="is no JSON Lines file"):
            open_file(path)
