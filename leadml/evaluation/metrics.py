"""Metrics of probabilities: plain functions of outcomes, probabilities and optional weights.

Every metric is written once, on the counts of won and lost leads at each distinct probability
(`_weighted.py`), and used here for one sample and in `summary.py` for all bootstrap resamples.
A metric that the leads cannot answer (no wins, no losses, one probability for all) is NaN.
"""

from typing import Any

from leadml.errors import DataError
from leadml.evaluation import _weighted as weighted
from leadml.evaluation._counts import Counts, count_outcomes

HIGHER_IS_BETTER = {
    "roc_auc": True,
    "average_precision": True,
    "log_loss": False,
    "log_loss_gain": True,
    "brier": False,
    "reliability": False,
    "resolution": True,
    "ece": False,
    "lift_05": True,
    "lift_10": True,
    "lift_20": True,
    "gain_05": True,
    "gain_10": True,
    "gain_20": True,
}


def roc_auc(y_true: Any, y_prob: Any, sample_weight: Any = None) -> float:
    """Return the chance that a won lead has a higher probability than a lost one; ties count half.

    Parameters
    ----------
    y_true : array-like of shape (n_leads,)
        1 for won, 0 for lost.
    y_prob : array-like of shape (n_leads,)
        Probabilities of winning, 0 to 1.
    sample_weight : array-like of shape (n_leads,), default=None
        How often each lead counts, at least 0; once where None.

    Returns
    -------
    float
        0.5 for a random order, 1 for a perfect one; NaN where all leads are won or all lost.

    Raises
    ------
    DataError
        Where outcomes are not 0 and 1, probabilities lie outside 0 to 1, or lengths differ.

    References
    ----------
    Hanley & McNeil 1982, Radiology 143, 29-36.

    Examples
    --------
    >>> roc_auc([1, 0, 1, 0], [0.9, 0.8, 0.6, 0.1])
    0.75
    """
    return float(weighted.roc_auc(count_outcomes(y_true, y_prob, sample_weight))[0])


def average_precision(y_true: Any, y_prob: Any, sample_weight: Any = None) -> float:
    """Return the mean conversion above each win, scikit-learn's `average_precision_score`.

    Parameters, raises: as `roc_auc`. NaN where no lead is won.

    Examples
    --------
    >>> round(average_precision([1, 0, 1, 0], [0.9, 0.8, 0.6, 0.1]), 4)
    0.8333
    """
    return float(weighted.average_precision(count_outcomes(y_true, y_prob, sample_weight))[0])


def log_loss(y_true: Any, y_prob: Any, sample_weight: Any = None) -> float:
    """Return the mean of -log(probability of what happened), in nats; lower is better.

    Probabilities are clipped to 1e-15 and 1 - 1e-15, so that one sure miss costs 34.5 nats and not
    infinity. Parameters, raises: as `roc_auc`.

    References
    ----------
    Good 1952, Journal of the Royal Statistical Society B 14, 107-114.

    Examples
    --------
    >>> round(log_loss([1, 0], [0.5, 0.5]), 4)
    0.6931
    """
    return float(weighted.log_loss(count_outcomes(y_true, y_prob, sample_weight))[0])


def base_log_loss(
    y_true: Any, sample_weight: Any = None, *, base_rate: float | None = None
) -> float:
    """Return the log loss of giving every lead the same probability: the bar to beat.

    Parameters
    ----------
    y_true : array-like of shape (n_leads,)
        1 for won, 0 for lost.
    sample_weight : array-like of shape (n_leads,), default=None
    base_rate : float, default=None
        Conversion of the training leads, 0 to 1; of these leads where None, which no forecast
        could have known.

    Returns
    -------
    float
        In nats.

    Raises
    ------
    DataError
        Where outcomes are not 0 and 1, or the base rate lies outside 0 to 1.

    Examples
    --------
    >>> round(base_log_loss([1, 0, 0, 0]), 4)
    0.5623
    >>> round(base_log_loss([1, 0, 0, 0], base_rate=0.5), 4)
    0.6931
    """
    check_base_rate(base_rate)
    counts = count_outcomes(y_true, [0.5] * len(y_true), sample_weight)
    return float(weighted.base_log_loss(counts, base_rate)[0])


def check_base_rate(base_rate: float | None) -> None:
    """Raise DataError where a base rate is given that is no share."""
    if base_rate is not None and not 0 <= base_rate <= 1:
        message = (
            f"`base_rate` must be a share from 0 to 1. Got {base_rate}. "
            "Pass the conversion of the training leads, for example base_rate=0.12."
        )
        raise DataError(message)


def brier(y_true: Any, y_prob: Any, sample_weight: Any = None) -> float:
    """Return the mean squared distance of probability and outcome; lower is better.

    Parameters, raises: as `roc_auc`.

    References
    ----------
    Brier 1950, Monthly Weather Review 78, 1-3.

    Examples
    --------
    >>> brier([1, 0], [0.5, 0.5])
    0.25
    """
    return float(weighted.brier(count_outcomes(y_true, y_prob, sample_weight))[0])


