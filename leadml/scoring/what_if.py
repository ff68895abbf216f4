"""What if a lead were otherwise: model and rules as plain tables that a page can add up itself."""

from collections import Counter
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
from leadml.scoring.rulebook import TRUE_TEXTS
from leadml.scoring.rulepoints import RulePointsClassifier
from leadml.scoring.scorer import LeadScorer
from leadml.scoring.what_if_trees import describe_trees

MOST_LEVELS = 300  # of a field; rarer ones are `other`
DECIMALS = 6  # of points
OTHER = "other"


Inputs = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Field:
    """A feature that can be changed: a number, or one of some choices."""

    source: str
    model: str  # whose values it shows
    family: str
    #: What is shown, by the text that it stands for; None: a number.
    levels: Mapping[str, str] | None = None
    #: Columns of rules that look through its texts.
    searched: tuple[TextColumn, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.levels is None

    def name_choice(self, text: Any) -> str | None:
        """Return what is shown for a text: a level, the words found in it, or `other`."""
        if is_missing(text):
            return None
        levels = self.levels or {}
        if text in levels and levels[text] == text:
            return str(text)
        found = f"{OTHER}: {_find_words(self.searched, text)}"
        return found if found in levels else OTHER


@dataclass(frozen=True)
class WhatIf:
    """Points of model and rules by field, for leads that may be changed.

    Attributes
    ----------
    scorers : dict of str to LeadScorer
        Fitted, around leadml's own classifiers, on one scale.
    fields : tuple of Field
        Those that part leads most first.
    places : dict of (model, feature) to int
        The field that a model reads a feature from. Models share one where they read the same.
    """

    scorers: Mapping[str, LeadScorer]
    fields: tuple[Field, ...]
    places: Mapping[tuple[str, str], int]

    @classmethod
    def build(cls, scorers: Mapping[str, LeadScorer], leads: Inputs) -> "WhatIf":
        """Return the fields of some scorers; their order and choices come from some leads.

        `leads` holds the same leads as each scorer reads them, by name.
        """
        values = _read_features(scorers, leads)
        drafts: list[_Draft] = []
        draft_of: dict[tuple[str, str], _Draft] = {}
        for name, scorer in scorers.items():
            table = split_pipeline(scorer.estimator_)[1].table_
            points, _ = scorer.compute_points(scorer.select(leads[name]))
            spread = points.std(ddof=0).to_dict()
            for column, term in zip(table.columns, table.terms, strict=True):
                source = source_of(column)
                mine = values[name][source]
                draft = draft_of.get((name, source))
                if draft is None:
                    same = [one for one in drafts if one.source == source and one.holds(mine)]
                    draft = same[0] if same else _Draft(name, source, mine)
                    drafts += [] if same else [draft]
                    draft_of[name, source] = draft
                draft.columns.append(column)
                draft.family = draft.family or scorer.find_family(term.feature) or ""
                draft.spread = max(draft.spread, float(spread[term.feature]))
        drafts.sort(key=lambda one: -one.spread)
        places = {key: drafts.index(draft) for key, draft in draft_of.items()}
        return cls(scorers, tuple(draft.make() for draft in drafts), places)

    def read_values(self, leads: Inputs) -> list[list[Any]]:
        """Return the values of leads, one list a lead, in the order of `fields`.

        A text that is no choice is `other`: no text leaves that the models do not know.
        """
        values = _read_features(self.scorers, leads)
        columns = [_field_values(field, values[field.model][field.source]) for field in self.fields]
        return [list(row) for row in zip(*columns, strict=True)]

    def to_dict(self, leads: Inputs) -> dict[str, Any]:
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
        twice = Counter(field.source for field in self.fields)
        fields = []
        for field in self.fields:
            state = _describe_field(field, values[field.model][field.source])
            if twice[field.source] > 1:
                state["label"] += f" ({field.model})"
            fields.append(state)
        return {
            "why": why,
            "bands": {"hot": bands.hot, "warm": bands.warm},
            "fields": fields,
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
        sources = [self.places[name, source_of(column)] for column in table.columns]
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
            "columns": [part.to_dict(at) for part, at in zip(parts, sources, strict=True)],
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


def _read_features(
    scorers: Mapping[str, LeadScorer], leads: Inputs
) -> dict[str, dict[str, pd.Series]]:
    """Return the features that each scorer reads, by its name."""
    found = {}
    for name, scorer in scorers.items():
        before, _ = split_pipeline(scorer.estimator_)
        X = scorer.select(leads[name])
        frame = X if before is None else before.transform(X)
        found[name] = {str(column): frame[column] for column in frame.columns}
    return found


class _Draft:
    """A field in the making: who reads it, by which columns, and how much it parts leads."""

    def __init__(self, model: str, source: str, values: pd.Series) -> None:
        self.model, self.source, self.values = model, source, values
        self.columns: list[Column] = []
        self.family, self.spread = "", 0.0
        self._texts = as_texts(values).reset_index(drop=True)

    def holds(self, values: pd.Series) -> bool:
        """Return whether another model reads the same from the same leads."""
        return bool(self._texts.equals(as_texts(values).reset_index(drop=True)))

    def make(self) -> Field:
        """Return the field with its choices."""
        if any(isinstance(column, NumberColumn) for column in self.columns):
            return Field(self.source, self.model, self.family)
        texts = as_texts(self.values).dropna().unique()
        searched = tuple(column for column in self.columns if isinstance(column, TextColumn))
        # the words of "is true" would offer yes in every language beside the category's own
        told = [one for one in self.columns if not _is_yes(one)] or self.columns
        known = list(dict.fromkeys(word for one in told for word in _words_of(one)))
        there = set(texts)
        kept = known[:MOST_LEVELS] + [level for level in known[MOST_LEVELS:] if level in there]
        levels = {level: level for level in kept}
        # each set of words that rules find together in a text of no level is a choice
        for text in [text for text in texts if text not in levels][: 10 * MOST_LEVELS]:
            words = _find_words(searched, text)
            if words and len(levels) < 2 * MOST_LEVELS:
                levels.setdefault(f"{OTHER}: {words}", text)
        return Field(self.source, self.model, self.family, levels, searched)


def _is_yes(column: Column) -> bool:
    return isinstance(column, TextColumn) and column.words == TRUE_TEXTS


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
    return [field.name_choice(text) for text in as_texts(values)]


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
