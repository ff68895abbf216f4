"""Score one lead at once, for use inside a web service: no table is made on the way."""

from collections.abc import Hashable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from leadml.scoring.bands import Bands, assign_stages
from leadml.scoring.columns import Floats
from leadml.scoring.engine import Engine
from leadml.scoring.handoff import BANT_TEXTS
from leadml.scoring.points import PointsTable
from leadml.scoring.reasons import SMALLEST, describe_feature, describe_value
from leadml.scoring.scale import round_scores


class FlatTable:
    """A table of points laid out so that one lead's points are a few looks at long arrays."""

    def __init__(self, table: PointsTable) -> None:
        self._table = table
        self.columns = [column.name for column in table.columns]
        place = {name: number for number, name in enumerate(self.columns)}
        feature = {name: number for number, name in enumerate(table.features)}
        terms, pairs = table.terms, table.pairs
        self._term_column = np.array([place[term.column] for term in terms], dtype=np.intp)
        self._term_feature = np.array([feature[term.feature] for term in terms], dtype=np.intp)
        self._term_values, self._term_start = _concatenate([term.values for term in terms])
        self._sloped = [term for term in terms if term.slope]
        self._a, self._b = (
            np.array([place[pair.columns[side]] for pair in pairs], dtype=np.intp)
            for side in (0, 1)
        )
        self._feature_a, self._feature_b = (
            np.array([feature[pair.columns[side]] for pair in pairs], dtype=np.intp)
            for side in (0, 1)
        )
        self._rows, self._rows_start = _concatenate(
            [pair.first.astype(np.intp) * pair.grid.shape[1] for pair in pairs]
        )
        self._columns, self._columns_start = _concatenate(
            [pair.second.astype(np.intp) for pair in pairs]
        )
        self._grid, self._grid_start = _concatenate([np.ravel(pair.grid) / 2 for pair in pairs])
        self._n_features = len(feature)
        self._feature = feature

    def points(self, codes: NDArray[np.intp], numbers: Mapping[Hashable, float]) -> Floats:
        """Return one lead's points by feature, of its codes in the order of `columns`."""
        values = self._term_values[self._term_start + codes[self._term_column]]
        points: Any = np.bincount(self._term_feature, values, self._n_features)
        if len(self._a):
            place = self._rows[self._rows_start + codes[self._a]]
            place = place + self._columns[self._columns_start + codes[self._b]]
            half = self._grid[self._grid_start + place]
            points += np.bincount(self._feature_a, half, self._n_features)
            points += np.bincount(self._feature_b, half, self._n_features)
        for term in self._sloped:
            number = numbers[term.column]
            if number == number:
                number = min(max(number, term.low), term.high)
                points[self._feature[term.feature]] += term.slope * number
        if self._table.caps:
            self._table.apply_caps(points[:, None])
        return points


class OneLead:
    """Score leads one by one with what an engine has compiled.

    Parameters
    ----------
    engine : Engine
    bands : Bands
    """

    def __init__(self, engine: Engine, bands: Bands) -> None:
        self._engine = engine
        every = np.arange(101)
        self._bands = bands.assign(every).tolist()
        self._stages = assign_stages(every).tolist()

    @cached_property
    def _flat(self) -> FlatTable:
        return FlatTable(self._engine.table)

    def score(
        self, lead: Mapping[str, Any], n_reasons: int, snapshot: Any = None
    ) -> dict[str, Any]:
        """Return the entries of the scored table from `probability` to `points`."""
        engine, flat = self._engine, self._flat
        codes: dict[Hashable, int] = {}
        numbers: dict[Hashable, float] = {}
        shown: dict[str, Any] = {}
        for name, lookups in engine.lookups.items():
            one = lookups.read_value(lead[name], snapshot)
            codes.update(one.codes)
            numbers.update(one.numbers)
            shown.update(one.shown)
        by_column = np.array([codes[name] for name in flat.columns], dtype=np.intp)
        points = flat.points(by_column, numbers)
        total, raw, log_odds, points = engine.weigh_one(points, by_column)
        score = int(round_scores(np.array(raw)))
        fit, engagement = engine.sum_families(points[:, None])
        own = {key: np.array([code]) for key, code in codes.items()}
        strongest = np.argsort(-np.abs(points), kind="stable")[:n_reasons]
        reasons = [
            _describe(engine.table.features[place], points[place], shown)
            if abs(points[place]) >= SMALLEST
            else None
            for place in strongest
        ]
        reasons += [None] * (n_reasons - len(reasons))
        return {
            "probability": None if log_odds is None else float(expit(log_odds)),
            "score": score,
            "band": self._bands[score],
            "stage": self._stages[score],
            "fit": float(fit[0]),
            "engagement": float(engagement[0]),
            "qualified": bool(engine.handoff.find_qualified(own, fit, engagement)[0]),
            "bant": BANT_TEXTS[int(engine.handoff.find_bant(own, 1)[0])],
            **{f"reason_{rank + 1}": reason for rank, reason in enumerate(reasons)},
            "points": total,
        }


def as_snapshot(value: Any) -> Any:
    """Return a day as a Timestamp in UTC without a zone; None stays None."""
    if value is None:
        return None
    day = pd.Timestamp(value)
    return day.tz_convert(None) if day.tzinfo else day


def _describe(feature: str, points: float, shown: Mapping[str, Any]) -> str:
    tenths = np.trunc(points * 10 + np.copysign(0.5, points)) / 10
    value = f": {describe_value(shown[feature])}" if feature in shown else ""
    return f"{tenths:+.1f} {describe_feature(feature)}{value}"


def _concatenate(parts: list[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return arrays as one, and where each of them starts."""
    sizes = [len(part) for part in parts]
    starts = np.cumsum([0, *sizes[:-1]]) if parts else np.empty(0, dtype=np.intp)
    return (np.concatenate(parts) if parts else np.empty(0)), starts.astype(np.intp)
