"""Codes and words of raw columns: each different value is read once, rows only look it up."""

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from leadml.data.sources import PLAIN_NUMBER
from leadml.scoring.columns import (
    CategoryColumn,
    Column,
    Floats,
    NumberColumn,
    as_numbers,
    as_text,
    is_missing,
)
from leadml.scoring.raw_columns import Places, RawColumn
from leadml.scoring.reasons import Words, describe_values, words_of_numbers

MOST_VALUES = 100_000  # of one column that are kept from block to block

# what is wrong with a value that is not of its column's kind
COMPLAINTS = {"number": "is no number", "boolean": "is neither yes nor no"}

_UNREAD = ("value", "not read")  # a key of codes: 1 for values that are none of their kind
_PLAIN_NUMBER = re.compile(PLAIN_NUMBER)


@dataclass(frozen=True)
class Look:
    """A column of codes that is wanted: of a feature, or of a raw column as it came."""

    key: Hashable
    column: Column
    feature: str
    raw: bool = False


@dataclass
class Block:
    """What was read of one raw column for the leads of a block."""

    codes: dict[Hashable, Places]
    numbers: dict[Hashable, Floats]  # by key, for the slopes of rules
    words: dict[str, Words]
    unread: NDArray[np.bool_] | None = None  # leads whose value is none of the column's kind


@dataclass
class One:
    """What was read of one value: codes and numbers by key, values of features as shown."""

    codes: dict[Hashable, int]
    numbers: dict[Hashable, float]
    shown: dict[str, Any]


class Lookups:
    """All that is looked up in one raw column.

    Parameters
    ----------
    name : str
        Of the raw column.
    looks : sequence of Look
    features : sequence of str
        Features of the column whose words are wanted.
    profile : ProfileFeatures or None
        What makes features of raw columns; None where the columns are the features.
    """

    def __init__(
        self, name: str, looks: Sequence[Look], features: Sequence[str], profile: Any
    ) -> None:
        self._name, self._looks, self._features = name, looks, features
        self._profile = profile
        self._kind = None if profile is None else profile.kinds_.get(name)
        missing = () if profile is None else profile.missing
        # where training met only what can be read, anything else is told
        odd_before = 0 if profile is None else profile.unreadable_.get(name, 0)
        self._is_strict = self._kind in COMPLAINTS and not odd_before
        self._empty = {"", *(text.strip().casefold() for text in missing)}
        # what the model knows is read at once: each reading has a cost of its own
        levels = (look.column.levels for look in looks if isinstance(look.column, CategoryColumn))
        self._memory = _Memory([level for mine in levels for level in mine])

    @property
    def complaint(self) -> str:
        """What is wrong with values that are not of the column's kind."""
        return f"{self._name!r} {COMPLAINTS.get(str(self._kind), 'cannot be read')}"

    def read(self, raw: RawColumn, index: pd.Index | None = None) -> Block:
        """Return codes, numbers and words of a column's values.

        Parameters
        ----------
        raw : RawColumn
        index : Index, default=None
            Of the leads, with their snapshot dates, where the column is a date.
        """
        if self._kind == "date":
            return self._read_dates(raw, index)
        block = Block({}, {}, {})
        by_value = [*self._looks]
        told_by_value = [*self._features]
        if raw.numbers is not None:
            numbers = raw.numbers
            if self._profile is not None:
                numbers = self._profile.clean_numbers(numbers)
            is_feature = self._kind in (None, "number")
            for look in self._looks:
                if isinstance(look.column, NumberColumn) and (look.raw or is_feature):
                    self._take_numbers(block, look, numbers)
                    by_value.remove(look)
            if is_feature and not (raw.is_boolean and self._profile is None):
                block.words.update(
                    {name: words_of_numbers(name, numbers) for name in told_by_value}
                )
                told_by_value = []
        if by_value or told_by_value:
            self._take_by_value(block, raw, by_value, told_by_value)
        return block

    def read_value(self, value: Any, snapshot: Any = None) -> "One":
        """Return codes, numbers and shown values of one lead's value, without any table."""
        cleaned = None if is_missing(value) else self._clean(value)
        given = self._features_of_value(cleaned, snapshot)
        plain = cleaned if self._profile is None else _as_plain(cleaned)
        other = given if plain is cleaned else self._features_of_value(plain, snapshot)
        one = One({}, {}, {name: other[name, False] for name in self._features})
        for look in self._looks:
            mine = given[look.feature, look.raw]
            code = look.column.code(mine)
            if isinstance(look.column, NumberColumn):
                number = mine if isinstance(mine, float) else float(as_numbers([mine])[0])
                one.numbers[look.key] = number
            elif other is not given and code == _unknown(look.column):
                code = look.column.code(other[look.feature, look.raw])
            one.codes[look.key] = code
        return one

    def _features_of_value(self, value: Any, snapshot: Any) -> dict[tuple[str, bool], Any]:
        if isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        features = {(self._name, True): value}
        if self._kind is None:
            features[self._name, False] = value
            return features
        made = self._profile.transform_value(self._name, value, snapshot)
        return features | {(name, False): feature for name, feature in made.items()}

    def _take_numbers(self, block: Block, look: Look, numbers: Floats) -> None:
        assert isinstance(look.column, NumberColumn)  # noqa: S101 - for the type checker
        block.codes[look.key] = look.column.codes_of_numbers(numbers)
        block.numbers[look.key] = numbers

    def _take_by_value(
        self, block: Block, raw: RawColumn, looks: Sequence[Look], features: Sequence[str]
    ) -> None:
        places, uniques = raw.coded()
        known, values = self._memory.look_up(uniques, self._read_values)
        for look in looks:
            block.codes[look.key] = values.codes[look.key][known].take(places)
            if look.key in values.numbers:
                block.numbers[look.key] = values.numbers[look.key][known].take(places)
        for name in features:
            block.words[name] = _words_at(values.words[name], known, places)
        if self._is_strict and values.codes[_UNREAD][known].any():
            block.unread = values.codes[_UNREAD][known].take(places).astype(bool)

    def _read_values(self, values: list[Any]) -> "_Values":
        """Return codes, numbers and words of different values, each by itself."""
        cleaned = [self._clean(value) for value in values]
        # `1.50` may be a level of a category, or another writing of its level 1.5
        plain = cleaned if self._profile is None else [_as_plain(value) for value in cleaned]
        given, other = self._features_of(cleaned), self._features_of(plain)
        codes = {
            look.key: _codes(look, given[look.feature, look.raw], other[look.feature, look.raw])
            for look in self._looks
        }
        if self._is_strict:
            is_empty = np.array([value is None for value in cleaned])
            read = given[self._name, False].notna().to_numpy(dtype=bool)
            codes[_UNREAD] = (~read & ~is_empty).astype(np.intp)
        numbers = {
            look.key: as_numbers(given[look.feature, look.raw])
            for look in self._looks
            if isinstance(look.column, NumberColumn)
        }
        words = {name: self._describe(name, other[name, False]) for name in self._features}
        return _Values(codes, numbers, words)

    def _describe(self, name: str, values: pd.Series) -> Any:
        """Return the words of a feature's different values."""
        if self._kind != "number":
            return describe_values(name, values)
        return words_of_numbers(name, as_numbers(values))(np.arange(len(values)))[0]

    def _features_of(self, values: list[Any]) -> dict[tuple[str, bool], pd.Series]:
        given = pd.Series(values, name=self._name, dtype=object)
        features = {(self._name, True): given}
        if self._profile is None or self._kind is None:
            features[self._name, False] = given
            return features
        made = self._profile.transform_column(given)
        return features | {(name, False): feature for name, feature in made.items()}

    def _clean(self, value: Any) -> Any:
        if self._profile is None:
            return value
        if isinstance(value, str):
            value = value.strip()
            return None if value.casefold() in self._empty else value
        return None if value is None or as_text(value) in self._empty else value

    def _read_dates(self, raw: RawColumn, index: pd.Index | None) -> Block:
        """Read a date row by row: its age depends on the lead's snapshot date too."""
        series = raw.series(index).rename(self._name)
        columns = {(self._name, True): series}
        made = self._profile.transform_column(series)
        columns |= {(name, False): feature for name, feature in made.items()}
        block = Block({}, {}, {})
        for look in self._looks:
            values = columns[look.feature, look.raw]
            block.codes[look.key] = look.column.codes(values).astype(np.intp)
            if isinstance(look.column, NumberColumn):
                block.numbers[look.key] = as_numbers(values)
        for name in self._features:
            block.words[name] = words_of_numbers(name, as_numbers(columns[name, False]))
        return block


