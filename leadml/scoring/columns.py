"""Columns as integer codes: every value of every model is looked up by them.

A number's code is the number of edges at or below it; a category's code is its place among the
levels. The two last codes of a column are kept for what was not seen (`other`, categories only)
and for what is missing.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadml.scoring.binning import Binner

Codes = NDArray[np.int32]
Floats = NDArray[np.float64]

RARE = 3  # levels seen less often than this are pooled into `other`


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers, cut at `edges`; a value on an edge belongs to the bin above it."""

    name: str
    edges: tuple[float, ...]
    source: str | None = None  # the input column, where it is called otherwise

    @property
    def n_codes(self) -> int:
        """Number of codes: bins, and one for missing."""
        return len(self.edges) + 2

    @cached_property
    def _binner(self) -> Binner:
        return Binner(np.asarray(self.edges, dtype=np.float64))

    def codes(self, values: Any) -> Codes:
        """Return the code of each value; text that is no number counts as missing."""
        return self.codes_of_numbers(as_numbers(values)).astype(np.int32)

    def codes_of_numbers(self, numbers: Floats) -> NDArray[np.intp]:
        """Return the code of each number; NaN is missing."""
        codes = self._binner.count(numbers)
        codes[np.isnan(numbers)] = self.n_codes - 1
        return codes

    def code(self, value: Any) -> int:
        """Return the code of one value."""
        number = value if isinstance(value, float) else _number_of(value)
        return self.n_codes - 1 if number != number else bisect_right(self.edges, number)

    def labels(self) -> list[str]:
        """Return what each code means, for people."""
        if not self.edges:
            return ["any value", "missing"]
        texts = [f"{edge:.6g}" for edge in self.edges]
        between = [f"{low} to {high}" for low, high in pairwise(texts)]
        return [f"below {texts[0]}", *between, f"{texts[-1]} or more", "missing"]


@dataclass(frozen=True)
class CategoryColumn:
    """A column of texts with known `levels`."""

    name: str
    levels: tuple[str, ...]

    @property
    def n_codes(self) -> int:
        """Number of codes: levels, one for other and one for missing."""
        return len(self.levels) + 2

    @cached_property
    def _index(self) -> pd.Index:
        return pd.Index(self.levels, dtype=object)

    def codes(self, values: Any) -> Codes:
        """Return the code of each value; a level never seen gets the code of other."""
        places, uniques = pd.factorize(np.asarray(as_texts(values), dtype=object))
        known = self._index.get_indexer(pd.Index(uniques, dtype=object))
        known = np.where(known < 0, len(self.levels), known)
        return np.append(known, len(self.levels) + 1)[places].astype(np.int32)

    @cached_property
    def _place(self) -> dict[str, int]:
        return {level: place for place, level in enumerate(self.levels)}

    def code(self, value: Any) -> int:
        """Return the code of one value."""
        if is_missing(value):
            return len(self.levels) + 1
        return self._place.get(as_text(value), len(self.levels))

    def labels(self) -> list[str]:
        """Return what each code means, for people."""
        return [*self.levels, "other", "missing"]


@dataclass(frozen=True)
class TextColumn:
    """A column of texts, looked through for `words`, whatever their case.

    The code is 1 where the text contains a word (`whole`: where it is one), else 0, and 2 where it
    is missing.
    """

    name: str
    source: str
    words: tuple[str, ...]
    whole: bool = False

    n_codes = 3

    def codes(self, values: Any) -> Codes:
        """Return the code of each value."""
        places, uniques = pd.factorize(np.asarray(as_texts(values), dtype=object))
        found = [self.code(text) for text in uniques]
        return np.append(np.asarray(found, dtype=np.int32), 2)[places].astype(np.int32)

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(word.strip().casefold() for word in self.words)

    def code(self, value: Any) -> int:
        """Return the code of one value."""
        if is_missing(value):
            return 2
        text = as_text(value).strip().casefold()
        is_found = text in self._words if self.whole else any(word in text for word in self._words)
        return int(is_found)

    def labels(self) -> list[str]:
        """Return what each code means, for people."""
        words = ", ".join(self.words)
        return [f"not {words}", words, "missing"]


Column = NumberColumn | CategoryColumn | TextColumn


def source_of(column: Column) -> str:
    """Return the input column that a column's codes are read from."""
    return column.name if isinstance(column, CategoryColumn) else column.source or column.name


