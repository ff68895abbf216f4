"""Reasons: the strongest points of each lead, as text."""

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadml.scoring.columns import Floats, as_text

SMALLEST = 0.05  # points that round to 0.0 are no reason

_WINDOW = re.compile(r"_(\d+)d$")


def describe_feature(name: str) -> str:
    """Return a feature's name as people write it.

    Examples
    --------
    >>> describe_feature("pricing_page_views_30d")
    'pricing page views (30 days)'
    >>> describe_feature("Lead Source")
    'Lead Source'
    """
    return _WINDOW.sub(r" (\1 days)", name).replace("_", " ")


def describe_value(value: Any) -> str:
    """Return a feature's value as text: `4`, `0.25`, `Google`, `missing`."""
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return "missing"
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        return f"{value + 0.0:,.6g}"  # -0.0 reads 0
    return as_text(value)


def format_reasons(points: pd.DataFrame, values: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the `count` strongest reasons of each lead by absolute points, as text.

    Parameters
    ----------
    points : DataFrame of shape (n_leads, n_features)
        Points of the score.
    values : DataFrame
        The features' values; a feature that it does not hold is shown without a value.
    count : int

    Returns
    -------
    DataFrame of shape (n_leads, count)
        Columns `reason_1`, ...; None where nothing more adds or takes 0.05 points.

    Examples
    --------
    >>> points = pd.DataFrame({"visits": [6.21], "country": [-0.3]})
    >>> values = pd.DataFrame({"visits": [4.0], "country": ["India"]})
    >>> format_reasons(points, values, 2).iloc[0].tolist()
    ['+6.2 visits: 4', '-0.3 country: India']
    """
    matrix = points.to_numpy()
    # stable, so that equal points come in the order of the features, in any batch
    order = np.argsort(-np.abs(matrix), axis=1, kind="stable")[:, :count]
    reasons = pd.DataFrame(index=points.index)
    for rank in range(count):
        texts: NDArray[np.object_] = np.full(len(points), None, dtype=object)
        if rank < order.shape[1]:
            _fill(texts, order[:, rank], matrix, points.columns, values)
        reasons[f"reason_{rank + 1}"] = texts
    return reasons


def _fill(
    texts: NDArray[np.object_],
    feature_of_lead: NDArray[np.int64],
    matrix: Floats,
    features: pd.Index,
    values: pd.DataFrame,
) -> None:
    for place in np.unique(feature_of_lead):
        name = str(features[place])
        rows = np.flatnonzero(feature_of_lead == place)
        rows = rows[np.abs(matrix[rows, place]) >= SMALLEST]
        label = describe_feature(name)
        if name in values.columns:
            codes, uniques = pd.factorize(values[name].iloc[rows], use_na_sentinel=False)
            shown = [f" {label}: {describe_value(value)}" for value in uniques]
        else:
            codes, shown = np.zeros(len(rows), dtype=np.int64), [f" {label}"]
        texts[rows] = [
            f"{value:+.1f}{shown[code]}"
            for value, code in zip(matrix[rows, place], codes, strict=True)
        ]
