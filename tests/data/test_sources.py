import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from leadml.data.sources import clean_cells, read_leads, write_table
from leadml.errors import DataError

TEXT = 'id,city,visits\n007,"Köln, Süd",3\n008, Ulm ,\n'
EXPECTED = pd.DataFrame(
    {
        "id": pd.Series(["007", "008"], dtype="str"),
        "city": pd.Series(["Köln, Süd", "Ulm"], dtype="str"),
        "visits": [3.0, np.nan],
    }
)


def written(folder: Path, content: str | bytes, name: str = "leads.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_encodings(tmp_path, encoding):
    assert_frame_equal(read_leads(written(tmp_path, TEXT.encode(encoding))), EXPECTED)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(tmp_path, delimiter, end):
    rows = [["id", "city", "visits"], ["007", '"Köln, Süd"', "3"], ["008", " Ulm ", ""]]
    text = end.join(delimiter.join(row) for row in rows) + end
    assert_frame_equal(read_leads(written(tmp_path, text)), EXPECTED)


def test_gzip_whatever_the_suffix(tmp_path):
    packed = gzip.compress(TEXT.encode())
    assert_frame_equal(read_leads(written(tmp_path, packed, "leads.csv.gz")), EXPECTED)
    assert_frame_equal(read_leads(written(tmp_path, packed, "leads.csv")), EXPECTED)


def test_quotes_hold_delimiters_quotes_and_line_ends(tmp_path):
    path = written(tmp_path, 'id,note\n1,"a ""b"", c\nd"\n2,x\n')
    assert read_leads(path)["note"].tolist() == ['a "b", c\nd', "x"]


def test_one_column_and_a_loose_quote(tmp_path):
    assert read_leads(written(tmp_path, "id\n1\n2\n"))["id"].tolist() == [1, 2]
    assert read_leads(written(tmp_path, 'id,size\n1,5" disk\n2,b\n'))["size"][0] == '5" disk'


def test_missing_texts_become_nan_and_the_column_numeric(tmp_path):
    path = written(tmp_path, "id,age,city\na, SELECT ,Select\nb,41,selected\nc,  ,n/a\n")
    leads = read_leads(path, missing=["select", "N/A"])
    assert leads["age"].dtype == "float64"
    assert leads["age"].tolist()[1] == 41
    assert leads["city"].isna().tolist() == [True, False, True]


def test_missing_numbers_are_the_same_in_text_and_number_columns():
    texts = clean_cells(pd.DataFrame({"a": ["-1", "5"]}), ["-1"])
    numbers = clean_cells(pd.DataFrame({"a": [-1.0, 5.0]}), ["-1"])
    assert_frame_equal(texts, numbers)


@pytest.mark.parametrize("value", ["007", "+4915112345678", "1234567890123456", "1_000", "nan"])
def test_ids_and_telephone_numbers_stay_text(value):
    cleaned = clean_cells(pd.DataFrame({"a": [value, "12"]}))["a"]
    assert cleaned.tolist() == [value, "12"]


@pytest.mark.parametrize(
    ("value", "number"), [("0", 0), ("-3.50", -3.5), (".5", 0.5), ("1e-3", 0.001), ("0.1", 0.1)]
)
def test_plain_numbers_become_numeric(value, number):
    assert clean_cells(pd.DataFrame({"a": [value, "12"]}))["a"].tolist() == [number, 12]


def test_a_frame_is_cleaned_and_not_changed():
    frame = pd.DataFrame({" city ": [" Ulm", ""], "n": pd.array([1, None], dtype="Int64")})
    before = frame.copy(deep=True)
    leads = read_leads(frame)
    assert_frame_equal(frame, before)
    assert list(leads) == ["city", "n"]
    assert leads["n"].dtype == "float64"
    assert leads["city"].isna().tolist() == [False, True]


def test_objects_and_categories_become_plain():
    frame = pd.DataFrame(
        {
            "mixed": pd.Series([1, "x", None], dtype=object),
            "flag": pd.Series([True, None, False], dtype=object),
            "kind": pd.Categorical(["a", None, "b"]),
            "day": pd.to_datetime(["2024-01-01", None, "2024-02-01"]),
        }
    )
    leads = clean_cells(frame)
    assert leads["mixed"].tolist()[:2] == ["1", "x"]
    assert leads["flag"].tolist()[::2] == ["True", "False"]
    assert [leads[name].dtype.kind for name in ("kind", "day")] == ["O", "M"]
    assert leads.isna().sum().tolist() == [1, 1, 1, 1]


def test_columns_are_chosen_in_order(tmp_path):
    path = written(tmp_path, TEXT)
    assert list(read_leads(path, columns=["visits", "id"])) == ["visits", "id"]
    with pytest.raises(DataError, match=r"no column 'vists'. Did you mean 'visits'\?"):
        read_leads(path, columns=["vists"])


def test_parquet_file_and_folder(tmp_path):
    for part in ("a", "b"):
        write_table(EXPECTED, tmp_path / f"{part}.parquet")
    assert_frame_equal(read_leads(tmp_path / "a.parquet"), EXPECTED)
    assert len(read_leads(tmp_path)) == 4


def test_nameless_empty_columns_are_dropped_and_others_named(tmp_path):
    assert list(read_leads(written(tmp_path, "id,a,\n1,2,\n3,4,\n"))) == ["id", "a"]
    assert list(read_leads(written(tmp_path, ",a\n0,2\n1,4\n"))) == ["unnamed_1", "a"]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", "is empty"),
        ("id,city\n", "has no rows"),
        ("id,city,city\n1,2,3\n", "column name 'city' more than once"),
        ("id,city\n1,2\n3\n4,5,6\n", r"(?s)2 problems:.*line 3: 1 values.*line 4: 3 values"),
        ('id,city\n1,"a\nb"\n3\n', "line 4: 1 values, but the header names 2 columns"),
        ("\n\nid,city\n1,2\n", "line 1: it is empty. Delete"),
        ('id,city\n1,a\n2,"b\n3,c\n', "line 3: a quote opens and never closes"),
        (b"PK\x03\x04rest", "Excel workbook.*Save it as CSV"),
        (b"\x1f\x8b\x08broken", "cannot be read"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, content, match):
    with pytest.raises(DataError, match=match):
        read_leads(written(tmp_path, content))


def test_missing_and_damaged_paths(tmp_path):
    written(tmp_path, TEXT)
    with pytest.raises(DataError, match=r"does not exist.*Did you mean 'leads.csv'\?"):
        read_leads(tmp_path / "lead.csv")
    with pytest.raises(DataError, match=r"holds no \.parquet file"):
        read_leads(tmp_path)
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_leads(written(tmp_path, b"PAR1 no", "leads.parquet"))


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.parquet"])
def test_written_tables_read_back(tmp_path, name):
    write_table(EXPECTED, tmp_path / name)
    assert_frame_equal(read_leads(tmp_path / name), EXPECTED)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_json_lines(tmp_path):
    write_table(EXPECTED, tmp_path / "out.jsonl")
    first = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()[0]
    assert first == '{"id":"007","city":"Köln, Süd","visits":3.0}'


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "out.parquet"
    write_table(EXPECTED, path)
    with pytest.raises(Exception, match="a"):
        write_table(pd.DataFrame({"a": [object(), {1: 2}]}), path)
    assert_frame_equal(read_leads(path), EXPECTED)
    assert len(list(tmp_path.iterdir())) == 1


def test_unwritable(tmp_path):
    with pytest.raises(DataError, match=r"Accepted endings: \.csv, \.csv\.gz, \.parquet, \.jsonl"):
        write_table(EXPECTED, tmp_path / "out.xlsx")
    with pytest.raises(DataError, match=r"does not exist\. Create it"):
        write_table(EXPECTED, tmp_path / "no" / "out.csv")
