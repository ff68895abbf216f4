import json

import numpy as np
import pytest
from scipy.special import expit

from leadml.errors import DataError
from leadml.evaluation.comparison import compare
from leadml.evaluation.metrics import HIGHER_IS_BETTER
from leadml.evaluation.summary import evaluate


def leads(n=2000, noise=1.5, seed=0):
    """Outcomes, and the probabilities of a good and of a poor model."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(-1, 1.2, n)
    y_true = (rng.random(n) < expit(log_odds)).astype(int)
    return y_true, expit(log_odds), expit(log_odds + noise * rng.normal(size=n))


def row(comparison, metric):
    return comparison.differences.set_index("metric").loc[metric]


def show(number):
    text = f"{number:.1f}" if number < 10 else f"{number:.0f}"
    return text.removesuffix(".0")


def test_a_better_model_is_better_in_every_direction():
    y_true, good, poor = leads()
    result = compare(y_true, {"model": good, "rules": poor})
    for name in ("roc_auc", "log_loss", "log_loss_gain", "brier", "gain_20", "ece"):
        difference = row(result, name)
        assert difference["better"] == "model"
        assert (difference["difference"] > 0) == HIGHER_IS_BETTER[name]
        assert difference["excludes_zero"]


def test_the_mirror_image_has_the_opposite_sign():
    y_true, good, poor = leads(500)
    there = compare(y_true, {"a": good, "b": poor}).differences
    back = compare(y_true, {"b": poor, "a": good}).differences
    np.testing.assert_allclose(there["difference"], -back["difference"])
    np.testing.assert_allclose(there["lower"], -back["upper"], atol=1e-12)
    assert there["better"].equals(back["better"])


def test_a_model_does_not_differ_from_itself():
    y_true, good, _ = leads(300)
    result = compare(y_true, {"new": good, "old": good})
    assert (result.differences[["difference", "lower", "upper"]] == 0).all(axis=None)
    assert not result.differences["excludes_zero"].any()
    assert result.differences["better"].isna().all()
    assert result.verdict[0].startswith("No difference can be shown between the new and the old")


def test_pairing_makes_the_interval_narrower_than_two_single_ones():
    y_true, good, poor = leads(noise=0.3)
    result = compare(y_true, {"a": good, "b": poor})
    single = evaluate(y_true, good).metrics.loc["roc_auc"]
    paired = row(result, "roc_auc")
    assert paired["upper"] - paired["lower"] < (single["upper"] - single["lower"]) / 2


def test_metrics_are_those_of_an_evaluation_of_each_model():
    y_true, good, poor = leads(400)
    result = compare(y_true, {"a": good, "b": poor}, n_resamples=50)
    alone = evaluate(y_true, poor, n_resamples=50).metrics
    table = result.metrics[result.metrics["model"] == "b"].set_index("metric")
    np.testing.assert_array_equal(table[["value", "lower", "upper"]], alone)
    assert list(result.metrics) == ["metric", "model", "value", "lower", "upper"]


def test_verdict_counts_wins_among_the_best_tenth():
    # 100 leads, 20 wins: the model puts 10 of them on top, the rules none
    y_true = np.repeat([1, 0], [20, 80])
    model = np.linspace(0.9, 0.1, 100)
    result = compare(y_true, {"model": model, "rules": model[::-1]})
    wins = result.capacity_differences.query("n_leads == 10").iloc[0]
    assert (wins["difference"], result.chosen) == (10, 10)
    low, high = wins["lower"], wins["upper"]
    assert 4 < low <= 10 <= high <= 20
    assert result.verdict[0] == (
        "Among the best-scored 10 % the model found 10 of 20 wins, the rules 0: "
        f"10 more, 95 % interval {show(low)} to {show(high)}."
    )
    mirrored = compare(y_true, {"rules": model[::-1], "model": model}).verdict[0]
    assert "the rules found 0 of 20 wins, the model 10: 10 fewer" in mirrored


def test_every_other_model_gets_a_sentence():
    y_true, good, poor = leads(300)
    result = compare(y_true, {"new": good, "old": poor, "rules": poor}, n_resamples=50)
    assert len(result.verdict) == 2
    assert result.differences["other"].unique().tolist() == ["old", "rules"]


def test_without_wins_nothing_can_be_compared():
    result = compare([0, 0, 0], {"a": [0.1, 0.2, 0.3], "b": [0.3, 0.2, 0.1]}, n_resamples=20)
    assert "none of these leads was won" in result.verdict[0]
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["n_won"] == 0


def test_groups_of_repeated_rows_widen_the_interval():
    y_true, good, poor = leads(300)
    again = np.repeat(np.arange(300), 9)
    both = {"a": good[again], "b": poor[again]}
    as_rows = row(compare(y_true[again], both), "log_loss")
    as_groups = row(compare(y_true[again], both, groups=again), "log_loss")
    ratio = (as_groups["upper"] - as_groups["lower"]) / (as_rows["upper"] - as_rows["lower"])
    assert ratio == pytest.approx(3, rel=0.2)


def test_html_and_json_hold_the_verdict_and_escape_names():
    y_true, good, poor = leads(200)
    result = compare(y_true, {"<script>": good, "rules": poor}, n_resamples=20)
    assert "<script>" not in result._repr_html_()
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["verdict"][0]


def test_a_single_model_is_refused():
    with pytest.raises(DataError, match="`probabilities` holds 1 model"):
        compare([1, 0], {"model": [0.5, 0.4]})
    with pytest.raises(DataError, match=r"`rules` holds 2.0"):
        compare([1, 0], {"model": [0.5, 0.4], "rules": [0.5, 2]})
