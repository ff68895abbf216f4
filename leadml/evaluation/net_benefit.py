"""Whether calling by a model pays, whatever a call costs: decision curves."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from leadml.errors import DataError
from leadml.evaluation._inputs import Floats, checked_outcomes
from leadml.evaluation._models import checked_models
from leadml.evaluation._resample import group_codes

# whole numbers divided, so that 0.07 is the same number as in the data
THRESHOLDS: Floats = np.arange(1, 100) / 100
_Z95 = 1.959963984540054


def compute_net_benefit(
    y_true: Any, probabilities: Mapping[str, Any], thresholds: Any = None, groups: Any = None
) -> pd.DataFrame:
    """Return what calling every lead at or above a probability brings, in wins a lead.

    A threshold says what a call is worth: who calls from 10 % on accepts nine calls in vain for
    a win, so each of them costs 1/9 of a win.

    Parameters
    ----------
    y_true : array-like of shape (n_leads,)
        1 for won, 0 for lost.
    probabilities : mapping of str to array-like of shape (n_leads,)
        Name of each model to its probabilities.
    thresholds : array-like, default=None
        Probabilities from 0 to below 1; 0.01, 0.02, ..., 0.99 where None.
    groups : array-like of shape (n_leads,), default=None
        Accounts, whose leads are alike, for the interval; a lead without one is its own.

    Returns
    -------
    DataFrame
        One row a model and threshold, thresholds rising: model, threshold, net_benefit, lower,
        upper (95 %). After the models come `call all` and `call none` as references: a model is
        of use at the thresholds where it lies above both.

    Raises
    ------
    DataError
        Where there is no model, a threshold is not from 0 to below 1, outcomes are not 0 and 1,
        probabilities lie outside 0 to 1, or lengths differ.

    Notes
    -----
    With t the threshold and n leads, of which those at or above t are called:

        net benefit = won called / n - lost called / n * t / (1 - t)

    (Vickers & Elkin 2006, Medical Decision Making 26, 565-574.) It is a mean over leads, of 1 for
    a won lead called, -t / (1 - t) for a lost one and 0 else, so the interval is analytic, not a
    bootstrap: the normal one of a mean (as in Marsh, Janes & Pepe 2020, Biometrics 76, 843-852),
    with groups of a mean of groups (Cochran 1977, Sampling Techniques, 6.4 and 9A). Each threshold
    has an interval of its own.

    Examples
    --------
    >>> y_prob = [0.9, 0.6, 0.4, 0.2]
    >>> compute_net_benefit([1, 0, 1, 0], {"model": y_prob}, [0.5]).round(3)
           model  threshold  net_benefit  lower  upper
    0      model        0.5          0.0 -0.693  0.693
    1   call all        0.5          0.0 -0.980  0.980
    2  call none        0.5          0.0  0.000  0.000
    """
    outcomes = checked_outcomes(y_true)
    n_leads = len(outcomes)
    models = checked_models(probabilities, n_leads)
    wanted = _checked_thresholds(thresholds)
    codes = group_codes(groups, n_leads)
    everyone, nobody = np.ones(n_leads), np.full(n_leads, -1.0)
    tables = [
        _decision_curve(outcomes, y_prob, wanted, codes).assign(model=name)
        for name, y_prob in [*models.items(), ("call all", everyone), ("call none", nobody)]
    ]
    columns = ["model", "threshold", "net_benefit", "lower", "upper"]
    return pd.concat(tables, ignore_index=True)[columns]


def _decision_curve(
    outcomes: Floats, y_prob: Floats, thresholds: Floats, codes: Any
) -> pd.DataFrame:
    # a lead is called at its first `passed` thresholds
    passed = np.searchsorted(thresholds, y_prob, side="right")
    size = len(thresholds) + 1
    counts = np.bincount(passed, minlength=size), np.bincount(passed, outcomes, minlength=size)
    called, won = (count[::-1].cumsum()[::-1][1:].astype(float) for count in counts)
    n_leads = len(outcomes)
    cost = thresholds / (1 - thresholds)
    net = (won - (called - won) * cost) / n_leads
    if codes is None:
        variance = ((won + (called - won) * cost**2) / n_leads - net**2) / n_leads
    else:
        order = np.argsort(-passed)
        variance = _group_variance(outcomes[order], codes[order], called.astype(int), cost, net)
    half = _Z95 * np.sqrt(np.maximum(variance, 0))
    return pd.DataFrame(
        {"threshold": thresholds, "net_benefit": net, "lower": net - half, "upper": net + half}
    )


def _group_variance(outcomes: Floats, codes: Any, called: Any, cost: Floats, net: Floats) -> Floats:
    """Return the variance of each net benefit over groups; the first `called` leads are called."""
    leads = np.bincount(codes)
    variance = np.empty(len(net))
    for place, n_called in enumerate(called):
        benefit = np.where(outcomes[:n_called] == 1, 1, -cost[place])
        sums = np.bincount(codes[:n_called], weights=benefit, minlength=len(leads))
        variance[place] = np.square(sums - leads * net[place]).sum()
    # with a single group there is nothing to estimate from
    return variance / len(outcomes) ** 2 * len(leads) / ((len(leads) - 1) or np.nan)


def _checked_thresholds(thresholds: Any) -> Floats:
    if thresholds is None:
        return THRESHOLDS
    wanted = np.unique(np.asarray(thresholds, dtype=float))
    wrong = wanted[~((wanted >= 0) & (wanted < 1))]
    if wrong.size or not wanted.size:
        met = f"{wrong[0]:g}" if wrong.size else "nothing"
        message = (
            f"`thresholds` holds {met}. Accepted are probabilities from 0 to below 1. Pass for "
            "example [0.05, 0.1, 0.2], or None for every 1 %."
        )
        raise DataError(message)
    return wanted
