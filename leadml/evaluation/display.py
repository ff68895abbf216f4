"""Results as JSON-able values."""

import math
from typing import Any

import numpy as np
import pandas as pd


def jsonable(value: Any) -> Any:
    """Return tables, arrays and numbers as lists, dicts and plain numbers; NaN becomes None.

    Examples
    --------
    >>> jsonable(pd.DataFrame({"n": [1], "x": [float("nan")]}))
    [{'n': 1, 'x': None}]
    """
    if isinstance(value, pd.DataFrame):
        return [jsonable(row) for row in value.to_dict("records")]
    if isinstance(value, dict):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, np.generic):
        return jsonable(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
