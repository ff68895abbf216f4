import re

import numpy as np
import pandas as pd
import pytest

from leadml.data.schema_history import infer_activities, infer_links, join_tables
from leadml.errors import DataError

IDS = pd.Series([f"L{place}" for place in range(40)])


def make_events(lead="lead_id", at="at", **columns) -> pd.DataFrame:
    n = 200
    days = pd.date_range("2026-01-01", periods=n, freq="7h")
    return pd.DataFrame({lead: IDS.to_numpy()[np.arange(n) % 40], at: days, **columns})


def deal(*values):
    return np.resize(values, 200)


def infer(name="touches", ids=IDS, **columns):
    return infer_activities(make_events(**columns), ids, name)


@pytest.mark.parametrize(
    "state", ["stage", "status", "deal_stage", "outcome", "call_result", "disposition", "state"]
)
def test_what_is_overwritten_is_no_kind(state):
    table = infer(**{state: deal("new", "won", "lost")})
    assert table.kind is None
    assert table.kind_value == "touch"
    beside = infer(**{state: deal("new", "won"), "type": deal("visit", "mail")})
    assert beside.kind == "type"
    assert beside.measures == []


def test_a_state_that_is_called_a_kind_is_none():
    assert infer(stage_type=deal("a", "b"), status_name=deal("x", "y")).kind is None


@pytest.mark.parametrize("name", ["touch_type", "event", "Activity", "action_name", "pageCategory"])
def test_kinds(name):
    table = infer(**{name: deal("visit", "mail", "demo")})
    assert (table.kind, table.kind_value) == (name, None)


def test_texts_of_many_values_are_no_kind():
    assert infer(event_name=[f"page {place}" for place in range(200)]).kind is None
    assert infer(note=deal("a", "b")).kind is None
    assert infer(event_type=deal(1, 2, 3)).kind is None


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("sessions", "session"),
        ("calls", "call"),
        ("replies", "reply"),
        ("searches", "search"),
        ("mail", "mail"),
    ],
)
def test_tables_of_one_kind_are_named_by_their_file(source, kind, tmp_path):
    for path in (tmp_path / f"{source}.csv", tmp_path / f"{source}.csv.gz"):
        make_events().to_csv(path, index=False)
        table = infer_activities(str(path), IDS)
        assert (table.kind_value, table.title, table.path) == (kind, source, str(path))
        assert table.name == ""


def test_numbers_are_measures_but_ids_values_and_times_are_none():
    table = infer(
        seconds=deal(1, 2),
        pages=deal(1.5, None),
        event_id=range(200),
        amount=deal(100, 5),
        kind=deal("a", "b"),
        sent_at=pd.Timestamp("2026-01-01"),
    )
    assert table.measures == ["seconds", "pages"]


def test_the_lead_is_known_by_its_ids_whatever_the_column_is_called():
    assert infer(lead="who", contact_id=deal("c1", "c2")).lead == "who"
    # another table's ids stand under a better name
    assert infer(lead="who", lead_id=deal("x1", "x2")).lead == "who"
    strange = pd.concat([IDS, pd.Series(["L99"])])
    assert infer(ids=strange).lead == "lead_id"


@pytest.mark.parametrize(
    "ids", [pd.Series(range(40)), pd.Series(np.arange(40.0)), pd.Series(map(str, range(40)))]
)
def test_ids_are_the_same_as_numbers_and_as_texts(ids):
    events = make_events()
    events["lead_id"] = events["lead_id"].str[1:].astype(float)
    assert infer_activities(events, ids, "touches").lead == "lead_id"


@pytest.mark.parametrize("at", ["at", "touch_timestamp", "Date", "when", "occurred_at"])
def test_times_as_dates_and_as_texts(at):
    assert infer(at=at).at == at
    texts = make_events(at=at)
    texts[at] = texts[at].astype("str")
    assert infer_activities(texts, IDS, "touches").at == at


def test_a_time_by_its_name_before_another():
    table = infer(at="happened_at", imported=pd.Timestamp("2026-03-01"))
    assert table.at == "happened_at"
    reordered = make_events(at="timestamp").assign(loaded=pd.Timestamp("2026-03-01"))
    assert infer_activities(reordered[["loaded", "timestamp", "lead_id"]], IDS, "x").at == (
        "timestamp"
    )


def test_what_is_missing_is_told_with_the_columns_there_are():
    with pytest.raises(DataError) as caught:
        infer(ids=pd.Series(["somebody", "else"]))
    assert str(caught.value) == (
        "In the activities touches no column names the leads by their ids. It has: lead_id, at. "
        "Write [[activities]] into leadml.toml by hand: path, lead, at, and kind or kind_value."
    )
    no_time = make_events().assign(at=deal(5, 6))
    with pytest.raises(DataError, match=r"touches no column holds the time. It has: lead_id, at"):
        infer_activities(no_time, IDS, "touches")
    with pytest.raises(DataError, match="names the leads by their ids and no column holds the ti"):
        infer_activities(no_time[["at"]], IDS, "touches")


def make_companies():
    return pd.DataFrame({"account_id": [1, 2, 3], "industry": ["a", "b", "c"], "size": [9, 8, 7]})


def test_links_by_the_ids_that_the_leads_hold():
    leads = pd.DataFrame({"lead_id": range(10, 16), "account_id": [1, 2, 3, 1, None, 3]})
    assert infer_links(leads, {"accounts": make_companies()}) == {
        "accounts": {"id": "account_id", "key": "account_id"}
    }
    other = leads.rename(columns={"account_id": "company"})
    assert infer_links(other, {"accounts": make_companies()})["accounts"]["key"] == "company"
    people = pd.DataFrame({"contact_id": ["p1", "p2"], "account_id": [1, 2]})
    leads["contact_id"] = ["p1", "p2", "p2", "p1", None, "p1"]
    links = infer_links(leads, {"accounts": make_companies(), "contacts": people})
    assert links["contacts"] == {"id": "contact_id", "key": "contact_id"}
    assert links["accounts"] == {"id": "account_id", "key": "account_id"}


def test_a_table_that_no_lead_names():
    leads = pd.DataFrame({"lead_id": range(10, 16), "source": "web"})
    message = "No column of the leads names a row of the table of accounts."
    with pytest.raises(DataError, match=re.escape(message)):
        infer_links(leads, {"accounts": make_companies()})


def test_joined_columns_are_named_as_a_history_names_them():
    leads = pd.DataFrame(
        {"lead_id": [5, 6, 7], "account_id": [2.0, None, 1.0], "size": 1, "contact_id": list("yzx")}
    )
    people = pd.DataFrame({"contact_id": list("xy"), "account_id": [3, 3], "title": ["CFO", "IT"]})
    linked = {"accounts": make_companies(), "contacts": people}
    joined = join_tables(leads, linked, infer_links(leads, linked))
    assert list(joined) == [
        "lead_id", "account_id", "size", "contact_id", "title", "industry", "account_size"
    ]  # fmt: skip
    assert joined["industry"].fillna("").tolist() == ["b", "", "a"]
    assert joined["account_size"].fillna(0).tolist() == [8, 0, 9]
    assert joined["title"].fillna("").tolist() == ["IT", "", "CFO"]
    assert len(joined) == 3
