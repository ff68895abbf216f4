"""Input columns of a block of leads: numbers, or places in a short list of different values."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from leadml.scoring.columns import Floats

Places = NDArray[np.intp]


class RawColumn:
    """A column as it came, without a step in Python for each of its rows.

    Parameters
    ----------
    values : Arrow array, chunked array or Series

    Attributes
    ----------
    numbers : array of float64 or None
        Where the column holds numbers (booleans count as 0 and 1); NaN where missing.
    is_boolean : bool

    Examples
    --------
    >>> column = RawColumn(pa.array(["b", None, "b"]))
    >>> places, uniques = column.coded()
    >>> [uniques[place] for place in places]
    ['b', None, 'b']
    """

    def __init__(self, values: Any) -> None:
        self._values = _as_array(values)
        self.numbers: Floats | None = None
        self.is_boolean = _is_boolean(self._values)
        if isinstance(self._values, pa.Array):
            self.numbers = _numbers_of(self._values)
        elif pd.api.types.is_numeric_dtype(self._values.dtype):
            numbers = self._values.astype("Float64")
            self.numbers = numbers.to_numpy(np.float64, na_value=np.nan)
        self._coded: tuple[Places, list[Any]] | None = None

    def __len__(self) -> int:
        return len(self._values)

    def coded(self) -> tuple[Places, list[Any]]:
        """Return each row's place among the different values, and these; None is missing."""
        if self._coded is None:
            is_arrow = isinstance(self._values, pa.Array)
            self._coded = _encode(self._values) if is_arrow else _factorize(self._values)
        return self._coded

    def series(self, index: pd.Index | None = None) -> pd.Series:
        """Return the column as a pandas Series."""
        values = self._values
        series = values.to_pandas() if isinstance(values, pa.Array) else values
        return series if index is None else series.set_axis(index)


def _as_array(values: Any) -> Any:
    """Return an Arrow array of numbers, booleans or texts; a Series of anything else."""
    if isinstance(values, pd.Series):
        if isinstance(values.dtype, pd.CategoricalDtype):
            if not _holds_texts(values.cat.categories):
                return pd.Series(np.asarray(values), index=values.index, name=values.name)
        elif not isinstance(values.dtype, pd.StringDtype):
            return values
        values = pa.array(values, from_pandas=True)
    if isinstance(values, pa.ChunkedArray):
        if pa.types.is_dictionary(values.type) and values.num_chunks > 1:
            # Arrow cannot join dictionaries that hold a null
            values = values.cast(values.type.value_type)
        values = values.combine_chunks()
    kind = values.type
    if pa.types.is_dictionary(kind) and not _is_text(kind.value_type):
        return _as_array(values.dictionary_decode())
    if pa.types.is_decimal(kind) or pa.types.is_float16(kind):
        return values.cast(pa.float64())
    if pa.types.is_nested(kind):
        return pa.array([value.as_py() and str(value) for value in values], pa.string())
    kinds = (pa.types.is_dictionary, pa.types.is_null, pa.types.is_boolean, _is_text, _is_number)
    return values if any(is_kind(kind) for is_kind in kinds) else values.to_pandas()


def _holds_texts(categories: pd.Index) -> bool:
    return len(categories) > 0 and isinstance(categories.dtype, pd.StringDtype)


def _numbers_of(values: Any) -> Floats | None:
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.uint8())
    elif not _is_number(values.type):
        return None
    if values.type != pa.float64():
        values = values.cast(pa.float64(), safe=False)
    numbers: Floats = values.to_numpy(zero_copy_only=False)  # missing values become NaN
    return numbers


def _encode(values: Any) -> tuple[Places, list[Any]]:
    if pa.types.is_null(values.type):
        return np.zeros(len(values), dtype=np.intp), [None]
    if not pa.types.is_dictionary(values.type):
        values = pc.dictionary_encode(values)
    elif len(values.dictionary) > len(values):
        # one dictionary may serve many blocks: only what occurs in this one is looked at
        values = pc.dictionary_encode(values.dictionary_decode())
    uniques = [*values.dictionary.to_pylist(), None]
    indices = values.indices
    if indices.null_count:  # narrow indices may not hold one more
        indices = indices.cast(pa.int32()).fill_null(len(uniques) - 1)
    return indices.to_numpy(zero_copy_only=False), [_or_none(value) for value in uniques]


def _factorize(values: pd.Series) -> tuple[Places, list[Any]]:
    places, uniques = pd.factorize(values, use_na_sentinel=False)
    return places, [*(_or_none(value) for value in np.asarray(uniques, dtype=object)), None]


def _or_none(value: Any) -> Any:
    return None if value is None or value is pd.NaT or value is pd.NA or value != value else value


def _is_boolean(values: Any) -> bool:
    if isinstance(values, pa.Array):
        return bool(pa.types.is_boolean(values.type))
    return pd.api.types.is_bool_dtype(values.dtype)


def _is_text(kind: Any) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _is_number(kind: Any) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)
