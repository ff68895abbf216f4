import numpy as np
import pandas as pd
import pytest
from small_history import make_config, make_tables

from leadml.data.history import open_history
from leadml.features import activity_collect
from leadml.features.snapshots import build_features, build_snapshots

CONFIG, TABLES = make_config(), make_tables()


def build(config=CONFIG, tables=TABLES):
    return build_snapshots(open_history(config, tables=tables))[0]


def find_tables(engine) -> set[str]:
    rows = "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views()"
    return {name for (name,) in engine.con.sql(rows).fetchall()}


@pytest.mark.parametrize(("chunk", "n_leads"), [(1, 6), (7, 30), (40, 40)])
def test_chunks_give_what_the_whole_gives(chunk, n_leads, monkeypatch):
    tables = {**TABLES, "leads": TABLES["leads"].head(n_leads)}
    whole = build(tables=tables)
    assert len(whole) > 2 * chunk
    monkeypatch.setattr(activity_collect, "CHUNK", chunk)
    pd.testing.assert_frame_equal(build(tables=tables), whole)


def test_chunks_without_accounts(monkeypatch):
    leads = {"path": "leads.csv", "id": "lead_id", "created": "created"}
    config = make_config(leads=leads, accounts=None)
    tables = {name: table for name, table in TABLES.items() if name != "accounts"}
    whole = build(config, tables)
    monkeypatch.setattr(activity_collect, "CHUNK", 30)
    pd.testing.assert_frame_equal(build(config, tables), whole)
    assert "active_people_7d" not in whole


def test_chunks_leave_nothing_behind(monkeypatch):
    monkeypatch.setattr(activity_collect, "CHUNK", 15)
    history = open_history(CONFIG, tables=TABLES)
    before = find_tables(history.engine)
    first = build_features(history, "2026-04-01")
    left = find_tables(history.engine) - before
    assert not {name for name in left if "dated" in name or "active" in name or "part" in name}
    pd.testing.assert_frame_equal(build_features(history, "2026-04-01"), first)


def test_rows_come_back_in_their_order(monkeypatch):
    """Of leads without an activity too."""
    touches = TABLES["touches"][TABLES["touches"]["lead_id"] == "031"]
    calls = TABLES["calls"].head(0)
    tables = {**TABLES, "touches": touches, "calls": calls}
    monkeypatch.setattr(activity_collect, "CHUNK", 9)
    X = build_features(open_history(CONFIG, tables=tables), "2026-05-01")
    assert X.index.get_level_values("lead_id").tolist() == TABLES["leads"]["lead_id"].tolist()
    counted = X["activities_90d"].to_numpy()
    assert np.flatnonzero(counted).tolist() == [31]


def test_sums_are_rounded():
    numbers = build().select_dtypes("float").filter(regex="decayed|seconds|since|velocity")
    assert len(numbers.columns) > 10
    filled = numbers.to_numpy()[~np.isnan(numbers.to_numpy())]
    np.testing.assert_array_equal(filled, np.round(filled, activity_collect.DECIMALS))
