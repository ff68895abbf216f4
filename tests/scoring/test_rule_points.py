import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.base import clone

from leadml.errors import DataError
from leadml.scoring.rulebook import Rule, RuleBook
from leadml.scoring.rulepoints import RulePointsClassifier

BOOK = RuleBook(
    caps={"email": 25},
    rules=[
        Rule(name="Visits", family="behavioral", column="visits", per_unit=4, cap=40),
        Rule(name="Referral", family="context", column="source", is_in=["referral"], points=30),
        Rule(name="Opted out", family="email", column="opted out", is_true=True, points=-10),
        Rule(name="Long stay", family="email", column="minutes", at_least=20, points=30),
    ],
)


def test_points_without_outcomes(leads):
    model = RulePointsClassifier(BOOK).fit(leads)
    points = model.compute_raw_points(leads)
    by_rule = model.compute_rule_points(leads)
    assert list(by_rule.columns) == ["Visits", "Referral", "Opted out", "Long stay"]
    np.testing.assert_allclose(by_rule.sum(axis=1), points)
    assert by_rule["Opted out"].isin([0, -10]).all()
    for method in (model.predict_proba, model.decision_function, model.predict):
        with pytest.raises(DataError, match="has seen no outcomes"):
            method(leads)


def test_outcomes_make_a_probability(leads, won):
    model = RulePointsClassifier(BOOK).fit(leads, won)
    log_odds = model.decision_function(leads)
    expected = model.slope_ * model.compute_raw_points(leads) + model.intercept_
    np.testing.assert_allclose(log_odds, expected)
    np.testing.assert_allclose(model.predict_proba(leads)[:, 1], expit(log_odds))
    assert model.predict_proba(leads)[:, 1].mean() == pytest.approx(won.mean(), abs=0.01)
    assert model.slope_ > 0
    assert model.base_rate_ == won.mean()


def test_contributions_add_up(leads, won, odd_leads):
    model = RulePointsClassifier(BOOK).fit(leads, won)
    for frame in (leads, odd_leads):
        total = model.start_ + model.compute_contributions(frame).sum(axis=1)
        np.testing.assert_allclose(total, model.decision_function(frame), atol=1e-9)


def test_a_lead_scores_the_same_alone(leads, won, odd_leads):
    model = RulePointsClassifier(BOOK).fit(leads, won)
    whole = model.decision_function(odd_leads)
    alone = [model.decision_function(odd_leads.iloc[[row]])[0] for row in range(40)]
    assert alone == whole[:40].tolist()


def test_unknown_columns_are_all_named(leads):
    with pytest.raises(DataError, match=r"(?s)2 problems.*'visits'.*'opted out'"):
        RulePointsClassifier(BOOK).fit(leads.drop(columns=["visits", "opted out"]))


def test_no_book_makes_one_from_the_quartiles():
    visits = np.tile(np.arange(8.0), 50)
    won = np.random.default_rng(0).random(400) < expit(visits - 4)
    model = RulePointsClassifier().fit(pd.DataFrame({"visits": visits, "text": "x"}), won)
    assert {rule.column for rule in model.rules_.rules} == {"visits"}
    assert [rule.at_least for rule in model.rules_.rules] == [1.75, 3.5, 5.25]
    assert all(rule.points > 0 and rule.points == int(rule.points) for rule in model.rules_.rules)
    with pytest.raises(DataError, match="a rule book must be given"):
        RulePointsClassifier().fit(pd.DataFrame({"visits": visits}))


def test_an_empty_book_gives_the_base_rate(leads, won):
    model = RulePointsClassifier(RuleBook()).fit(leads, won)
    target = (won.sum() * (won.sum() + 1) / (won.sum() + 2) + (~won).sum() / ((~won).sum() + 2)) / (
        len(won)
    )
    np.testing.assert_allclose(model.decision_function(leads), logit(target), atol=1e-3)


def test_clone_and_joblib(leads, won, tmp_path):
    model = RulePointsClassifier(BOOK).fit(leads, won)
    joblib.dump(model, tmp_path / "rules.joblib")
    again = clone(model).fit(leads, won)
    for other in (joblib.load(tmp_path / "rules.joblib"), again):
        np.testing.assert_array_equal(other.predict_proba(leads), model.predict_proba(leads))
    assert clone(model).get_params() == {"rules": BOOK}
