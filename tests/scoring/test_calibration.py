import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.metrics import log_loss

from leadml.scoring.calibration import (
    compute_log_losses,
    compute_offsets,
    fit_sigmoid,
    fit_stack,
)


def test_the_stack_finds_known_weights():
    random = np.random.default_rng(0)
    boosted, linear = random.normal(size=(2, 50_000)) * 1.5
    won = random.random(50_000) < expit(0.8 * boosted + 0.3 * linear - 0.5)
    assert fit_stack(won, boosted, linear) == pytest.approx((0.8, 0.3, -0.5), abs=0.05)


def test_the_stack_never_turns_a_model_round():
    random = np.random.default_rng(0)
    boosted, linear = random.normal(size=(2, 5_000))
    a, b, _ = fit_stack(random.random(5_000) < expit(boosted - linear), boosted, linear)
    assert a > 0.8
    assert b == 0


def test_the_stack_of_few_leads_stays_near_one_half():
    won = np.array([True, False, True, False])
    a, b, _ = fit_stack(won, np.array([9.0, -9, 9, -9]), np.zeros(4))
    assert a == pytest.approx(0.5, abs=0.05)
    assert b == pytest.approx(0.5, abs=1e-4)


def test_sigmoid_recovers_slope_and_intercept():
    random = np.random.default_rng(0)
    points = random.integers(0, 100, 50_000).astype(float)
    won = random.random(50_000) < expit(0.05 * points - 3)
    slope, intercept = fit_sigmoid(won, points)
    assert slope == pytest.approx(0.05, abs=0.002)
    assert intercept == pytest.approx(-3, abs=0.1)


def test_sigmoid_of_separable_points_is_worked_by_hand():
    # two points alone: each gets its Platt target, 3/4 and 1/4 (2 wins, 2 losses)
    won = np.array([True, True, False, False])
    slope, intercept = fit_sigmoid(won, np.array([10.0, 10, 0, 0]))
    assert intercept == pytest.approx(logit(1 / 4), abs=1e-3)
    assert slope == pytest.approx((logit(3 / 4) - logit(1 / 4)) / 10, abs=1e-3)


def test_sigmoid_never_falls():
    won = np.array([False] * 5 + [True] * 3)
    slope, intercept = fit_sigmoid(won, -np.arange(8.0))
    assert slope == 0
    target = (3 * 4 / 5 + 5 * 1 / 7) / 8
    assert intercept == pytest.approx(logit(target), abs=1e-3)


@pytest.mark.parametrize("constant", [0.0, 0.1, -30.0])
def test_points_that_never_vary_say_nothing(constant):
    slope, _ = fit_sigmoid(np.array([True] * 3 + [False] * 4), np.full(7, constant))
    assert slope == 0


def test_log_losses_equal_the_published_definition():
    random = np.random.default_rng(0)
    won, z = random.random(200) < 0.4, random.normal(size=200) * 3
    assert compute_log_losses(won, z).mean() == pytest.approx(log_loss(won, expit(z)))
    assert compute_log_losses(np.array([True, False]), np.array([0.0, 0.0])) == pytest.approx(
        np.log(2)
    )
    assert np.isfinite(compute_log_losses(np.array([True]), np.array([-800.0]))).all()


def test_offsets_move_the_start_to_the_base_rate():
    contributions = np.random.default_rng(0).normal([1, -2, 0], [1, 2, 0], size=(500, 3))
    start = 0.7
    offsets = compute_offsets(contributions, start, 0.2)
    before = start + contributions.sum(axis=1)
    np.testing.assert_allclose(logit(0.2) + (contributions - offsets).sum(axis=1), before)
    # a column that never varies has no points at all
    np.testing.assert_allclose(contributions[:, 2] - offsets[2], 0, atol=1e-12)


def test_offsets_of_constant_columns_share_the_gap_evenly():
    np.testing.assert_allclose(compute_offsets(np.zeros((5, 2)), 1.0, 0.5), [-0.5, -0.5])
