"""The rule book (`rules.toml`): points written by people, compiled to a PointsTable."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from leadml.config import BANT_LETTERS, Family
from leadml.errors import ConfigError, all_problems, did_you_mean
from leadml.scoring.columns import Column, NumberColumn, TextColumn, as_text
from leadml.scoring.points import PointsTable, Term
from leadml.toml_file import line_numbers, line_of, validate_toml

TRUE_TEXTS = ("yes", "true", "1", "y", "t", "on", "ja", "oui", "tak", "sí", "si")


Finite = Annotated[float, Field(allow_inf_nan=False)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Rule(BaseModel):
    """One rule: a condition on a column, and what it is worth."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    family: Family
    column: str
    is_in: Annotated[list[bool | str | Finite], Field(min_length=1)] | None = None
    contains: Annotated[list[Word], Field(min_length=1)] | None = None
    at_least: Finite | None = None
    below: Finite | None = None
    is_missing: bool | None = None
    is_true: bool | None = None
    points: Finite | None = None
    per_unit: Finite | None = None
    cap: Annotated[Finite, Field(gt=0)] | None = None
    disqualify: bool = False
    bant: Literal["budget", "authority", "need", "time"] | None = None

    @model_validator(mode="after")
    def _one_condition_one_worth(self) -> Self:
        conditions = self._conditions()
        accepted = "is_in, contains, at_least and/or below, is_missing, is_true"
        if self.per_unit is not None:
            if conditions:
                message = f"rule {self.name!r}: `per_unit` takes no condition, got {conditions}."
                raise ValueError(message)
            if self.cap is None:
                message = f"rule {self.name!r}: `per_unit` needs a `cap`, the most points it gives."
                raise ValueError(message)
        elif len(conditions) != 1:
            message = (
                f"rule {self.name!r}: needs exactly one condition ({accepted}), "
                f"got {', '.join(conditions) or 'none'}."
            )
            raise ValueError(message)
        if self.cap is not None and self.per_unit is None:
            message = f"rule {self.name!r}: `cap` goes with `per_unit`. Take it out."
            raise ValueError(message)
        low, high = self.at_least, self.below
        if low is not None and high is not None and low >= high:
            message = (
                f"rule {self.name!r}: `at_least` must lie under `below`, got {low:g} and {high:g}."
            )
            raise ValueError(message)
        worths = [self.points is not None, self.per_unit is not None, self.disqualify]
        if sum(worths) != 1:
            message = (
                f"rule {self.name!r}: needs exactly one of `points`, `per_unit`, `disqualify`."
            )
            raise ValueError(message)
        return self

    def _conditions(self) -> list[str]:
        names = ["is_in", "contains", "is_missing", "is_true"]
        given = [name for name in names if getattr(self, name) is not None]
        if self.at_least is not None or self.below is not None:
            given.append("at_least/below")
        return given

    def describe_worth(self) -> str:
        """Return what the rule gives: `+15`, `+2 each, at most 20`, `never qualified`."""
        if self.disqualify:
            return "never qualified"
        if self.per_unit is not None:
            return f"{self.per_unit:+g} each, at most {self.cap:g}"
        return f"{self.points:+g}"

    def describe_condition(self) -> str:
        """Return when the rule fires, for people."""
        if self.per_unit is not None:
            return self.column
        if self.is_missing is not None:
            return f"{self.column} is {'missing' if self.is_missing else 'there'}"
        if self.is_true is not None:
            return f"{self.column} is {'true' if self.is_true else 'false'}"
        if self.is_in is not None:
            return f"{self.column} is " + " or ".join(map(str, self.is_in))
        if self.contains is not None:
            return f"{self.column} contains " + " or ".join(self.contains)
        bounds = [("at least", self.at_least), ("below", self.below)]
        given = [f"{word} {bound:g}" for word, bound in bounds if bound is not None]
        return f"{self.column} {' and '.join(given)}"

    def compile(self, key: str) -> tuple[Column, NDArray[np.bool_]]:
        """Return the rule's column of codes, and for which codes it fires."""
        if self.at_least is not None or self.below is not None or self.per_unit is not None:
            edges = sorted({edge for edge in (self.at_least, self.below) if edge is not None})
            column = NumberColumn(key, tuple(edges), self.column)
            starts = np.array([-np.inf, *edges, np.nan])
            low = -np.inf if self.at_least is None else self.at_least
            high = np.inf if self.below is None else self.below
            return column, (starts >= low) & (starts < high)
        if self.is_missing is not None:
            missing = np.array([False, False, True])
            return TextColumn(key, self.column, ()), missing == self.is_missing
        if self.is_true is not None:
            yes = TextColumn(key, self.column, TRUE_TEXTS, whole=True)
            return yes, np.array([not self.is_true, self.is_true, False])
        if self.is_in is not None:
            words = tuple(as_text(value) for value in self.is_in)
            return TextColumn(key, self.column, words, whole=True), np.array([False, True, False])
        words = tuple(self.contains or ())
        return TextColumn(key, self.column, words), np.array([False, True, False])

    def fires(self, X: pd.DataFrame) -> NDArray[np.bool_]:
        """Return for which leads the rule's condition holds, shape (n_leads,)."""
        column, fires = self.compile(self.name)
        result: NDArray[np.bool_] = fires[column.codes(X[self.column])]
        return result


