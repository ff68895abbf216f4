import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, chi2

from leadml.errors import DataError
from leadml.evaluation.top_leads import compute_mcnemar

COUNTS = ["both", "model_only", "other_only", "neither"]


def test_by_hand():
    y_true = [1, 1, 1, 1, 0, 0, 1, 0]
    models = {
        "model": [0.9, 0.8, 0.7, 0.1, 0.6, 0.2, 0.3, 0.1],
        "rules": [0.9, 0.1, 0.2, 0.8, 0.7, 0.6, 0.3, 0.1],
        "others": [0.9, 0.8, 0.7, 0.6, 0.1, 0.1, 0.1, 0.1],
    }
    table = compute_mcnemar(y_true, models, 4)
    # model calls 0, 1, 2, 4; rules 0, 3, 4, 5; others 0, 1, 2, 3
    assert table["other"].tolist() == ["rules", "others"]
    assert table[COUNTS].to_numpy().tolist() == [[1, 2, 1, 1], [3, 0, 1, 1]]
    assert table["p_value"].tolist() == [1, 1]
    assert (table["n_leads"] == 4).all()


@pytest.mark.parametrize(("model_only", "other_only"), [(8, 1), (1, 8), (5, 5), (12, 3)])
def test_p_value_is_the_exact_sign_test(model_only, other_only):
    n = model_only + other_only
    y_true = np.ones(2 * n)
    models = {"model": np.zeros(2 * n), "rules": np.zeros(2 * n)}
    # the top n of either is made up of wins of its own and lost leads of its own
    y_true[n:] = 0
    models["model"][:model_only] = models["rules"][model_only:n] = 0.9
    models["model"][n : n + other_only] = models["rules"][n + other_only :] = 0.9
    row = compute_mcnemar(y_true, models, n).iloc[0]
    assert row[COUNTS].tolist() == [0, model_only, other_only, 0]
    assert row["p_value"] == pytest.approx(
        min(1, 2 * binom.cdf(min(model_only, other_only), n, 0.5))
    )


def test_wins_add_up_and_order_of_rows_changes_nothing():
    rng = np.random.default_rng(0)
    y_true = (rng.random(500) < 0.2).astype(int)
    models = {"model": rng.random(500), "rules": rng.random(500)}
    table = compute_mcnemar(y_true, models, 100)
    assert table.loc[0, COUNTS].sum() == y_true.sum()
    order = rng.permutation(500)
    mixed = {name: y_prob[order] for name, y_prob in models.items()}
    pd.testing.assert_frame_equal(compute_mcnemar(y_true[order], mixed, 100), table)


def test_models_that_rank_equally_have_the_same_top_even_with_ties():
    y_true = [1, 0] * 20
    y_prob = np.repeat([0.1, 0.2], 20)
    row = compute_mcnemar(y_true, {"model": y_prob, "rules": y_prob**2}, 7).iloc[0]
    assert row["model_only"] == row["other_only"] == 0
    assert row["p_value"] == 1


def test_ties_at_the_edge_are_broken_at_random():
    y_true = np.array([0] * 50 + [1] * 50)
    models = {"model": np.full(100, 0.5), "rules": np.r_[np.ones(50), np.zeros(50)]}
    found = [
        compute_mcnemar(y_true, models, 50, random_state=seed).loc[0, "model_only"]
        for seed in range(20)
    ]
    # half of all leads hold half of all wins, not none for coming last and not all
    assert np.mean(found) == pytest.approx(25, abs=2)
    assert len(set(found)) > 1
    again = compute_mcnemar(y_true, models, 50, random_state=3).loc[0, "model_only"]
    assert again == found[3]


def test_all_leads_called():
    models = {"model": [0.9, 0.1, 0.2], "rules": [0.1, 0.9, 0.2]}
    assert compute_mcnemar([1, 1, 0], models, 3).loc[0, COUNTS].tolist() == [2, 0, 0, 0]


def test_no_lead_won():
    row = compute_mcnemar([0, 0], {"model": [0.9, 0.1], "rules": [0.1, 0.9]}, 1).iloc[0]
    assert row[COUNTS].tolist() == [0, 0, 0, 0]
    assert np.isnan(row["p_value"])


@pytest.mark.parametrize("n_leads", [0, 3, 1.5, float("nan"), -1])
def test_not_so_many_leads(n_leads):
    models = {"model": [0.9, 0.1], "rules": [0.1, 0.9]}
    with pytest.raises(DataError, match=f"`n_leads` is {n_leads}. Accepted is a whole number"):
        compute_mcnemar([1, 0], models, n_leads)


def test_one_model_only():
    with pytest.raises(DataError, match="Accepted are two models"):
        compute_mcnemar([1, 0], {"model": [0.9, 0.1]}, 1)


def test_wins_of_one_account_are_no_independent_proof():
    # the model finds both wins of each of ten accounts, the rules both of five others
    y_true = np.repeat([1, 0], [30, 30])
    accounts = np.concatenate([np.repeat(np.arange(15), 2), np.arange(100, 130)])
    model = np.concatenate([np.full(20, 0.9), np.full(10, 0.1), np.full(30, 0.2)])
    rules = np.concatenate([np.full(20, 0.1), np.full(10, 0.9), np.full(30, 0.2)])
    both = {"model": model, "rules": rules}
    alone = compute_mcnemar(y_true, both, 20).iloc[0]
    grouped = compute_mcnemar(y_true, both, 20, groups=accounts).iloc[0]
    assert alone["model_only"] == grouped["model_only"] == 20
    assert grouped["p_value"] > alone["p_value"]
    single = compute_mcnemar(y_true, both, 20, groups=np.arange(60)).iloc[0]
    gap = single["model_only"] - single["other_only"]
    n = single["model_only"] + single["other_only"]
    assert single["p_value"] == pytest.approx(chi2.sf(gap**2 / n, 1))