def brier_decomposition(
    y_true: Any, y_prob: Any, sample_weight: Any = None, *, n_bins: int = 10
) -> dict[str, float]:
    """Split the Brier score: `brier == reliability - resolution + uncertainty`, exactly.

    With bins k of n_k leads, mean probability p_k and conversion c_k, and conversion c of all:
    reliability is sum n_k (p_k - c_k)^2 / n, the cost of being off; uncertainty is c (1 - c);
    resolution is Murphy's sum n_k (c_k - c)^2 / n less the variance plus twice the covariance with
    the outcome of probabilities *within* bins. Murphy's own three terms add up only where each bin
    holds one probability; Stephenson's generalised resolution makes them add up always.

    Parameters, raises: as `roc_auc`.

    Returns
    -------
    dict
        With `reliability` (lower is better), `resolution` (higher is better), `uncertainty`.

    References
    ----------
    Murphy 1973, Journal of Applied Meteorology 12, 595-600.
    Stephenson, Coelho & Jolliffe 2008, Weather and Forecasting 23, 752-757.

    Examples
    --------
    >>> brier_decomposition([1, 0, 0, 0], [0.5, 0.5, 0.0, 0.0])
    {'reliability': 0.0, 'resolution': 0.0625, 'uncertainty': 0.1875}
    """
    counts = count_outcomes(y_true, y_prob, sample_weight, n_bins)
    return {
        "reliability": float(weighted.reliability(counts)[0]),
        "resolution": float(weighted.resolution(counts)[0]),
        "uncertainty": float(weighted.uncertainty(counts)[0]),
    }


def calibration_slope(y_true: Any, y_prob: Any, sample_weight: Any = None) -> float:
    """Return b of the logistic recalibration `log-odds of winning = a + b * predicted log-odds`.

    1 is right; below 1 the probabilities are too extreme (overfitted), above 1 too timid.
    Probabilities are clipped to 1e-15 and 1 - 1e-15. Parameters, raises: as `roc_auc`. NaN where
    the fit is not finite: no wins, no losses, or probabilities of the two that do not overlap.

    References
    ----------
    Cox 1958, Biometrika 45, 562-565.

    Examples
    --------
    >>> import numpy as np
    >>> y_true = [1] * 8 + [0] * 2 + [1] * 2 + [0] * 8
    >>> y_prob = np.repeat([16 / 17, 1 / 17], 10)  # odds of 16, where 4 would be right
    >>> round(calibration_slope(y_true, y_prob), 6)
    0.5
    """
    return float(weighted.recalibration(count_outcomes(y_true, y_prob, sample_weight))[1][0])


def calibration_intercept(y_true: Any, y_prob: Any, sample_weight: Any = None) -> float:
    """Return a of the logistic recalibration `log-odds of winning = a + b * predicted log-odds`.

    0 is right. It is the true log-odds of leads that were given a probability of one half, fitted
    together with the slope. Parameters, raises, NaN, source: as `calibration_slope`.

    Examples
    --------
    >>> import numpy as np
    >>> y_true = [1] * 8 + [0] * 2 + [1] * 2 + [0] * 8
    >>> round(abs(calibration_intercept(y_true, np.repeat([0.8, 0.2], 10))), 6)
    0.0
    """
    return float(weighted.recalibration(count_outcomes(y_true, y_prob, sample_weight))[0][0])


def ece(y_true: Any, y_prob: Any, sample_weight: Any = None, *, n_bins: int = 10) -> float:
    """Return the expected calibration error: mean |probability - conversion| over equal-count bins.

    Leads of equal probability stay in one bin. Noise alone makes it positive: about
    `0.8 * sqrt(n_bins * c * (1 - c) / n)` for calibrated probabilities near a conversion of c.
    Parameters, raises: as `roc_auc`.

    References
    ----------
    Naeini, Cooper & Hauskrecht 2015, AAAI; equal-count bins: Nixon et al. 2019, CVPR Workshops.

    Examples
    --------
    >>> round(ece([1, 0, 0, 0], [0.5, 0.5, 0.1, 0.1]), 6)
    0.05
    """
    counts = count_outcomes(y_true, y_prob, sample_weight, n_bins)
    return float(weighted.ece(counts)[0])


def gain(y_true: Any, y_prob: Any, sample_weight: Any = None, *, fraction: float = 0.1) -> float:
    """Return the share of all wins found among the best-scored `fraction` of the leads.

    Where the edge cuts through leads of equal probability, the expected value over their orders is
    given. `fraction` lies above 0 and at most at 1. Parameters, raises: as `roc_auc`. NaN where no
    lead is won.

    References
    ----------
    Ling & Li 1998, Data Mining for Direct Marketing, KDD.

    Examples
    --------
    >>> gain([1, 0, 1, 0], [0.9, 0.8, 0.6, 0.1], fraction=0.25)
    0.5
    >>> gain([1, 0, 1, 0], [0.5, 0.5, 0.5, 0.5], fraction=0.25)
    0.25
    """
    return _gain_of(count_outcomes(y_true, y_prob, sample_weight), fraction)


def lift(y_true: Any, y_prob: Any, sample_weight: Any = None, *, fraction: float = 0.1) -> float:
    """Return how many times the average conversion the best-scored `fraction` of leads reaches.

    It is the gain divided by the fraction; parameters, ties, raises, NaN and source as there.

    Examples
    --------
    >>> lift([1, 0, 1, 0], [0.9, 0.8, 0.6, 0.1], fraction=0.25)
    2.0
    """
    return _gain_of(count_outcomes(y_true, y_prob, sample_weight), fraction) / fraction


def _gain_of(counts: Counts, fraction: float) -> float:
    if not 0 < fraction <= 1:
        message = (
            f"`fraction` must lie above 0 and at most at 1. Got {fraction}. "
            "Pass for example fraction=0.1 for the best-scored tenth."
        )
        raise DataError(message)
    return float(weighted.gain(counts, [fraction])[0, 0])
