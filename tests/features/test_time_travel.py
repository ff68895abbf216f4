"""Nothing that happens at or after a snapshot changes what is known at it, to the last bit."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_history import KINDS, make_config, make_tables

from leadml.data.history import open_history
from leadml.features.snapshots import build_features, build_snapshots

TABLES = make_tables(24, 300)
LISTED = make_config(snapshots={"as_of": "2026-06-01", "windows": ["7D", "30D"]})
FOUND = LISTED.model_copy(
    update={
        "activities": [
            LISTED.activities[0].model_copy(update={"kinds": []}),
            LISTED.activities[1],
        ]
    }
)
DATE = pd.Timestamp("2026-03-15")
AS_OF = pd.Timestamp("2026-06-01")

#: Rows at or after a date: what to do with one, which, how long after, and what it says.
edits = st.lists(
    st.tuples(
        st.sampled_from(["add", "change", "delete"]),
        st.integers(0, 10**6),
        st.one_of(st.just(0), st.just(1), st.integers(0, 100 * 86_400 * 10**6)),
        st.sampled_from([*KINDS, "unknown", "brand new", "Demo", None]),
        st.sampled_from([*TABLES["leads"]["lead_id"], "nobody", None]),
        st.sampled_from([0.0, -5.0, 1e6, np.nan]),
    ),
    min_size=1,
    max_size=40,
)
few = settings(max_examples=8, deadline=None, derandomize=True, database=None)


def edit(tables, changes, date):
    """Return the tables with touches and calls changed at and after a date."""
    touches, calls = (tables[name].to_dict("records") for name in ("touches", "calls"))
    for what, place, later, kind, lead, seconds in changes:
        moment = date + pd.Timedelta(microseconds=later)
        new = {"lead_id": lead, "at": moment, "kind": kind, "seconds": seconds}
        for rows, row, at in (
            (touches, new, "at"),
            (calls, {"lead": lead, "when": moment}, "when"),
        ):
            late = [each for each in rows if each[at] >= date]
            if what == "add" or not late:
                rows.append(row)
                continue
            old = late[place % len(late)]
            rows.remove(old)
            rows += [row] if what == "change" else []
    found = {"touches": pd.DataFrame(touches), "calls": pd.DataFrame(calls)}
    return {
        **tables,
        **{name: table.astype(dict(tables[name].dtypes)) for name, table in found.items()},
    }


@pytest.fixture(scope="module", autouse=True)
def _few_kinds():
    """One lead or row more or less decides which kinds are found."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("leadml.features.snapshots.MOST_KINDS", 3)
        patch.setattr("leadml.features.snapshots.FEWEST_LEADS", 8)
        yield


def features(config=FOUND, tables=TABLES, at=DATE):
    return build_features(open_history(config, tables=tables), at)


@pytest.fixture(scope="module", name="known")
def _known():
    X = features()
    found = [name for name in (*KINDS, "unknown") if f"{name}_7d" in X]
    assert found == ["visit", "content_download", "unknown"]
    assert X["activities_30d"].sum() > 20
    return X


def assert_same(found, expected):
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


@few
@given(changes=edits)
def test_later_activities_change_neither_values_nor_columns(known, changes):
    assert_same(features(tables=edit(TABLES, changes, DATE)), known)


def test_no_later_activities_at_all(known):
    cut = {
        **TABLES,
        "touches": TABLES["touches"][TABLES["touches"]["at"] < DATE],
        "calls": TABLES["calls"][TABLES["calls"]["when"] < DATE],
    }
    assert len(cut["touches"]) < len(TABLES["touches"])
    assert_same(features(tables=cut), known)


@few
@given(changes=edits, day=st.integers(0, 120))
def test_snapshots_up_to_a_date_do_not_see_what_is_later(snapshots, changes, day):
    date = pd.Timestamp("2026-01-10") + pd.Timedelta(days=day)
    X, y = build_snapshots(open_history(LISTED, tables=edit(TABLES, changes, date)))
    before = X.index.get_level_values("snapshot_date") <= date
    assert_same(X[before], snapshots[0][before])
    pd.testing.assert_series_equal(y, snapshots[1])


def test_an_earlier_activity_is_seen(known):
    """The tests above can fail: an instant before the snapshot counts."""
    row = {"lead_id": known.index[0][0], "at": DATE - pd.Timedelta(microseconds=1)}
    more = pd.DataFrame([{**row, "kind": "visit", "seconds": 1.0}])
    touches = pd.concat([TABLES["touches"], more.astype(dict(TABLES["touches"].dtypes))])
    found = features(tables={**TABLES, "touches": touches})
    assert found["visit_7d"].iloc[0] == known["visit_7d"].iloc[0] + 1


@pytest.fixture(scope="module", name="snapshots")
def _snapshots():
    return build_snapshots(open_history(LISTED, tables=TABLES))


@few
@given(
    days=st.lists(st.integers(1, 500), min_size=1, max_size=8),
    status=st.sampled_from(["won", "lost"]),
    seed=st.integers(0, 99),
)
def test_outcomes_after_the_export_change_nothing(snapshots, days, status, seed):
    leads = np.random.default_rng(seed).choice(TABLES["leads"]["lead_id"], len(days))
    closed = AS_OF + pd.to_timedelta(days, unit="D") - pd.Timedelta(hours=23)
    later = pd.DataFrame({"lead_id": leads, "status": status, "closed": closed})
    outcomes = pd.concat([TABLES["outcomes"], later], ignore_index=True)
    X, y = build_snapshots(open_history(LISTED, tables={**TABLES, "outcomes": outcomes}))
    assert_same(X, snapshots[0])
    pd.testing.assert_series_equal(y, snapshots[1])


