"""Calibration on the log-odds scale: it keeps sums sums."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from leadml.scoring.columns import Floats

STACK_PENALTY = 10.0  # leads' worth of pull of both weights towards one half


def fit_stack(
    won: NDArray[np.bool_], boosted: Floats, linear: Floats
) -> tuple[float, float, float]:
    """Return `a, b, c` of `z = a * boosted + b * linear + c`, with `a, b >= 0`.

    Fitted by log loss on log-odds that never saw their own lead, it is a sigmoid calibration
    (Platt 1999) of two models at once.
    """
    parts = np.column_stack([boosted, linear, np.ones(len(won))])
    pull = np.array([1.0, 1.0, 0.0]) * STACK_PENALTY

    def loss(weights: Floats) -> tuple[float, Floats]:
        z = parts @ weights
        away = weights - 0.5
        value = np.sum(np.logaddexp(0, z)) - np.sum(z[won]) + pull @ away**2
        gradient = parts.T @ (expit(z) - won) + 2 * pull * away
        return value / len(won), gradient / len(won)

    bounds = [(0, None), (0, None), (None, None)]
    a, b, c = minimize(loss, [0.5, 0.5, 0.0], jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(a), float(b), float(c)


def fit_sigmoid(won: NDArray[np.bool_], points: Floats) -> tuple[float, float]:
    """Return slope and intercept of the log-odds of winning in `points`, slope never negative.

    Platt's (1999) targets keep both finite where points separate the wins from the losses.
    """
    n_won, n_lost = int(won.sum()), int((~won).sum())
    if points.min() == points.max():
        return 0.0, float(np.log((n_won + 1) / (n_lost + 1)))
    target = np.where(won, (n_won + 1) / (n_won + 2), 1 / (n_lost + 2))
    centre, spread = float(points.mean()), float(points.std()) or 1.0
    scaled = (points - centre) / spread

    def loss(weights: Floats) -> tuple[float, Floats]:
        z = weights[0] * scaled + weights[1]
        residual = expit(z) - target
        value = np.mean(np.logaddexp(0, z) - target * z)
        return float(value), np.array([np.mean(residual * scaled), residual.mean()])

    bounds = [(0, None), (None, None)]
    slope, intercept = minimize(loss, [1.0, 0.0], jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(slope / spread), float(intercept - slope * centre / spread)


def compute_log_losses(won: NDArray[np.bool_], scores: Floats) -> Floats:
    """Return each lead's log loss, from its log-odds."""
    return np.logaddexp(0, scores) - won * scores


def compute_offsets(contributions: Floats, start: float, base_rate: float) -> Floats:
    """Return what to take off each feature so that a lead of average chance has a sum of zero.

    Each feature's mean goes first. The mean log-odds then still differs from the log-odds of the
    base rate; a feature takes its part of that difference by its share of the variance, which is
    what causes it (the second-order term of Jensen's gap).
    """
    means, variances = contributions.mean(axis=0), contributions.var(axis=0)
    gap = np.log(base_rate / (1 - base_rate)) - (start + means.sum())
    total = variances.sum()
    shares = variances / total if total > 0 else np.full(len(means), 1 / len(means))
    return means + gap * shares
