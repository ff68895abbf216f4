import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from leadml.errors import DataError
from leadml.evaluation.delong import auc_interval, compute_delong, placements

# albumin, total protein, K-G score and outcome of 43 patients of DeLong, DeLong & Clarke-Pearson
# 1988, as printed in the SAS/STAT User's Guide, The LOGISTIC Procedure, Comparing ROC Curves
OVARIAN_CANCER = """
3.0 5.8 10 0  3.2 6.3 5 1  3.9 6.8 3 1  2.8 4.8 6 0  3.2 5.8 3 1  0.9 4.0 5 0  2.5 5.7 8 0
1.6 5.6 5 1  3.8 5.7 5 1  3.7 6.7 6 1  3.2 5.4 4 1  3.8 6.6 6 1  4.1 6.6 5 1  3.6 5.7 5 1
4.3 7.0 4 1  3.6 6.7 4 0  2.3 4.4 6 1  4.2 7.6 4 0  4.0 6.6 6 0  3.5 5.8 6 1  3.8 6.8 7 1
3.0 4.7 8 0  4.5 7.4 5 1  3.7 7.4 5 1  3.1 6.6 6 1  4.1 8.2 6 1  4.3 7.0 5 1  4.3 6.5 4 1
3.2 5.1 5 1  2.6 4.7 6 1  3.3 6.8 6 0  1.7 4.0 7 0  3.7 6.1 5 1  3.3 6.3 7 1  4.2 7.7 6 1
3.5 6.2 5 1  2.9 5.7 9 0  2.1 4.8 7 1  2.8 6.2 8 0  4.0 7.0 7 1  3.3 5.7 6 1  3.7 6.9 5 1
3.6 6.6 5 1
"""
# what a lead, its outcome and two models have in common: for simulations
SHARED, NOISE = 1.0, 0.8


def simulate(n_leads, rng, n_groups=None):
    """Two models of one strength; with groups, leads of one are alike."""
    merit = rng.normal(0, 1, n_leads)
    groups = None if n_groups is None else rng.integers(n_groups, size=n_leads)
    if groups is not None:
        merit = (merit + 2 * rng.normal(0, 1, n_groups)[groups]) / np.sqrt(5)
    y_true = (SHARED * merit + rng.normal(0, 1, n_leads) > 0.8).astype(int)
    models = {
        name: 1 / (1 + np.exp(-merit - rng.normal(0, NOISE, n_leads))).round(2)
        for name in ("model", "rules")
    }
    return y_true, models, groups


def brute_force(y_true, y_prob):
    won, lost = y_prob[y_true == 1], y_prob[y_true == 0]
    wins = (won[:, None] > lost) + 0.5 * (won[:, None] == lost)
    return wins.mean(axis=1), wins.mean(axis=0)


def test_published_example():
    albumin, protein, score, outcome = (
        np.array(OVARIAN_CANCER.split(), dtype=float).reshape(-1, 4).T
    )
    table = compute_delong(
        outcome, {"kg": 1 - score / 10, "albumin": albumin / 10, "protein": protein / 10}
    )
    row = table.set_index("other").loc["protein"]
    assert row["roc_auc"] == pytest.approx(0.7258, abs=5e-5)
    assert row["other_roc_auc"] == pytest.approx(0.6478, abs=5e-5)
    assert row["difference"] == pytest.approx(0.0780, abs=5e-5)
    assert row["standard_error"] == pytest.approx(0.1046, abs=5e-5)
    assert row["p_value"] == pytest.approx(0.4561, abs=5e-5)
    assert table["model"].tolist() == ["kg", "kg"]
    assert table["other"].tolist() == ["albumin", "protein"]


