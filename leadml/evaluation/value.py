"""What the calls are worth: the value of the deals won among the leads called first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from leadml.errors import DataError
from leadml.evaluation._counts import bin_starts
from leadml.evaluation._inputs import Floats, check_length, checked_outcomes
from leadml.evaluation._resample import draw_weights, group_codes, percentile_interval

FRACTIONS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
MOST_BINS = 2_000  # of equal count, for the intervals alone
MOST_UNITS = 20_000  # drawn one by one; more of them are drawn in random blocks


def compute_value_at_capacity(
    y_true: Any,
    value: Any,
    rankings: Mapping[str, Any],
    fractions: Sequence[float] = FRACTIONS,
    *,
    groups: Any = None,
    n_resamples: int = 500,
    random_state: int = 0,
) -> pd.DataFrame:
    """Return what the won deals are worth when the best-ranked leads alone are called.

    Parameters
    ----------
    y_true : array-like of shape (n_leads,)
        1 for won, 0 for lost.
    value : array-like of shape (n_leads,)
        What each deal brought, in one currency; that of a lost lead is not looked at.
    rankings : mapping of str to array-like of shape (n_leads,)
        Name of each ranking to what it ranks by (a probability, an expected value); the highest
        is called first.
    fractions : sequence of float, default=(0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1)
        Shares of the leads that are called.
    groups : array-like of shape (n_leads,), default=None
        Accounts, drawn as wholes; a lead without one is its own.
    n_resamples : int, default=500
    random_state : int, default=0
        Equal numbers give equal intervals.

    Returns
    -------
    DataFrame
        One row a ranking and fraction: ranking, fraction, n_leads, n_won, value (all expected
        values over ties), lower and upper (95 % percentile bootstrap of the value).

    Raises
    ------
    DataError
        Where outcomes are not 0 and 1, a won lead has no value or one below 0, a fraction lies
        outside 0 to 1, something to rank by is missing, or lengths differ.

    Notes
    -----
    Every ranking sees the same draws; `compute_value_differences` compares them pair by pair
    (Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapters 8 and 13). Above 20,000
    leads (or accounts), 20,000 random blocks of them are drawn instead of single ones, which
    leaves the spread as it is (random groups: Wolter 2007, Introduction to Variance Estimation,
    chapter 2).

    Examples
    --------
    >>> rankings = {"probability": [0.9, 0.8, 0.3, 0.1], "expected value": [90, 40, 240, 50]}
    >>> table = compute_value_at_capacity([1, 0, 1, 0], [100, 0, 800, 0], rankings, [0.25, 0.5])
    >>> table[["ranking", "fraction", "n_leads", "n_won", "value"]]
              ranking  fraction  n_leads  n_won  value
    0     probability      0.25      1.0    1.0  100.0
    1     probability      0.50      2.0    1.0  100.0
    2  expected value      0.25      1.0    1.0  800.0
    3  expected value      0.50      2.0    2.0  900.0
    """
    worth = _Worth.build(y_true, value, rankings, fractions)
    resamples = worth.resample(groups, n_resamples, random_state)
    tables = []
    for name, (won, total) in worth.totals.items():
        lower, upper = percentile_interval(resamples[name])
        rows = {"ranking": name, "fraction": worth.fractions, "n_leads": worth.n_called}
        found = {"n_won": won, "value": total, "lower": lower, "upper": upper}
        tables.append(pd.DataFrame({**rows, **found}))
    return pd.concat(tables, ignore_index=True)


def compute_value_differences(
    y_true: Any,
    value: Any,
    rankings: Mapping[str, Any],
    fractions: Sequence[float] = FRACTIONS,
    *,
    groups: Any = None,
    n_resamples: int = 500,
    random_state: int = 0,
) -> pd.DataFrame:
    """Return how much more value the first ranking finds than each other one.

    Parameters, raises, notes: as `compute_value_at_capacity`; `rankings` holds two or more.

    Returns
    -------
    DataFrame
        One row an other ranking and fraction: ranking, other, fraction, n_leads, difference (value
        of the first less that of the other), lower, upper (95 % paired percentile bootstrap).

    Examples
    --------
    >>> rankings = {"probability": [0.9, 0.8, 0.3, 0.1], "expected value": [90, 40, 240, 50]}
    >>> table = compute_value_differences([1, 0, 1, 0], [100, 0, 800, 0], rankings, [0.25])
    >>> table[["ranking", "other", "fraction", "difference"]]
           ranking           other  fraction  difference
    0  probability  expected value      0.25      -700.0
    """
    if len(rankings) < 2:
        message = (
            f"`rankings` holds {list(rankings)}. Accepted are two or more. Pass for example "
            "{'expected value': chance * value, 'probability': chance}."
        )
        raise DataError(message)
    worth = _Worth.build(y_true, value, rankings, fractions)
    resamples = worth.resample(groups, n_resamples, random_state)
    first, *others = worth.totals
    tables = []
    for other in others:
        lower, upper = percentile_interval(resamples[first] - resamples[other])
        rows = {"ranking": first, "other": other, "fraction": worth.fractions}
        difference = worth.totals[first][1] - worth.totals[other][1]
        # where all are called, sums in another order differ by a rounding
        lower, upper, difference = (
            np.where(worth.fractions == 1, 0.0, bound) for bound in (lower, upper, difference)
        )
        more = {"difference": difference, "lower": lower, "upper": upper}
        tables.append(pd.DataFrame({**rows, "n_leads": worth.n_called, **more}))
    return pd.concat(tables, ignore_index=True)


@dataclass(frozen=True, eq=False)
class _Worth:
    """Wins and value by ranking and fraction, and each lead's bin by ranking."""

    gains: Floats  # value of each lead that was won, else 0
    fractions: Floats
    totals: dict[str, tuple[Floats, Floats]]  # won, value
    bins: dict[str, Any]

    @classmethod
    def build(
        cls, y_true: Any, value: Any, rankings: Mapping[str, Any], fractions: Sequence[float]
    ) -> Self:
        outcomes = checked_outcomes(y_true)
        gains = _checked_gains(value, outcomes)
        shares = _checked_fractions(fractions)
        totals, bins = {}, {}
        for name, ranking in rankings.items():
            ranks = _checked_ranking(ranking, len(outcomes), str(name))
            _, place = np.unique(-ranks, return_inverse=True)
            leads = np.bincount(place)
            sums = [np.bincount(place, weights=w)[None, :] for w in (outcomes, gains)]
            won, worth = _at_fractions(leads[None, :], shares, *sums)
            totals[str(name)] = (won[0], worth[0])
            starts = bin_starts(leads, MOST_BINS)
            bins[str(name)] = (np.searchsorted(starts, np.arange(len(leads)), "right") - 1)[place]
        return cls(gains, shares, totals, bins)

    @property
    def n_called(self) -> Floats:
        return self.fractions * len(self.gains)

    def resample(self, groups: Any, n_resamples: int, random_state: int) -> dict[str, Floats]:
        """Return the value by ranking, shape (n_resamples, n_fractions)."""
        units, weights = _draw(groups, len(self.gains), n_resamples, random_state)
        won = np.flatnonzero(self.gains)
        sums: dict[str, tuple[Any, Any]] = {}
        for name, bins in self.bins.items():
            shape = (units.max() + 1, bins.max() + 1)
            leads = csr_array((np.ones(len(units)), (units, bins)), shape=shape)
            found = (self.gains[won], (units[won], bins[won]))
            sums[name] = (leads, csr_array(found, shape=shape))
        values: dict[str, list[Floats]] = {name: [] for name in sums}
        for chunk in weights:
            for name, (leads, gains) in sums.items():
                values[name] += _at_fractions(chunk @ leads, self.fractions, chunk @ gains)
        return {name: np.vstack(chunks) for name, chunks in values.items()}


