import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.linear_model import LogisticRegression

from leadml.scoring.boosting import LeadBoostingClassifier
from leadml.scoring.columns import CategoryColumn, NumberColumn
from leadml.scoring.points import PairTerm, PointsTable, Term
from leadml.scoring.reprs import Explanation
from leadml.scoring.rulebook import Rule, RuleBook
from leadml.scoring.rulepoints import RulePointsClassifier
from leadml.scoring.scale import Scale
from leadml.scoring.scorer import LeadScorer

EVIL = "<script>alert(1)</script>"


def make_leads(count=200):
    rng = np.random.default_rng(0)
    leads = pd.DataFrame({"visits": np.arange(count) % 10, EVIL: rng.choice(["web", EVIL], count)})
    return leads, rng.random(count) < leads["visits"] / 10


@pytest.fixture(scope="module")
def scorer():
    model = LeadBoostingClassifier("additive", n_repeats=1, max_rounds=40, random_state=0)
    scorer = LeadScorer(
        model, families={"visits": "behavioral"}, scale=Scale(0.25, 10), name="spring", version="7"
    )
    return scorer.fit(*make_leads())


@pytest.fixture(scope="module")
def rules():
    book = RuleBook(
        rules=[
            Rule(name="Busy", family="behavioral", column="visits", at_least=5, points=30),
            Rule(name="Idle", family="behavioral", column="visits", below=1, points=-10),
        ]
    )
    return RulePointsClassifier(book)


def shown(result):
    html = result._repr_html_()
    assert html == result._repr_html_()
    assert "<script" not in html
    assert "<style" not in html
    return html


def test_a_fitted_scorer_tells_its_scale_and_what_is_strong(scorer):
    html = shown(scorer)
    assert "<b>spring 7</b>: additive, a table for each feature, added up; 2 features" in html
    assert "10 points double the odds; 50 is a chance of 20 %." in html
    assert "hot from 65 on (41 %), warm from 45 on (15 %)" in html
    assert html.index("visits") < html.index("&lt;script")
    assert "behavioral" in html


def test_notebooks_ask_for_the_bundle_and_get_the_same(scorer):
    bundle = scorer._repr_mimebundle_()
    assert bundle["text/html"] == scorer._repr_html_()
    assert bundle["text/plain"] == repr(scorer)
    with config_context(display="text"):
        assert "text/html" not in scorer._repr_mimebundle_()
        assert not hasattr(scorer, "_repr_html_")


def test_an_unfitted_scorer_is_shown_by_scikit_learn():
    html = LeadScorer(LogisticRegression())._repr_html_()
    assert "sk-top-container" in html
    assert "LogisticRegression" in html


def test_other_classifiers_and_rule_books_are_shown(rules):
    leads, won = make_leads()
    numbers = leads[["visits"]]
    foreign = shown(LeadScorer(LogisticRegression()).fit(numbers, won))
    assert "LogisticRegression on 1 column<" in foreign
    assert "depends on the whole lead" in foreign
    fitted = LeadScorer(rules).fit(numbers, won)
    html = shown(fitted)
    assert "a rule book of 2 rules" in html
    worth = 30 * fitted.estimator_.slope_ * fitted.scale_.points_per_logit
    assert f"+{worth:.1f}" in html
    plain = shown(LeadScorer(rules).fit(numbers))
    assert "it has seen no outcomes" in plain
    assert "+30" in plain


def test_an_explanation_is_a_frame_with_its_own_look(scorer):
    leads, _ = make_leads()
    told = scorer.explain(leads.iloc[[9]])
    assert isinstance(told, Explanation)
    assert list(told.columns) == ["points", "feature", "value", "family"]
    html = shown(told)
    score = int(scorer.compute_scores(leads.iloc[[9]])[0])
    assert f"<b>Score {score}</b>" in html
    assert "visits: <b>9</b>" in html
    assert "average lead" in html
    assert "&lt;script&gt;" in html


def test_a_part_of_an_explanation_is_a_plain_frame(scorer):
    told = scorer.explain(make_leads()[0].iloc[[3]])
    for part in (told.head(1), told[["points"]], told.copy(), pd.concat([told, told])):
        assert type(part) is pd.DataFrame
    pd.testing.assert_frame_equal(told, pd.DataFrame(told))


def test_many_lines_are_folded_and_a_sum_past_100_is_told():
    rows = [(50.0, "average lead", "", ""), *((6.0, f"f{n}", "x", "") for n in range(15))]
    html = Explanation(rows, columns=["points", "feature", "value", "family"])._repr_html_()
    assert "<b>Score 100</b>, from a sum of 140" in html
    assert "3 more lines of together +18" in html


def make_table():
    levels = tuple(f"level {number}" for number in range(30))
    return PointsTable(
        columns=(NumberColumn("visits", (3.0,)), CategoryColumn("source", (*levels, EVIL))),
        terms=(
            Term("visits", "visits", np.array([0.0, 15.0, -1.0]), slope=2.0, low=0.0, high=4.0),
            Term("source", "source", np.append(np.linspace(-2, 2, 31), [0.0, 0.0])),
        ),
        intercept=-3.0,
        families={"visits": "behavioral"},
        caps={"behavioral": 20.0},
    )


def test_a_points_table_shows_values_strongest_feature_first():
    html = shown(make_table())
    assert "<b>Points of 2 features</b>, added to −3" in html
    assert html.index("<b>visits</b>: −1 to +23") < html.index("<b>source</b>: −2 to +2")
    assert "3 or more" in html
    assert "+2 for each unit from 0 to 4" in html
    assert "All of behavioral adds at most 20." in html
    assert "In to_frame() alone: 9 more values." in html


def test_text_of_a_points_table_stays_text():
    table = PointsTable(
        columns=(CategoryColumn(EVIL, (EVIL,)),),
        terms=(Term(EVIL, EVIL, np.array([1.0, 0.0, 0.0])),),
        families={EVIL: EVIL},
    )
    assert shown(table).count("&lt;script&gt;") == 3


def test_pairs_and_features_that_add_nothing_are_told():
    zero, two = np.zeros(3), np.array([0, 1, 1], dtype=np.int32)
    table = PointsTable(
        columns=tuple(NumberColumn(name, (3.0,)) for name in "abc"),
        terms=tuple(Term(name, name, zero) for name in "abc"),
        pairs=(PairTerm(("a", "b"), two, two, np.array([[0.0, 1.0], [-0.5, 0.0]])),),
    )
    html = shown(table)
    assert "In this are 1 pair," in html
    assert "<b>a</b>: −0.25 to +0.50" in html
    assert "Without points: 1 feature." in html
    assert shown(PointsTable((), ()))