def test_placements_and_variance_as_by_brute_force_with_ties():
    y_true, models, _ = simulate(300, np.random.default_rng(1))
    pairs = {name: brute_force(y_true, y_prob) for name, y_prob in models.items()}
    for name, (won, lost) in pairs.items():
        placed = placements(y_true.astype(float), models[name])
        np.testing.assert_allclose(placed[y_true == 1], won)
        np.testing.assert_allclose(placed[y_true == 0], lost)
    # the paper's own way: covariance matrices of the placements of both models
    won, lost = (np.cov([pairs["model"][k], pairs["rules"][k]]) for k in (0, 1))
    covariance = won / (y_true == 1).sum() + lost / (y_true == 0).sum()
    contrast = np.array([1, -1])
    row = compute_delong(y_true, models).iloc[0]
    assert row["standard_error"] == pytest.approx(np.sqrt(contrast @ covariance @ contrast))
    assert row["roc_auc"] == pytest.approx(roc_auc_score(y_true, models["model"]))
    assert row["other_roc_auc"] == pytest.approx(roc_auc_score(y_true, models["rules"]))
    assert row["upper"] - row["difference"] == pytest.approx(1.959964 * row["standard_error"])


@pytest.mark.parametrize("n_groups", [None, 80])
def test_standard_error_agrees_with_a_bootstrap(n_groups):
    rng = np.random.default_rng(2)
    y_true, models, groups = simulate(600, rng, n_groups)
    row = compute_delong(y_true, models, groups).iloc[0]
    units = np.arange(600) if groups is None else groups
    members = [np.flatnonzero(units == unit) for unit in range(units.max() + 1)]
    differences = []
    for _ in range(400):
        drawn = np.concatenate(
            [members[unit] for unit in rng.integers(len(members), size=len(members))]
        )
        aucs = [brute_force(y_true[drawn], y_prob[drawn])[0].mean() for y_prob in models.values()]
        differences.append(aucs[0] - aucs[1])
    assert row["standard_error"] == pytest.approx(np.std(differences), rel=0.12)


def test_interval_covers_the_truth():
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(300):
        row = compute_delong(*simulate(400, rng)[:2]).iloc[0]
        covered += row["lower"] <= 0 <= row["upper"]
    assert covered >= 0.92 * 300


def test_groups_widen_an_interval_of_one_model_and_singles_change_nothing():
    y_true, models, groups = simulate(2000, np.random.default_rng(4), n_groups=100)
    plain = compute_delong(y_true, models)
    pd.testing.assert_frame_equal(compute_delong(y_true, models, np.arange(2000)), plain)
    pd.testing.assert_frame_equal(compute_delong(y_true, models, np.full(2000, None)), plain)
    order = np.argsort(models["model"])
    rising, outcomes = models["model"][order], y_true[order].astype(float)
    auc, lower, upper = auc_interval(outcomes, rising)
    _, wide_lower, wide_upper = auc_interval(outcomes, rising, groups[order])
    assert wide_lower < lower < auc < upper < wide_upper


def test_clustered_variance_by_hand():
    # placements of the won are 1, 1/2, 1 less those of a constant, 1/2; of the lost 1, 2/3
    y_true, probs = [1, 1, 1, 0, 0], [0.9, 0.4, 0.8, 0.3, 0.6]
    row = compute_delong(
        y_true, {"model": probs, "none": [0.5] * 5}, groups=["a", "b", "b", "a", "c"]
    ).iloc[0]
    won, lost = np.array([1, 0.5, 1]) - 5 / 6, np.array([1, 2 / 3]) - 5 / 6
    # groups with a won lead are a and b, with a lost one a and c, of three in all
    won_part = 2 / 1 * (won[0] ** 2 + (won[1] + won[2]) ** 2) / 3**2
    lost_part = 2 / 1 * (lost[0] ** 2 + lost[1] ** 2) / 2**2
    shared = 2 * 3 / 2 * won[0] * lost[0] / (3 * 2)
    assert row["difference"] == pytest.approx(5 / 6 - 1 / 2)
    assert row["standard_error"] == pytest.approx(np.sqrt(won_part + lost_part + shared))