def as_numbers(values: Any) -> Floats:
    """Return values as floats, NaN where they are no number."""
    if getattr(values, "dtype", None) is not None and pd.api.types.is_bool_dtype(values):
        values = pd.Series(values).astype("float64")
    return pd.to_numeric(pd.Series(values), errors="coerce").to_numpy(np.float64, na_value=np.nan)


def as_texts(values: Any) -> pd.Series:
    """Return values as texts, None where missing."""
    series = pd.Series(values).astype(object)
    return series.map(as_text).where(series.notna(), None)


def is_missing(value: Any) -> bool:
    """Return whether one value is missing: None, NaN, NaT or NA."""
    return value is None or value is pd.NA or bool(value != value)


def _number_of(value: Any) -> float:
    return float("nan") if is_missing(value) else float(as_numbers([value])[0])


def as_text(value: Any) -> str:
    """Return a value as text; a whole number comes without `.0`, whatever its type.

    Examples
    --------
    >>> [as_text(value) for value in (2.0, 2, "2", True)]
    ['2', '2', '2', 'True']
    """
    if isinstance(value, float | np.floating) and np.isfinite(value) and value == int(value):
        return str(int(value))
    return str(value)


def is_number(values: Any) -> bool:
    """Return whether a column is one of numbers (booleans count as 0 and 1)."""
    dtype = values.dtype
    if pd.api.types.is_numeric_dtype(dtype):
        return True
    if not pd.api.types.is_object_dtype(dtype):
        return False
    present = values[~pd.isna(values)]
    return all(isinstance(value, int | float | np.number) for value in present)


def build_number_column(name: str, values: Any, max_bins: int = 127) -> NumberColumn:
    """Cut a column of numbers into bins of about equal count, midway between values that occur."""
    numbers = as_numbers(values)
    finite = np.sort(numbers[np.isfinite(numbers)])
    distinct = np.unique(finite)
    if len(distinct) > max_bins:
        ranks = np.linspace(0, len(finite) - 1, max_bins + 1)[1:-1].round().astype(int)
        # the largest value ends no bin: the edge above it would leave the last but one bin empty
        uppers = np.setdiff1d(finite[ranks], distinct[-1:])
        above = np.searchsorted(distinct, uppers, side="right")
        edges = np.unique(_midpoints(uppers, distinct[above]))
    else:
        edges = _midpoints(distinct[:-1], distinct[1:])
    return NumberColumn(name, tuple(float(edge) for edge in edges))


def build_category_column(name: str, values: Any) -> CategoryColumn:
    """Take the levels seen at least 3 times, most frequent first."""
    counts = as_texts(values).value_counts()
    frequent = counts[counts >= RARE]
    order = sorted(frequent.items(), key=lambda item: (-item[1], item[0]))
    return CategoryColumn(name, tuple(str(level) for level, _ in order))


def build_columns(frame: pd.DataFrame) -> list[NumberColumn | CategoryColumn]:
    """Return the coded form of each column of a table of features."""
    return [
        build_number_column(str(name), frame[name])
        if is_number(frame[name])
        else build_category_column(str(name), frame[name])
        for name in frame.columns
    ]


def compute_codes(frame: pd.DataFrame, columns: Iterable[Column]) -> list[Codes]:
    """Return each column's codes, in the order of `columns`."""
    return [column.codes(frame[source_of(column)]) for column in columns]


def column_to_dict(column: Column) -> dict[str, Any]:
    """Return a column as JSON values."""
    match column:
        case NumberColumn(name, edges, source):
            return {"name": name, "kind": "number", "edges": list(edges), "source": source}
        case CategoryColumn(name, levels):
            return {"name": name, "kind": "category", "levels": list(levels)}
        case TextColumn(name, source, words, whole):
            listed = list(words)
            return {"name": name, "kind": "text", "source": source, "words": listed, "whole": whole}


def column_from_dict(state: Mapping[str, Any]) -> Column:
    """Return the column that `column_to_dict` wrote."""
    match state["kind"]:
        case "number":
            return NumberColumn(state["name"], tuple(state["edges"]), state["source"])
        case "category":
            return CategoryColumn(state["name"], tuple(state["levels"]))
        case _:
            words = tuple(state["words"])
            return TextColumn(state["name"], state["source"], words, state["whole"])


def _midpoints(low: Floats, high: Floats) -> Floats:
    middle = low / 2 + high / 2
    # where two floats touch, the middle may fall on the lower one: the edge must lie above it
    return np.where(middle > low, middle, high)
