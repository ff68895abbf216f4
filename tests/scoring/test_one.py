"""One lead at once gives what the same lead gives in a table."""

import numpy as np
import pandas as pd
import pytest
import small_crm

from leadml.config import BantColumns, HandoffTable
from leadml.errors import DataError
from leadml.registry.bundle import load_model
from leadml.scoring.boosting import LeadBoostingClassifier
from leadml.scoring.rulebook import Rule, RuleBook
from leadml.scoring.rulepoints import RulePointsClassifier
from leadml.scoring.scorer import LeadScorer

BOOK = RuleBook(
    caps={"behavioral": 25},
    rules=[
        Rule(name="Visits", family="behavioral", column="visits", per_unit=9, cap=90),
        Rule(name="Long", family="behavioral", column="minutes", at_least=5, below=9, points=8),
        Rule(name="Referral", family="context", column="source", is_in=["referral"], points=30),
        Rule(name="Chat", family="email", column="source", contains=["ch"], disqualify=True),
        Rule(name="Need", family="bant", column="minutes", at_least=9, points=0, bant="need"),
    ],
)
POLICY = HandoffTable(required=["industry"], sales_ready=["opted out"], min_fit=30)


def assert_same(scorer, leads, snapshot=None):
    table = scorer.score_leads(leads)
    raw = leads.reset_index(drop=True)
    for row, lead in enumerate(raw.to_dict("records")):
        expected = table.iloc[row]
        one = scorer.score_one(lead, lead_id=expected["lead_id"], snapshot_date=snapshot)
        assert list(one) == list(table.columns)
        for name, value in one.items():
            if value is None:
                assert pd.isna(expected[name]), (name, row)
            elif isinstance(value, float):
                assert value == pytest.approx(expected[name], abs=1e-9), (name, row)
            else:
                assert value == expected[name], (name, row)


@pytest.mark.parametrize("structure", ["additive", "pairwise", "full"])
def test_a_learned_model(leads, odd_leads, won, structure):
    model = LeadBoostingClassifier(structure, n_repeats=1, max_rounds=40, random_state=0)
    families = {"visits": "behavioral", "industry": "firmographic", "source": "context"}
    bant = BantColumns(authority="industry")
    scorer = LeadScorer(model, families=families, handoff=POLICY, bant=bant, rules=BOOK)
    scorer.fit(leads, won)
    assert_same(scorer, leads.head(40))
    assert_same(scorer, odd_leads)


@pytest.mark.parametrize("with_outcomes", [True, False])
def test_a_rule_book(leads, odd_leads, won, with_outcomes):
    scorer = LeadScorer(RulePointsClassifier(BOOK), rules=BOOK, name="rules", n_reasons=5)
    scorer.fit(leads, won if with_outcomes else None)
    assert_same(scorer, leads.head(40))
    assert_same(scorer, odd_leads)


def test_raw_columns_of_a_model_folder(model_folder):
    model = load_model(model_folder)
    leads = small_crm.make_leads(60, seed=11)
    leads.loc[:9, "email"] = ["", " ", "x@gmail.com", "a b", None, "q@acme.io", "n", "-", "", "y"]
    leads.loc[:5, "job_title"] = ["VP Sales", "", "select", "Geschäftsführer", None, "student"]
    leads.loc[:4, "source"] = [" REFERRAL", "new", "Select", "", None]
    expected = model.score_leads(leads).set_index("lead_id")
    for lead in leads.to_dict("records"):
        one = model.score_one(lead)
        row = expected.loc[lead["lead_id"]]
        assert one["probability"] == pytest.approx(row["probability"], abs=1e-12)
        assert one["reason_1"] == row["reason_1"]
        assert (one["bant"], one["qualified"]) == (row["bant"], row["qualified"])


def test_what_is_missing_is_told(model_folder):
    model = load_model(model_folder)
    lead = small_crm.make_leads(1, seed=1).iloc[0].to_dict()
    del lead["visits"]
    with pytest.raises(DataError, match="'visits' is missing"):
        model.score_one(lead)


def test_a_change_of_the_scorer_is_seen(leads, won):
    model = LeadBoostingClassifier("additive", n_repeats=1, max_rounds=20, random_state=0)
    scorer = LeadScorer(model).fit(leads, won)
    lead = leads.iloc[0].to_dict()
    assert "reason_3" in scorer.score_one(lead)
    scorer.set_params(n_reasons=1, name="other")
    assert scorer.score_one(lead)["model"] == "other"
    assert "reason_2" not in scorer.score_one(lead)
    before = scorer.score_one(lead)["probability"]
    scorer.fit(leads, ~np.asarray(won, dtype=bool))
    assert scorer.score_one(lead)["probability"] != before
