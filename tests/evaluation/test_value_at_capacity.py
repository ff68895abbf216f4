import numpy as np
import pandas as pd
import pytest

from leadml.errors import DataError
from leadml.evaluation.value import compute_value_at_capacity, compute_value_differences

COLUMNS = ["ranking", "fraction", "n_leads", "n_won", "value", "lower", "upper"]


def deals(n=2_000, seed=0):
    rng = np.random.default_rng(seed)
    chance, worth = rng.beta(1, 4, n), rng.lognormal(7, 1, n)
    won = rng.random(n) < chance
    value = np.where(won, worth * rng.lognormal(0, 0.2, n), np.nan)
    return won.astype(int), value, {"expected value": chance * worth, "probability": chance}


def test_by_hand():
    y_true, value = [1, 0, 1, 1], [100, np.nan, 30, 5]
    table = compute_value_at_capacity(y_true, value, {"score": [4, 3, 2, 1]}, [0, 0.5, 0.75, 1])
    assert list(table.columns) == COLUMNS
    assert table["n_leads"].tolist() == [0, 2, 3, 4]
    assert table["n_won"].tolist() == [0, 1, 2, 3]
    assert table["value"].tolist() == [0, 100, 130, 135]


def test_ties_give_the_expected_value():
    rankings = {"one": [1, 1, 1, 1], "two": [2, 2, 1, 1]}
    table = compute_value_at_capacity([1, 0, 1, 0], [40, 0, 8, 0], rankings, [0.25, 0.5])
    assert table["value"].tolist() == pytest.approx([12, 24, 20, 40])
    assert table["n_won"].tolist() == pytest.approx([0.5, 1, 0.5, 1])


def test_expected_value_beats_probability_where_values_differ():
    y_true, value, rankings = deals()
    table = compute_value_differences(y_true, value, rankings, [0.1, 0.2, 1])
    assert (table["lower"].iloc[:2] > 0).all()
    assert table[["difference", "lower", "upper"]].iloc[2].tolist() == [0, 0, 0]
    both = compute_value_at_capacity(y_true, value, rankings, [0.1, 0.2, 1])
    wide = both.pivot(index="fraction", columns="ranking", values="value")
    expected = wide["expected value"] - wide["probability"]
    assert table["difference"].tolist() == pytest.approx(expected.tolist(), abs=1e-6)
    assert both["value"].between(both["lower"], both["upper"]).all()


def test_equal_rankings_do_not_differ_on_any_draw():
    y_true, value, rankings = deals()
    chance = rankings["probability"]
    table = compute_value_differences(y_true, value, {"a": chance, "b": 2 * chance}, [0.1, 0.5])
    assert (table[["difference", "lower", "upper"]] == 0).all(axis=None)


def test_neither_the_order_of_rows_nor_lost_values_matter():
    y_true, value, rankings = deals()
    order = np.random.default_rng(1).permutation(len(y_true))
    shuffled = {name: ranking[order] for name, ranking in rankings.items()}
    plain = compute_value_at_capacity(y_true, value, rankings)
    other = compute_value_at_capacity(y_true[order], value[order], shuffled)
    np.testing.assert_allclose(plain["value"], other["value"])
    np.testing.assert_allclose(plain["lower"], other["lower"], rtol=0.1)
    filled = np.where(y_true == 1, value, 1e9)
    pd.testing.assert_frame_equal(plain, compute_value_at_capacity(y_true, filled, rankings))


def test_the_interval_covers_the_truth():
    y_true, value, rankings = deals(200_000, seed=1)
    truth = compute_value_at_capacity(y_true, value, rankings, [0.1], n_resamples=1)
    truth = truth.set_index("ranking")["value"] / len(y_true)
    covered = []
    for start in range(0, 100_000, 1_000):
        rows = slice(start, start + 1_000)
        some = {name: ranking[rows] for name, ranking in rankings.items()}
        table = compute_value_at_capacity(y_true[rows], value[rows], some, [0.1], n_resamples=200)
        table = table.set_index("ranking")
        covered.append(1_000 * truth > table["lower"])
        covered[-1] &= 1_000 * truth < table["upper"]
    assert np.mean(covered) > 0.9


def test_random_blocks_are_as_wide_as_single_leads(monkeypatch):
    y_true, value, rankings = deals(20_000)
    widths = []
    for most in (20_000, 2_000):
        monkeypatch.setattr("leadml.evaluation.value.MOST_UNITS", most)
        table = compute_value_at_capacity(y_true, value, rankings, [0.1, 0.5], n_resamples=1_000)
        widths.append((table["upper"] - table["lower"]).to_numpy())
    np.testing.assert_allclose(widths[0], widths[1], rtol=0.15)


def test_accounts_widen_the_interval():
    y_true, value, rankings = deals(500)
    four = [np.repeat(column, 4) for column in (y_true, value)]
    repeated = {name: np.repeat(ranking, 4) for name, ranking in rankings.items()}
    widths = []
    for groups in (None, np.repeat(np.arange(500), 4)):
        table = compute_value_at_capacity(*four, repeated, [0.2], groups=groups)
        widths.append(table["upper"] - table["lower"])
    assert (widths[1] > 1.6 * widths[0]).all()


def test_what_cannot_be_used_is_refused():
    with pytest.raises(DataError, match=r"`value` is nan for a won lead, and not usable for 1 mo"):
        compute_value_at_capacity([1, 1, 0], [np.nan, -2, 3], {"a": [1, 2, 3]})
    with pytest.raises(DataError, match=r"`fractions` holds 1.5"):
        compute_value_at_capacity([1], [1], {"a": [1]}, [0.5, 1.5])
    with pytest.raises(DataError, match=r"`rules` is missing for 1 leads"):
        compute_value_at_capacity([1, 0], [1, 1], {"rules": [np.nan, 1]})
    with pytest.raises(DataError, match=r"`rules` has the shape \(1,\)"):
        compute_value_at_capacity([1, 0], [1, 1], {"rules": [1]})
    with pytest.raises(DataError, match="Accepted are two or more"):
        compute_value_differences([1, 0], [1, 1], {"rules": [1, 2]})
