import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn import metrics as sklearn_metrics
from sklearn.linear_model import LogisticRegression

from leadml.errors import DataError
from leadml.evaluation import metrics

PLAIN = [
    metrics.roc_auc,
    metrics.average_precision,
    metrics.log_loss,
    metrics.brier,
    metrics.calibration_slope,
    metrics.calibration_intercept,
    metrics.ece,
    metrics.lift,
    metrics.gain,
]


def leads(n=400, decimals=None, seed=0):
    rng = np.random.default_rng(seed)
    y_prob = expit(rng.normal(-0.5, 1.5, n))
    y_true = (rng.random(n) < y_prob).astype(int)
    # too extreme on purpose: a calibration slope near one half
    y_prob = expit(2 * logit(y_prob) + 0.3)
    return y_true, y_prob if decimals is None else y_prob.round(decimals)


@pytest.mark.parametrize("decimals", [None, 1])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (metrics.roc_auc, sklearn_metrics.roc_auc_score),
        (metrics.average_precision, sklearn_metrics.average_precision_score),
        (metrics.log_loss, sklearn_metrics.log_loss),
        (metrics.brier, sklearn_metrics.brier_score_loss),
    ],
)
def test_equals_scikit_learn(ours, theirs, weighted, decimals):
    y_true, y_prob = leads(decimals=decimals)
    y_prob = y_prob.clip(1e-6, 1 - 1e-6)
    weight = np.random.default_rng(1).integers(0, 4, len(y_true)) if weighted else None
    expected = theirs(y_true, y_prob, sample_weight=weight)
    assert ours(y_true, y_prob, weight) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("metric", PLAIN)
def test_order_of_rows_does_not_matter(metric):
    y_true, y_prob = leads(decimals=1)
    order = np.random.default_rng(1).permutation(len(y_true))
    assert metric(y_true[order], y_prob[order]) == pytest.approx(metric(y_true, y_prob), rel=1e-12)


@pytest.mark.parametrize("metric", PLAIN)
def test_a_weight_of_two_is_a_row_written_twice(metric):
    y_true, y_prob = leads()
    weight = np.random.default_rng(1).integers(1, 4, len(y_true))
    twice = metric(np.repeat(y_true, weight), np.repeat(y_prob, weight))
    assert metric(y_true, y_prob, weight) == pytest.approx(twice, rel=1e-9)


def test_log_loss_of_a_sure_miss_is_finite():
    assert metrics.log_loss([1], [0.0]) == pytest.approx(-np.log(1e-15))


@pytest.mark.parametrize("n_bins", [1, 3, 10, 1000])
@pytest.mark.parametrize("decimals", [None, 1])
def test_brier_decomposition_adds_up(n_bins, decimals):
    y_true, y_prob = leads(decimals=decimals)
    parts = metrics.brier_decomposition(y_true, y_prob, n_bins=n_bins)
    total = parts["reliability"] - parts["resolution"] + parts["uncertainty"]
    assert total == pytest.approx(metrics.brier(y_true, y_prob), abs=1e-15)


def test_resolution_is_that_of_stephenson_with_the_terms_within_bins():
    y_true, y_prob = leads(n=400)
    order = np.argsort(y_prob)
    bins = list(zip(np.split(y_true[order], 10), np.split(y_prob[order], 10), strict=True))
    murphy = np.mean([(y.mean() - y_true.mean()) ** 2 for y, _ in bins])
    variance = np.mean([p.var() for _, p in bins])
    covariance = 2 * np.mean([np.cov(y, p, bias=True)[0, 1] for y, p in bins])
    parts = metrics.brier_decomposition(y_true, y_prob)
    assert parts["resolution"] == pytest.approx(murphy - variance + covariance, rel=1e-9)
    assert parts["reliability"] == pytest.approx(
        np.mean([(y.mean() - p.mean()) ** 2 for y, p in bins]), rel=1e-9
    )


def test_brier_decomposition_is_murphys_where_each_bin_holds_one_probability():
    # worked by hand: conversions 3/4 and 1/4 under forecasts 0.8 and 0.4, half of 8 leads each
    y_true, y_prob = [1, 1, 1, 0, 1, 0, 0, 0], [0.8] * 4 + [0.4] * 4
    parts = metrics.brier_decomposition(y_true, y_prob)
    assert parts["reliability"] == pytest.approx((0.05**2 + 0.15**2) / 2)
    assert parts["resolution"] == pytest.approx(0.25**2)
    assert parts["uncertainty"] == pytest.approx(0.25)


@pytest.mark.parametrize("decimals", [None, 2])
def test_recalibration_equals_an_unpenalised_logistic_regression(decimals):
    y_true, y_prob = leads(decimals=decimals)
    log_odds = logit(y_prob.clip(1e-15, 1 - 1e-15))[:, None]
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(log_odds, y_true)
    slope = metrics.calibration_slope(y_true, y_prob)
    assert slope == pytest.approx(model.coef_[0, 0], abs=1e-5)
    assert metrics.calibration_intercept(y_true, y_prob) == pytest.approx(
        model.intercept_[0], abs=1e-5
    )


def test_recalibration_undoes_a_known_distortion():
    y_true, y_prob = leads(n=4000)
    slope = metrics.calibration_slope(y_true, y_prob)
    right = expit(metrics.calibration_intercept(y_true, y_prob) + slope * logit(y_prob))
    assert slope == pytest.approx(0.5, abs=0.05)
    assert metrics.calibration_slope(y_true, right) == pytest.approx(1, abs=1e-6)
    assert metrics.calibration_intercept(y_true, right) == pytest.approx(0, abs=1e-6)


