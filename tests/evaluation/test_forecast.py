import numpy as np
import pandas as pd
import pytest
from scipy.stats import nbinom, poisson

from leadml.errors import DataError
from leadml.evaluation.forecast import compute_definitions, forecast_weeks

MONDAY = pd.Timestamp("2026-01-05")


def leads_of(counts, start=MONDAY):
    """Return one date a lead: so many in each week, spread over its seven days."""
    return pd.Series(
        [
            start + pd.Timedelta(weeks=week, days=place % 7, hours=23)
            for week, count in enumerate(counts)
            for place in range(count)
        ]
    )


def test_complete_weeks_alone_are_counted():
    # Thursday to the Tuesday after next: one whole week and two partial ones, then four more
    days = pd.date_range("2026-01-08", "2026-02-17", freq="D")
    table = forecast_weeks(days, ["hot"] * len(days))
    assert table["group"].tolist() == ["hot", "all"]
    assert table["n_weeks"].tolist() == [5, 5]
    assert table["mean"].tolist() == [7, 7]
    whole = pd.date_range("2026-01-05", "2026-02-01 23:00", freq="h")
    assert forecast_weeks(whole, ["hot"] * len(whole))["n_weeks"].tolist() == [4, 4]


def test_weeks_without_a_lead_count_and_bands_come_first():
    created = leads_of([7, 7, 0, 0, 7, 7])
    group = ["cold"] * 14 + ["hot"] * 7 + [None] * 7
    table = forecast_weeks(created, group).set_index("group")
    assert table.index.tolist() == ["hot", "cold", "all"]
    assert table["n_weeks"].tolist() == [6, 6, 6]
    assert table["mean"].tolist() == pytest.approx([7 / 6, 14 / 6, 28 / 6])


def test_poisson_where_the_weeks_spread_no_more():
    table = forecast_weeks(leads_of([10] * 8), ["hot"] * 80, horizon=4, needed=12)
    week, four = nbinom(80.5, 8 / 9), nbinom(80.5, 8 / 12)
    row = table.iloc[0]
    assert [row["lower"], row["upper"]] == week.ppf([0.025, 0.975]).tolist()
    assert [row["total_lower"], row["total_upper"]] == four.ppf([0.025, 0.975]).tolist()
    assert row["chance"] == pytest.approx(week.pmf(np.arange(12, 200)).sum())
    many = forecast_weeks(leads_of([10] * 400), ["hot"] * 4_000).iloc[0]
    assert [many["lower"], many["upper"]] == poisson(10).ppf([0.025, 0.975]).tolist()


def test_negative_binomial_has_the_moments_it_should():
    counts = [2, 9, 14, 8, 30, 7, 7, 21]
    row = forecast_weeks(leads_of(counts), ["hot"] * sum(counts), horizon=3, needed=0).iloc[0]
    mean, spread = 3 * np.mean(counts), (3 + 9 / 8) * np.var(counts, ddof=1) * 7 / 5
    size = mean**2 / (spread - mean)
    expected = nbinom(size, size / (size + mean))
    assert expected.mean() == pytest.approx(mean)
    assert expected.var() == pytest.approx(spread)
    assert [row["total_lower"], row["total_upper"]] == expected.ppf([0.025, 0.975]).tolist()
    assert row["chance"] == 1


@pytest.mark.parametrize("size", [None, 5])
@pytest.mark.parametrize("n_weeks", [8, 26])
def test_the_intervals_cover_the_weeks_that_come(size, n_weeks):
    rng = np.random.default_rng(0)
    covered = np.zeros((300, 2), dtype=bool)
    for run in covered:
        mean = 20.0 if size is None else rng.gamma(size, 20 / size, n_weeks + 12)
        counts = rng.poisson(mean, n_weeks + 12)
        past, coming = counts[:n_weeks], counts[n_weeks:]
        past[[0, -1]] = np.maximum(past[[0, -1]], 7)  # else these weeks look partial
        row = forecast_weeks(leads_of(past), ["hot"] * past.sum()).iloc[0]
        run[0] = row["lower"] <= coming[0] <= row["upper"]
        run[1] = row["total_lower"] <= coming.sum() <= row["total_upper"]
    assert (covered.mean(axis=0) > 0.92).all()


