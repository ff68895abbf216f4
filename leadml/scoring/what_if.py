"""What if a lead were otherwise: model and rules as plain tables that a page can add up itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leadml.scoring.attribution import split_pipeline
from leadml.scoring.bands import Bands
from leadml.scoring.columns import (
    CategoryColumn,
    Column,
    Floats,
    NumberColumn,
    TextColumn,
    as_numbers,
    as_texts,
    is_missing,
    source_of,
)
from leadml.scoring.points import PairTerm, PointsTable, Term
from leadml.scoring.reasons import describe_feature
from leadml.scoring.rulepoints import RulePointsClassifier
from leadml.scoring.scorer import LeadScorer
from leadml.scoring.what_if_trees import describe_trees

MOST_LEVELS = 300  # of a field; rarer ones are `other`
DECIMALS = 6  # of points
OTHER = "other"


@dataclass(frozen=True)
class Field:
    """A feature that can be changed: a number, or one of some choices."""

    source: str
    family: str
    #: What is shown, by the text that it stands for; None: a number.
    levels: Mapping[str, str] | None = None
    #: Columns of rules that alone look through free texts; what they find is the value.
    searched: tuple[TextColumn, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.levels is None


@dataclass(frozen=True)
class WhatIf:
    """Points of model and rules by field, for leads that may be changed.

    Attributes
    ----------
    scorers : dict of str to LeadScorer
        Fitted, around leadml's own classifiers, on one scale.
    fields : tuple of Field
        Those that part leads most first.
    """

    scorers: Mapping[str, LeadScorer]
    fields: tuple[Field, ...]

    @classmethod
    def build(cls, scorers: Mapping[str, LeadScorer], leads: pd.DataFrame) -> "WhatIf":
        """Return the fields of some scorers; their order and choices come from some leads."""
        columns: dict[str, list[Column]] = {}
        families: dict[str, str] = {}
        spread: dict[str, float] = {}
        for scorer in scorers.values():
            table = split_pipeline(scorer.estimator_)[1].table_
            points, _ = scorer.compute_points(scorer.select(leads))
            by_feature = points.std(ddof=0).to_dict()
            for column, term in zip(table.columns, table.terms, strict=True):
                source = source_of(column)
                columns.setdefault(source, []).append(column)
                families.setdefault(source, scorer.find_family(term.feature) or "")
                spread[source] = max(spread.get(source, 0.0), by_feature[term.feature])
        values = _read_features(scorers, leads)
        order = sorted(columns, key=lambda source: -spread[source])
        fields = [_make_field(name, families[name], columns[name], values[name]) for name in order]
        return cls(scorers, tuple(fields))

    def read_values(self, leads: pd.DataFrame) -> list[list[Any]]:
        """Return the values of leads, one list a lead, in the order of `fields`.

        A text that is no choice is `other`: no text leaves that the models do not know.
        """
        values = _read_features(self.scorers, leads)
        columns = [_field_values(field, values[field.source]) for field in self.fields]
        return [list(row) for row in zip(*columns, strict=True)]

    def to_dict(self, leads: pd.DataFrame) -> dict[str, Any]:
        """Return fields and tables as JSON values; what is typical comes from some leads."""
        values = _read_features(self.scorers, leads)
        told = {name: self._describe_model(name, one) for name, one in self.scorers.items()}
        large = [name for name, model in told.items() if model is None]
        why = None
        if large:
            why = (
                f"The {' and the '.join(large)} (structure full) has more trees than a page holds, "
                "so its sum is not computed here. `leadml explain` prints it for a lead."
            )
        first = next(iter(self.scorers.values()))
        bands = first.bands or Bands()
        return {
            "why": why,
            "bands": {"hot": bands.hot, "warm": bands.warm},
            "fields": [_describe_field(field, values[field.source]) for field in self.fields],
            "models": [model for model in told.values() if model is not None],
        }

    def _describe_model(self, name: str, scorer: LeadScorer) -> dict[str, Any] | None:
        last = split_pipeline(scorer.estimator_)[1]
        table: PointsTable = last.table_
        scale = scorer.scale_
        if scale is None:  # a rule book that has seen no outcomes: its points are the score
            factor, start, doubles, odds = 1.0, 0.0, None, None
        else:
            factor = scale.points_per_logit
            start = float(scale.raw_scores(last.start_))
            doubles, odds = scale.points_to_double, scale.base_odds
            if isinstance(last, RulePointsClassifier):
                factor *= float(last.slope_ or 0.0)
        place = {field.source: number for number, field in enumerate(self.fields)}
        sources = [place[source_of(column)] for column in table.columns]
        parts = [
            _Recoded(column, self.fields[at])
            for column, at in zip(table.columns, sources, strict=True)
        ]
        number = {column.name: at for at, column in enumerate(table.columns)}
        trees: list[dict[str, Any]] | None = []
        if getattr(last, "bag_", None) is not None:
            codes = [part.codes for part in parts]
            trees = describe_trees(last.bag_, codes, factor * last.bag_weight_)
        if trees is None:
            return None
        return {
            "name": name,
            "start": round(start, DECIMALS),
            "points_to_double": doubles,
            "base_odds": odds,
            "columns": [part.to_dict(place[part.field.source]) for part in parts],
            "terms": [_describe_term(term, number, parts, factor) for term in table.terms],
            "pairs": [_describe_pair(pair, number, parts, factor) for pair in table.pairs],
            "trees": trees,
            "families": dict(table.families),
            "caps": {family: round(cap * factor, DECIMALS) for family, cap in table.caps.items()},
        }


class _Recoded:
    """A column of a table in terms of its field: which of its own codes each new code has."""

    def __init__(self, column: Column, field: Field) -> None:
        self.column, self.field = column, field
        self.edges: list[float] = []
        if field.levels is not None:
            rest = [_code_of_other(column), column.n_codes - 1]
            self.codes = np.array([*(column.code(text) for text in field.levels.values()), *rest])
        elif isinstance(column, NumberColumn):
            self.edges = [float(edge) for edge in column.edges]
            self.codes = np.arange(column.n_codes)
        else:
            words = column.words if isinstance(column, TextColumn) else column.levels
            numbers = as_numbers(list(words)) if words else np.empty(0)
            known = numbers[np.isfinite(numbers)]
            # a number is looked for as itself: from itself to the next one there is
            self.edges = np.unique([*known, *np.nextafter(known, np.inf)]).tolist()
            probes = [-np.inf, *self.edges]
            self.codes = np.array([*(column.code(probe) for probe in probes), column.n_codes - 1])

    def to_dict(self, place: int) -> dict[str, Any]:
        """Return how a value becomes a code."""
        kind = {"kind": "number", "edges": self.edges}
        if self.field.levels is not None:
            kind = {"kind": "category", "levels": list(self.field.levels)}
        return {"name": self.column.name, "field": place, **kind}


def _code_of_other(column: Column) -> int:
    return len(column.levels) if isinstance(column, CategoryColumn) else 0


def _describe_term(
    term: Term, number: Mapping[str, int], parts: Sequence[_Recoded], factor: float
) -> dict[str, Any]:
    place = number[term.column]
    return {
        "feature": term.feature,
        "column": place,
        "values": _rounded(term.values[parts[place].codes] * factor),
        "slope": round(term.slope * factor, DECIMALS),
        "low": term.low,
        "high": term.high,
    }


def _describe_pair(
    pair: PairTerm, number: Mapping[str, int], parts: Sequence[_Recoded], factor: float
) -> dict[str, Any]:
    places = [number[name] for name in pair.columns]
    first, second = (
        axis[parts[place].codes].tolist()
        for axis, place in zip((pair.first, pair.second), places, strict=True)
    )
    grid = [_rounded(row * factor) for row in pair.grid]
    return {"columns": places, "first": first, "second": second, "grid": grid}


def _rounded(values: Floats) -> list[float]:
    return [round(float(value), DECIMALS) + 0.0 for value in values]


def _read_features(scorers: Mapping[str, LeadScorer], leads: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the features of all scorers by name, those of the first one first."""
    found: dict[str, pd.Series] = {}
    for scorer in scorers.values():
        before, _ = split_pipeline(scorer.estimator_)
        X = scorer.select(leads)
        frame = X if before is None else before.transform(X)
        for name in frame.columns:
            found.setdefault(str(name), frame[name])
    return found


