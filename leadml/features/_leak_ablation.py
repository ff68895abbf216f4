"""Leaks that are weak alone and strong together: counter pairs, and a drop-column ablation."""

from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types
from scipy.stats import norm

from leadml.features._leak_power import (
    Power,
    as_numbers,
    bin_numbers,
    compute_delong,
    compute_power,
    is_number,
    log_loss_each,
)
from leadml.features._leak_tests import Finding, is_count

#: Counters correlate in ranks like a whole and its part; leadforge's touches after and before the
#: snapshot 0.79 and 0.82, other pairs with one never below the other up to 0.69.
PAIR_RANKS, PAIR_CONTAINS = 0.6, 0.995
#: What the extra part must add to the AUC of either counter, and by its lower limit. Leadforge's
#: leak adds 0.04 to 0.10 (lower limits from 0.016 on) in six worlds, honest pairs up to 0.004.
PAIR_ADDS, PAIR_SURELY = 0.03, 0.01
#: Of few leads one pair of many differs by chance.
PAIR_LEAST = 100

MAX_LEADS, MAX_COLUMNS, MAX_VALUES = 10_000, 30, 30
#: A column is left out only if it holds this share of the booster's gain.
LEAST_GAIN = 0.01
#: The removal must cost this many times what the column is worth alone, and this much AUC. Honest
#: columns measured: at most 0.5 times where the cost is certain; bank's `duration` 1.4 times.
PROPORTION, LEAST_AUC = 1.5, 0.01
#: Limits of 95 % for all `MAX_COLUMNS` columns at once (Bonferroni).
_Z_ALL = float(norm.ppf(1 - 0.025 / MAX_COLUMNS))
_FOLDS = 3
_ROUNDS = 40
_BOOSTER = {
    "objective": "binary",
    "num_leaves": 15,
    "learning_rate": 0.1,
    "min_data_in_leaf": 20,
    "min_data_per_group": 20,
    "max_bin": 63,
    "num_threads": 1,  # tables are small: a second thread costs more than it gives
    "force_col_wise": True,
    "deterministic": True,
    "verbosity": -1,
}


def find_pairs(
    leads: pd.DataFrame, won: np.ndarray, powers: dict[str, Power], folds: np.ndarray
) -> dict[str, Finding]:
    """Find counters that contain another counter and whose extra part tells the outcome.

    Parameters
    ----------
    leads : DataFrame of closed leads
    won : array of shape (n_leads,)
    powers : dict of str to Power
        Of the columns to look at.
    folds : array of shape (n_leads,)

    Returns
    -------
    dict of str to Finding
        By the name of the containing counter.
    """
    if min(won.sum(), (1 - won).sum()) < PAIR_LEAST:
        return {}
    counts = {name: as_numbers(leads[name]) for name in powers if is_count(leads[name])}
    ranks = pd.DataFrame(counts).rank().corr().to_numpy()
    found: dict[str, Finding] = {}
    for (row, whole), (place, part) in permutations(enumerate(counts), 2):
        extra = counts[whole] - counts[part]
        if not ranks[row, place] >= PAIR_RANKS:  # NaN where they are never both filled
            continue
        if (extra[~np.isnan(extra)] >= 0).mean() < PAIR_CONTAINS:
            continue
        both = max(powers[whole].auc, powers[part].auc, 0.5)
        power = compute_power(pd.factorize(bin_numbers(extra))[0], won, folds)
        if power.auc >= both + PAIR_ADDS and power.lower >= both + PAIR_SURELY:
            text = (
                f"It contains `{part}`, and what it counts beyond that tells more (AUC "
                f"{power.auc:.2f}) than either of them ({both:.2f}): it counts until later."
            )
            found.setdefault(whole, Finding("look", "counter_pair", text))
    return found


