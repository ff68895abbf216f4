"""Whether scores hold for every part of the leads: country by country, source by source."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from leadml.evaluation._inputs import Floats, check_length, checked_outcomes
from leadml.evaluation._models import checked_models
from leadml.evaluation._resample import group_codes
from leadml.evaluation.delong import auc_interval
from leadml.evaluation.tables import wilson_interval

MAX_LEVELS = 8
# the interval of a conversion of 20 wins reaches almost half of it to either side
SMALL = 20
MISSING, OTHER = "missing", "other"


def compute_segments(
    y_true: Any,
    probabilities: Mapping[str, Any],
    segments: Mapping[str, Any] | pd.DataFrame,
    groups: Any = None,
) -> pd.DataFrame:
    """Return what each model promises, what came, and how well it ranks, in each segment.

    Parameters
    ----------
    y_true : array-like of shape (n_leads,)
        1 for won, 0 for lost.
    probabilities : mapping of str to array-like of shape (n_leads,)
        Name of each model to its probabilities.
    segments : DataFrame of shape (n_leads, n_columns) or mapping of str to array-like
        Columns to look at, row by row as `y_true`. Numbers and dates are cut into quartiles; of
        texts the 8 most frequent count, the rest is `other`; what is empty is `missing`.
    groups : array-like of shape (n_leads,), default=None
        Accounts, whose leads are alike, for the interval of the AUC.

    Returns
    -------
    DataFrame
        One row a column, segment and model: column, segment, model, n_leads, n_won, conversion,
        lower, upper (95 % Wilson), y_prob_mean, gap (y_prob_mean - conversion: above 0 promises
        too much), roc_auc, auc_lower, auc_upper (95 %, DeLong's on log odds; NaN without won and
        lost leads), is_small (fewer than 20 won or 20 lost: read with care).

    Raises
    ------
    DataError
        Where there is no model, a column has not one value a lead, outcomes are not 0 and 1,
        probabilities lie outside 0 to 1, or lengths differ.

    Notes
    -----
    Of 20 segments one lies outside its 95 % interval by chance alone.

    Examples
    --------
    >>> table = compute_segments(
    ...     [1, 0, 1, 0], {"model": [0.8, 0.4, 0.6, 0.2]}, {"source": ["web", "web", "fair", None]}
    ... )
    >>> table[["segment", "n_leads", "conversion", "y_prob_mean", "gap", "roc_auc"]].round(2)
       segment  n_leads  conversion  y_prob_mean  gap  roc_auc
    0      web        2         0.5          0.6  0.1      1.0
    1     fair        1         1.0          0.6 -0.4      NaN
    2  missing        1         0.0          0.2  0.2      NaN
    """
    outcomes = checked_outcomes(y_true)
    models = checked_models(probabilities, len(outcomes))
    codes = group_codes(groups, len(outcomes))
    columns = {
        str(name): _levels(values, len(outcomes), str(name)) for name, values in segments.items()
    }
    tables = []
    for model, y_prob in models.items():
        order = np.argsort(y_prob)
        group = None if codes is None else codes[order]
        for place, (column, (labels, level)) in enumerate(columns.items()):
            table = _describe(labels, level[order], outcomes[order], y_prob[order], group)
            tables.append(table.assign(column=column, model=model, place=place))
    return _in_order(tables)


def _in_order(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Return one table: columns as given, their segments in order, models side by side."""
    names = [
        *("column", "segment", "model", "n_leads", "n_won", "conversion", "lower", "upper"),
        *("y_prob_mean", "gap", "roc_auc", "auc_lower", "auc_upper", "is_small"),
    ]
    if not tables:
        return pd.DataFrame(columns=names)
    together = pd.concat(tables).rename_axis("segment_place").reset_index()
    return together.sort_values(["place", "segment_place"], kind="stable", ignore_index=True)[names]


def _describe(
    labels: list[str], level: Any, outcomes: Floats, rising: Floats, group: Any
) -> pd.DataFrame:
    leads, won, promised = (
        np.bincount(level, weights=weights, minlength=len(labels))
        for weights in (None, outcomes, rising)
    )
    lower, upper = wilson_interval(won, leads)
    aucs = []
    for place in range(len(labels)):
        rows = np.flatnonzero(level == place)
        aucs.append(
            auc_interval(outcomes[rows], rising[rows], None if group is None else group[rows])
        )
    roc_auc, auc_lower, auc_upper = np.transpose(aucs)
    return pd.DataFrame(
        {
            "segment": pd.Series(labels, dtype="str"),
            "n_leads": leads,
            "n_won": won.astype(int),
            "conversion": won / leads,
            "lower": lower,
            "upper": upper,
            "y_prob_mean": promised / leads,
            "gap": (promised - won) / leads,
            "roc_auc": roc_auc,
            "auc_lower": auc_lower,
            "auc_upper": auc_upper,
            "is_small": np.minimum(won, leads - won) < SMALL,
        }
    )


def _levels(values: Any, n_leads: int, name: str) -> tuple[list[str], Any]:
    """Return the segments of a column, none of them empty, and each lead's place among them."""
    series = values if isinstance(values, pd.Series) else pd.Series(np.asarray(values))
    check_length(series.to_numpy(), n_leads, name)
    kind = series.dtype.kind
    if kind in "iuf":
        numbers = series.to_numpy(dtype=float, na_value=np.nan)
        return _cut(np.where(np.isfinite(numbers), numbers, np.nan), _number)
    if kind == "M":
        days = series.dt.tz_localize(None).to_numpy(dtype="datetime64[D]")
        numbers = np.where(np.isnat(days), np.nan, days.astype(float))
        return _cut(numbers, lambda day: str(np.datetime64(int(day), "D")))
    return _most_frequent(series)


def _cut(numbers: Floats, show: Callable[[float], str]) -> tuple[list[str], Any]:
    """Cut at the quartiles; equal numbers stay together, so many ties give fewer segments."""
    known = ~np.isnan(numbers)
    quartiles = np.quantile(numbers[known], (0.25, 0.5, 0.75)) if known.any() else np.array([])
    edges = np.unique(quartiles)
    quarter = np.where(known, np.searchsorted(edges, numbers), len(edges) + 1)
    labels = [MISSING] * (len(edges) + 2)
    for place in np.unique(quarter[known]):
        inside = numbers[quarter == place]
        labels[place] = " to ".join(dict.fromkeys([show(inside.min()), show(inside.max())]))
    return _without_empty(labels, quarter)


def _most_frequent(series: pd.Series) -> tuple[list[str], Any]:
    codes, uniques = pd.factorize(series)
    texts = np.array([str(value).strip() or MISSING for value in uniques] + [MISSING], dtype=object)
    count = pd.Series(np.bincount(codes % len(texts), minlength=len(texts)), index=texts)
    count = count.groupby(level=0).sum().sort_values(ascending=False, kind="stable")
    named = [text for text in count.index if text not in (MISSING, OTHER)][:MAX_LEVELS]
    labels = [*named, OTHER, MISSING]
    # codes of -1, missing, are the last text
    place = pd.Index(labels).get_indexer(pd.Index(texts))
    level = np.where(place < 0, len(named), place)[codes]
    return _without_empty(labels, level)


def _without_empty(labels: list[str], level: Any) -> tuple[list[str], Any]:
    found = np.flatnonzero(np.bincount(level))
    return [labels[place] for place in found], np.searchsorted(found, level)


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"
