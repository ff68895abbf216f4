import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadml.errors import DataError
from leadml.features.splits import MANY, split_at_random, split_by_date, split_leads


def outcomes(count: int, seed: int = 0) -> pd.Series:
    return pd.Series(np.random.default_rng(seed).integers(0, 2, count).astype(float))


def days(count: int, freq: str = "6h") -> pd.Series:
    dates = pd.Series(pd.date_range("2026-01-01", periods=count, freq=freq))
    return dates.sample(frac=1, random_state=1).reset_index(drop=True)


def test_the_newest_fifth_is_the_test():
    created = days(1_000)
    split = split_leads(outcomes(1_000), created)
    ((older, newer),) = split.parts
    assert split.warnings == ()
    assert len(older) + len(newer) == 1_000
    assert not set(older) & set(newer)
    assert len(newer) == pytest.approx(200, abs=4)  # four leads a day
    assert created.iloc[older].max() < created.iloc[newer].min()
    assert created.iloc[newer].min().date().isoformat() in split.method


def test_leads_of_one_day_stay_on_one_side():
    created = days(400, "30min")
    ((older, newer),) = split_leads(outcomes(400), created).parts
    on_days = created.dt.date
    assert not set(on_days.iloc[older]) & set(on_days.iloc[newer])


def test_a_lead_without_a_date_is_learned_from():
    created = days(100)
    created.iloc[:30] = pd.NaT
    ((older, newer),) = split_leads(outcomes(100), created).parts
    assert set(range(30)) <= set(older)
    assert len(newer) == pytest.approx(14, abs=4)


def test_an_account_is_on_one_side_by_time():
    created = pd.Series(pd.date_range("2026-01-01", periods=300))
    account = pd.Series([f"firm {place // 7}" for place in range(300)])
    account.iloc[::3] = None
    split = split_leads(outcomes(300), created, account)
    ((older, newer),) = split.parts
    assert not set(account.iloc[older].dropna()) & set(account.iloc[newer].dropna())
    assert split.warnings == ()
    # leads without an account are never dropped with another's
    assert account.iloc[older].isna().sum() + account.iloc[newer].isna().sum() == 100


def test_where_most_accounts_are_on_both_sides_it_says_so():
    account = pd.Series([f"firm {place % 10}" for place in range(300)])
    split = split_leads(outcomes(300), days(300), account)
    ((older, newer),) = split.parts
    assert len(older) + len(newer) == 300
    assert "on both sides" in split.warnings[0]


def test_newest_leads_that_all_ended_alike_are_told():
    y, created = outcomes(100), pd.Series(pd.date_range("2026-01-01", periods=100))
    y.iloc[75:] = 0
    assert "ended alike" in split_leads(y, created).warnings[0]