class RuleBook(BaseModel):
    """All rules of a `rules.toml`, and the most points each family can add.

    Examples
    --------
    >>> book = RuleBook(rules=[
    ...     Rule(name="Many visits", family="behavioral", column="visits", at_least=3, points=10)
    ... ])
    >>> book.compile().decide(pd.DataFrame({"visits": [1, 3]})).tolist()
    [0.0, 10.0]
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    caps: dict[Family, Annotated[Finite, Field(ge=0)]] = {}
    rules: list[Rule] = []

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [rule.name for rule in self.rules]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            message = f"rule names must be unique, repeated: {repeated}."
            raise ValueError(message)
        return self

    def compile(self) -> PointsTable:
        """Return the book as a table of points, one feature a rule."""
        columns, terms, families = [], [], {}
        for rule in self.rules:
            if rule.disqualify:
                continue
            column, fires = rule.compile(rule.name)
            families[rule.name] = str(rule.family)
            columns.append(column)
            if rule.per_unit is not None and rule.cap is not None:
                high = rule.cap / abs(rule.per_unit) if rule.per_unit else 0.0
                values = np.zeros(column.n_codes)
                terms.append(Term(rule.name, rule.name, values, rule.per_unit, 0.0, high))
            else:
                terms.append(Term(rule.name, rule.name, np.where(fires, rule.points or 0.0, 0.0)))
        caps = {str(family): cap for family, cap in self.caps.items()}
        return PointsTable(tuple(columns), tuple(terms), families=families, caps=caps)

    def find_bant_rules(self) -> dict[str, list[Rule]]:
        """Return the rules of each BANT letter that has some: one of them is enough."""
        found: dict[str, list[Rule]] = {}
        for rule in self.rules:
            if rule.bant:
                found.setdefault(BANT_LETTERS[rule.bant], []).append(rule)
        return found


def load_rules(path: str | Path) -> RuleBook:
    """Read `rules.toml`.

    Raises
    ------
    ConfigError
        Every problem of the file, each with its line and rule.
    """
    return validate_toml(path, RuleBook)


def find_unknown_columns(
    book: RuleBook, columns: Iterable[str], excluded: Iterable[str] = ()
) -> Mapping[int, str]:
    """Return, by the rule's place in the book, what is wrong with its column."""
    accepted, left_out = [str(column) for column in columns], set(excluded)
    return {
        place: f"rule {rule.name!r}: {rule.column!r} is in [features.exclude] of leadml.toml. "
        "Delete the rule, or move the column back."
        if rule.column in left_out
        else f"rule {rule.name!r}: there is no column {rule.column!r}."
        + did_you_mean(rule.column, accepted)
        for place, rule in enumerate(book.rules)
        if rule.column not in accepted
    }


def check_rules(path: str | Path, columns: Iterable[str], excluded: Iterable[str] = ()) -> RuleBook:
    """Read a rule book and check that every rule's column exists.

    Raises
    ------
    ConfigError
        Every problem of the file, each with its line; unknown columns with a did-you-mean.
    """
    book = load_rules(path)
    places = line_numbers(Path(path).read_text(encoding="utf-8-sig"))
    unknown = find_unknown_columns(book, columns, excluded)
    if unknown:
        problems = [
            f"line {line_of(('rules', place, 'column'), places)}: {text}"
            for place, text in unknown.items()
        ]
        raise ConfigError(all_problems(str(path), problems))
    return book
