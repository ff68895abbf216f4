"""Calibration on the log-odds scale: it keeps sums sums."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from leadml.scoring.columns import Floats

Bounds = list[tuple[float | None, float | None]]

STACK_PENALTY = 10.0  # leads' worth of pull of both weights towards one half


def fit_stack(
    won: NDArray[np.bool_],
    boosted: Floats,
    linear: Floats,
    weight: Floats | float = 1.0,
    newest: NDArray[np.bool_] | None = None,
) -> tuple[float, float, float]:
    """Return `a, b, c` of `z = a * boosted + b * linear + c`, with `a, b >= 0`.

    Fitted by weighted log loss on log-odds that never saw their own lead, it is a sigmoid
    calibration (Platt 1999) of two models at once. Where `newest` is given, `a` and `b` come from
    its leads alone: what helps may change with time. `c` then comes from all leads.
    """
    parts = np.column_stack([boosted, linear, np.ones(len(won))])
    weight = np.broadcast_to(weight, won.shape)
    bounds: Bounds = [(0, None), (0, None), (None, None)]
    first = weight if newest is None else weight * newest
    a, b, c = _minimize_stack(parts, won, first, [0.5, 0.5, 0.0], bounds)
    if newest is not None:
        a, b, c = _minimize_stack(parts, won, weight, [a, b, c], [(a, a), (b, b), (None, None)])
    return a, b, c


def _minimize_stack(
    parts: Floats, won: NDArray[np.bool_], weight: Floats, start: list[float], bounds: Bounds
) -> list[float]:
    pull = np.array([1.0, 1.0, 0.0]) * STACK_PENALTY
    total = weight.sum()

    def loss(stack: Floats) -> tuple[float, Floats]:
        z = parts @ stack
        away = stack - 0.5
        value = np.sum(weight * np.logaddexp(0, z)) - np.sum((weight * z)[won]) + pull @ away**2
        gradient = parts.T @ (weight * (expit(z) - won)) + 2 * pull * away
        return value / total, gradient / total

    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return [float(value) for value in found]


def fit_sigmoid(
    won: NDArray[np.bool_], points: Floats, weight: Floats | float = 1.0
) -> tuple[float, float]:
    """Return slope and intercept of the log-odds of winning in `points`, slope never negative.

    Platt's (1999) targets keep both finite where points separate the wins from the losses.
    """
    n_won, n_lost = float(np.sum(weight * won)), float(np.sum(weight * ~won))
    if points.min() == points.max():
        return 0.0, float(np.log((n_won + 1) / (n_lost + 1)))
    target = np.where(won, (n_won + 1) / (n_won + 2), 1 / (n_lost + 2))
    centre, spread = float(points.mean()), float(points.std()) or 1.0
    scaled = (points - centre) / spread

    def loss(line: Floats) -> tuple[float, Floats]:
        z = line[0] * scaled + line[1]
        residual = weight * (expit(z) - target)
        value = np.mean(weight * (np.logaddexp(0, z) - target * z))
        return float(value), np.array([np.mean(residual * scaled), residual.mean()])

    bounds = [(0, None), (None, None)]
    slope, intercept = minimize(loss, [1.0, 0.0], jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(slope / spread), float(intercept - slope * centre / spread)


def compute_log_losses(won: NDArray[np.bool_], scores: Floats) -> Floats:
    """Return each lead's log loss, from its log-odds."""
    return np.logaddexp(0, scores) - won * scores


def compute_offsets(
    contributions: Floats, start: float, base_rate: float, weight: Floats | float = 1.0
) -> Floats:
    """Return what to take off each feature so that a lead of average chance has a sum of zero.

    Each feature's mean goes first. The mean log-odds then still differs from the log-odds of the
    base rate; a feature takes its part of that difference by its share of the variance, which is
    what causes it (the second-order term of Jensen's gap).
    """
    share = np.reshape(weight / np.mean(weight), (-1, 1))
    means = (share * contributions).mean(axis=0)
    variances = (share * (contributions - means) ** 2).mean(axis=0)
    gap = np.log(base_rate / (1 - base_rate)) - (start + means.sum())
    total = variances.sum()
    shares = variances / total if total > 0 else np.full(len(means), 1 / len(means))
    return means + gap * shares
