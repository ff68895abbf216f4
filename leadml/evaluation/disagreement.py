"""Where two models judge the same leads differently, and whether for the same reasons."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from leadml.errors import DataError
from leadml.evaluation._inputs import Floats


def find_disagreements(scores: Mapping[str, Any], n: int = 10) -> pd.DataFrame:
    """Return the leads that the first model judges most differently from the second.

    Parameters
    ----------
    scores : mapping of str to array-like of shape (n_leads,)
        Name of each of two models to its scores, 0 to 100.
    n : int, default=10
        How many leads to return of those the first model judges higher, and of those lower.

    Returns
    -------
    DataFrame
        place (row of the lead, from 0), score, other_score, difference: up to n leads that the
        first judges higher, most first, then up to n that it judges lower, most first. Leads of
        equal score are never returned; of equal differences the higher score comes first, then
        the earlier row.

    Raises
    ------
    DataError
        Where there are not two models, lengths differ, a score is missing, or `n` is below 1.

    Examples
    --------
    >>> find_disagreements({"model": [90, 40, 55], "rules": [30, 70, 50]}, n=1)
       place  score  other_score  difference
    0      0   90.0         30.0        60.0
    1      1   40.0         70.0       -30.0
    """
    first, other = _checked_scores(scores)
    if n < 1:
        message = f"`n` must be a whole number of at least 1. Got {n}. Pass 10."
        raise DataError(message)
    difference = first - other
    table = pd.DataFrame({"score": first, "other_score": other, "difference": difference})
    higher, lower = (
        table[side].assign(size=size[side]).nlargest(n, ["size", "score"])
        for side, size in ((difference > 0, difference), (difference < 0, -difference))
    )
    found = pd.concat([higher, lower]).drop(columns="size")
    return found.rename_axis("place").reset_index()


def compute_reason_agreement(points: pd.DataFrame, other_points: pd.DataFrame) -> pd.DataFrame:
    """Return whether two models judge the leads by the same columns, and the same way.

    Parameters
    ----------
    points, other_points : DataFrame of shape (n_leads, n_columns)
        Points of each lead by source column, as the two models give them. Only columns of both
        are compared; a column of one model alone counts for the other as 0 in
        `share_same_strongest`.

    Returns
    -------
    DataFrame
        One row a column of both, those that weigh most first: column, points and other_points
        (mean size, whatever the sign), correlation (Pearson's over leads; NaN where either is the
        same for all leads) and opposite (share of leads where one model adds and the other takes
        off).

    Raises
    ------
    DataError
        Where the tables hold no leads or not the same, or a column's name occurs twice.

    Examples
    --------
    >>> points = pd.DataFrame({"source": [4.0, -2.0, 1.0], "calls": [1.0, 0.0, 2.0]})
    >>> others = pd.DataFrame({"source": [6.0, -3.0, -1.0], "country": [1.0, 0.0, 0.0]})
    >>> compute_reason_agreement(points, others).round(2)
       column  points  other_points  correlation  opposite
    0  source    2.33          3.33         0.95      0.33
    """
    _check_points(points, other_points)
    both = [name for name in points.columns if name in other_points.columns]
    first, other = (table[both].to_numpy(dtype=float) for table in (points, other_points))
    table = pd.DataFrame(
        {
            "column": pd.Series(both, dtype="str"),
            "points": np.abs(first).mean(axis=0),
            "other_points": np.abs(other).mean(axis=0),
            "correlation": _correlations(first, other),
            "opposite": (first * other < 0).mean(axis=0),
        }
    )
    order = (-table["points"] - table["other_points"]).argsort(kind="stable")
    return table.iloc[order].reset_index(drop=True)


def share_same_strongest(points: pd.DataFrame, other_points: pd.DataFrame) -> float:
    """Return the share of leads whose strongest reason is the same column in both models.

    The strongest reason is the column that moves a lead most, up or down; of equals the one that
    comes first by name. Leads that neither model moves agree.

    Parameters, raises: as `compute_reason_agreement`.

    Examples
    --------
    >>> points = pd.DataFrame({"source": [4.0, -2.0], "calls": [1.0, 0.0]})
    >>> share_same_strongest(points, pd.DataFrame({"source": [6.0, 1.0], "country": [1.0, 2.0]}))
    0.5
    """
    _check_points(points, other_points)
    names = sorted({*points.columns, *other_points.columns})
    strongest = []
    for table in (points, other_points):
        size = np.abs(table.reindex(columns=names, fill_value=0.0).to_numpy(dtype=float))
        strongest.append(np.where(size.max(axis=1) > 0, size.argmax(axis=1), -1))
    return float((strongest[0] == strongest[1]).mean())


def _checked_scores(scores: Mapping[str, Any]) -> list[Floats]:
    arrays = {str(name): np.asarray(values, dtype=float) for name, values in scores.items()}
    shapes = [array.shape for array in arrays.values()]
    if len(arrays) != 2 or shapes[0] != shapes[1] or len(shapes[0]) != 1:
        message = (
            f"`scores` holds {dict(zip(arrays, shapes, strict=True))} (name: shape). Accepted are "
            "two models with one score a lead, for the same leads in the same order. Pass for "
            "example {'model': scored['score'], 'rules': by_rules['score']}."
        )
        raise DataError(message)
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            message = (
                f"The scores of {name!r} hold {array[~np.isfinite(array)][0]}. Accepted are "
                "numbers, none missing. Pass the column `score` of a scored table."
            )
            raise DataError(message)
    return list(arrays.values())


def _check_points(points: pd.DataFrame, other_points: pd.DataFrame) -> None:
    if not len(points) or not points.index.equals(other_points.index):
        message = (
            f"`points` holds {len(points):,} leads, `other_points` {len(other_points):,}, or their "
            "indexes are not the same. Accepted are points of the same leads in the same order, "
            "at least one. Pass the points that both models give to one table."
        )
        raise DataError(message)
    for name, table in (("points", points), ("other_points", other_points)):
        twice = table.columns[table.columns.duplicated()]
        if len(twice):
            message = (
                f"`{name}` has the column {str(twice[0])!r} twice. Accepted is one column of "
                "points for each source column. Add up those of the same source."
            )
            raise DataError(message)


def _correlations(first: Floats, other: Floats) -> Floats:
    varies = (np.ptp(first, axis=0) > 0) & (np.ptp(other, axis=0) > 0)
    first, other = (array - array.mean(axis=0) for array in (first, other))
    size = np.sqrt((first**2).sum(axis=0) * (other**2).sum(axis=0))
    covariance = (first * other).sum(axis=0)
    return np.divide(covariance, size, out=np.full(len(size), np.nan), where=varies)