def find_together(
    leads: pd.DataFrame, won: np.ndarray, powers: dict[str, Power], random_state: int
) -> dict[str, Finding]:
    """Find columns that a booster loses far more with than they are worth alone.

    An honest strong column is strong alone, and others stand in for it when it is left out. So a
    column is found when its removal costs more than `PROPORTION` times its own gain in log loss,
    paired by lead, and at least `LEAST_AUC` of AUC. Parameters as in `find_pairs`.
    """
    names = list(powers)
    if not names:
        return {}
    rng = np.random.default_rng(random_state)
    rows = np.sort(rng.permutation(len(won))[:MAX_LEADS])
    y = won[rows]
    table = np.column_stack([_as_column(leads[name].iloc[rows]) for name in names])
    texts = [place for place, name in enumerate(names) if not _is_ordered(leads[name])]
    folds = rng.permutation(len(y)) % _FOLDS
    full, gain = _cross_validate(table, y, folds, texts)
    share = gain / max(gain.sum(), 1e-12)
    loss, auc = log_loss_each(y, full), compute_delong(y, full)[0]
    base = log_loss_each(y, np.full(len(y), y.mean()))

    found: dict[str, float] = {}
    for place in np.argsort(-share, kind="stable")[:MAX_COLUMNS]:
        if share[place] < LEAST_GAIN:
            break
        without, _ = _cross_validate(table, y, folds, texts, without=int(place))
        cost = log_loss_each(y, without) - loss
        alone = base - log_loss_each(y, powers[names[place]].prob[rows])
        excess = cost - PROPORTION * alone
        # a column of no value alone must still cost something for certain
        lowest = min(_lower_mean(excess), _lower_mean(cost))
        falls = auc - compute_delong(y, without)[0]
        if lowest > 0 and falls >= LEAST_AUC:
            found[names[place]] = falls
    return {name: _finding(name, powers[name], found) for name in found}


def _finding(name: str, power: Power, found: dict[str, float]) -> Finding:
    others = ", ".join(f"`{other}`" for other in found if other != name)
    text = (
        f"Weak alone (AUC {power.auc:.2f}), strong together: leaving it out costs "
        f"{found[name]:.3f} AUC of a model with all columns, far more than it is worth by itself"
    )
    text += (
        f" (the same holds for {others}; one of them may hold something later)." if others else "."
    )
    return Finding("look", "ablation", text)


def _lower_mean(values: np.ndarray) -> float:
    return float(values.mean() - _Z_ALL * values.std(ddof=1) / np.sqrt(len(values)))


def _is_ordered(values: pd.Series) -> bool:
    return types.is_bool_dtype(values) or is_number(values)


def _as_column(values: pd.Series) -> np.ndarray:
    """Return numbers as they are, and texts as the place among the most frequent ones."""
    if types.is_bool_dtype(values):
        return values.astype("float64").to_numpy()
    if is_number(values):
        return as_numbers(values)
    frequent = values.value_counts().index[:MAX_VALUES]
    places = pd.Series(np.arange(len(frequent), dtype=np.float64), index=frequent)
    known = values.map(places).to_numpy(np.float64)
    return np.where(np.isnan(known) & values.notna().to_numpy(), len(frequent), known)


def _cross_validate(
    table: np.ndarray,
    y: np.ndarray,
    folds: np.ndarray,
    texts: list[int],
    without: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return out-of-fold chances and each column's gain, with one column left out."""
    import lightgbm as lgb

    used = np.arange(table.shape[1]) != without
    table = np.where(used, table, 0.0)  # a constant column is never split on
    prob = np.full(len(y), y.mean())
    gain = np.zeros(table.shape[1])
    for fold in range(_FOLDS):
        test = folds == fold
        data: Any = lgb.Dataset(table[~test], y[~test], categorical_feature=texts, params=_BOOSTER)
        booster = lgb.train(_BOOSTER, data, num_boost_round=_ROUNDS)
        prob[test] = booster.predict(table[test])
        gain += booster.feature_importance("gain")
    return prob, gain