@dataclass(frozen=True)
class _Values:
    codes: Mapping[Hashable, Places]
    numbers: Mapping[Hashable, Floats]
    words: Mapping[str, Any]

    def __add__(self, more: "_Values") -> "_Values":
        return _Values(
            {key: np.append(codes, more.codes[key]) for key, codes in self.codes.items()},
            {key: np.append(numbers, more.numbers[key]) for key, numbers in self.numbers.items()},
            {key: pa.concat_arrays([words, more.words[key]]) for key, words in self.words.items()},
        )


class _Memory:
    """What was read of the values met so far; several threads may ask."""

    def __init__(self, known: Sequence[Any]) -> None:
        self._known = known
        self._lock = Lock()
        self._place: dict[Any, int] = {}
        self._values: _Values | None = None

    def look_up(self, uniques: list[Any], read: Any) -> tuple[Places, _Values]:
        """Return where each value is among those read, and what was read of all of them."""
        with self._lock:
            keys = [(type(value), value) if type(value) is bool else value for value in uniques]
            new = {
                key: value
                for key, value in zip(keys, uniques, strict=True)
                if key not in self._place
            }
            if self._values is None:
                new = {level: level for level in self._known} | new
            if len(self._place) + len(new) > MOST_VALUES:
                new = dict(zip(keys, uniques, strict=True))
                self._place, self._values = {}, None
            if new:
                first = len(self._place)
                self._place |= {key: first + place for place, key in enumerate(new)}
                more = read([*new.values()])
                self._values = more if self._values is None else self._values + more
            assert self._values is not None  # noqa: S101 - there is always a unique: None
            places = np.fromiter((self._place[key] for key in keys), np.intp, len(keys))
            return places, self._values


def _codes(look: Look, given: pd.Series, other: pd.Series) -> Places:
    codes = look.column.codes(given)
    if isinstance(look.column, NumberColumn):
        return codes.astype(np.intp)
    return np.where(codes == _unknown(look.column), look.column.codes(other), codes).astype(np.intp)


def _unknown(column: Column) -> int:
    """Return the code of a text that says nothing to a column."""
    return len(column.levels) if isinstance(column, CategoryColumn) else 0


def _as_plain(value: Any) -> Any:
    if isinstance(value, str) and _PLAIN_NUMBER.fullmatch(value):
        return as_text(float(value))
    return value


def _words_at(texts: Any, known: Places, places: Places) -> Words:
    return lambda leads: (texts, known.take(places[leads]))
