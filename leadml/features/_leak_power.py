"""What one column says about the outcome: levels, out-of-fold chances, AUC with its interval."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types
from scipy.stats import norm, rankdata

from leadml.data.kinds import is_date
from leadml.features._values import read_dates

FOLDS = 5
N_BINS = 20
#: Leads of average outcome that each level starts with, so that rare levels say little.
SMOOTHING = 10
#: A level counts as won by its upper limit: X Education's `Lead Quality` = 'High in Relevance' is
#: 94.7 % won (603 of 637, up to 96 %), its honest 'Reference' 91.8 % of 534 (up to 94 %).
WON_LEVEL = 0.95
#: Fewest leads that a level is judged on.
MIN_LEVEL = 20
Z = float(norm.ppf(0.975))


@dataclass(frozen=True, eq=False)
class Power:
    """Cross-validated AUC of one column with a 95 % interval, and its out-of-fold chances."""

    auc: float
    lower: float
    upper: float
    prob: np.ndarray


def as_numbers(values: pd.Series) -> np.ndarray:
    """Return numbers, or dates as days; what is not finite is NaN."""
    if not types.is_numeric_dtype(values):
        seconds = read_dates(values, ()).dt.as_unit("s")
        days = seconds.astype("int64").to_numpy(np.float64) / 86_400
        return np.where(seconds.isna(), np.nan, days)
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def is_number(values: pd.Series) -> bool:
    """Return whether a column is read as numbers: numbers and dates, but not booleans."""
    if types.is_bool_dtype(values):
        return False
    return types.is_numeric_dtype(values) or is_date(values)


def encode_levels(values: pd.Series) -> np.ndarray:
    """Return the level of each value, from 0 on; missing values are a level of their own.

    Numbers and dates fall into about 20 bins of equal count; a number that fills a bin edge alone,
    such as 0, has its own level.
    """
    if is_number(values):
        return pd.factorize(bin_numbers(as_numbers(values)))[0]
    return pd.factorize(values, use_na_sentinel=False)[0]


def bin_numbers(numbers: np.ndarray) -> np.ndarray:
    """Return the bin of each number; -1 where it is missing."""
    known = ~np.isnan(numbers)
    bins = np.full(len(numbers), -1)
    if known.any():
        edges = np.unique(np.quantile(numbers[known], np.linspace(0, 1, N_BINS + 1)))
        # twice the place, plus one on an edge
        sides = [np.searchsorted(edges, numbers[known], side) for side in ("left", "right")]
        bins[known] = sides[0] + sides[1]
    return bins


def make_folds(won: np.ndarray, random_state: int) -> np.ndarray:
    """Return the fold of each lead, with equal shares of won and lost leads."""
    order = np.random.default_rng(random_state).permutation(len(won))
    folds = np.empty(len(won), dtype=np.intp)
    for outcome in (0, 1):
        members = order[won[order] == outcome]
        folds[members] = np.arange(len(members)) % FOLDS
    return folds


def compute_power(levels: np.ndarray, won: np.ndarray, folds: np.ndarray) -> Power:
    """Score each lead by the won rate of its level in the other folds.

    The AUC is the mean over folds, since chances of different folds are not comparable. Its
    interval is DeLong's (DeLong, DeLong & Clarke-Pearson, Biometrics 44, 1988). A useless
    column lies a little below 0.5 on average: a won lead left out lowers the rate of its level.
    """
    size = int(levels.max()) + 1
    rate = won.mean()
    prob = np.empty(len(won))
    aucs, variances = np.empty(FOLDS), np.empty(FOLDS)
    for fold in range(FOLDS):
        test = folds == fold
        leads = np.bincount(levels[~test], minlength=size)
        wins = np.bincount(levels[~test], weights=won[~test], minlength=size)
        prob[test] = ((wins + SMOOTHING * rate) / (leads + SMOOTHING))[levels[test]]
        aucs[fold], variances[fold] = compute_delong(won[test], prob[test])
    auc = float(aucs.mean())
    margin = Z * float(np.sqrt(variances.sum())) / FOLDS
    return Power(auc, max(auc - margin, 0.0), min(auc + margin, 1.0), prob)


def compute_delong(won: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    """Return the AUC and DeLong's variance of it.

    Examples
    --------
    >>> compute_delong(np.array([1, 1, 0, 0]), np.array([0.9, 0.4, 0.6, 0.1]))
    (0.75, 0.125)
    """
    is_won = won == 1
    ranks = rankdata(score)
    n_won, n_lost = int(is_won.sum()), int((~is_won).sum())
    above_lost = (ranks[is_won] - rankdata(score[is_won])) / n_lost
    below_won = 1 - (ranks[~is_won] - rankdata(score[~is_won])) / n_won
    variance = above_lost.var(ddof=1) / n_won + below_won.var(ddof=1) / n_lost
    return float(above_lost.mean()), float(variance)


def wilson(successes: Any, n: Any) -> tuple[Any, Any]:
    """Return the 95 % interval of a share (Wilson, JASA 22, 1927); n at least 1.

    Examples
    --------
    >>> [round(float(limit), 3) for limit in wilson(9, 10)]
    [0.596, 0.982]
    """
    share, square = successes / n, Z**2 / n
    middle = (share + square / 2) / (1 + square)
    margin = Z * np.sqrt(share * (1 - share) / n + square / (4 * n)) / (1 + square)
    return middle - margin, middle + margin


def one_sided(leads: np.ndarray, wins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which levels are (almost) always and which (almost) never won."""
    rate = wins.sum() / leads.sum()
    n = np.maximum(leads, 1)
    _, highest = wilson(wins, n)
    enough = leads >= MIN_LEVEL
    # where nearly all leads are won, 95 % is nothing special
    always = (highest >= WON_LEVEL) & (wins / n >= 0.9) & (1 - wins / n <= (1 - rate) / 4)
    return enough & always, enough & (highest <= rate / 5)


def log_loss_each(won: np.ndarray, prob: np.ndarray) -> np.ndarray:
    """Return the log loss of each lead."""
    prob = np.clip(prob, 1e-6, 1 - 1e-6)
    return -(won * np.log(prob) + (1 - won) * np.log(1 - prob))
