import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from leadml.errors import DataError
from leadml.evaluation import metrics
from leadml.evaluation.tables import (
    compute_bands,
    compute_gain_curve,
    compute_reliability,
    compute_score_distribution,
    wilson_interval,
)


def leads(n=1000):
    rng = np.random.default_rng(0)
    y_prob = rng.beta(1, 3, n)
    return (rng.random(n) < y_prob).astype(int), y_prob


@pytest.mark.parametrize(("won", "n_leads"), [(0, 5), (5, 5), (3, 10), (120, 1000)])
def test_wilson_interval_equals_scipy(won, n_leads):
    lower, upper = wilson_interval([won], [n_leads])
    expected = binomtest(won, n_leads).proportion_ci(method="wilson")
    assert lower[0] == pytest.approx(expected.low, abs=1e-12)
    assert upper[0] == pytest.approx(expected.high, abs=1e-12)


def test_wilson_interval_reproduces_newcombe_1998():
    # Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3
    lower, upper = wilson_interval([81, 15, 0, 1], [263, 148, 20, 29])
    np.testing.assert_allclose(lower, [0.2553, 0.0624, 0.0000, 0.0061], atol=5e-5)
    np.testing.assert_allclose(upper, [0.3662, 0.1605, 0.1611, 0.1718], atol=5e-5)


def test_reliability_bins_are_equal_and_hold_all_leads():
    y_true, y_prob = leads()
    table = compute_reliability(y_true, y_prob)
    assert list(table.columns) == ["y_prob_mean", "conversion", "lower", "upper", "n_leads"]
    assert table["n_leads"].tolist() == [100] * 10
    assert table["y_prob_mean"].is_monotonic_increasing
    assert np.average(table["conversion"], weights=table["n_leads"]) == pytest.approx(y_true.mean())
    assert table["conversion"].between(table["lower"], table["upper"]).all()


def test_reliability_agrees_with_ece():
    y_true, y_prob = leads()
    table = compute_reliability(y_true, y_prob)
    gap = (table["y_prob_mean"] - table["conversion"]).abs()
    expected = metrics.ece(y_true, y_prob)
    assert np.average(gap, weights=table["n_leads"]) == pytest.approx(expected)


def test_one_probability_for_all_is_one_bin():
    table = compute_reliability([1, 0, 0, 1], [0.3] * 4)
    assert table["n_leads"].tolist() == [4]
    assert table["conversion"].tolist() == [0.5]


def test_gain_curve_rises_from_nothing_to_all_and_holds_the_metric():
    y_true, y_prob = leads()
    curve = compute_gain_curve(y_true, y_prob)
    assert curve["gain"].iloc[[0, -1]].tolist() == [0, 1]
    assert (curve["gain"].diff().dropna() >= 0).all()
    assert curve.loc[10, "gain"] == pytest.approx(metrics.gain(y_true, y_prob, fraction=0.1))
    assert curve.loc[10, "lift"] == pytest.approx(metrics.lift(y_true, y_prob, fraction=0.1))
    assert curve.loc[100, "n_won"] == y_true.sum()


def test_gain_of_a_perfect_order_and_of_none():
    perfect = compute_gain_curve([1, 0, 0, 0], [0.9, 0.2, 0.1, 0.0])
    assert perfect.loc[25, "gain"] == pytest.approx(1)
    none = compute_gain_curve([1, 0, 0, 0], [0.2] * 4)
    np.testing.assert_allclose(none["gain"], none["fraction"])


def test_bands_count_every_lead_once_hot_first():
    table = compute_bands([1, 1, 0, 0, 0], ["cold", "hot", "hot", "cold", "cold"])
    assert table["band"].tolist() == ["hot", "warm", "cold"]
    assert table["n_leads"].tolist() == [2, 0, 3]
    assert table["n_won"].tolist() == [1, 0, 1]
    assert table["conversion"].tolist()[::2] == [0.5, pytest.approx(1 / 3)]
    assert table.loc[1, ["conversion", "lower", "upper"]].isna().all()


def test_bands_take_a_categorical_column():
    band = pd.Series(pd.Categorical(["hot", "cold"]))
    assert compute_bands([1, 0], band)["n_leads"].tolist() == [1, 0, 1]


def test_an_unknown_band_is_refused():
    with pytest.raises(DataError, match=r"`band` holds 'Hot'.*Did you mean 'hot'"):
        compute_bands([1], ["Hot"])


def test_score_distribution_holds_both_ends_and_adds_up():
    table = compute_score_distribution([1, 0, 1, 0], [100, 0, 50, 49.9])
    assert table["n_leads"].sum() == 4
    assert table.loc[table["n_leads"] > 0, "score_from"].tolist() == [0, 45, 50, 95]
    assert table[["share_won", "share_lost"]].sum().tolist() == [1, 1]


@pytest.mark.parametrize("score", [[101], [-1], [np.nan]])
def test_scores_outside_0_to_100_are_refused(score):
    with pytest.raises(DataError, match="Accepted is 0 to 100"):
        compute_score_distribution([1], score)
