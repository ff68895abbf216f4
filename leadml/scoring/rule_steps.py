"""What a rule could say of a feature: steps at readable numbers, groups of levels, missing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import floor

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadml.scoring.columns import CategoryColumn, Codes, Floats, NumberColumn, as_numbers
from leadml.scoring.points import PointsTable

N_CELLS = 24  # of about as many leads: one cut point each
MOST_LEVELS = 8  # a longer list is not read
FEWEST_LEADS, LEAST_SHARE = 20, 0.01  # that a rule fires for; of a level listed 20 too
MOST_SHARE = 0.5  # that a rule fires for: what most leads are is where points are counted from
_UNITS = [digit * 10.0**power for power in range(12, -12, -1) for digit in (5, 2, 1)]


@dataclass(frozen=True, eq=False)
class Steps:
    """The codes of a feature's leads, and the sets of codes that rules may be made of.

    Parameters
    ----------
    column : NumberColumn or CategoryColumn
        Of a number, cut at readable values.
    codes : ndarray of shape (n_leads,)
    sets : ndarray of bool, shape (n_sets, n_codes)
        For a number all values from a cut on, and all below it; for a category the best and the
        worst levels by their points in the model; for both what is missing.
    signs : ndarray of shape (n_sets,)
        1 or -1 where a set of a monotone number may only gain or only lose points, else 0.
    is_whole : bool
        Whether the feature counts: all of its numbers are whole.
    """

    column: NumberColumn | CategoryColumn
    codes: Codes
    sets: NDArray[np.bool_]
    signs: NDArray[np.int8]
    is_whole: bool


def find_steps(
    features: pd.DataFrame,
    table: PointsTable,
    *,
    weight: Floats,
    monotone: Mapping[str, int],
) -> list[Steps]:
    """Return the steps of every feature that has some.

    Parameters
    ----------
    features : DataFrame of shape (n_leads, n_features)
        What rules may be about.
    table : PointsTable
        Of a model of these features and maybe others: its points order the levels of categories.
    weight : ndarray of shape (n_leads,)
        How many leads each row stands for: 1, or 1/k for each of k snapshots of a lead.
    monotone : dict of feature to 1 or -1
    """
    found = []
    fewest = max(FEWEST_LEADS, LEAST_SHARE * weight.sum())
    points = {term.column: term.values for term in table.terms}
    for learned in table.columns:
        if learned.name not in features:
            continue
        column: NumberColumn | CategoryColumn
        is_whole = False
        if isinstance(learned, CategoryColumn):
            column = learned
        else:
            numbers = as_numbers(features[learned.name])
            column = NumberColumn(learned.name, tuple(find_cuts(numbers)))
            is_whole = bool(np.all(numbers[np.isfinite(numbers)] % 1 == 0))
        codes = column.codes(features[learned.name])
        leads = np.bincount(codes, weight, column.n_codes)
        if isinstance(column, CategoryColumn):
            listed = list(_level_sets(points[column.name], leads))
        else:
            listed = list(_number_sets(column.n_codes, monotone.get(column.name, 0)))
        sets = np.array([codes_of_set for codes_of_set, _ in listed])
        signs = np.array([sign for _, sign in listed], dtype=np.int8)
        _, first = np.unique(sets, axis=0, return_index=True)
        fires = sets[first] @ leads
        kept = np.sort(first[(fires >= fewest) & (fires <= MOST_SHARE * leads.sum())])
        if len(kept):
            found.append(Steps(column, codes, sets[kept], signs[kept], is_whole))
    return found


def find_cuts(values: Floats) -> list[float]:
    """Return cut points between cells of about as many values, each at its most readable number.

    Examples
    --------
    >>> find_cuts(np.array([0, 0, 0, 1, 1, 2, 3, np.nan]))
    [1.0, 2.0, 3.0]
    >>> find_cuts(np.linspace(0, 1_000, 5_000))[:4]
    [40.0, 50.0, 100.0, 150.0]
    """
    finite = np.sort(values[np.isfinite(values)])
    if not len(finite):
        return []
    places = np.linspace(0, len(finite) - 1, N_CELLS + 1).round().astype(int)
    bounds = np.unique(finite[places])
    return [round_cut(low, high) for low, high in pairwise(bounds)]


def round_cut(low: float, high: float) -> float:
    """Return the most readable number above `low` and not above `high`.

    No value that occurs lies between that number and the next one above `low`, where `low` and
    `high` are neighbours: the rule then says exactly what the data say.

    Examples
    --------
    >>> [round_cut(*cell) for cell in ((0, 1), (37.2, 41.5), (590, 640), (-3, 7), (0.31, 0.38))]
    [1.0, 40.0, 600.0, 0.0, 0.35]
    """
    if low < 0 <= high:
        return 0.0
    for unit in _UNITS:
        number = float(f"{floor(high / unit) * unit:.12g}")
        if low < number <= high:
            return number
    return float(high)


def _number_sets(n_codes: int, sign: int) -> Iterator[tuple[NDArray[np.bool_], int]]:
    code = np.arange(n_codes)
    present = code < n_codes - 1
    for cut in range(1, n_codes - 1):
        yield present & (code >= cut), sign
        yield present & (code < cut), -sign
    yield ~present, 0
    yield present, 0


def _level_sets(points: Floats, leads: NDArray) -> Iterator[tuple[NDArray[np.bool_], int]]:
    code = np.arange(len(points))
    # a level that was not seen has no rule, so `other` is in no set
    known = np.flatnonzero(leads[:-2] >= FEWEST_LEADS)
    order = known[np.argsort(points[known], kind="stable")]
    for count in range(1, min(len(order), MOST_LEVELS) + 1):
        yield np.isin(code, order[:count]), 0
        yield np.isin(code, order[-count:]), 0
    yield code == len(points) - 1, 0