def _make_field(name: str, family: str, columns: Sequence[Column], values: pd.Series) -> Field:
    if any(isinstance(column, NumberColumn) for column in columns):
        return Field(name, family, None)
    searched = tuple(column for column in columns if isinstance(column, TextColumn))
    if len(searched) < len(columns):
        known = [level for column in columns for level in _words_of(column)]
        there = set(as_texts(values).dropna().unique())
        levels = list(dict.fromkeys(known))
        kept = levels[:MOST_LEVELS]
        kept += [level for level in levels[MOST_LEVELS:] if level in there]
        return Field(name, family, {level: level for level in kept})
    # texts that rules alone look through: each set of words that is found together is a choice
    found = {word: word for column in searched for word in column.words}
    for text in as_texts(values).dropna().unique()[: 10 * MOST_LEVELS]:
        found.setdefault(_find_words(searched, text), text)
    found.pop("", None)
    return Field(name, family, dict(list(found.items())[:MOST_LEVELS]), searched)


def _words_of(column: Column) -> tuple[str, ...]:
    if isinstance(column, CategoryColumn):
        return column.levels
    return column.words if isinstance(column, TextColumn) else ()


def _find_words(columns: Sequence[TextColumn], text: str) -> str:
    """Return the words that rules find in a text, each once."""
    words = [
        word
        for column in columns
        for word in column.words
        if TextColumn("", "", (word,), column.whole).code(text) == 1
    ]
    return ", ".join(dict.fromkeys(words))


def _field_values(field: Field, values: pd.Series) -> list[Any]:
    if field.levels is None:
        return [None if number != number else float(number) for number in as_numbers(values)]

    def choice(text: Any) -> str | None:
        if is_missing(text):
            return None
        name = _find_words(field.searched, text) if field.searched else text
        return name if name in (field.levels or {}) else OTHER

    return as_texts(values).map(choice, na_action="ignore").replace({np.nan: None}).tolist()


def _describe_field(field: Field, values: pd.Series) -> dict[str, Any]:
    numbers = as_numbers(values) if field.is_number else np.empty(0)
    present = numbers[np.isfinite(numbers)]
    low, high, typical = None, None, None
    if field.is_number and len(present):
        low, middle, high = (float(q) for q in np.quantile(present, [0.01, 0.5, 0.99]))
        # an even count has its median between two values
        typical = float(present[np.abs(present - middle).argmin()])
    elif not field.is_number:
        texts = pd.Series(_field_values(field, values), dtype=object)
        counts = texts.value_counts(dropna=False)
        typical = counts.index[0] if len(counts) else None
        typical = None if is_missing(typical) else typical
    levels = [] if field.levels is None else [*field.levels, OTHER]
    return {
        "source": field.source,
        "label": describe_feature(field.source),
        "family": field.family,
        "kind": "number" if field.is_number else "choice",
        "choices": [[level, level] for level in levels],
        "typical": typical,
        "low": low,
        "high": high,
    }
