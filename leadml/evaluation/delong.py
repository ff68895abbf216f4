"""Whether one model ranks leads better than another: DeLong's test of the difference in AUC."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import norm

from leadml.evaluation._inputs import Floats, checked_outcomes
from leadml.evaluation._models import checked_models
from leadml.evaluation._resample import group_codes

_Z95 = 1.959963984540054
# far below the error of a single pair swapped among a million leads
_ROUNDING = 1e-14


def compute_delong(
    y_true: Any, probabilities: Mapping[str, Any], groups: Any = None
) -> pd.DataFrame:
    """Return how much better the first model ranks the leads than each other one.

    Parameters
    ----------
    y_true : array-like of shape (n_leads,)
        1 for won, 0 for lost.
    probabilities : mapping of str to array-like of shape (n_leads,)
        Name of each model to its probabilities; the first is compared with every other.
    groups : array-like of shape (n_leads,), default=None
        Accounts, whose leads are alike; a lead without one is its own. Without groups the leads
        count as independent.

    Returns
    -------
    DataFrame
        One row an other model: model, other, roc_auc, other_roc_auc, difference, standard_error,
        lower, upper (95 % interval of the difference) and p_value (two-sided). Two models that
        rank equally differ by 0 with p = 1. NaN where there is nothing to estimate from: no won
        or no lost leads for the AUC, fewer than two of either (of their groups) for the error, or
        a difference that is the same for every lead.

    Raises
    ------
    DataError
        Where there are fewer than two models, outcomes are not 0 and 1, probabilities lie outside
        0 to 1, or lengths differ.

    Notes
    -----
    The placement of a won lead is the share of lost leads scored below it (ties count half), of a
    lost lead the share of won leads above it; both average to the AUC. With d the difference in
    placement between two models, over m won and n lost leads:

        variance = var(d of the won) / m + var(d of the lost) / n

    (DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44, 837-845; placements by ranks in
    O(n log n) as in Sun & Xu 2014, IEEE Signal Processing Letters 21, 1389-1393.) With groups the
    deviations are summed in each group before they are squared, and won and lost leads of one
    group covary (Obuchowski 1997, Biometrics 53, 567-578); groups of one lead give the plain
    variance. The test is for models fitted on other leads than these.

    Examples
    --------
    >>> y_true = [1, 1, 1, 0, 0, 0, 0, 0]
    >>> both = {
    ...     "model": [0.9, 0.7, 0.4, 0.5, 0.3, 0.3, 0.2, 0.1],
    ...     "rules": [0.6, 0.2, 0.5, 0.5, 0.4, 0.1, 0.3, 0.1],
    ... }
    >>> compute_delong(y_true, both).round(3).iloc[0, 2:].to_dict()
    {'roc_auc': 0.933, 'other_roc_auc': 0.767, 'difference': 0.167, 'standard_error': ...}
    """
    outcomes = checked_outcomes(y_true)
    models = checked_models(probabilities, len(outcomes), at_least=2)
    codes = group_codes(groups, len(outcomes))
    placed = {name: placements(outcomes, y_prob) for name, y_prob in models.items()}
    first, *others = placed
    rows = [
        {
            "model": first,
            "other": other,
            **_difference(outcomes, placed[first], placed[other], codes),
        }
        for other in others
    ]
    return pd.DataFrame(rows)


def placements(outcomes: Floats, y_prob: Floats) -> Floats:
    """Return the share of opposite leads that each lead is on the right side of; ties count half.

    NaN for leads without an opposite.
    """
    order = np.argsort(y_prob)
    placed = np.empty(len(outcomes))
    placed[order] = _rising_placements(outcomes[order], y_prob[order])
    return placed


def _rising_placements(outcomes: Floats, rising: Floats) -> Floats:
    place = np.cumsum(np.diff(rising, prepend=rising[:1]) > 0)
    leads, won = np.bincount(place), np.bincount(place, weights=outcomes)
    lost = leads - won
    lost_below = (np.cumsum(lost) - lost / 2) / (lost.sum() or np.nan)
    won_above = (won.sum() - np.cumsum(won) + won / 2) / (won.sum() or np.nan)
    return np.where(outcomes == 1, lost_below[place], won_above[place])


def auc_interval(outcomes: Floats, rising: Floats, codes: Any = None) -> tuple[float, float, float]:
    """Return the AUC of one model with its 95 % interval, which stays within 0 and 1.

    `rising` are the probabilities in rising order, so that leads sorted once serve every segment;
    `codes` number the groups. The interval is DeLong's on the log odds of the AUC (Pepe 2003, The
    Statistical Evaluation of Medical Tests for Classification and Prediction, 5.2); NaN at an AUC
    of 0 or 1.
    """
    placed = _rising_placements(outcomes, rising)
    auc = _mean(placed[outcomes == 1])
    error = _standard_error(outcomes, placed, codes)
    if not (0 < auc < 1 and error > _ROUNDING):
        return auc, np.nan, np.nan
    half = _Z95 * error / (auc * (1 - auc))
    return auc, float(expit(logit(auc) - half)), float(expit(logit(auc) + half))


def _difference(outcomes: Floats, first: Floats, other: Floats, codes: Any) -> dict[str, float]:
    won = outcomes == 1
    auc, other_auc = _mean(first[won]), _mean(other[won])
    difference = auc - other_auc
    error = _standard_error(outcomes, first - other, codes)
    if error < _ROUNDING:
        # either no lead's placement differs, or all do alike: nothing to estimate from
        error, p_value = (0.0, 1.0) if difference == 0 else (np.nan, np.nan)
    else:
        p_value = float(2 * norm.sf(abs(difference) / error))
    return {
        "roc_auc": auc,
        "other_roc_auc": other_auc,
        "difference": difference,
        "standard_error": error,
        "lower": difference - _Z95 * error,
        "upper": difference + _Z95 * error,
        "p_value": p_value,
    }


def _standard_error(outcomes: Floats, placed: Floats, codes: Any) -> float:
    """Return the standard error of the mean placement; NaN without two groups of each outcome."""
    lost, won = placed[outcomes == 0], placed[outcomes == 1]
    if min(len(lost), len(won)) < 2:
        return float("nan")
    if codes is None:
        return float(np.sqrt(lost.var(ddof=1) / len(lost) + won.var(ddof=1) / len(won)))
    dense, names = pd.factorize(codes)
    n_groups = len(names)
    lost_sums, n_with_lost = _sum_groups(lost, dense[outcomes == 0], n_groups)
    won_sums, n_with_won = _sum_groups(won, dense[outcomes == 1], n_groups)
    if min(n_with_lost, n_with_won) < 2:
        return float("nan")
    variance = (
        n_with_lost / (n_with_lost - 1) * np.square(lost_sums).sum()
        + n_with_won / (n_with_won - 1) * np.square(won_sums).sum()
        + 2 * n_groups / (n_groups - 1) * (lost_sums * won_sums).sum()
    )
    return float(np.sqrt(max(variance, 0.0)))


def _sum_groups(values: Floats, codes: Any, n_groups: int) -> tuple[Floats, int]:
    """Return what each group adds to the error of the mean, and how many groups have a value."""
    share = (values - values.mean()) / len(values)
    sums = np.bincount(codes, weights=share, minlength=n_groups).astype(float)
    return sums, int(np.count_nonzero(np.bincount(codes)))


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")
