"""Turn a feature's points by code into rules that people can read."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from leadml.config import Family
from leadml.scoring.columns import CategoryColumn, Floats, NumberColumn
from leadml.scoring.reasons import describe_feature
from leadml.scoring.rule_steps import Steps
from leadml.scoring.rulebook import Rule

_SHOWN = 2  # levels in a rule's name


def write_rules(steps: Steps, points: Floats, family: Family) -> list[Rule]:
    """Return one rule for each worth that a feature gives, the best first.

    Parameters
    ----------
    steps : Steps
    points : ndarray of shape (n_codes,)
        Whole points of each code; 0 needs no rule.
    family : str

    Examples
    --------
    >>> column = NumberColumn("pricing_page_views_30d", (1.0, 4.0))
    >>> steps = Steps(column, np.zeros(1, int), np.ones((1, 4), bool), np.zeros(1, int), True)
    >>> for rule in write_rules(steps, np.array([0.0, 3.0, 8.0, -2.0]), "behavioral"):
    ...     print(rule.describe_worth(), rule.name)
    +8 Pricing page views (30 days) 4 or more
    +3 Pricing page views (30 days) 1 to 3
    -2 Pricing page views (30 days): missing
    """
    name = steps.column.name
    label = describe_feature(name)
    label = label[:1].upper() + label[1:]
    if isinstance(steps.column, NumberColumn):
        found = [*_number_rules(steps.column, points, is_whole=steps.is_whole)]
    else:
        found = [*_level_rules(steps.column, points)]
    if points[-1]:
        found.append((": missing", {"is_missing": True}, points[-1]))
    rules = [
        Rule(name=f"{label}{words}", family=family, column=name, points=worth, **when)
        for words, when, worth in found
    ]
    return sorted(rules, key=lambda rule: -(rule.points or 0))


def _number_rules(
    column: NumberColumn, points: Floats, *, is_whole: bool
) -> Iterator[tuple[str, dict[str, Any], float]]:
    """Yield words, condition and worth of each run of equal points."""
    bounds = [None, *column.edges, None]
    for worth, run in groupby(range(len(points) - 1), key=lambda code: float(points[code])):
        codes = list(run)
        low, high = bounds[codes[0]], bounds[codes[-1] + 1]
        if not worth:
            continue
        if low is None and high is None:
            yield ": known", {"is_missing": False}, worth
            continue
        when = {"at_least": low, "below": high}
        yield (
            _range(low, high, is_whole=is_whole),
            {key: bound for key, bound in when.items() if bound is not None},
            worth,
        )


def _range(low: float | None, high: float | None, *, is_whole: bool) -> str:
    if high is None:
        return f" {low:,.12g} or more"
    if low is None:
        return f" below {high:,.12g}"
    if not is_whole:
        return f" {low:,.12g} to below {high:,.12g}"
    return f" {low:,.12g}" if high - low == 1 else f" {low:,.12g} to {high - 1:,.12g}"


def _level_rules(
    column: CategoryColumn, points: Floats
) -> Iterator[tuple[str, dict[str, Any], float]]:
    """Yield words, condition and worth of each group of levels with equal points."""
    known = points[: len(column.levels)]
    is_yes_no = {level.casefold() for level in column.levels} == {"yes", "no"}
    for worth in np.unique(known[known != 0]):
        levels = [column.levels[place] for place in np.flatnonzero(known == worth)]
        if is_yes_no and len(levels) == 1:
            level = levels[0].casefold()
            yield f": {level}", {"is_true": level == "yes"}, float(worth)
        else:
            yield f": {_listed(levels)}", {"is_in": levels}, float(worth)


def _listed(levels: Sequence[str]) -> str:
    shown = levels[:_SHOWN]
    if len(levels) > _SHOWN:
        return f"{', '.join(shown)} or {len(levels) - _SHOWN} more"
    return " or ".join(shown)
