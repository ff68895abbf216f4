import re

import numpy as np
import pandas as pd
import pytest
from small_history import make_config, make_tables

from leadml.data.history import open_history
from leadml.errors import DataError
from leadml.features.snapshots import build_features

TABLES = make_tables(20, 100)
CONFIG = make_config()


def problems(config=CONFIG, **tables):
    with pytest.raises(DataError) as caught:
        open_history(config, tables={**TABLES, **tables})
    return str(caught.value)


def test_what_a_history_holds():
    history = open_history(CONFIG, tables=TABLES)
    assert list(history.leads) == ["lead_id", "created", "account", "source", "size"]
    assert history.created.dt.tz is None
    assert list(history.outcomes) == ["lead_id", "won", "closed"]
    assert [table.columns for table in history.events] == [
        ("lead", "at", "kind", "seconds"),
        ("lead", "at", "kind"),
    ]
    won = int((TABLES["outcomes"]["status"] == "won").sum())
    assert repr(history) == (
        f"<History: 20 leads, {won} won, {len(TABLES['outcomes']) - won} lost, until 2026-06-01; "
        "activities touches, calls in duckdb>"
    )


def test_companies_are_joined_by_their_id():
    leads = TABLES["leads"].assign(size=1.5)
    history = open_history(CONFIG, tables={**TABLES, "leads": leads})
    sizes = TABLES["accounts"].set_index("account_id")["size"]
    assert history.leads["size"].tolist() == [1.5] * 20  # the leads keep the name
    expected = leads["account"].map(sizes)
    np.testing.assert_array_equal(history.leads["account_size"], expected)
    assert expected.isna().any()


def test_people_are_joined_by_their_id():
    names = CONFIG.leads.model_dump() | {"contact": "person"}
    config = make_config(leads=names, contacts={"path": "people.csv", "id": "id"})
    people = pd.DataFrame({"id": ["p1", "p2"], "title": ["CFO", "Clerk"], "source": ["x", "y"]})
    leads = TABLES["leads"].assign(person=["p2", None, "p9", *["p1"] * 17])
    history = open_history(config, tables={**TABLES, "leads": leads, "contacts": people})
    assert history.leads["title"].fillna("").tolist() == ["Clerk", "", "", *["CFO"] * 17]
    assert history.leads["contact_source"].notna().sum() == 18


def test_ids_are_joined_whatever_their_type():
    """A number beside empty cells is a float; 7.0 is the company 7."""
    leads = TABLES["leads"].assign(account=[7, None, *["8"] * 18], lead_id=range(20))
    accounts = pd.DataFrame({"account_id": [7.0, 8.0, None], "size": [70, 80, 90]})
    outcomes = pd.DataFrame({"lead_id": ["3", "x", None], "status": "won", "closed": "2026-05-01"})
    tables = {**TABLES, "leads": leads, "accounts": accounts, "outcomes": outcomes}
    history = open_history(CONFIG, tables=tables)
    assert history.leads["size"].fillna(0).tolist() == [70, 0, *[80] * 18]
    assert history.outcomes["lead_id"].tolist() == ["3", "x"]


def test_a_frame_with_an_index_of_its_own():
    leads = TABLES["leads"].set_axis([5] * 20)
    found = build_features(open_history(CONFIG, tables={**TABLES, "leads": leads}), "2026-05-01")
    expected = build_features(open_history(CONFIG, tables=TABLES), "2026-05-01")
    pd.testing.assert_frame_equal(found, expected)


def test_the_day_of_the_export():
    no_day = make_config(snapshots={})
    newest = max(TABLES["leads"]["created"].max(), TABLES["outcomes"]["closed"].max())
    assert open_history(no_day, tables=TABLES).as_of == newest
    open_only = TABLES["outcomes"].assign(status="open", closed=None)
    history = open_history(no_day, tables={**TABLES, "outcomes": open_only})
    assert history.as_of == TABLES["leads"]["created"].max()
    assert history.outcomes.empty
    zoned = make_config(snapshots={"as_of": "2026-02-01T01:00+02:00"})
    assert open_history(zoned, tables=TABLES).as_of == pd.Timestamp("2026-01-31 23:00")


def test_outcomes_after_the_export_are_not_known():
    config = make_config(snapshots={"as_of": "2026-03-01"})
    history = open_history(config, tables=TABLES)
    assert history.outcomes["closed"].max() <= pd.Timestamp("2026-03-01")
    assert 0 < len(history.outcomes) < len(TABLES["outcomes"])


