"""Input checks that every classifier of leadml shares."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, column_or_1d, validate_data


def as_frame(estimator: BaseEstimator, X: Any, *, reset: bool) -> pd.DataFrame:
    """Return `X` as a DataFrame with text column names, checked against what `fit` saw.

    Raises
    ------
    ValueError
        For an empty table, repeated column names, or other columns than in `fit`.
    """
    if not isinstance(X, pd.DataFrame):
        values = validate_data(estimator, X, reset=reset, dtype=None, ensure_all_finite=False)
        return pd.DataFrame(values, columns=[f"x{place}" for place in range(values.shape[1])])
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    if not X.shape[0] or not X.shape[1]:
        message = (
            f"Found {len(X)} leads and {X.shape[1]} columns: a minimum of 1 of each is required."
        )
        raise ValueError(message)
    names = [str(name) for name in X.columns]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        message = f"Column names must be unique. Repeated: {repeated}. Rename them."
        raise ValueError(message)
    return X.set_axis(names, axis=1)


def as_won(y: Any, X: pd.DataFrame) -> tuple[NDArray, NDArray[np.bool_]]:
    """Return the two classes, and True for each lead of the second one (won).

    Raises
    ------
    ValueError
        Where `y` does not hold two classes, or one of them only once.
    """
    if y is None:
        message = "requires y to be passed, but the target y is None."
        raise ValueError(message)
    y = column_or_1d(y, warn=True)
    assert_all_finite(y, input_name="y")
    check_consistent_length(X, y)
    check_classification_targets(y)
    classes, places = np.unique(y, return_inverse=True)
    if len(classes) > 2:
        message = (
            "Only binary classification is supported. The type of the target is multiclass: "
            f"`y` holds {len(classes)} classes. Pass won and lost alone."
        )
        raise ValueError(message)
    counts = np.bincount(places)
    if len(classes) < 2 or counts.min() < 2:
        message = (
            f"`y` must hold 2 classes with at least 2 leads each. Got {len(classes)} class(es) "
            f"with {counts.tolist()} leads. Add leads of the other outcome."
        )
        raise ValueError(message)
    return classes, places.astype(bool)