@pytest.mark.parametrize("count", [150, MANY])
def test_without_dates_leads_are_dealt_at_random(count):
    split = split_leads(outcomes(count))
    tested = np.concatenate([newer for _, newer in split.parts])
    assert len(split.parts) == (5 if count < MANY else 1)
    assert len(np.unique(tested)) == len(tested) == (count if count < MANY else count // 5)
    for older, newer in split.parts:
        assert not set(older) & set(newer)
    assert "at random" in split.warnings[0]


def test_an_account_is_on_one_side_of_random_folds():
    account = pd.Series([f"firm {place % 40}" for place in range(200)])
    account.iloc[::5] = np.nan
    split = split_leads(outcomes(200), None, account)
    tested = np.sort(np.concatenate([newer for _, newer in split.parts]))
    assert tested.tolist() == list(range(200))
    for older, newer in split.parts:
        assert not set(account.iloc[older].dropna()) & set(account.iloc[newer].dropna())
    assert "accounts kept together" in split.method


@pytest.mark.parametrize("firms", [1, 3])
def test_too_few_accounts_for_folds_are_told(firms):
    account = pd.Series([f"firm {place % firms}" for place in range(100)])
    split = split_leads(outcomes(100), None, account)
    assert len(split.parts) == 5
    assert "too few accounts" in split.warnings[1]
    assert "accounts kept together" not in split.method


@pytest.mark.parametrize(
    "created",
    [
        pd.Series(pd.date_range("2026-01-01", periods=100, freq="1min")),
        pd.Series([pd.NaT] * 100),
        pd.Series([pd.Timestamp("2026-01-01")] + [pd.Timestamp("2026-02-01")] * 99),
    ],
    ids=["one day", "no date", "nearly one day"],
)
def test_dates_that_split_nothing_fall_back_to_folds(created):
    split = split_leads(outcomes(100), created)
    assert len(split.parts) == 5
    assert "at random" in split.warnings[0]


def test_older_leads_that_all_ended_alike_fall_back_to_folds():
    y = pd.Series([0.0] * 80 + [0.0, 1.0] * 10)
    split = split_leads(y, pd.Series(pd.date_range("2026-01-01", periods=100)))
    assert "too few wins or losses" in split.warnings[0]
    assert all(y.iloc[older].sum() >= 2 for older, _ in split.parts)


def test_equal_seeds_split_alike():
    y = outcomes(150)
    first, again, other = (split_leads(y, random_state=seed) for seed in (3, 3, 4))
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(first.parts, again.parts, strict=True))
    assert any(
        not np.array_equal(a[1], b[1]) for a, b in zip(first.parts, other.parts, strict=True)
    )


def test_a_gap_of_one_horizon_lies_before_the_test():
    created = days(1_000)
    split = split_leads(outcomes(1_000), created, horizon="30D")
    ((older, newer),) = split.parts
    start = created.iloc[newer].min().normalize()
    assert split.warnings == ()
    assert created.iloc[older].max() + pd.Timedelta("30D") <= start
    assert len(older) == pytest.approx(800 - 120, abs=4)
    assert split.method.endswith("on, after a gap of 30 days")


@pytest.mark.parametrize("horizon", ["190D", "300D"])
def test_where_the_gap_leaves_too_little_there_is_none_and_it_is_told(horizon):
    created = days(1_000)
    split = split_leads(outcomes(1_000), created, horizon=horizon)
    without = split_leads(outcomes(1_000), created)
    assert [len(side) for side in split.parts[0]] == [len(side) for side in without.parts[0]]
    assert split.method == without.method
    (told,) = split.warnings
    assert "fewer than 40 wins or losses" in told
    assert horizon[:-1] in told


def test_a_history_too_small_for_any_split_by_time_is_dealt_at_random():
    created = pd.Series(pd.date_range("2026-01-01", periods=100))
    y = pd.Series([0.0] * 80 + [0.0, 1.0] * 10)
    split = split_leads(y, created, horizon="30D")
    assert "too few wins or losses" in split.warnings[0]
    assert len(split.parts) == 5


def snapshots(leads, looks=4):
    """Four looks at each lead, ten days apart."""
    lead = np.repeat(np.arange(leads), looks)
    first = pd.Timestamp("2026-01-01") + pd.to_timedelta(lead, unit="D")
    at = pd.Series(first + pd.to_timedelta(np.tile(np.arange(looks) * 10, leads), unit="D"))
    y = outcomes(leads).iloc[lead].reset_index(drop=True)
    return y, at, lead


@pytest.mark.parametrize("horizon", [None, "30D"])
@pytest.mark.parametrize("dated", [True, False])
def test_a_lead_is_on_one_side(dated, horizon):
    y, at, lead = snapshots(400)
    split = split_leads(y, at if dated else None, horizon=horizon, lead=lead)
    for older, newer in split.parts:
        assert len(older)
        assert not set(lead[older]) & set(lead[newer])
    assert "snapshots" in split.method or "folds" in split.method


def test_snapshots_without_an_account_follow_their_lead_at_random():
    y, _, lead = snapshots(100)
    account = pd.Series(lead % 30, dtype=object).where(lead % 2 == 0)
    split = split_leads(y, None, account, lead=lead)
    assert "accounts kept together" in split.method
    for older, newer in split.parts:
        assert not set(lead[older]) & set(lead[newer])
        assert not set(account.iloc[older].dropna()) & set(account.iloc[newer].dropna())


