"""The hand-off policy, BANT and disqualifying rules, in SQL."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sqlglot import exp

from leadml.scoring.handoff import NOT_MET
from leadml.scoring.rulebook import TRUE_TEXTS, Rule
from leadml.sql.columns import Columns, is_word
from leadml.sql.expressions import any_of, join, number, text, when, whole
from leadml.sql.points import find_codes
from leadml.sql.query import Query, Sql


def find_qualified(query: Query, scorer: Any, columns: Columns, sums: Mapping[str, Sql]) -> Sql:
    """Return whether a lead passes the policy.

    Parameters
    ----------
    query : Query
    scorer : LeadScorer
    columns : Columns
    sums : dict of "fit" and "engagement" to Expression
    """
    policy = scorer.handoff
    least = {"fit": policy.min_fit, "engagement": policy.min_engagement}
    wanted: list[Sql] = [exp.true()]
    wanted += [sums[name].copy() >= number(value) for name, value in least.items() if value > 0]
    wanted += [exp.not_(columns.raw(name).is_missing) for name in policy.required]
    if policy.sales_ready:
        wanted.append(any_of([_is(columns, name, TRUE_TEXTS) for name in policy.sales_ready]))
    rules = scorer.rules.rules if scorer.rules is not None else []
    wanted += [exp.not_(fires(query, columns, rule)) for rule in rules if rule.disqualify]
    return exp.and_(*wanted)


def describe_bant(query: Query, scorer: Any, columns: Columns) -> Sql:
    """Return the BANT letters that are met, such as `B-NT`; an empty text where none is mapped."""
    met: dict[str, Sql] = {
        letter: exp.and_(
            exp.not_(columns.raw(name).is_missing), exp.not_(_is(columns, name, NOT_MET))
        )
        for letter, name in scorer.bant.columns().items()
    }
    found = scorer.rules.find_bant_rules() if scorer.rules is not None else {}
    for letter, rules in found.items():
        met[letter] = any_of([fires(query, columns, rule) for rule in rules])
    if not met:
        return text("")
    letters = [
        when((met[letter], text(letter)), default=text("-")) if letter in met else text("-")
        for letter in "BANT"
    ]
    return join(*letters)


def fires(query: Query, columns: Columns, rule: Rule) -> Sql:
    """Return whether a rule's condition holds."""
    column, fired = rule.compile(rule.name)
    codes = find_codes(column, columns.raw_or_feature(rule.column), query)
    return exp.In(this=codes.code, expressions=[whole(int(code)) for code in np.flatnonzero(fired)])


def _is(columns: Columns, name: str, words: tuple[str, ...]) -> Sql:
    values = columns.raw(name)
    return exp.and_(exp.not_(values.is_missing), is_word(values, words))
