import numpy as np
import pandas as pd
import pytest
from small_history import KINDS, compute_by_hand, make_config, make_tables

from leadml.data.history import open_history
from leadml.features.activity_plan import make_plan
from leadml.features.snapshots import build_features, build_snapshots

SNAPSHOT = pd.Timestamp("2026-03-01")
TOUCHES, CALLS = make_config().activities
ONE_KIND = make_config(activities=[TOUCHES.model_copy(update={"kinds": ["visit"]}), CALLS])
DAY, INSTANT = pd.Timedelta(days=1), pd.Timedelta(microseconds=1)


def make_leads(ids=("a",), accounts=None, created="2026-01-01"):
    accounts = accounts or [None] * len(ids)
    return pd.DataFrame({"lead_id": ids, "created": created, "account": accounts, "source": "web"})


def look(touches, calls=(), leads=None, at=SNAPSHOT, config=None):
    """Return the features at a date; `touches` are (lead, age, kind, seconds), `calls` ages."""
    rows = pd.DataFrame(touches, columns=["lead_id", "at", "kind", "seconds"])
    phone = pd.DataFrame({"lead": "a", "when": pd.Series(calls, dtype="timedelta64[us]")})
    tables = {
        "leads": make_leads() if leads is None else leads,
        "accounts": pd.DataFrame({"account_id": ["A", "B"], "size": [1, 2]}),
        "outcomes": pd.DataFrame({"lead_id": ["zz"], "status": ["won"], "closed": ["2026-01-02"]}),
        "touches": rows.assign(
            at=(SNAPSHOT - rows["at"].astype("timedelta64[us]")).astype("datetime64[us]"),
            kind=rows["kind"].astype("str"),
            lead_id=rows["lead_id"].astype("str"),
            seconds=rows["seconds"].astype("float"),
        ),
        "calls": phone.assign(when=(SNAPSHOT - phone["when"]).astype("datetime64[us]")),
    }
    return build_features(open_history(config or make_config(), tables=tables), at)


def look_at_one(touches, calls=(), **options):
    return look([("a", *row) for row in touches], calls, **options).iloc[0]


