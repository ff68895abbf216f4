"""Check the plain arrays that every evaluation starts from."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadml.errors import DataError

Floats = NDArray[np.float64]


def checked_outcomes(y_true: Any) -> Floats:
    """Return `y_true` as floats 0 and 1 of shape (n_leads,), else raise DataError."""
    array = np.asarray(y_true)
    is_numeric = array.dtype.kind in "bif"
    array = array if is_numeric else np.asarray(y_true, dtype=object)
    if array.ndim != 1 or array.size == 0:
        message = (
            f"`y_true` has the shape {array.shape}. Accepted is one value a lead, for at least one "
            "lead. Pass a column of 0 (lost) and 1 (won)."
        )
        raise DataError(message)
    values = array if is_numeric else [_as_float(value) for value in array.tolist()]
    outcomes = np.asarray(values, dtype=np.float64)
    wrong = ~np.isin(outcomes, (0.0, 1.0))
    if wrong.any():
        first = array[wrong].tolist()[0]
        message = (
            f"`y_true` holds {first!r} and {int(wrong.sum()) - 1} more such values. "
            "Accepted are 1 (won) and 0 (lost). Leave open leads out: their outcome is not known."
        )
        raise DataError(message)
    return outcomes


def checked_probabilities(y_prob: Any, n_leads: int, name: str = "y_prob") -> Floats:
    """Return probabilities as floats of shape (n_leads,), else raise DataError."""
    array = np.asarray(y_prob, dtype=float)
    check_length(array, n_leads, name)
    wrong = ~((array >= 0) & (array <= 1))
    if wrong.any():
        message = (
            f"`{name}` holds {array[wrong][0]} and {int(wrong.sum()) - 1} more such values. "
            "Accepted are probabilities from 0 to 1, none missing. "
            "Pass the column `probability` of a scored table."
        )
        raise DataError(message)
    return array


def checked_weight(sample_weight: Any, n_leads: int) -> Floats:
    """Return weights of shape (n_leads,), 1 where none are given, else raise DataError."""
    if sample_weight is None:
        return np.ones(n_leads)
    array = np.asarray(sample_weight, dtype=float)
    check_length(array, n_leads, "sample_weight")
    wrong = ~(np.isfinite(array) & (array >= 0))
    if wrong.any():
        message = (
            f"`sample_weight` holds {array[wrong][0]}. Accepted are finite numbers of at least 0. "
            "Leave it out to count each lead once."
        )
        raise DataError(message)
    return array


def check_length(array: NDArray[Any], n_leads: int, name: str) -> None:
    """Raise DataError where `array` does not hold one value a lead."""
    if array.shape != (n_leads,):
        message = (
            f"`{name}` has the shape {array.shape}, but there are {n_leads} leads in `y_true`. "
            "Accepted is one value a lead. Pass columns of the same table, with the same rows."
        )
        raise DataError(message)


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
