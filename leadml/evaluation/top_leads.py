"""Whether two models find different wins among the leads that sales would call."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest, chi2

from leadml.errors import DataError
from leadml.evaluation._inputs import Floats, checked_outcomes
from leadml.evaluation._models import checked_models
from leadml.evaluation._resample import group_codes


def compute_mcnemar(
    y_true: Any,
    probabilities: Mapping[str, Any],
    n_leads: int,
    *,
    groups: Any = None,
    random_state: int = 0,
) -> pd.DataFrame:
    """Return which wins the top `n_leads` of the first model and of each other one hold.

    Parameters
    ----------
    y_true : array-like of shape (n_all_leads,)
        1 for won, 0 for lost.
    probabilities : mapping of str to array-like of shape (n_all_leads,)
        Name of each model to its probabilities; the first is compared with every other.
    n_leads : int
        How many leads sales can call, for example all calls of a quarter.
    groups : array-like of shape (n_all_leads,), default=None
        Accounts, whose wins are not independent; a lead without one is its own.
    random_state : int, default=0
        Breaks ties at the edge of the top, for all models alike.

    Returns
    -------
    DataFrame
        One row an other model: model, other, n_leads, both, model_only, other_only, neither (won
        leads in the top of both, of one only, of none) and p_value (two-sided; 1 where no win is
        in one top only, NaN where no lead was won).

    Raises
    ------
    DataError
        Where there are fewer than two models, `n_leads` is not a whole number from 1 to all
        leads, outcomes are not 0 and 1, probabilities lie outside 0 to 1, or lengths differ.

    Notes
    -----
    Were both tops equally good, a win found by one only would be as likely to be the one's as the
    other's: `model_only` of all such wins is held against a fair coin (McNemar 1947,
    Psychometrika 12, 153-157, exact as a sign test). With groups, the square of the sum of their
    differences over the sum of their squares is held against chi-square of one degree (Durkalski,
    Palesch, Lipsitz & Rust 2003, Statistics in Medicine 22, 2417-2428). A tie at the edge of a top
    is broken once, so counts of a coarse rule book hang on `random_state`.

    Examples
    --------
    >>> both = {"model": [0.9, 0.8, 0.3, 0.1], "rules": [0.7, 0.2, 0.1, 0.6]}
    >>> compute_mcnemar([1, 1, 1, 0], both, n_leads=2)
       model  other  n_leads  both  model_only  other_only  neither  p_value
    0  model  rules        2     1           1           0        1      1.0
    """
    outcomes = checked_outcomes(y_true)
    models = checked_models(probabilities, len(outcomes), at_least=2)
    _check_n_leads(n_leads, len(outcomes))
    # one random order for all models: those that rank equally have the same top
    order = np.random.default_rng(random_state).random(len(outcomes))
    won = outcomes == 1
    tops = {name: _top(y_prob, order, n_leads)[won] for name, y_prob in models.items()}
    codes = group_codes(groups, len(outcomes))
    clusters = None if codes is None else codes[won]
    first, *others = tops
    rows = [
        {
            "model": first,
            "other": other,
            "n_leads": n_leads,
            **_compare(tops[first], tops[other], clusters),
        }
        for other in others
    ]
    return pd.DataFrame(rows)


def _check_n_leads(n_leads: int, n_all: int) -> None:
    if not (isinstance(n_leads, int | np.integer) and 1 <= n_leads <= n_all):
        message = (
            f"`n_leads` is {n_leads}. Accepted is a whole number from 1 to {n_all:,}, the leads "
            "in `y_true`. Pass how many of them sales can call."
        )
        raise DataError(message)


def _top(y_prob: Floats, order: Floats, n_leads: int) -> Any:
    """Tell which leads are among the `n_leads` most probable, ties by `order`."""
    edge = np.partition(y_prob, -n_leads)[-n_leads]
    top = y_prob > edge
    tied = np.flatnonzero(y_prob == edge)
    top[tied[np.argsort(order[tied])[: n_leads - int(top.sum())]]] = True
    return top


def _compare(top: Any, other_top: Any, clusters: Any) -> dict[str, float]:
    both, model_only, other_only, neither = (
        int(found.sum())
        for found in (top & other_top, top & ~other_top, other_top & ~top, ~(top | other_top))
    )
    one_only = model_only + other_only
    if not one_only:
        p_value = 1.0
    elif clusters is None:
        p_value = float(binomtest(model_only, one_only).pvalue)
    else:
        gaps = np.bincount(clusters, weights=top.astype(float) - other_top)
        squares = float((gaps**2).sum())
        p_value = float(chi2.sf(gaps.sum() ** 2 / squares, 1)) if squares else 1.0
    return {
        "both": both,
        "model_only": model_only,
        "other_only": other_only,
        "neither": neither,
        "p_value": p_value if len(top) else float("nan"),
    }
