"""PointsTable: a model that is a sum of looked-up points, be it a rule book or learned."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadml.scoring.columns import (
    Column,
    Floats,
    as_numbers,
    column_from_dict,
    column_to_dict,
    source_of,
)

DECIMALS = (
    9  # what is kept of each value, so that a saved table scores exactly as the one in memory
)
CACHED = 8_192  # leads at a time: their points stay in the processor's cache


@dataclass(frozen=True)
class Term:
    """Points of one column by code, plus `slope` for each unit between `low` and `high`."""

    feature: str
    column: str
    values: Floats
    slope: float = 0.0
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True)
class PairTerm:
    """Points of two columns together: `grid[first[code_a], second[code_b]]`."""

    columns: tuple[str, str]
    first: NDArray[np.int32]
    second: NDArray[np.int32]
    grid: Floats

    @classmethod
    def from_full_grid(cls, columns: tuple[str, str], grid: Floats) -> Self:
        """Keep each distinct row and column of a grid of all codes once."""
        rows, first = np.unique(np.round(grid, DECIMALS), axis=0, return_inverse=True)
        small, second = np.unique(rows, axis=1, return_inverse=True)
        places = [axis.reshape(-1).astype(np.int32) for axis in (first, second)]
        return cls(columns, places[0], places[1], small)

    def half_points(self, first: NDArray[Any], second: NDArray[Any]) -> Floats:
        """Return half of the points of leads given by the codes of both columns."""
        rows, half, is_turned = self._flat
        if is_turned:
            first, second = second, first
        return half.take(rows.take(first) + second)

    @cached_property
    def _flat(self) -> tuple[NDArray[np.intp], Floats, bool]:
        """The grid with all codes of one column, the one that makes it smaller, as a long array.

        To reduce one column alone saves a look-up a lead.
        """
        half = self.grid / 2
        by_second, by_first = half[:, self.second], half[self.first].T
        is_turned = by_first.size < by_second.size
        places, wide = (self.second, by_first) if is_turned else (self.first, by_second)
        return places.astype(np.intp) * wide.shape[1], np.ravel(wide), is_turned


@dataclass(frozen=True)
class PointsTable:
    """A sum of points, each read from a table by the code of one column or of two.

    Parameters
    ----------
    columns : tuple of Column
        How each column's values become codes.
    terms : tuple of Term
    pairs : tuple of PairTerm
        A pair's points go half and half to its two columns, which is their Shapley value.
    intercept : float
    families : dict of feature to family, default {}
    caps : dict of family to the most points it can add, default {}

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from leadml.scoring.columns import NumberColumn
    >>> table = PointsTable(
    ...     columns=(NumberColumn("visits", (3.0,)),),
    ...     terms=(Term("visits", "visits", np.array([0.0, 5.0, -1.0])),),
    ... )
    >>> table.decide(pd.DataFrame({"visits": [1, 3, None]})).tolist()
    [0.0, 5.0, -1.0]
    """

    columns: tuple[Column, ...]
    terms: tuple[Term, ...]
    pairs: tuple[PairTerm, ...] = ()
    intercept: float = 0.0
    families: Mapping[str, str] = field(default_factory=dict)
    caps: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def features(self) -> list[str]:
        """Names under which points are shown, in order."""
        return list(dict.fromkeys(term.feature for term in self.terms))

    @cached_property
    def _place(self) -> dict[str, int]:
        return {feature: place for place, feature in enumerate(self.features)}

    def sources(self) -> list[str]:
        """Return the input columns that the table reads."""
        return list(dict.fromkeys(source_of(column) for column in self.columns))

    def compute_contributions(self, X: pd.DataFrame) -> Floats:
        """Return each feature's points for each lead, shape (n_leads, n_features)."""
        codes = {column.name: column.codes(X[source_of(column)]) for column in self.columns}
        sources = {column.name: source_of(column) for column in self.columns}
        sloped = {term.column for term in self.terms if term.slope}
        numbers = {name: as_numbers(X[sources[name]]) for name in sloped}
        return self.contributions_of(codes, numbers, len(X))

    def contributions_of(
        self,
        codes: Mapping[str, NDArray[Any]],
        numbers: Mapping[str, Floats] | None = None,
        n_leads: int | None = None,
    ) -> Floats:
        """Return the points of leads given by their codes, shape (n_leads, n_features).

        Parameters
        ----------
        codes : dict of column to array of int, shape (n_leads,)
        numbers : dict of column to array of float, default=None
            Of the columns whose terms have a slope.
        n_leads : int, default=None
            Needed where there is no column.
        """
        if n_leads is None:
            n_leads = len(next(iter(codes.values())))
        points = np.empty((len(self.features), n_leads))
        for start in range(0, n_leads, CACHED):
            rows = slice(start, start + CACHED)
            part = {name: values[rows] for name, values in codes.items()}
            own = {name: values[rows] for name, values in (numbers or {}).items()}
            self.fill_points(points[:, rows], part, own)
        return points.T

    def fill_points(
        self, points: Floats, codes: Mapping[str, NDArray[Any]], numbers: Mapping[str, Floats]
    ) -> None:
        """Write the points of some leads into `points`, shape (n_features, n_leads)."""
        place = self._place
        points[:] = 0.0
        for term in self.terms:
            mine = points[place[term.feature]]
            mine += term.values.take(codes[term.column])
            if term.slope:
                clipped = np.clip(numbers[term.column], term.low, term.high)
                mine += term.slope * np.nan_to_num(clipped)
        for pair in self.pairs:
            a, b = pair.columns
            half = pair.half_points(codes[a], codes[b])
            points[place[a]] += half
            points[place[b]] += half
        if self.caps:
            self.apply_caps(points)

    def decide(self, X: pd.DataFrame) -> Floats:
        """Return each lead's sum, shape (n_leads,)."""
        return add_up(self.compute_contributions(X), self.intercept)

    def to_frame(self) -> pd.DataFrame:
        """Return the one-column tables as tidy rows: `feature`, `value`, `points`."""
        columns = {column.name: column for column in self.columns}
        rows = [
            (term.feature, label, value)
            for term in self.terms
            for label, value in zip(columns[term.column].labels(), term.values, strict=True)
        ]
        return pd.DataFrame(rows, columns=["feature", "value", "points"])

    def to_dict(self) -> dict[str, Any]:
        """Return the table as JSON values."""
        return {
            "intercept": self.intercept,
            "columns": [column_to_dict(column) for column in self.columns],
            "terms": [
                {
                    "feature": term.feature,
                    "column": term.column,
                    "values": term.values.tolist(),
                    **(
                        {"slope": term.slope, "low": term.low, "high": term.high}
                        if term.slope
                        else {}
                    ),
                }
                for term in self.terms
            ],
            "pairs": [
                {
                    "columns": list(pair.columns),
                    "first": pair.first.tolist(),
                    "second": pair.second.tolist(),
                    "grid": pair.grid.tolist(),
                }
                for pair in self.pairs
            ],
            "families": dict(self.families),
            "caps": dict(self.caps),
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """Return the table that `to_dict` wrote."""
        return cls(
            columns=tuple(column_from_dict(column) for column in state["columns"]),
            terms=tuple(
                Term(**{**term, "values": np.asarray(term["values"], dtype=np.float64)})
                for term in state["terms"]
            ),
            pairs=tuple(
                PairTerm(
                    (pair["columns"][0], pair["columns"][1]),
                    np.asarray(pair["first"], dtype=np.int32),
                    np.asarray(pair["second"], dtype=np.int32),
                    np.asarray(pair["grid"], dtype=np.float64),
                )
                for pair in state["pairs"]
            ),
            intercept=state["intercept"],
            families=state["families"],
            caps=state["caps"],
        )

    def _repr_html_(self) -> str:
        from leadml.scoring.reprs import show_points

        return show_points(self)

    def apply_caps(self, points: Floats) -> None:
        """Scale a family's points down where their sum is above its cap: they still add up."""
        for family, cap in self.caps.items():
            mine = [
                place
                for place, feature in enumerate(self.features)
                if self.families.get(feature) == family
            ]
            total = add_up(points[mine].T)
            over = total > cap
            for place in mine:
                points[place, over] *= cap / total[over]


def add_up(contributions: Floats, start: float = 0.0) -> Floats:
    """Add contributions feature by feature, so that a lead's sum never depends on its batch."""
    total = np.full(len(contributions), start)
    for place in range(contributions.shape[1]):
        total += contributions[:, place]
    return total
