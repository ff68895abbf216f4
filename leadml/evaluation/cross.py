"""Leads in two directions at once: the bands of two models, and fit against engagement."""

from typing import Any

import numpy as np
import pandas as pd

from leadml.errors import DataError, did_you_mean
from leadml.evaluation._inputs import Floats, check_length, checked_outcomes
from leadml.evaluation.tables import _conversions
from leadml.scored import BANDS

FIT_LETTERS = ("A", "B", "C", "D")
ENGAGEMENT_NUMBERS = (1, 2, 3, 4)
_QUARTERS = (0.25, 0.5, 0.75)


def compute_cross_table(y_true: Any, band: Any, other_band: Any) -> pd.DataFrame:
    """Return how many leads of each band of one model and of another were won.

    Parameters
    ----------
    y_true : array-like of shape (n_leads,)
        1 for won, 0 for lost.
    band, other_band : array-like of shape (n_leads,)
        `hot`, `warm` or `cold` as the two models say.

    Returns
    -------
    DataFrame
        All nine cells, hot first, empty ones too: band, other_band, n_leads, n_won, conversion,
        lower, upper (95 % Wilson; NaN for an empty cell).

    Raises
    ------
    DataError
        Where outcomes are not 0 and 1, a band is not known, or lengths differ.

    Examples
    --------
    >>> bands, other_bands = ["hot", "hot", "cold"], ["hot", "warm", "cold"]
    >>> compute_cross_table([1, 0, 0], bands, other_bands).iloc[:2, :5]
      band other_band  n_leads  n_won  conversion
    0  hot        hot        1      1         1.0
    1  hot       warm        1      0         0.0
    """
    outcomes = checked_outcomes(y_true)
    row = _band_places(band, len(outcomes), "band")
    column = _band_places(other_band, len(outcomes), "other_band")
    size = len(BANDS)
    return pd.DataFrame(
        {
            "band": np.repeat(np.array(BANDS, dtype=object), size),
            "other_band": np.tile(np.array(BANDS, dtype=object), size),
            **_count_cells(outcomes, size * row + column, size**2),
        }
    )


def compute_grid(
    y_true: Any, fit: Any, engagement: Any, fit_edges: Any = None, engagement_edges: Any = None
) -> pd.DataFrame:
    """Return how many leads of each quarter of fit and of engagement were won.

    Parameters
    ----------
    y_true : array-like of shape (n_leads,)
        1 for won, 0 for lost.
    fit, engagement : array-like of shape (n_leads,)
        Points for who the lead is, and for what it did.
    fit_edges, engagement_edges : array-like of shape (3,), default=None
        Rising points from which a lead is a C, B and A (a 3, 2 and 1). The quartiles of these
        leads where None; leads of the very lowest points are then always a D (a 4).

    Returns
    -------
    DataFrame
        All 16 cells, A1 first, empty ones too: cell, fit (A best), engagement (1 best), fit_from,
        fit_to, engagement_from, engagement_to (from included, to excluded; infinite where open),
        n_leads, n_won, conversion, lower, upper (95 % Wilson; NaN for an empty cell).

    Raises
    ------
    DataError
        Where outcomes are not 0 and 1, points are missing, edges are not three rising numbers, or
        lengths differ.

    Examples
    --------
    >>> grid = compute_grid([1, 0, 0, 0], [9, 7, 3, 1], [8, 2, 4, 0])
    >>> grid.loc[grid["n_leads"] > 0, ["cell", "fit_from", "engagement_from", "n_leads", "n_won"]]
       cell  fit_from  engagement_from  n_leads  n_won
    0    A1       9.0              8.0        1      1
    6    B3       7.0              2.0        1      0
    9    C2       3.0              4.0        1      0
    15   D4      -inf             -inf        1      0
    """
    outcomes = checked_outcomes(y_true)
    row, fit_ends = _quarter_places(fit, fit_edges, len(outcomes), "fit")
    column, ends = _quarter_places(engagement, engagement_edges, len(outcomes), "engagement")
    letters, numbers = np.repeat(FIT_LETTERS, 4), np.tile(ENGAGEMENT_NUMBERS, 4)
    return pd.DataFrame(
        {
            "cell": [f"{letter}{number}" for letter, number in zip(letters, numbers, strict=True)],
            "fit": letters,
            "engagement": numbers,
            "fit_from": np.repeat(fit_ends[1:], 4),
            "fit_to": np.repeat(fit_ends[:-1], 4),
            "engagement_from": np.tile(ends[1:], 4),
            "engagement_to": np.tile(ends[:-1], 4),
            **_count_cells(outcomes, 4 * row + column, 16),
        }
    )


def _count_cells(outcomes: Floats, cell: Any, n_cells: int) -> dict[str, Any]:
    leads = np.bincount(cell, minlength=n_cells)
    return _conversions(leads, np.bincount(cell[outcomes == 1], minlength=n_cells))


def _band_places(band: Any, n_leads: int, name: str) -> Any:
    names = np.asarray(band, dtype=object)
    check_length(names, n_leads, name)
    place = pd.Index(BANDS, dtype=object).get_indexer(pd.Index(names, dtype=object))
    if (place < 0).any():
        unknown = str(names[place < 0][0])
        message = (
            f"`{name}` holds {unknown!r} and {int((place < 0).sum()) - 1} more such values. "
            f"Accepted are {BANDS}.{did_you_mean(unknown, BANDS)}"
        )
        raise DataError(message)
    return place


def _quarter_places(points: Any, edges: Any, n_leads: int, name: str) -> tuple[Any, Floats]:
    """Return the quarter of each lead, 0 best, and the falling ends of the quarters."""
    values = np.asarray(points, dtype=float)
    check_length(values, n_leads, name)
    if not np.isfinite(values).all():
        message = (
            f"`{name}` holds {values[~np.isfinite(values)][0]}. Accepted are points, none missing. "
            f"Pass the column `{name}` of a scored table."
        )
        raise DataError(message)
    inner = _quartiles(values) if edges is None else _checked_edges(edges, f"{name}_edges")
    ends = np.concatenate([[np.inf], inner[::-1], [-np.inf]])
    return 3 - np.searchsorted(inner, values, side="right"), ends


def _quartiles(values: Floats) -> Floats:
    # edges are points that occur, and above the lowest: who did nothing is never better than a 4
    above = values[values > values.min()]
    lowest = above.min() if len(above) else np.inf
    return np.maximum(np.quantile(values, _QUARTERS, method="higher"), lowest)


def _checked_edges(edges: Any, name: str) -> Floats:
    inner = np.asarray(edges, dtype=float)
    if inner.shape != (3,) or not (np.diff(inner) > 0).all() or not np.isfinite(inner).all():
        message = (
            f"`{name}` is {edges}. Accepted are three rising numbers: the points from which a "
            "lead belongs to the third, the second and the best quarter. Pass None for quartiles."
        )
        raise DataError(message)
    return inner
