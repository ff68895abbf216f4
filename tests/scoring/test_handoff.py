import numpy as np
import pandas as pd
import pytest

from leadml.config import BantColumns, HandoffTable
from leadml.errors import DataError
from leadml.scoring.handoff import BANT_TEXTS, Handoff
from leadml.scoring.rulebook import Rule, RuleBook

LEADS = pd.DataFrame(
    {
        "email": ["a@b.c", " ", None, "d@e.f"],
        "demo": ["no", "yes", "yes", "no"],
        "call": pd.Series([True, False, None, False], dtype=object),
        "budget": [1_000, 0, None, 5],
    }
)
FIT, ENGAGEMENT = [50, 60, 70, 40], [50, 50, 20, 90]


def codes_of(handoff, leads):
    looks = handoff.looks([*leads.columns], [])
    return {look.key: look.column.codes(leads[look.feature]) for look in looks}


def qualified(book=None, fit=FIT, engagement=ENGAGEMENT, **policy):
    handoff = Handoff(HandoffTable(**policy), None, book)
    return handoff.find_qualified(codes_of(handoff, LEADS), fit, engagement).tolist()


def letters(leads, columns, book=None):
    handoff = Handoff(None, BantColumns(**columns), book)
    places = handoff.find_bant(codes_of(handoff, leads), len(leads))
    return [BANT_TEXTS[place] for place in places]


def test_an_empty_policy_passes_everyone():
    assert qualified() == [True] * 4


def test_required_fields_are_filled():
    assert qualified(required=["email"]) == [True, False, False, True]
    assert qualified(required=["email", "budget"]) == [True, False, False, True]


def test_minima_are_inclusive():
    assert qualified(min_fit=50) == [True, True, True, False]
    assert qualified(min_engagement=50) == [True, True, False, True]
    assert qualified(min_fit=50, min_engagement=50) == [True, True, False, False]


def test_one_sales_ready_action_is_enough():
    assert qualified(sales_ready=["demo"]) == [False, True, True, False]
    assert qualified(sales_ready=["demo", "call"]) == [True, True, True, False]


def test_a_disqualifier_wins():
    rule = Rule(name="r", family="email", column="budget", at_least=500, disqualify=True)
    assert qualified(RuleBook(rules=[rule])) == [False, True, True, True]


def test_a_minimum_of_zero_asks_for_nothing():
    unknown = np.full(4, np.nan)
    assert qualified(fit=unknown, engagement=unknown) == [True] * 4


def test_a_column_that_is_not_there_is_told():
    with pytest.raises(DataError, match=r"do not have: \['fax'\]"):
        qualified(required=["fax"])


def test_bant_letters_of_filled_columns():
    leads = pd.DataFrame(
        {
            "money": ["yes", "No", None, "100", "0", " "],
            "role": ["CEO", "none", "clerk", "", "nein", "x"],
            "pain": pd.Series([True, False, None, 1, 0, 2.0], dtype=object),
        }
    )
    columns = {"budget": "money", "authority": "role", "need": "pain"}
    assert letters(leads, columns) == ["BAN-", "----", "-A--", "B-N-", "----", "-AN-"]


def test_bant_rules_replace_the_plain_reading():
    rule = Rule(name="r", family="bant", column="money", at_least=50, points=5, bant="budget")
    late = Rule(name="t", family="bant", column="weeks", below=6, points=5, bant="time")
    leads = pd.DataFrame({"money": [10, 90], "weeks": [1, 9]})
    book = RuleBook(rules=[rule, late])
    assert letters(leads, {"budget": "money"}, book) == ["---T", "B---"]


def test_no_bant_column_gives_empty_texts():
    assert letters(LEADS, {}) == [""] * 4
    assert letters(LEADS, {}, RuleBook()) == [""] * 4