def test_outcomes_among_the_leads():
    outcome = {"column": "status", "won": ["won"], "lost": ["lost"], "closed": "closed"}
    leads = TABLES["leads"].merge(TABLES["outcomes"], how="left")
    apart = open_history(CONFIG, tables=TABLES).outcomes
    config = make_config(outcome=outcome)
    tables = {name: t for name, t in TABLES.items() if name != "outcomes"}
    within = open_history(config, tables={**tables, "leads": leads}).outcomes
    pd.testing.assert_frame_equal(within, apart)
    # a table of outcomes passed besides has the leads' ids in the same column
    besides = open_history(config, tables=TABLES).outcomes
    pd.testing.assert_frame_equal(besides, apart)


def test_leads_without_outcomes_can_be_scored():
    outcome = {"column": "status", "won": ["won"], "lost": ["lost"]}
    tables = {name: t for name, t in TABLES.items() if name != "outcomes"}
    assert open_history(make_config(outcome=outcome), tables=tables).outcomes.empty


def test_columns_that_are_missing_are_told_at_once():
    message = problems(leads=TABLES["leads"].rename(columns={"created": "creatd", "account": "a"}))
    assert message.startswith("The table of leads has 2 problems:")
    assert "'created' is missing. Did you mean 'creatd'? It has: lead_id, creatd, a" in message
    message = problems(accounts=TABLES["accounts"].rename(columns={"account_id": "id"}))
    assert message == "The table of accounts has no column 'account_id'. It has: id, size."
    message = problems(
        outcomes=TABLES["outcomes"].rename(columns={"lead_id": "lead", "closed": "c"})
    )
    assert message.startswith("The table of outcomes has 2 problems:")
    assert "'lead_id' is missing. Did you mean 'lead'?" in message
    message = problems(touches=TABLES["touches"].rename(columns={"at": "time", "kind": "kinds"}))
    assert message.startswith("[[activities]] 'touches' has 3 problems:")
    assert "'kind' is missing. Did you mean 'kinds'?" in message
    assert "It has: lead_id, time, kinds, seconds." in message


def test_ids_that_are_missing_or_stand_twice():
    leads = TABLES["leads"].copy()
    leads.loc[3, "lead_id"], leads.loc[5, "lead_id"] = None, "006"
    message = problems(leads=leads)
    assert "'lead_id' is empty in 1 rows (row 4)" in message
    assert "'lead_id' repeats an id in 1 rows (row 7)" in message
    twice = pd.concat([TABLES["accounts"], TABLES["accounts"][:2]])
    message = problems(accounts=twice)
    assert message == "The table of accounts repeats 'account_id' in 2 rows. Pass one row each."


def test_dates_that_are_none():
    message = problems(leads=TABLES["leads"].assign(created="03/04/2026"))
    assert "'created': 20 values are no date. Accepted is ISO 8601" in message
    message = problems(outcomes=TABLES["outcomes"].assign(closed="soon"))
    assert "'closed': 13 values are no date" in message
    days = TABLES["calls"]["when"].astype("str")
    message = problems(calls=TABLES["calls"].assign(when=days.mask(days.index < 2, "03/04/2026")))
    assert "'when': 2 values are no date. Accepted is ISO 8601" in message
    message = problems(calls=TABLES["calls"].assign(when=1_700_000_000))
    assert "'when': int64 is no date." in message


def test_dates_and_texts_of_days():
    """A day without a time is its first instant, in any form."""
    days = TABLES["calls"]["when"].dt.normalize()
    expected = None
    for when in (days, days.dt.date, days.dt.strftime("%Y-%m-%d")):
        calls = TABLES["calls"].assign(when=when)
        history = open_history(CONFIG, tables={**TABLES, "calls": calls})
        found = build_features(history, "2026-05-01")
        expected = found if expected is None else expected
        pd.testing.assert_frame_equal(found, expected)


def test_empty_cells_of_activities_count_for_nobody():
    more = pd.DataFrame(
        {
            "lead_id": [None, "001", "nobody"],
            "at": [pd.Timestamp("2026-02-01"), pd.NaT, pd.Timestamp("2026-02-01")],
            "kind": ["visit", "visit", "visit"],
        }
    )
    touches = pd.concat([TABLES["touches"], more], ignore_index=True)
    found = build_features(
        open_history(CONFIG, tables={**TABLES, "touches": touches}), "2026-05-01"
    )
    expected = build_features(open_history(CONFIG, tables=TABLES), "2026-05-01")
    pd.testing.assert_frame_equal(found, expected)


def test_tables_that_the_config_does_not_name():
    message = problems(touch=TABLES["touches"])
    assert "'touch' is not in leadml.toml. Did you mean 'touches'?" in message
    assert "It has: leads, outcomes, accounts, touches, calls." in message


@pytest.mark.parametrize("name", ["leads", "accounts", "outcomes", "touches"])
def test_files_that_do_not_exist(name, tmp_path):
    assert re.search(f"{name}.csv does not exist", problems(**{name: tmp_path / f"{name}.csv"}))
