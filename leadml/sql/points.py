"""A table of points in SQL: codes of its columns, and what each feature adds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlglot import exp

from leadml.scoring.columns import (
    CategoryColumn,
    Column,
    NumberColumn,
    TextColumn,
    source_of,
)
from leadml.scoring.points import PairTerm, PointsTable, Term
from leadml.sql.columns import Values, contains_word, is_word
from leadml.sql.expressions import (
    add_up,
    call,
    double,
    find_bin,
    look_up,
    number,
    read_number,
    switch,
    when,
    whole,
)
from leadml.sql.query import Query, Sql

SMALL = 256  # codes of two columns together, up to which a pair is one array


@dataclass(frozen=True)
class Codes:
    """A column's codes in SQL.

    Attributes
    ----------
    code : Expression
    codes : tuple of int
        The code of the model's column for each code in SQL.
    shown : tuple of str or None
        How each code's value is written; None: as it came.
    """

    code: Sql
    codes: tuple[int, ...]
    shown: tuple[str | None, ...] = ()

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values by the model's code as values by SQL's."""
        return values[list(self.codes)]


def find_codes(column: Column, values: Values, query: Query) -> Codes:
    """Return the codes of a column of a model."""
    match column:
        case NumberColumn():
            value = as_number(values, query)
            missing = (value.is_(exp.null()), whole(column.n_codes - 1))
            code = when(missing, default=find_bin(value, column.edges))
            return Codes(code, tuple(range(column.n_codes)))
        case CategoryColumn():
            return _find_levels(column, values)
        case TextColumn():
            look = is_word if column.whole else contains_word
            found = (look(values, column.words), whole(1))
            code = when((values.is_missing, whole(2)), found, default=whole(0))
            return Codes(code, (0, 1, 2))


def as_number(values: Values, query: Query) -> Sql:
    """Return a feature as a number, NULL where it is a text that is none."""
    if values.number is not None:
        return values.number
    key = values.text_key
    return query.add("number", f"{key.name}_number", read_number(key, query.dialect))


def _find_levels(column: CategoryColumn, values: Values) -> Codes:
    place = {level: code for code, level in enumerate(column.levels)}
    other, missing = len(column.levels), len(column.levels) + 1
    # a feature made here has no other spelling than its levels
    known = dict(values.spellings) or {level: level for level in column.levels}
    # frequent levels first, as they are in the model: the search ends sooner
    keys = sorted(known, key=lambda key: place.get(known[key], other))
    cases = [(key, whole(code)) for code, key in enumerate(keys)]
    code = switch(values.text_key, cases, whole(len(keys)))
    if values.plain is not None:
        numbers = [(key, code.copy()) for key, code in cases]
        code = switch(values.text_key, cases, switch(values.plain, numbers, whole(len(keys))))
    return Codes(
        when((values.is_missing, whole(len(keys) + 1)), default=code),
        (*(place.get(known[key], other) for key in keys), other, missing),
        (*(known[key] for key in keys), None, None),
    )


class Points:
    """What each feature of a table adds, before any scale.

    Parameters
    ----------
    query : Query
    table : PointsTable
    read : callable
        Gives the values of an input column by name.
    """

    def __init__(self, query: Query, table: PointsTable, read: Callable[[str], Values]) -> None:
        self._query, self._table, self._read = query, table, read
        self._columns = {column.name: column for column in table.columns}
        self._place = {name: place for place, name in enumerate(self._columns, start=1)}
        self.codes: dict[str, Codes] = {}
        self.points = self._add_points()

    def _code(self, name: str) -> Codes:
        if name not in self.codes:
            column = self._columns[name]
            found = find_codes(column, self._read(source_of(column)), self._query)
            code = self._query.add("code", f"code_{self._place[name]}", found.code, name)
            self.codes[name] = Codes(code, found.codes, found.shown)
        return self.codes[name]

    def _add_points(self) -> dict[str, Sql]:
        parts: dict[str, list[Sql]] = {feature: [] for feature in self._table.features}
        for term in self._table.terms:
            parts[term.feature] += self._read_term(term)
        for place, pair in enumerate(self._table.pairs, start=1):
            if pair.grid.any():
                half = self._query.add(
                    "pair", f"pair_{place}", self._read_pair(pair), " x ".join(pair.columns)
                )
                for name in pair.columns:
                    parts[name].append(half)
        columns = {}
        for place, (feature, mine) in enumerate(parts.items(), start=1):
            if mine:
                columns[feature] = self._query.add(
                    "raw", f"raw_points_{place}", add_up(mine), feature
                )
        return self._cap(columns)

    def _read_term(self, term: Term) -> list[Sql]:
        parts: list[Sql] = []
        if np.any(term.values):
            codes = self._code(term.column)
            values = codes.spread(term.values).tolist()
            parts.append(look_up(values, codes.code, "double", self._query.dialect))
        if term.slope:
            source = self._read(source_of(self._columns[term.column]))
            value = as_number(source, self._query)
            within = call("GREATEST", call("LEAST", value, number(term.high)), number(term.low))
            # GREATEST and LEAST leave NULL out in some dialects
            per_unit = number(term.slope) * within
            parts.append(exp.Paren(this=when((value.is_(exp.null()), double(0)), default=per_unit)))
        return parts

    def _read_pair(self, pair: PairTerm) -> Sql:
        """Return half of a pair's points."""
        dialect = self._query.dialect
        a, b = (self._code(name) for name in pair.columns)
        first, second = a.spread(pair.first), b.spread(pair.second)
        if len(first) * len(second) <= SMALL:
            grid = pair.grid[np.ix_(first, second)] / 2
            place = exp.Mul(this=a.code, expression=whole(len(second))) + b.code
            return look_up(grid.ravel().tolist(), exp.Paren(this=place), "double", dialect)
        row = look_up((first * pair.grid.shape[1]).tolist(), a.code, "int", dialect)
        column = look_up(second.tolist(), b.code, "int", dialect)
        both = exp.Paren(this=exp.Add(this=row, expression=column))
        return look_up((pair.grid.ravel() / 2).tolist(), both, "double", dialect)

    def _cap(self, points: Mapping[str, Sql]) -> dict[str, Sql]:
        """Scale a family's points down where their sum is above its cap."""
        capped = dict(points)
        for place, (family, cap) in enumerate(self._table.caps.items(), start=1):
            mine = [name for name in points if self._table.families.get(name) == family]
            if not mine:
                continue
            total = self._query.add("family", f"family_{place}", _sum(points, mine), family)
            for name in mine:
                column = points[name]
                scaled = column * exp.Paren(this=number(cap) / total)
                value = when((total > number(cap), scaled), default=column)
                capped[name] = self._query.add("points", f"capped_{column.name[11:]}", value, name)
        return capped


def _sum(points: Mapping[str, Sql], names: Sequence[str]) -> Sql:
    return add_up([points[name] for name in names])