def test_recalibration_survives_probabilities_of_zero_and_one():
    y_true, y_prob = [1, 0, 1, 0, 0, 1], [1.0, 0.0, 0.0, 1.0, 0.4, 0.7]
    assert np.isfinite(metrics.calibration_slope(y_true, y_prob))


def test_recalibration_ends_where_the_gradient_is_zero_however_sure_the_misses():
    rng = np.random.default_rng(0)
    for _ in range(200):
        y_true, y_prob = rng.integers(0, 2, 9), rng.choice([0, 1e-9, 0.1, 0.5, 0.999, 1], 9)
        intercept = metrics.calibration_intercept(y_true, y_prob)
        slope = metrics.calibration_slope(y_true, y_prob)
        log_odds = logit(y_prob.clip(1e-15, 1 - 1e-15))
        won, lost = log_odds[y_true == 1], log_odds[y_true == 0]
        overlap = len(won) and len(lost) and won.min() < lost.max() and lost.min() < won.max()
        assert np.isfinite(slope) == overlap
        if overlap:
            residual = y_true - expit(intercept + slope * log_odds)
            assert abs(residual.sum()) + abs(residual @ log_odds) < 1e-3


@pytest.mark.parametrize(
    ("y_true", "y_prob"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4]),
        ([0, 0, 1, 1], [0.1, 0.2, 0.2, 0.4]),
        ([1, 1, 0, 0], [0.1, 0.2, 0.3, 0.4]),
        ([1, 1], [0.1, 0.2]),
        ([0, 1, 0], [0.3, 0.3, 0.3]),
    ],
)
def test_recalibration_is_nan_where_no_finite_fit_exists(y_true, y_prob):
    assert np.isnan(metrics.calibration_slope(y_true, y_prob))
    assert np.isnan(metrics.calibration_intercept(y_true, y_prob))


def test_what_one_outcome_alone_cannot_answer_is_nan():
    assert np.isnan(metrics.roc_auc([1, 1], [0.2, 0.3]))
    assert np.isnan(metrics.average_precision([0, 0], [0.2, 0.3]))
    assert np.isnan(metrics.gain([0, 0], [0.2, 0.3]))


def test_ties_give_the_expected_gain_over_all_their_orders():
    y_true, y_prob = np.array([1, 1, 0, 1, 0, 0]), np.array([0.9, 0.5, 0.5, 0.5, 0.5, 0.1])
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(4000):
        order = rng.permutation(6)
        best = order[np.argsort(-y_prob[order], kind="stable")][:3]
        drawn.append(y_true[best].sum() / 3)
    # one sure win and two of the four tied leads, half of which are wins
    assert metrics.gain(y_true, y_prob, fraction=0.5) == pytest.approx((1 + 2 * 0.5) / 3)
    assert np.mean(drawn) == pytest.approx(2 / 3, abs=0.01)


def test_equal_probabilities_have_a_lift_of_one():
    assert metrics.lift([1, 0, 0, 0, 0], [0.3] * 5, fraction=0.1) == pytest.approx(1)


def test_ece_worked_by_hand_on_equal_count_bins():
    y_true, y_prob = [0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.6, 0.7, 0.8]
    # bins of 3: promised 0.2 and 0.7, came 1/3 and 2/3
    expected = (1 / 3 - 0.2) / 2 + (0.7 - 2 / 3) / 2
    assert metrics.ece(y_true, y_prob, n_bins=2) == pytest.approx(expected)


def test_base_log_loss_is_least_at_the_conversion_itself():
    y_true = [1, 0, 0, 0]
    assert metrics.base_log_loss(y_true, base_rate=0.25) == metrics.base_log_loss(y_true)
    assert metrics.base_log_loss(y_true, base_rate=0.3) > metrics.base_log_loss(y_true)


@pytest.mark.parametrize(
    ("y_true", "y_prob", "words"),
    [
        ([1, 2], [0.1, 0.2], r"`y_true` holds 2 .* Accepted are 1 \(won\) and 0 \(lost\)"),
        ([1, None], [0.1, 0.2], "`y_true` holds None .* Leave open leads out"),
        ([1, "won"], [0.1, 0.2], "`y_true` holds 'won'"),
        ([], [], r"`y_true` has the shape \(0,\)"),
        ([1, 0], [0.1, 1.2], "`y_prob` holds 1.2 .* Accepted are probabilities from 0 to 1"),
        ([1, 0], [0.1, np.nan], "`y_prob` holds nan"),
        ([1, 0], [0.1], r"`y_prob` has the shape \(1,\), but there are 2 leads"),
    ],
)
def test_wrong_input_is_refused_in_plain_words(y_true, y_prob, words):
    with pytest.raises(DataError, match=words):
        metrics.roc_auc(y_true, y_prob)


def test_wrong_weights_fractions_and_rates_are_refused():
    with pytest.raises(DataError, match=r"`sample_weight` holds -1\.0"):
        metrics.brier([1, 0], [0.5, 0.5], [1, -1])
    with pytest.raises(DataError, match="`fraction` must lie above 0"):
        metrics.gain([1, 0], [0.5, 0.5], fraction=10)
    with pytest.raises(DataError, match="`base_rate` must be a share"):
        metrics.base_log_loss([1, 0], base_rate=12)