def _draw(
    groups: Any, n_leads: int, n_resamples: int, random_state: int
) -> tuple[Any, Iterator[Floats]]:
    """Return the unit of each lead, and weights of shape (n_some, n_units)."""
    codes = group_codes(groups, n_leads)
    units = np.arange(n_leads) if codes is None else codes
    count = int(units.max()) + 1
    if count > MOST_UNITS:
        blocks = np.random.default_rng(random_state).permutation(count) % MOST_UNITS
        units, count = blocks[units], MOST_UNITS
    return units, draw_weights(count, None, n_resamples, random_state)


def _at_fractions(leads: Any, fractions: Floats, *sums: Any) -> list[Floats]:
    """Return sums among the first leads, shape (n_rows, n_fractions) each.

    `leads` and `sums` have the shape (n_rows, n_bins), best bin first. A straight line within a
    bin is the expected value over ties.
    """
    start = np.zeros((len(leads), 1))
    called = np.hstack([start, np.cumsum(leads, axis=1)])
    totals = [np.hstack([start, np.cumsum(total, axis=1)]) for total in sums]
    return [
        np.stack([np.interp(fractions * x[-1], x, y) for x, y in zip(called, total, strict=True)])
        for total in totals
    ]


def _checked_gains(value: Any, outcomes: Floats) -> Floats:
    values = pd.to_numeric(pd.Series(value), errors="coerce").to_numpy(float, na_value=np.nan)
    check_length(values, len(outcomes), "value")
    wrong = (outcomes == 1) & ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        message = (
            f"`value` is {values[wrong][0]:g} for a won lead, and not usable for "
            f"{int(wrong.sum()) - 1} more. Accepted are amounts of at least 0 for every won lead. "
            "Leave won leads without a value out, or give them the mean of the others."
        )
        raise DataError(message)
    return np.where(outcomes == 1, values, 0.0)


def _checked_fractions(fractions: Sequence[float]) -> Floats:
    shares = np.atleast_1d(np.asarray(fractions, dtype=float))
    wrong = ~((shares >= 0) & (shares <= 1))
    if wrong.any():
        message = (
            f"`fractions` holds {shares[wrong][0]:g}. Accepted are shares of the leads from 0 to "
            "1. Pass for example [0.1, 0.2]."
        )
        raise DataError(message)
    return shares


def _checked_ranking(ranking: Any, n_leads: int, name: str) -> Floats:
    ranks = np.asarray(ranking, dtype=float)
    check_length(ranks, n_leads, name)
    if np.isnan(ranks).any():
        message = (
            f"`{name}` is missing for {int(np.isnan(ranks).sum())} leads. Accepted is a number "
            "for each lead. Leave those leads out of all rankings."
        )
        raise DataError(message)
    return ranks
