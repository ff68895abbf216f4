"""Guess the first rules from names and values, as a sales person would, never from outcomes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import floor, log10
from typing import Any

import pandas as pd
from pandas.api import types

from leadml.config import Config
from leadml.data.words import ENGAGED, NOT_ENGAGED, OPTED_OUT, says, words_of

# Weights of the families where all are there; the fit and the engagement of a lead count alike,
# and behaviour more than e-mail. They are shared out over the families that have rules.
_FAMILY_WEIGHTS = {
    "demographic": 15,
    "firmographic": 20,
    "behavioral": 30,
    "email": 10,
    "context": 10,
    "bant": 15,
}
_SENIOR = ["owner", "c_level", "vp", "director"]
_MOST_FACTOR = 1.5  # no single guess is worth more than 15 points, however few there are
_MOST_TEMPLATES = 8
_MOST_MISSING = 3  # an empty form would otherwise lose points in every field

#: (points of 10, words in a value, why) by the kind of question a column answers
_ACTIONS = (
    (10, r"demo|pricing|trial|repl(y|ied)|click|form submitted|phone conversation|meeting"
     r"|call ?back|resubscribed|approached|view in browser", "acted on their own"),
    (5, r"opened|visit|view|chat|download|webinar|attend", "shows interest"),
    (-10, r"bounce|unsub|spam|unreachable|opt(ed)? ?out|not interested|invalid",
     "cannot or will not be reached"),
)  # fmt: skip
_SOURCES = (
    (10, r"refer(ence|ral)(?! site)|recommend|word of mouth|partner|demo|existing|customer|alumni"
     r"|call ?back|click2call", "comes recommended or asked for us"),
    (5, r"direct|organic|landing page|website|inbound|webinar|event|newsletter", "found us"),
)  # fmt: skip
_JOBS = (
    (10, r"\b(c level|chief|ceo|cfo|cto|vp|vice president|director|owner|founder|head|executive)\b"
     r"|business|entrepreneur", "may decide"),
    (7, r"manage|professional|(?<!un)(?<!self )employed", "earns and may decide"),
)  # fmt: skip
_BEFORE = (
    (10, r"\b(success|won|yes|bought|customer)\b", "bought before"),
    (-3, r"\b(failure|lost)\b", "declined before"),
)
_LEVELS = ((10, r"\bhigh\b|\badvanced\b|\ba\b", ""), (-5, r"\blow\b", ""))
_SOON = (
    (10, r"immediate|asap|now|urgent|this (week|month|quarter)|\b(0|1) 3\b|\b30 days|within"
     r"|\b1 month|less than|yes|high", "wants to buy soon"),
)  # fmt: skip
_YES = ((10, r"yes|approved|confirmed|high|allocated|available|decision|decid|economic", ""),)


@dataclass(frozen=True)
class StarterRule:
    """One rule; `points` is a weight until `rules_of` has scaled it, with `per_unit` a cap.

    Only one of the rules of a `group` can fire, so the group's largest points are its maximum.
    """

    name: str
    family: str
    column: str
    points: float
    when: dict[str, Any] = field(default_factory=dict)
    why: str = ""
    bant: str = ""
    group: str = ""
    per_unit: float = 0
    template: bool = False


def rules_of(leads: pd.DataFrame, config: Config) -> list[StarterRule]:
    """Return the rules for the columns in use, positive ones scaled to at most about 100 in all.

    Parameters
    ----------
    leads : DataFrame of shape (n_leads, n_columns)
        Cleaned.
    config : Config

    Returns
    -------
    list of StarterRule
        Family by family; templates, which a person has to fill in, come last.
    """
    rules = list(_bant_rules(leads, config))
    known = {rule.group for rule in rules}
    seen: list[set[str]] = []
    kinds = config.features.kinds
    for name, family in config.features.families().items():
        if name in known or family == "bant":
            continue
        rises = name in config.features.monotone
        guess = _Guess(name, family, leads[name], kinds.get(name, ""), rises)
        found = list(_rules_of_column(guess))
        known |= {rule.group for rule in found}
        rules += [] if _repeats(found, seen) else found
    rules += _missing_rules(leads, config)
    return _scaled(rules) + _templates(leads, config, known)


def family_caps(rules: list[StarterRule]) -> dict[str, int]:
    """Return the largest positive points of every family, about 100 in all."""
    caps: dict[str, dict[str, float]] = {}
    for rule in rules:
        if rule.points > 0:
            groups = caps.setdefault(rule.family, {})
            groups[rule.group] = max(groups.get(rule.group, 0), rule.points)
    return {family: round(sum(groups.values())) for family, groups in caps.items()}


@dataclass(frozen=True)
class _Guess:
    name: str
    family: str
    values: pd.Series
    kind: str
    rises: bool

    def rule(self, label: str, points: float, why: str = "", **when: Any) -> StarterRule:
        column = str(when.pop("column", self.name))
        return StarterRule(label, self.family, column, points, when, why, group=self.name)


def _rules_of_column(guess: _Guess) -> Iterator[StarterRule]:
    name, kind = guess.name, guess.kind
    if kind == "title":
        where = f"{name}_seniority"
        yield guess.rule("Director or above", 10, column=where, is_in=_SENIOR)
        yield guess.rule("Manager", 6, column=where, is_in=["manager"])
        yield guess.rule("Student or assistant", -5, column=where, is_in=["student", "assistant"])
    elif kind == "email":
        yield guess.rule("Business e-mail address", 5, column=f"{name}_domain", is_in=["corporate"])
        yield guess.rule(
            "Throw-away e-mail address", -10, column=f"{name}_domain", is_in=["disposable"]
        )
    elif kind == "phone":
        yield guess.rule("Left a telephone number", 4, column=f"{name}_present", is_true=True)
    elif kind == "boolean":
        yield from _boolean_rules(guess)
    elif types.is_numeric_dtype(guess.values):
        yield from _number_rules(guess)
    elif kind != "date":
        yield from _category_rules(guess)


def _boolean_rules(guess: _Guess) -> Iterator[StarterRule]:
    if says(OPTED_OUT, guess.name):
        yield guess.rule(f"{guess.name}: yes", -10, is_true=True)
    elif says(rf"recommend|referral|partner|{ENGAGED}|free copy|subscribed|opted? ?in", guess.name):
        yield guess.rule(f"{guess.name}: yes", 8, is_true=True)


def _number_rules(guess: _Guess) -> Iterator[StarterRule]:
    name = guess.name
    if says(OPTED_OUT, name) and not says("rate", name):
        yield guess.rule(f"{name}: any", -8, at_least=1)
    elif says(r"\bdays? since (last|latest|most)", name):
        yield guess.rule(f"{name}: within a week", 8, below=7)
        yield guess.rule(f"{name}: two months or more", -8, at_least=60)
    elif guess.rises or (guess.family in ("behavioral", "email") and _counts(name)):
        yield from _amount_rules(guess, 14 if says(r"time spent|demo|pricing", name) else 10)
    elif guess.family == "firmographic" and says(r"employee|headcount|revenue|turnover|size", name):
        yield from _amount_rules(guess, 10)


def _counts(name: str) -> bool:
    return says(ENGAGED, name) and not says(NOT_ENGAGED, name)


def _amount_rules(guess: _Guess, weight: float) -> Iterator[StarterRule]:
    """Pay a small count by the unit, a large amount by two steps at round quantiles."""
    positive = guess.values[guess.values > 0]
    if positive.empty:
        return
    middle, high = (_round_number(float(positive.quantile(share))) for share in (0.5, 0.8))
    if guess.family != "firmographic" and 1 <= high <= 20:
        # until the weights are scaled to points: the units that earn the whole cap
        yield replace(guess.rule(guess.name, weight), per_unit=high)
        return
    if high >= 1.5 * middle:
        label = f"{guess.name}: {middle:,g} to {high:,g}"
        yield guess.rule(label, weight / 2, at_least=middle, below=high)
    yield guess.rule(f"{guess.name}: {high:,g} or more", weight, at_least=high)


def _category_rules(guess: _Guess) -> Iterator[StarterRule]:
    name = guess.name
    values = list(guess.values.value_counts().index)
    if says(r"source|origin|channel|medium|campaign|hear\b|heard", name):
        yield from _by_words(guess, values, _SOURCES)
    elif says(r"outcome|previous|prior|former", name):
        yield from _by_words(guess, values, _BEFORE)
    elif len(values) <= 5 and any(re.search(r"\bhigh\b", words_of(value)) for value in values):
        yield from _by_words(guess, values, _LEVELS)
    elif guess.family in ("behavioral", "email"):
        yield from _by_words(guess, values, _ACTIONS)
    elif says(r"occupation|job|seniority|role|employment|position|level", name):
        yield from _by_words(guess, values, _JOBS)


def _by_words(guess: _Guess, values: list[str], tiers: Any) -> list[StarterRule]:
    left = list(values)
    rules = []
    for points, words, why in sorted(tiers, key=lambda tier: tier[0] > 0):  # a minus goes first
        hit = [value for value in left if re.search(words, words_of(value))]
        left = [value for value in left if value not in hit]
        if hit:
            rules.append(guess.rule(f"{guess.name}: {why or hit[0]}", points, is_in=hit))
    return sorted(rules, key=lambda rule: -rule.points)


def _repeats(rules: list[StarterRule], seen: list[set[str]]) -> bool:
    """Return whether a column lists the same events as one before: they would count twice."""
    told = {value for rule in rules for value in rule.when.get("is_in", [])}
    repeats = len(told) > 3 and any(len(told & each) >= 0.8 * len(told) for each in seen)
    seen.append(told)
    return repeats


def _bant_rules(leads: pd.DataFrame, config: Config) -> Iterator[StarterRule]:
    """One rule a mapped letter: it fires where the question is answered with a yes."""
    for letter, name in config.features.bant.model_dump().items():
        if name is None:
            continue
        kind = config.features.kinds.get(name, "")
        guess = _Guess(name, "bant", leads[name], kind, rises=False)
        label = f"{letter.capitalize()} known: {name}"
        if kind == "title":
            where = f"{name}_seniority"
            rule = guess.rule("Decides: director or above", 10, column=where, is_in=_SENIOR)
            manager = guess.rule("Manager", 5, column=where, is_in=["manager"])
            yield replace(manager, why="may recommend, but seldom decides")
        elif kind == "boolean":
            rule = guess.rule(label, 10, is_true=True)
        elif types.is_numeric_dtype(leads[name]):
            enough = _round_number(leads[name].quantile(0.5))
            rule = guess.rule(f"{name}: {enough:,g} or more", 10, at_least=enough)
        else:
            values = [] if kind else list(leads[name].value_counts().index)
            tiers = {"time": _SOON, "authority": (*_YES, *_JOBS)}.get(letter, _YES)
            hits = [rule for rule in _by_words(guess, values, tiers) if rule.points > 0]
            told = [value for rule in hits for value in rule.when["is_in"]]
            when: dict[str, Any] = {"is_in": told} if told else {"is_missing": False}
            rule = guess.rule(label, 10, **when)
        yield replace(rule, bant=letter)


def _missing_rules(leads: pd.DataFrame, config: Config) -> list[StarterRule]:
    """Take points where fields that a serious buyer fills in are empty."""
    wanted = r"title|occupation|job|company|industry|email|country|phone|employees|source|budget"
    found = []
    for name, family in config.features.families().items():
        empty = leads[name].isna().mean()
        if says(wanted, name) and 0.02 <= empty <= 0.9:
            why = f"empty in {empty:.0%} of leads"
            found.append(
                StarterRule(f"{name}: missing", family, name, -3, {"is_missing": True}, why)
            )
    return found[:_MOST_MISSING]


def _templates(leads: pd.DataFrame, config: Config, known: set[str]) -> list[StarterRule]:
    """Offer the commonest values of columns that nothing is known about, with no points."""
    families = config.features.families()
    found = []
    for name, family in families.items():
        told = name in known or name in config.features.kinds
        # nobody should give points to a colleague's leads
        if told or types.is_numeric_dtype(leads[name]) or says(r"agent|owner|rep|manager", name):
            continue
        common = [str(value) for value in leads[name].value_counts().index[:3]]
        rule = StarterRule(f"{name}: yours", family, name, 0, {"is_in": common}, template=True)
        found.append(rule)
    for name, family in list(families.items())[:1] if not (found or known) else []:
        when = {"is_missing": False}
        found.append(StarterRule(f"{name}: known", family, name, 0, when, template=True))
    return found[:_MOST_TEMPLATES]


def _scaled(rules: list[StarterRule]) -> list[StarterRule]:
    """Turn weights into whole points, shared out over the families that have rules."""
    weights = family_caps(rules)
    whole = sum(_FAMILY_WEIGHTS[family] for family in weights)
    factors = {
        family: min(_MOST_FACTOR, 100 * _FAMILY_WEIGHTS[family] / whole / weight)
        for family, weight in weights.items()
    }
    scaled = []
    for rule in sorted(rules, key=lambda each: [*_FAMILY_WEIGHTS].index(each.family)):
        if rule.points < 0:  # a minus is meant as it stands: -10 halves the odds
            scaled.append(rule)
            continue
        points = max(1, round(rule.points * factors[rule.family]))
        per_unit = _round_number(points / rule.per_unit) if rule.per_unit else 0
        scaled.append(replace(rule, points=points, per_unit=per_unit))
    return scaled


def _round_number(value: float) -> float:
    """Return the nearest of 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten."""
    if value <= 0:
        return 0.0
    power = 10.0 ** floor(log10(value))
    steps = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
    return float(min((step * power for step in steps), key=lambda step: abs(step - value)))