def test_forty_wins_are_forty_leads_not_forty_snapshots():
    y, at, lead = snapshots(130)
    y[:] = (lead % 3 == 0).astype(float)
    split = split_leads(y, at, horizon="20D", lead=lead)
    assert "fewer than 40 wins or losses" in split.warnings[0]  # about 33 leads, 100 snapshots


def test_the_split_for_comparison_ignores_dates_and_says_nothing():
    y, _, lead = snapshots(MANY // 4)
    split = split_at_random(y, lead=lead)
    ((older, newer),) = split.parts
    assert split.warnings == ()
    assert split.method == "a random 20 % of snapshots"
    assert len(newer) == MANY // 5
    assert not set(lead[older]) & set(lead[newer])


dated_rows = st.lists(
    st.tuples(st.none() | st.integers(0, 90), st.integers(0, 20), st.none() | st.integers(0, 6)),
    min_size=2,
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(dated_rows, st.integers(1, 40), st.booleans())
def test_no_label_window_no_lead_and_no_account_crosses(rows, gap, level):
    at, lead, account = (list(column) for column in zip(*rows, strict=True))
    dates = pd.Timestamp("2026-01-01") + pd.to_timedelta(pd.Series(at, dtype=float), unit="D")
    if level:
        index = pd.MultiIndex.from_arrays([lead, dates], names=["lead_id", "snapshot_date"])
    try:
        train, test = split_by_date(index if level else dates, gap=f"{gap}D", groups=account)
    except DataError as error:
        assert "No rows are left" in str(error) or "Got 0 dates" in str(error)
        return
    assert not set(train) & set(test)
    assert dates[train].max() + pd.Timedelta(days=gap) <= dates[test].min()
    firms = pd.Series(account, dtype=object)
    assert not set(firms[train].dropna()) & set(firms[test].dropna())
    if level:
        ids = np.array(lead)
        assert not set(ids[train]) & set(ids[test])


def test_split_at_a_date():
    at = pd.date_range("2026-01-01", periods=10)
    train, test = split_by_date(at, "2026-01-06")
    assert (train.tolist(), test.tolist()) == ([0, 1, 2, 3, 4], [5, 6, 7, 8, 9])
    train, test = split_by_date(at, pd.Timestamp("2026-01-06"), gap="2D", groups=list("ababcxxxbx"))
    assert (train.tolist(), test.tolist()) == ([0, 2], [5, 6, 7, 8, 9])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"date": "2026-03-01"}, "No rows are left to judge by: dates from 2026-01-01 to"),
        ({"date": "2025-03-01"}, "No rows are left to learn from"),
        ({"gap": "90D"}, "a gap of 90 days before it"),
        ({"groups": ["one"] * 10}, "leads and groups on one side only"),
        ({"gap": "never"}, "must be a positive time span. Got 'never'"),
        ({"test_share": 1.5}, "Got 10 dates and test_share=1.5"),
    ],
)
def test_a_split_by_date_that_leaves_nothing_is_told(options, told):
    with pytest.raises(DataError, match=re.escape(told)):
        split_by_date(pd.date_range("2026-01-01", periods=10), **options)


def test_maven_splits_with_a_gap(real_data):
    deals = pd.read_csv(real_data / "maven_crm" / "sales_pipeline.csv", parse_dates=["engage_date"])
    deals = deals[deals["deal_stage"].isin(["Won", "Lost"])]
    y = (deals["deal_stage"] == "Won").astype(float)
    split = split_leads(y, deals["engage_date"], deals["account"], horizon="90D")
    ((older, newer),) = split.parts
    created = deals["engage_date"]
    gap = created.iloc[newer].min() - created.iloc[older].max()
    assert gap >= pd.Timedelta("90D")
    assert "gap of 90 days" in split.method
    assert "on both sides" in split.warnings[0]  # 85 accounts buy again and again