def test_a_lead_every_few_weeks_has_no_interval_of_zero_width():
    created = pd.concat([leads_of([7] * 10), leads_of([0, 0, 1] * 3)])
    table = forecast_weeks(created, ["cold"] * 70 + ["hot"] * 3, needed=1).set_index("group")
    assert table.loc["hot", "mean"] == pytest.approx(0.3)
    assert table.loc["hot", "upper"] >= 1
    assert table.loc["hot", "chance"] == pytest.approx(0.3, abs=0.05)


def test_dates_of_any_kind():
    created = leads_of([7, 9, 12, 8])
    group = ["hot"] * len(created)
    plain = forecast_weeks(created, group)
    for dates in (
        created.astype(str).tolist(),
        created.to_numpy(),
        # late on Sunday in New York is Monday in UTC: the week is that of New York
        created.dt.tz_localize("America/New_York"),
        pd.Series(created.to_numpy(), index=created.index[::-1]),
    ):
        pd.testing.assert_frame_equal(forecast_weeks(dates, group), plain)
    more = pd.concat([created, pd.Series([pd.NaT])])
    pd.testing.assert_frame_equal(forecast_weeks(more, [*group, "hot"]), plain)


@pytest.mark.parametrize("created", [[], [pd.NaT], leads_of([9, 9, 9]), [MONDAY]])
def test_too_few_weeks_are_refused(created):
    with pytest.raises(DataError, match=r"covers [013] complete weeks .* at least 4"):
        forecast_weeks(created, ["hot"] * len(created))


def test_what_cannot_be_used_is_refused():
    with pytest.raises(DataError, match=r"`horizon` must be at least 1 week\. Got 0"):
        forecast_weeks(leads_of([7] * 4), ["hot"] * 28, horizon=0)
    with pytest.raises(DataError, match="`group` has the shape"):
        forecast_weeks(leads_of([7] * 4), ["hot"])


def test_definitions_by_hand():
    table = compute_definitions(
        [1, 1, 0, 0, 0], [90, 60, 60, 30, 0], weeks=2, edges=[0, 60, 61, 95]
    )
    assert list(table.columns) == [
        *["edge", "n_leads", "leads_a_week", "n_won", "conversion", "lower", "upper"],
        "share_of_wins",
    ]
    assert table["n_leads"].tolist() == [5, 3, 1, 0]
    assert table["leads_a_week"].tolist() == [2.5, 1.5, 0.5, 0]
    assert table["n_won"].tolist() == [2, 2, 1, 0]
    assert table["conversion"].tolist()[:3] == pytest.approx([2 / 5, 2 / 3, 1])
    assert table["share_of_wins"].tolist() == [1, 1, 0.5, 0]
    assert table.loc[3, ["conversion", "lower", "upper"]].isna().all()


def test_definitions_trade_volume_for_conversion():
    rng = np.random.default_rng(0)
    score = rng.integers(0, 101, 5_000)
    table = compute_definitions(rng.random(5_000) < score / 100, score)
    assert table["edge"].tolist() == list(range(0, 101, 5))
    assert table["leads_a_week"].isna().all()
    assert table["n_leads"].is_monotonic_decreasing
    assert table["conversion"].iloc[:-1].is_monotonic_increasing
    without = compute_definitions([0, 0], [10, 20])
    assert without["share_of_wins"].isna().all()


def test_definitions_refuse_what_they_cannot_use():
    with pytest.raises(DataError, match="`score` is missing for 1 leads"):
        compute_definitions([1, 0], [np.nan, 5])
    with pytest.raises(DataError, match=r"`weeks` must be positive\. Got 0"):
        compute_definitions([1, 0], [7, 5], weeks=0)
