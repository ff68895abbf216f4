import json
import time

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn import metrics as sklearn_metrics
from threadpoolctl import threadpool_limits

from leadml.errors import DataError
from leadml.evaluation import metrics
from leadml.evaluation.summary import evaluate


def leads(n, seed=0, noise=0.0):
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(-1, 1.2, n)
    y_true = (rng.random(n) < expit(log_odds)).astype(int)
    return y_true, expit(log_odds + noise * rng.normal(size=n))


def width(result, metric):
    return result.metrics.loc[metric, "upper"] - result.metrics.loc[metric, "lower"]


def test_values_are_those_of_the_metrics():
    y_true, y_prob = leads(500)
    value = evaluate(y_true, y_prob, n_resamples=20, base_rate=0.2).metrics["value"]
    assert value["roc_auc"] == pytest.approx(sklearn_metrics.roc_auc_score(y_true, y_prob))
    assert value["log_loss"] == pytest.approx(sklearn_metrics.log_loss(y_true, y_prob))
    for name in ("average_precision", "brier", "calibration_slope", "calibration_intercept", "ece"):
        assert value[name] == pytest.approx(getattr(metrics, name)(y_true, y_prob))
    assert value["base_log_loss"] == pytest.approx(metrics.base_log_loss(y_true, base_rate=0.2))
    assert value["log_loss_gain"] == pytest.approx(value["base_log_loss"] - value["log_loss"])
    assert value["lift_05"] == pytest.approx(metrics.lift(y_true, y_prob, fraction=0.05))
    assert value["gain_20"] == pytest.approx(metrics.gain(y_true, y_prob, fraction=0.2))


def test_intervals_are_those_of_a_plain_bootstrap_with_scikit_learn():
    y_true, y_prob = leads(200)
    rng = np.random.default_rng(0)
    drawn = [rng.integers(200, size=200) for _ in range(300)]
    result = evaluate(y_true, y_prob, n_resamples=300).metrics
    plain = {
        "roc_auc": sklearn_metrics.roc_auc_score,
        "average_precision": sklearn_metrics.average_precision_score,
        "log_loss": sklearn_metrics.log_loss,
        "brier": sklearn_metrics.brier_score_loss,
        "calibration_slope": metrics.calibration_slope,
        "lift_10": metrics.lift,
    }
    for name, metric in plain.items():
        values = [metric(y_true[rows], y_prob[rows]) for rows in drawn]
        expected = np.quantile(values, [0.025, 0.975])
        np.testing.assert_allclose(result.loc[name, ["lower", "upper"]], expected, rtol=1e-6)


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    y_true, y_prob = leads(200_000)
    names = ["roc_auc", "log_loss", "calibration_slope", "log_loss_gain", "gain_10", "ece"]
    truth = evaluate(y_true, y_prob, n_resamples=1).metrics["value"]
    covered = []
    for seed in range(60):
        table = evaluate(*leads(400, seed + 1), n_resamples=200).metrics
        covered.append((table["lower"] <= truth) & (truth <= table["upper"]))
    # 0.87 lies three standard errors of 60 draws below 0.95
    assert (np.mean([row[names] for row in covered], axis=0) >= 0.87).all()


def test_groups_of_repeated_rows_are_no_more_evidence_than_one_row_each():
    y_true, y_prob = leads(300)
    again = np.repeat(np.arange(300), 9)
    once = evaluate(y_true, y_prob)
    as_rows = evaluate(y_true[again], y_prob[again])
    as_groups = evaluate(y_true[again], y_prob[again], groups=again)
    for name in ("roc_auc", "log_loss", "calibration_slope"):
        assert width(as_groups, name) == pytest.approx(width(once, name), rel=0.15)
        assert width(as_rows, name) == pytest.approx(width(once, name) / 3, rel=0.15)
    assert as_groups.n_groups == 300
    assert once.n_groups is None


def test_a_lead_without_an_account_is_its_own_group():
    result = evaluate(*leads(6), groups=["a", "a", None, None, np.nan, "b"], n_resamples=5)
    assert result.n_groups == 5


def test_no_signal_is_seen_in_the_log_loss_gain():
    y_true, y_prob = leads(2000)
    signal = evaluate(y_true, y_prob).metrics.loc["log_loss_gain"]
    shuffled = np.random.default_rng(1).permutation(y_prob)
    noise = evaluate(y_true, shuffled).metrics.loc["log_loss_gain"]
    base = evaluate(y_true, np.full(2000, y_true.mean())).metrics.loc["log_loss_gain"]
    assert signal["lower"] > 0
    assert noise["lower"] < 0
    assert base["value"] == pytest.approx(0, abs=1e-12)
    assert base["upper"] <= 1e-12


def test_binned_figures_lie_inside_their_intervals():
    table = evaluate(*leads(300)).metrics
    inside = table["value"].between(table["lower"], table["upper"])
    assert inside.all(), table[~inside]
    assert (table.loc[["ece", "reliability"], "lower"] == 0).all()


def test_a_true_miscalibration_has_an_ece_above_zero():
    y_true, y_prob = leads(2000)
    table = evaluate(y_true, expit(logit(y_prob) * 3)).metrics
    assert (table.loc[["ece", "reliability"], "lower"] > 0).all()
    assert table.loc["calibration_slope", "upper"] < 1


def test_gain_curve_and_metric_have_one_interval():
    result = evaluate(*leads(500), n_resamples=100)
    at_10 = result.gain.loc[10, ["gain", "lower", "upper"]].to_numpy(float)
    np.testing.assert_allclose(at_10, result.metrics.loc["gain_10"].to_numpy(float))


def test_equal_seeds_give_equal_intervals():
    y_true, y_prob = leads(300)
    first, second = (evaluate(y_true, y_prob, random_state=3, n_resamples=50) for _ in range(2))
    assert first.metrics.equals(second.metrics)
    assert not first.metrics.equals(evaluate(y_true, y_prob, n_resamples=50).metrics)


@pytest.mark.parametrize(
    ("y_true", "y_prob"),
    [([1], [0.5]), ([0, 0], [0.2, 0.3]), ([1, 1], [0.2, 0.3]), ([0, 1], [0.0, 1.0])],
)
def test_hardly_any_leads_give_json_without_nan(y_true, y_prob):
    result = evaluate(y_true, y_prob, band=["hot"] * len(y_true), score=[50] * len(y_true))
    text = json.dumps(result.to_dict(), allow_nan=False)
    assert json.loads(text)["metrics"]["calibration_slope"]["value"] is None
    assert result.bands["n_leads"].tolist() == [len(y_true), 0, 0]
    assert result.scores["n_leads"].sum() == len(y_true)
    assert "<table" in result._repr_html_()


def test_10_000_leads_and_500_resamples_take_less_than_4_seconds():
    y_true, y_prob = leads(10_000)
    # on one core: threads of the linear algebra that wait would be counted as work
    with threadpool_limits(1):
        start = time.process_time()
        evaluate(y_true, expit(logit(y_prob) * 1.3))
        assert time.process_time() - start < 4


def test_no_resamples_are_refused():
    with pytest.raises(DataError, match="`n_resamples` must be a whole number of at least 1"):
        evaluate([1, 0], [0.5, 0.4], n_resamples=0)
    with pytest.raises(DataError, match=r"`groups` has the shape \(1,\)"):
        evaluate([1, 0], [0.5, 0.4], groups=["a"])