def test_outcomes_after_the_export_where_none_is_known():
    early = make_config(snapshots={"as_of": "2026-02-20"})
    one = pd.DataFrame({"lead_id": ["zz"], "status": ["won"], "closed": ["2026-01-15"]})
    open_only = one.assign(status="open")
    later = TABLES["outcomes"][TABLES["outcomes"]["closed"] > pd.Timestamp("2026-02-20")]
    both = pd.concat([open_only.astype({"closed": "datetime64[us]"}), later])
    found = build_snapshots(open_history(early, tables={**TABLES, "outcomes": both}))
    expected = build_snapshots(open_history(early, tables={**TABLES, "outcomes": open_only}))
    assert_same(found[0], expected[0])
    pd.testing.assert_series_equal(found[1], expected[1])


def test_leads_that_come_in_later_change_nothing(known):
    leads = TABLES["leads"]
    firm = leads["account"].dropna().iloc[0]
    later = pd.DataFrame({"lead_id": [f"L{place}" for place in range(300)], "account": firm})
    later["created"], later["source"] = DATE + pd.Timedelta(hours=1), "fair"
    calls = pd.DataFrame({"lead": later["lead_id"], "when": DATE - pd.Timedelta(days=1)})
    tables = {
        **TABLES,
        "leads": pd.concat([leads, later], ignore_index=True),
        "calls": pd.concat([TABLES["calls"], calls], ignore_index=True),
    }
    assert_same(features(tables=tables), known)


@few
@given(seed=st.integers(0, 10**6))
def test_the_order_of_rows_changes_nothing(known, seed):
    random = np.random.default_rng(seed)
    mixed = {name: t.iloc[random.permutation(len(t))] for name, t in TABLES.items()}
    found = features(tables=mixed)
    assert found.index[0] == (mixed["leads"]["lead_id"].iloc[0], DATE) or len(found) < 24
    assert_same(found.loc[known.index], known)


def test_two_runs_and_two_looks_are_equal(known):
    history = open_history(FOUND, tables=TABLES)
    assert_same(build_features(history, DATE), known)
    assert_same(build_features(history, DATE), known)
    assert_same(build_features(history, "2026-03-14T20:00-04:00"), known)


ZONES = {
    "UTC": lambda at: at.dt.tz_localize("UTC"),
    "Kolkata": lambda at: at.dt.tz_localize("UTC").dt.tz_convert("Asia/Kolkata"),
    # its clocks go forward on 8 March
    "New York": lambda at: at.dt.tz_localize("UTC").dt.tz_convert("America/New_York"),
    "nanoseconds": lambda at: at.astype("datetime64[ns]"),
    "texts": lambda at: at.astype("str"),
    "Z": lambda at: at.map(lambda moment: moment.isoformat() + "Z"),
    "offsets": lambda at: at.dt.tz_localize("UTC").dt.tz_convert("America/New_York").astype("str"),
    "objects": lambda at: at.dt.tz_localize("UTC").astype(object),
}


@pytest.mark.parametrize(
    ("form", "zone"),
    [
        *(("frame", zone) for zone in ZONES),
        *(("parquet", zone) for zone in ("Kolkata", "nanoseconds", "offsets")),
        *(("csv", zone) for zone in ("texts", "Z", "offsets")),
    ],
)
@pytest.mark.filterwarnings("ignore:Series.values returning:DeprecationWarning")  # PyArrow writes
def test_time_zones_change_nothing(known, tmp_path, form, zone):
    touches = TABLES["touches"].assign(at=ZONES[zone](TABLES["touches"]["at"]))
    source = touches
    if form == "parquet":
        touches.to_parquet(source := tmp_path / "touches.parquet", index=False)
    if form == "csv":
        touches.to_csv(source := tmp_path / "touches.csv", index=False)
    assert_same(features(tables={**TABLES, "touches": source}), known)


def test_the_machines_time_zone_changes_nothing(known, monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        zoned = TABLES["touches"].assign(at=ZONES["Kolkata"](TABLES["touches"]["at"]))
        assert_same(features(), known)
        assert_same(features(tables={**TABLES, "touches": zoned}), known)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
def test_the_zone_of_an_engine_of_the_users_own_changes_nothing(known, zone, tmp_path):
    ibis = pytest.importorskip("ibis")
    engine = ibis.duckdb.connect()
    engine.raw_sql(f"SET TimeZone = '{zone}'")
    touches = TABLES["touches"].assign(at=ZONES["offsets"](TABLES["touches"]["at"]))
    touches.to_csv(tmp_path / "touches.csv", index=False)
    tables = {**TABLES, "touches": tmp_path / "touches.csv"}
    found = build_features(open_history(FOUND, tables=tables, engine=engine), DATE)
    assert_same(found, known)
    assert engine.raw_sql("SELECT current_setting('TimeZone')").fetchone() == (zone,)
