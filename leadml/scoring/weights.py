"""How much each lead counts in training, and which leads are the newest."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadml.errors import DataError
from leadml.scoring.columns import Floats

Days = NDArray[np.datetime64]

NEWEST = 0.2  # share of the dated leads that the stack weights are fitted on
FEWEST_OUTCOMES = 20  # wins, and losses, among them: with fewer all leads are used


def as_row_weight(row_weight: Any, won: NDArray[np.bool_]) -> Floats:
    """Return each lead's weight, shape (n_leads,), scaled to a mean of 1 over those above 0.

    With that mean the penalties, which are so many leads' worth, keep their meaning.

    Raises
    ------
    DataError
        For other than one finite number from 0 up a lead, or fewer than two wins or two losses
        above 0.

    Examples
    --------
    >>> as_row_weight([1, 1, 1, 5], np.array([True, True, False, False])).tolist()
    [0.5, 0.5, 0.5, 2.5]
    """
    if row_weight is None:
        return np.ones(len(won))
    try:
        weight = np.asarray(row_weight, dtype=np.float64)
    except (TypeError, ValueError):
        message = "`row_weight` must hold numbers, one a lead. Turn it into an array of floats."
        raise DataError(message) from None
    _check_shape("row_weight", weight.shape, won)
    odd = np.flatnonzero(~np.isfinite(weight) | (weight < 0))
    if len(odd):
        message = (
            f"`row_weight` must hold finite numbers from 0 up. Got {weight[odd[0]]} in row "
            f"{odd[0]}, {len(odd)} such row(s) in all. Give rows that shall not count a 0."
        )
        raise DataError(message)
    wins, losses = np.count_nonzero(weight[won]), np.count_nonzero(weight[~won])
    if min(wins, losses) < 2:
        message = (
            "`row_weight` must be above 0 for at least 2 wins and 2 losses. "
            f"Got {wins} and {losses} above 0. Raise some, or pass None: all rows count alike."
        )
        raise DataError(message)
    weight = weight / weight.max()  # so that huge weights do not overflow in the sum
    return weight / weight[weight > 0].mean()


def keep_weighted(weight: Floats, *parts: Any) -> list[Any]:
    """Return the weight and all that goes with it without the rows of weight 0.

    A fold of such rows alone has no loss, and the folds are dealt by counting rows.
    """
    if weight.all():
        return [weight, *parts]
    rows = np.flatnonzero(weight)
    return [_take(part, rows) for part in (weight, *parts)]


def as_days(dates: Any, won: NDArray[np.bool_]) -> Days | None:
    """Return the day of each lead, shape (n_leads,), in the time zone it came in.

    Raises
    ------
    DataError
        For other than one datetime64 (or NaT) a lead.
    """
    if dates is None:
        return None
    values = pd.Series(dates)
    if not pd.api.types.is_datetime64_any_dtype(values.dtype):
        message = (
            f"`dates` must hold datetime64, NaT where unknown. Got {values.dtype}. "
            "Convert them with pandas.to_datetime."
        )
        raise DataError(message)
    _check_shape("dates", values.shape, won)
    return values.dt.tz_localize(None).to_numpy().astype("datetime64[D]")


def find_newest(
    days: Days | None, won: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_] | None, str | None]:
    """Return which leads are the newest fifth of the dated ones, and their first day (ISO).

    None and None where no lead is dated, or too few of those have won or lost.
    """
    dated = np.empty(0) if days is None else np.sort(days[~np.isnat(days)])
    if days is None or not len(dated):
        return None, None
    first = dated[int((1 - NEWEST) * len(dated))]
    newest = days >= first
    if min((won & newest).sum(), (~won & newest).sum()) < FEWEST_OUTCOMES:
        return None, None
    return newest, str(first)


def _check_shape(name: str, shape: tuple[int, ...], won: NDArray[np.bool_]) -> None:
    if shape != won.shape:
        message = (
            f"`{name}` must have one value a lead, shape {won.shape}. Got {shape}. "
            "Take it from the rows of `X`, in their order."
        )
        raise DataError(message)


def _take(part: Any, rows: NDArray[np.int64]) -> Any:
    if part is None:
        return None
    return part.iloc[rows] if isinstance(part, pd.DataFrame) else np.asarray(part)[rows]