def test_every_feature_by_hand():
    found = look_at_one(
        [
            (2 * DAY, "visit", 100),
            (2.5 * DAY, "visit", 50),
            (10 * DAY, "visit", None),
            (70 * DAY, "visit", 7.25),
            (20 * DAY, "content_download", 0),
            (40 * DAY, "content_download", 0),
            (14 * DAY, "demo", 600),
            (1 * DAY, "nobody asked for", 1),
            (1 * DAY, None, 1),
        ],
        calls=[28 * DAY],
    )
    expected = {
        "visit_7d": 2,
        "visit_30d": 3,
        "visit_90d": 4,
        "visit_active_days_7d": 1,  # both 2 to 3 days before
        "visit_active_days_30d": 2,
        "visit_active_days_90d": 3,
        "visit_seconds_7d": 150,
        "visit_seconds_30d": 150,
        "visit_seconds_90d": 157.25,
        "visit_decayed": 0.5 ** (2 / 14) + 0.5 ** (2.5 / 14) + 0.5 ** (10 / 14) + 0.5**5,
        "days_since_visit": 2,
        "content_download_7d": 0,
        "content_download_30d": 1,
        "content_download_90d": 2,
        "days_since_content_download": 20,
        "demo_decayed": 0.5,
        "demo_seconds_30d": 600,
        "call_30d": 1,
        "call_active_days_30d": 1,
        "call_decayed": 0.25,
        "days_since_call": 28,
        "email_90d": 0,
        "email_active_days_90d": 0,
        "email_decayed": 0,
        "email_seconds_90d": 0,
        "days_since_email": np.nan,
        "activities_7d": 4,  # kinds that the plan does not name count too
        "activities_30d": 8,
        "activities_90d": 10,
        "activities_velocity_7d": 4 - 4 * 7 / 23,
        "days_since_activity": 1,
        "days_content_to_sales_ready": 26,  # from the first content to the first demo
        "active_people_7d": 1,
        "active_people_90d": 1,
        "days_since_created": 59,
    }
    assert found[list(expected)].to_dict() == pytest.approx(expected, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("window", [7, 30, 90])
@pytest.mark.parametrize(
    ("age_in_windows", "more", "counted"),
    [(0, pd.Timedelta(0), 0), (0, INSTANT, 1), (1, -INSTANT, 1), (1, pd.Timedelta(0), 0)],
)
def test_edges_of_a_window(window, age_in_windows, more, counted):
    age = age_in_windows * window * DAY + more
    leads = make_leads(accounts=["A"])
    found = look_at_one([(age, "visit", 3.5)], calls=[age], leads=leads, config=ONE_KIND)
    for name in ("visit_{}d", "visit_active_days_{}d", "call_{}d", "active_people_{}d"):
        assert found[name.format(window)] == counted, name
    assert found[f"visit_seconds_{window}d"] == 3.5 * counted
    assert found[f"activities_{window}d"] == 2 * counted
    # older than the longest window, it still counts for how long ago
    assert np.isnan(found["days_since_visit"]) == (age == pd.Timedelta(0))


def test_rows_at_and_after_the_snapshot_do_not_count():
    found = look_at_one([(0 * DAY, "demo", 1), (-DAY, "visit", 1)], calls=[-INSTANT, -400 * DAY])
    nothing = look_at_one([])
    pd.testing.assert_series_equal(found, nothing)
    counts = nothing.filter(regex=r"_(\d+d|decayed)$").astype(float)
    assert (counts == 0).all()
    assert nothing.filter(like="days_since_").drop("days_since_created").isna().all()


def test_every_day_of_a_long_window_is_counted_once():
    days = [day * DAY + hour * DAY / 24 for day in range(100) for hour in (1, 23)]
    found = look_at_one([(day, "visit", 1) for day in days])
    assert [found[f"visit_active_days_{window}d"] for window in (7, 30, 90)] == [7, 30, 90]
    assert [found[f"visit_{window}d"] for window in (7, 30, 90)] == [14, 60, 180]


@pytest.mark.parametrize("windows", [["1D"], ["52D"], ["51D", "53D"], ["3D", "104D", "365D"]])
def test_windows_of_any_length(windows):
    days = np.arange(400) * DAY + DAY / 2
    config = make_config(activities=ONE_KIND.activities, snapshots={"windows": windows})
    found = look_at_one([(day, "visit", 1) for day in days], config=config)
    for window in windows:
        assert found[f"visit_active_days_{window.lower()}"] == pd.Timedelta(window).days
    assert ("activities_velocity_1d" in found) is False
    assert (f"activities_velocity_{windows[0].lower()}" in found) == (len(windows) > 1)


def test_a_demo_before_the_content_took_less_than_no_time():
    found = look_at_one([(9 * DAY, "demo", 0), (4 * DAY, "content_download", 0)])
    assert found["days_content_to_sales_ready"] == -5
    only = look_at_one([(9 * DAY, "demo", 0)])
    assert np.isnan(only["days_content_to_sales_ready"])


def test_people_of_an_account():
    leads = make_leads(list("abcdef"), ["A", "A", "A", "B", None, None])
    leads.loc[2, "created"] = "2026-03-02"
    touches = [(lead, DAY, "visit", 1) for lead in "abcde"]
    found = look(touches, leads=leads)["active_people_7d"].droplevel("snapshot_date")
    # c is of the company, but came in later; e has no company; f did nothing
    assert found.to_dict() == {"a": 2, "b": 2, "d": 1, "e": 1, "f": 0}


def test_a_person_with_two_leads_counts_once():
    leads = make_leads(list("abc"), ["A"] * 3).assign(person=["p", "p", None])
    settings = make_config().leads.model_dump() | {"contact": "person"}
    touches = [(lead, DAY, "visit", 1) for lead in "abc"]
    found = look(touches, leads=leads, config=make_config(leads=settings))
    assert found["active_people_7d"].tolist() == [2, 2, 2]


@pytest.mark.parametrize("half_life", ["1D", "36h", "100D"])
def test_half_life(half_life):
    config = make_config(activities=ONE_KIND.activities, snapshots={"half_life": half_life})
    age = 3.7 * DAY
    found = look_at_one([(age, "visit", 1)], config=config)
    assert found["visit_decayed"] == pytest.approx(0.5 ** (age / pd.Timedelta(half_life)), abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_random_histories_equal_plain_pandas(seed):
    config, tables = make_config(), make_tables(seed=seed)
    X, _ = build_snapshots(open_history(config, tables=tables))
    names = [name for name in make_plan(config).names() if name != "days_since_created"]
    assert list(X.columns[-len(names) - 1 : -1]) == names
    expected = compute_by_hand(tables, X)[names]
    pd.testing.assert_frame_equal(X[names], expected, rtol=0, atol=1e-6, check_dtype=False)
    assert (expected.max() > 0).all()


def test_counts_are_whole_numbers():
    found = look([("a", DAY, "visit", 1)])
    counts = [f"{kind}_7d" for kind in (*KINDS, "call", "activities", "active_people")]
    assert set(found[counts].dtypes) == {np.dtype("int32")}
