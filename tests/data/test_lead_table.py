import numpy as np
import pandas as pd
import pytest

from leadml.config import Config
from leadml.data.lead_table import compute_fingerprint, feature_columns, read_table
from leadml.errors import DataError

LEADS = pd.DataFrame(
    {
        "id": ["a", "b", "c", "d"],
        "made": ["2026-01-01", "2026-01-02T10:00:00Z", "2026-01-03", "2026-01-04"],
        "firm": ["x", None, "x", "y"],
        "visits": [1, 2, 3, 4],
        "source": ["Select", "web", "web ", ""],
        "phone": ["1", None, "2", "3"],
        "status": ["won", "lost", "talking", None],
        "gender": ["f", "m", "f", "m"],
        "note": ["one", "two", "three", "four"],
    }
)


def settings(**changes) -> Config:
    tables = {
        "leads": {
            "path": "leads.csv",
            "id": "id",
            "created": "made",
            "account": "firm",
            "missing": ["Select"],
        },
        "outcome": {"column": "status", "won": ["won"], "lost": ["lost"]},
        "features": {
            "behavioral": ["visits"],
            "context": ["source"],
            "protected": ["gender"],
        },
        "handoff": {"required": ["phone"], "sales_ready": ["visits"]},
    }
    for name, values in changes.items():
        tables[name] = tables[name] | values
    return Config.model_validate(tables)


def test_roles_become_index_outcome_and_features():
    table = read_table(LEADS, settings())
    assert table.X.index.names == ["lead_id", "snapshot_date"]
    assert list(table.X.index.get_level_values("lead_id")) == ["a", "b", "c", "d"]
    assert table.X.columns.tolist() == ["visits", "source", "phone"]
    assert table.X["source"].tolist() == [np.nan, "web", "web", np.nan]
    assert table.y.tolist()[:2] == [1.0, 0.0]
    assert table.y.isna().tolist() == [False, False, True, True]
    assert table.created.iloc[1] == pd.Timestamp("2026-01-02 10:00")
    assert table.account.tolist() == ["x", np.nan, "x", "y"]
    assert table.unused == ("note",)


def test_without_created_the_index_holds_ids_alone():
    table = read_table(LEADS, settings(leads={"created": None, "account": None}))
    assert table.X.index.name == "lead_id"
    assert table.created is None
    assert table.account is None
    assert table.unused == ("made", "firm", "note")


def test_new_leads_need_no_outcome_and_no_account():
    table = read_table(LEADS.drop(columns=["status", "firm", "gender"]), settings())
    assert table.y.isna().all()
    assert table.account is None
    assert len(table.open().y) == 4
    assert len(table.closed().y) == 0


@pytest.mark.parametrize(
    ("values", "won", "lost"),
    [
        ([1, 0, 2, 2], 1, 0),
        ([1.0, 0.0, np.nan, np.nan], "1", "0"),
        ([True, False, None, None], True, False),
        (["True", "FALSE", "", "?"], True, False),
        (["1.0", "0.0", "", "Select"], 1, 0),
        (["Won", "LOST", "open", ""], "won", "Lost"),
        ([1234567.0, 1234568.0, 1234569.0, np.nan], 1234567, 1234568),
        (pd.Categorical(["won", "lost", "open", None]), ["won", "signed"], ["lost"]),
    ],
)
def test_outcomes_are_compared_as_texts(values, won, lost):
    leads = LEADS.assign(status=values)
    table = read_table(leads, settings(outcome={"won": won, "lost": lost}))
    assert table.y.tolist()[:2] == [1.0, 0.0]
    assert table.y.iloc[2:].isna().all()


def test_closed_and_open_split_the_leads():
    table = read_table(LEADS, settings())
    closed, still_open = table.closed(), table.open()
    assert closed.y.tolist() == [1.0, 0.0]
    assert len(closed.created) == len(closed.account) == len(closed.X) == 2
    assert still_open.X.index.get_level_values("lead_id").tolist() == ["c", "d"]
    assert table.take(np.array([3, 0])).X["visits"].tolist() == [4, 1]


def test_every_missing_column_is_told_at_once_with_its_likely_name():
    leads = LEADS.rename(columns={"visits": "Visits", "source": "Sorce", "id": "ids"})
    with pytest.raises(DataError, match="has 3 problems") as caught:
        read_table(leads, settings())
    message = str(caught.value)
    for wanted in ("'id' is missing. Did you mean 'ids'?", "'Visits'", "'Sorce'"):
        assert wanted in message
    assert "It has: ids, made" in message
    with pytest.raises(DataError, match="'phone' is missing"):
        read_table(LEADS.drop(columns="phone"), settings())


def test_bad_ids_and_dates_are_told_together_by_row():
    leads = LEADS.assign(id=["a", "", "a", None], made=["2026-01-01", "soon", "31.01.2026", ""])
    with pytest.raises(DataError, match="has 3 problems") as caught:
        read_table(leads, settings())
    message = str(caught.value)
    assert "'id' is empty in 2 rows (row 2, 4)" in message
    assert "'id' repeats an id in 1 rows (row 3)" in message
    assert "'made': 2 values are no date. Accepted is ISO 8601" in message
    assert "soon" not in message


def test_a_created_date_may_be_missing_or_a_number():
    table = read_table(LEADS.assign(made=["2026-01-01", None, "2026-01-03", ""]), settings())
    assert table.created.isna().tolist() == [False, True, False, True]
    table = read_table(LEADS.assign(made=[20260101, np.nan, 20260103, 20260104]), settings())
    assert table.created.iloc[2] == pd.Timestamp("2026-01-03")
    with pytest.raises(DataError, match="4 values are no date"):
        read_table(LEADS.assign(made=[45000, 45001, 45002, 45003]), settings())


def test_columns_of_the_handoff_are_read_once():
    assert feature_columns(settings()) == ["visits", "source", "phone"]


def test_the_fingerprint_tells_leads_apart_and_not_their_order():
    table = read_table(LEADS, settings())
    shuffled = read_table(LEADS.iloc[[2, 0, 3, 1]], settings())
    assert compute_fingerprint(table) == compute_fingerprint(shuffled)
    other = read_table(LEADS.assign(status=["lost", "lost", "talking", None]), settings())
    assert compute_fingerprint(table) != compute_fingerprint(other)
    assert compute_fingerprint(table) != compute_fingerprint(table.closed())


def test_a_file_reads_as_its_frame(tmp_path):
    path = tmp_path / "leads.csv"
    LEADS.to_csv(path, index=False)
    from_file, from_frame = read_table(path, settings()), read_table(LEADS, settings())
    pd.testing.assert_frame_equal(from_file.X, from_frame.X, check_dtype=False)
    assert compute_fingerprint(from_file) == compute_fingerprint(from_frame)
    with pytest.raises(DataError, match=r"leads\.csv has 1 problem"):
        read_table(path, settings(features={"context": ["origin"]}))
