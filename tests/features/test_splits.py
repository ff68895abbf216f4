import numpy as np
import pandas as pd
import pytest

from leadml.features.splits import MANY, split_leads


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