def test_order_of_rows_and_scale_of_probabilities_change_nothing():
    rng = np.random.default_rng(5)
    y_true, models, groups = simulate(500, rng, n_groups=50)
    order = rng.permutation(500)
    squared = {name: y_prob[order] ** 2 for name, y_prob in models.items()}
    pd.testing.assert_frame_equal(
        compute_delong(y_true[order], squared, groups[order]),
        compute_delong(y_true, models, groups),
    )


def test_swapping_the_models_turns_the_sign():
    y_true, models, _ = simulate(300, np.random.default_rng(6))
    first = compute_delong(y_true, models).iloc[0]
    other = compute_delong(y_true, dict(reversed(models.items()))).iloc[0]
    assert other["difference"] == -first["difference"]
    assert other["lower"] == -first["upper"]
    assert other["p_value"] == first["p_value"]


@pytest.mark.parametrize("grouped", [False, True])
def test_models_that_rank_equally_differ_by_nothing(grouped):
    y_true, models, groups = simulate(300, np.random.default_rng(7), n_groups=20)
    same = {"model": models["model"], "rules": models["model"] / 2}
    row = compute_delong(y_true, same, groups if grouped else None).iloc[0]
    assert row[["difference", "standard_error", "lower", "upper"]].tolist() == [0, 0, 0, 0]
    assert row["p_value"] == 1


@pytest.mark.parametrize(
    ("y_true", "groups"),
    [
        ([0, 0, 0, 0], None),
        ([1, 1, 1, 1], None),
        ([1, 0, 0, 0], None),
        ([1, 1, 0, 0], ["a", "a", "b", "c"]),
        ([1, 1, 0, 0], ["a", "a", "a", "a"]),
    ],
)
def test_no_error_can_be_estimated(y_true, groups):
    models = {"model": [0.9, 0.4, 0.6, 0.1], "rules": [0.1, 0.2, 0.2, 0.3]}
    row = compute_delong(y_true, models, groups).iloc[0]
    assert row[["standard_error", "lower", "upper", "p_value"]].isna().all()
    assert np.isnan(row["roc_auc"]) == (len(set(y_true)) == 1)


def test_a_difference_that_is_the_same_for_all_leads_has_no_error():
    models = {"model": [0.9, 0.8, 0.2, 0.1, 0.1], "rules": [0.5] * 5}
    row = compute_delong([1, 1, 0, 0, 0], models).iloc[0]
    assert row["difference"] == pytest.approx(0.5)
    assert row[["standard_error", "p_value"]].isna().all()


def test_interval_of_one_auc_stays_within_0_and_1():
    y_true = np.array([0] * 8 + [1, 0, 1, 1], dtype=float)
    auc, lower, upper = auc_interval(y_true, np.linspace(0.1, 0.9, 12))
    assert auc == pytest.approx(26 / 27)
    assert 0 < lower < auc < upper < 1
    perfect = auc_interval(np.array([0.0, 0, 1, 1]), np.linspace(0.1, 0.9, 4))
    np.testing.assert_array_equal(perfect, [1, np.nan, np.nan])


@pytest.mark.parametrize(
    ("models", "match"),
    [
        ({"model": [0.5, 0.5]}, r"holds 1 model\(s\): \['model'\]. Accepted are two"),
        ({"model": [0.5, 0.5], "rules": [0.5]}, "`rules` has the shape"),
        ({"model": [0.5, 0.5], "rules": [0.5, 1.5]}, "`rules` holds 1.5"),
    ],
)
def test_what_cannot_be_compared(models, match):
    with pytest.raises(DataError, match=match):
        compute_delong([1, 0], models)


def test_open_leads_and_groups_of_another_length():
    models = {"model": [0.5, 0.5], "rules": [0.5, 0.5]}
    with pytest.raises(DataError, match="Leave open leads out"):
        compute_delong([1, None], models)
    with pytest.raises(DataError, match="`groups` has the shape"):
        compute_delong([1, 0], models, groups=["a"])
