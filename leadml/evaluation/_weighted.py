"""Each metric on counts, for all resamples at once: `Counts` in, shape (n_resamples,) out.

Formulas and sources stand in the public functions of `metrics.py`.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import logit, xlogy

from leadml.evaluation._counts import Counts
from leadml.evaluation._inputs import Floats

EPSILON = 1e-15


def roc_auc(counts: Counts) -> Floats:
    won_above = np.cumsum(counts.won, axis=1) - counts.won / 2
    return _divide((counts.lost * won_above).sum(axis=1), counts.n_won * counts.n_lost)


def average_precision(counts: Counts) -> Floats:
    precision = _divide(np.cumsum(counts.won, axis=1), np.cumsum(counts.leads, axis=1))
    # before the first lead of a resample there is no precision, and no win that would need it
    found = np.where(counts.won > 0, counts.won * precision, 0.0)
    return _divide(found.sum(axis=1), counts.n_won)


def log_loss(counts: Counts) -> Floats:
    prob = np.clip(counts.prob, EPSILON, 1 - EPSILON)
    return _divide(-(counts.won @ np.log(prob) + counts.lost @ np.log1p(-prob)), counts.n_leads)


def base_log_loss(counts: Counts, base_rate: float | None = None) -> Floats:
    rate = _divide(counts.n_won, counts.n_leads)
    guess = rate if base_rate is None else np.clip(base_rate, EPSILON, 1 - EPSILON)
    return 0.0 - xlogy(rate, guess) - xlogy(1 - rate, 1 - guess)


def brier(counts: Counts) -> Floats:
    prob = counts.prob
    return _divide(counts.won @ (1 - prob) ** 2 + counts.lost @ prob**2, counts.n_leads)


def reliability(counts: Counts) -> Floats:
    gap, leads = _bin_gaps(counts)
    return _divide((leads * gap**2).sum(axis=1), counts.n_leads)


def uncertainty(counts: Counts) -> Floats:
    rate = _divide(counts.n_won, counts.n_leads)
    return rate * (1 - rate)


def resolution(counts: Counts) -> Floats:
    return reliability(counts) + uncertainty(counts) - brier(counts)


def ece(counts: Counts) -> Floats:
    gap, leads = _bin_gaps(counts)
    return _divide((leads * np.abs(gap)).sum(axis=1), counts.n_leads)


def gain(counts: Counts, fractions: Sequence[float] | Floats) -> Floats:
    """Return the share of wins among the best-scored leads, shape (n_resamples, n_fractions)."""
    # a straight line between distinct probabilities is the expected value over ties
    start = np.zeros((len(counts.won), 1))
    leads = np.hstack([start, np.cumsum(counts.leads, axis=1)])
    won = np.hstack([start, np.cumsum(counts.won, axis=1)])
    wanted = np.asarray(fractions, dtype=float)
    found = [np.interp(wanted * x[-1], x, y) for x, y in zip(leads, won, strict=True)]
    return _divide(np.stack(found), counts.n_won[:, None])


def recalibration(counts: Counts) -> tuple[Floats, Floats]:
    """Return intercept and slope of each resample; NaN where no finite fit exists."""
    coef = np.full((len(counts.won), 2), np.nan)
    fits = np.flatnonzero(_overlaps(counts))
    if len(fits):
        z = logit(np.clip(counts.prob, EPSILON, 1 - EPSILON))
        won, leads = counts.won[fits], counts.leads[fits]
        # from 0 no probability is too sure to move; each resample starts where all together end
        start = _fit_logistic(z, won.sum(0)[None, :], leads.sum(0)[None, :], np.zeros(2))
        coef[fits] = _fit_logistic(z, won, leads, start[0])
    return coef[:, 0], coef[:, 1]


def _overlaps(counts: Counts) -> np.ndarray:
    """Tell where won and lost leads overlap: else the likelihood has no finite maximum.

    Albert & Anderson 1984, Biometrika 71, 1-10, for a single variable.
    """
    last = len(counts.prob) - 1
    won, lost = counts.won > 0, counts.lost > 0
    first_won, first_lost = won.argmax(axis=1), lost.argmax(axis=1)
    last_won, last_lost = last - won[:, ::-1].argmax(axis=1), last - lost[:, ::-1].argmax(axis=1)
    both = won.any(axis=1) & lost.any(axis=1)
    return both & (first_won < last_lost) & (first_lost < last_won)


def _fit_logistic(z: Floats, won: Floats, leads: Floats, start: Floats) -> Floats:
    """Fit won ~ coef 0 + coef 1 * z by Newton's method, a step halved where it overshoots."""
    coef = np.zeros((len(won), 2))
    step = np.tile(start, (len(won), 1))
    loss = np.full(len(won), np.inf)
    active = np.arange(len(won))
    for _ in range(100):
        trial = coef[active] + step[active]
        trial_loss, newton = _newton_step(trial, z, won[active], leads[active])
        better = trial_loss <= loss[active] * (1 + 1e-12)
        coef[active[better]], loss[active[better]] = trial[better], trial_loss[better]
        step[active] = np.where(better[:, None], newton, step[active] / 2)
        active = active[~(np.abs(step[active]).max(axis=1) <= 1e-7)]
        if not len(active):
            break
    coef[active] = np.nan
    return coef


def _newton_step(coef: Floats, z: Floats, won: Floats, leads: Floats) -> tuple[Floats, Floats]:
    """Return the logistic loss at each coefficient pair and the full step from there."""
    log_odds = coef[:, :1] + coef[:, 1:] * z
    small = np.exp(-np.abs(log_odds))  # never overflows
    total = 1 + small
    loss = leads * (np.maximum(log_odds, 0) + np.log(total)) - won * log_odds
    residual = won - leads * np.where(log_odds > 0, 1, small) / total
    powers = np.stack([np.ones_like(z), z, z**2], axis=1)
    g0, g1 = (residual @ powers[:, :2]).T
    h00, h01, h11 = (leads * small / total**2 @ powers).T
    determinant = np.maximum(h00 * h11 - h01**2, 1e-300)
    step = np.stack([h11 * g0 - h01 * g1, h00 * g1 - h01 * g0], axis=1) / determinant[:, None]
    return loss.sum(axis=1), step


def _bin_gaps(counts: Counts) -> tuple[Floats, Floats]:
    """Return mean probability less conversion, and the leads, of each bin."""
    leads = counts.in_bins(counts.leads)
    surplus = counts.in_bins(counts.leads * counts.prob - counts.won)
    return np.where(leads > 0, surplus / np.where(leads > 0, leads, 1), 0.0), leads


def _divide(top: Floats, bottom: Floats) -> Floats:
    return np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom > 0)
