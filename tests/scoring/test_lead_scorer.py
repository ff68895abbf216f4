import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from leadml.config import BantColumns, HandoffTable
from leadml.errors import DataError
from leadml.scored import SCORED_COLUMNS, check_scored
from leadml.scoring.bands import Bands
from leadml.scoring.boosting import LeadBoostingClassifier
from leadml.scoring.rulebook import Rule, RuleBook
from leadml.scoring.rulepoints import RulePointsClassifier
from leadml.scoring.scorer import LeadScorer

FAMILIES = {
    "visits": "behavioral",
    "minutes": "behavioral",
    "source": "context",
    "industry": "firmographic",
    "opted out": "email",
}
BOOK = RuleBook(
    rules=[
        Rule(name="Visits", family="behavioral", column="visits", per_unit=9, cap=90),
        Rule(name="Referral", family="context", column="source", is_in=["referral"], points=30),
        Rule(name="Opted out", family="email", column="opted out", is_true=True, points=-10),
        Rule(name="Chat", family="email", column="source", is_in=["chat"], disqualify=True),
        Rule(name="Need", family="bant", column="minutes", at_least=9, points=0, bant="need"),
    ]
)


def fit_boosting(structure, leads, won, **given):
    model = LeadBoostingClassifier(structure, n_repeats=1, max_rounds=50, random_state=0)
    return LeadScorer(model, families=FAMILIES, version="1", **given).fit(leads, won)


@pytest.fixture(scope="module")
def scorers(leads, won) -> dict[str, LeadScorer]:
    fitted = {name: fit_boosting(name, leads, won) for name in ("additive", "pairwise", "full")}
    rules = LeadScorer(RulePointsClassifier(BOOK), families=FAMILIES, rules=BOOK, name="rules")
    return {**fitted, "rules": rules.fit(leads, won)}


NAMES = ["additive", "pairwise", "full", "rules"]


def gap_of_reasons(scorer, leads) -> float:
    """Return by how many points the reasons miss the unrounded, unclipped score, at most."""
    points, start = scorer.compute_points(leads)
    raw = scorer.scale_.raw_scores(scorer.decision_function(leads))
    return np.abs(50 + start + points.sum(axis=1) - raw).max()


@pytest.mark.parametrize("name", NAMES)
def test_reasons_add_up_to_the_score(scorers, leads, odd_leads, name):
    assert gap_of_reasons(scorers[name], leads) < 1e-6
    assert gap_of_reasons(scorers[name], odd_leads) < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_the_scored_table_keeps_its_contract(scorers, leads, name):
    scored = scorers[name].score_leads(leads)
    check_scored(scored)
    reasons = ["reason_1", "reason_2", "reason_3"]
    assert list(scored) == [*SCORED_COLUMNS, *reasons, "points", "model", "version"]
    assert scored["lead_id"].tolist() == leads.index.tolist()
    assert scored["points"].isna().all() == (name != "rules")
    by_probability = scored.sort_values("probability")
    assert by_probability["score"].is_monotonic_increasing
    for family in ("fit", "engagement"):
        assert scored[family].between(0, 100).all()
        np.testing.assert_allclose(scored[family], scored[family].round(1))


@pytest.mark.parametrize("name", NAMES)
def test_a_scored_row_is_the_same_alone_and_in_any_order(scorers, odd_leads, name):
    whole = scorers[name].score_leads(odd_leads)
    order = np.random.default_rng(0).permutation(len(odd_leads))
    shuffled = scorers[name].score_leads(odd_leads.iloc[order])
    pd.testing.assert_frame_equal(shuffled, whole.iloc[order].reset_index(drop=True))
    for row in range(0, 60, 9):
        alone = scorers[name].score_leads(odd_leads.iloc[[row]])
        assert alone["score"].item() == whole["score"][row]
        assert alone["probability"].item() == whole["probability"][row]


def test_fit_and_engagement_by_hand(scorers, leads):
    points, _ = scorers["additive"].compute_points(leads)
    scored = scorers["additive"].score_leads(leads)
    np.testing.assert_allclose(scored["fit"], (50 + points["industry"]).clip(0, 100).round(1))
    engaged = points[["visits", "minutes", "opted out"]].sum(axis=1)
    np.testing.assert_allclose(scored["engagement"], (50 + engaged).clip(0, 100).round(1))


@pytest.mark.parametrize("name", NAMES)
def test_explain_is_the_whole_sum(scorers, leads, name):
    scorer = scorers[name]
    for row in (0, 7):
        lines = scorer.explain(leads.iloc[[row]])
        assert list(lines.columns) == ["points", "feature", "value", "family"]
        raw = scorer.scale_.raw_scores(scorer.decision_function(leads.iloc[[row]]))
        assert lines["points"].sum() == pytest.approx(raw[0], abs=1e-6)
        assert lines["points"][0] == 50
        strength = lines["points"].abs()[2 if name == "rules" else 1 :]
        assert strength.is_monotonic_decreasing


def test_a_second_training_keeps_the_scale(scorers, leads, won):
    first = scorers["additive"].scale_
    half = np.arange(len(leads)) % 2 == 0
    again = fit_boosting("additive", leads[half], won[half], scale=first)
    assert again.scale_ == first
    assert gap_of_reasons(again, leads) < 1e-6
    start = again.compute_points(leads)[1]
    expected = first.raw_scores(logit(won[half].mean())) - 50
    assert start == pytest.approx(expected)


def test_select_by_name_in_any_column_order(scorers, leads):
    scorer = scorers["pairwise"]
    turned = leads.assign(other=1)[["other", *leads.columns[::-1]]]
    pd.testing.assert_frame_equal(scorer.score_leads(turned), scorer.score_leads(leads))


def test_missing_columns_are_all_named(scorers, leads):
    renamed = leads.rename(columns={"visits": "visit", "source": "Source"})
    with pytest.raises(DataError) as caught:
        scorers["additive"].score_leads(renamed)
    message = str(caught.value)
    assert "has 2 problems" in message
    assert "'visits' is missing. Did you mean 'visit'?" in message
    assert "'source' is missing. Did you mean 'Source'?" in message
    assert "It has: visit, minutes, Source, industry, opted out." in message


def test_a_rule_book_without_outcomes(leads):
    scorer = LeadScorer(RulePointsClassifier(BOOK), rules=BOOK, name="rules").fit(leads)
    scored = scorer.score_leads(leads)
    check_scored(scored)
    assert scored["probability"].isna().all()
    assert (scored["points"] < 0).any()
    expected = scored["points"].round().clip(0, 100)
    assert scored["score"].tolist() == expected.tolist()
    assert scorer.scale_ is None
    first = scorer.explain(leads.iloc[[0]])
    assert first["points"].sum() == pytest.approx(scored["points"][0])
    with pytest.raises(DataError, match="has seen no outcomes"):
        scorer.predict_proba(leads)


def test_disqualified_and_bant_hold_for_a_learned_model(leads, won):
    scorer = fit_boosting(
        "additive",
        leads,
        won,
        rules=BOOK,
        handoff=HandoffTable(required=["industry"]),
        bant=BantColumns(authority="industry"),
        bands=Bands(80, 20),
    )
    scored = scorer.score_leads(leads)
    filled = leads["industry"].notna()
    assert scored["qualified"].tolist() == (filled & (leads["source"] != "chat")).tolist()
    authority = np.where(filled, "A", "-")
    need = np.where(leads["minutes"] >= 9, "N", "-")
    expected = [f"-{a}{n}-" for a, n in zip(authority, need, strict=True)]
    assert scored["bant"].tolist() == expected
    assert ((scored["band"] == "hot") == (scored["score"] >= 80)).all()


def test_lead_id_comes_from_its_index_level(scorers, leads):
    dates = pd.Timestamp("2026-01-01")
    ids = [f"L{place}" for place in range(len(leads))]
    levels = pd.MultiIndex.from_arrays(
        [[dates] * len(ids), ids], names=["snapshot_date", "lead_id"]
    )
    assert scorers["additive"].score_leads(leads.set_axis(levels))["lead_id"].tolist() == ids


def test_repeated_lead_ids_are_scored(scorers, leads):
    twice = pd.concat([leads, leads])
    assert len(scorers["additive"].score_leads(twice)) == 2 * len(leads)


def test_a_required_column_that_is_no_feature(leads, won):
    scorer = fit_boosting("additive", leads, won, handoff=HandoffTable(required=["phone"]))
    with pytest.raises(DataError, match="phone"):
        scorer.score_leads(leads)


def test_as_many_reasons_as_asked_for(scorers, leads):
    scorer = scorers["additive"]
    for count in (0, 1, 7):
        scored = scorer.set_params(n_reasons=count).score_leads(leads.head(3))
        assert sum(name.startswith("reason_") for name in scored) == count
    scorer.set_params(n_reasons=3)


@pytest.mark.parametrize("name", ["pairwise", "full", "rules"])
def test_clone_and_joblib(scorers, leads, won, name, tmp_path):
    scorer = scorers[name]
    joblib.dump(scorer, tmp_path / "scorer.joblib")
    back = joblib.load(tmp_path / "scorer.joblib")
    pd.testing.assert_frame_equal(back.score_leads(leads), scorer.score_leads(leads))
    again = clone(scorer).fit(leads, won)
    np.testing.assert_array_equal(again.predict_proba(leads), scorer.predict_proba(leads))


# a user's own classifiers


def encode():
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    return make_column_transformer(
        (OneHotEncoder(sparse_output=False), make_column_selector(dtype_include="str")),
        (numbers, make_column_selector(dtype_exclude="str")),
    )


def make_foreign(name, cat_features=("source", "industry")):
    if name == "logistic":
        return make_pipeline(encode(), LogisticRegression(max_iter=1_000))
    if name == "histogram":
        return HistGradientBoostingClassifier(
            max_iter=20, categorical_features="from_dtype", random_state=0
        )
    if name == "lightgbm":
        lightgbm = pytest.importorskip("lightgbm")
        return lightgbm.LGBMClassifier(n_estimators=20, n_jobs=1, verbosity=-1, random_state=0)
    catboost = pytest.importorskip("catboost")
    return catboost.CatBoostClassifier(
        iterations=20,
        cat_features=cat_features,
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
        random_seed=0,
    )


def prepare(name, leads):
    texts = ["source", "industry"]
    if name in ("histogram", "lightgbm"):
        return leads.astype(dict.fromkeys(texts, "category"))
    return leads.fillna(dict.fromkeys(texts, "none"))


@pytest.mark.parametrize("name", ["logistic", "lightgbm", "catboost"])
def test_foreign_classifiers_have_reasons(leads, won, name):
    leads = prepare(name, leads)
    classifier = make_foreign(name)
    scorer = LeadScorer(classifier, families=FAMILIES, name=name).fit(leads, won)
    scored = scorer.score_leads(leads)
    check_scored(scored)
    assert gap_of_reasons(scorer, leads) < 0.05
    plain = clone(classifier).fit(leads, won).predict_proba(leads)[:, 1]
    np.testing.assert_allclose(scored["probability"], plain, atol=1e-9)
    assert scored["reason_1"].notna().mean() > 0.9
    assert scorer.compute_points(leads)[1] == pytest.approx(0, abs=1e-9)


def test_catboost_with_a_list_of_categories(leads, won):
    leads = prepare("catboost", leads)
    classifier = make_foreign("catboost", cat_features=["source", "industry"])
    check_scored(LeadScorer(classifier).fit(leads, won).score_leads(leads))


def test_a_classifier_without_reasons(leads, won):
    leads = prepare("histogram", leads)
    scorer = LeadScorer(make_foreign("histogram")).fit(leads, won)
    scored = scorer.score_leads(leads)
    check_scored(scored)
    assert scored[["reason_1", "reason_2", "reason_3"]].isna().all(axis=None)
    assert scored[["fit", "engagement"]].isna().all(axis=None)
    for ask in (scorer.compute_points, lambda X: scorer.explain(X.head(1))):
        with pytest.raises(DataError, match="gives no contributions"):
            ask(leads)


def test_reasons_add_up_where_chances_are_extreme():
    amount = np.linspace(-5, 5, 200)
    leads = pd.DataFrame({"amount": amount})
    scorer = LeadScorer(LogisticRegression(C=1e6, max_iter=5_000)).fit(leads, amount > 0)
    assert gap_of_reasons(scorer, leads) < 0.05


LATE = ["Tags", "Lead Quality", "Lead Profile", "Last Notable Activity", "Last Activity"]


@pytest.mark.parametrize("structure", ["additive", "pairwise", "full"])
def test_reasons_add_up_on_x_education(real_data, structure):
    leads = pd.read_csv(real_data / "x_education" / "Leads.csv", na_values=["Select"])
    leads = leads.sample(600, random_state=0).set_index("Prospect ID")
    late = [*LATE, *(name for name in leads if name.startswith("Asymmetrique"))]
    X = leads.drop(columns=["Converted", "Lead Number", *late])
    model = LeadBoostingClassifier(structure, n_repeats=1, max_rounds=60, random_state=0)
    scorer = LeadScorer(model).fit(X, leads["Converted"])
    assert gap_of_reasons(scorer, X) < 0.05
    check_scored(scorer.score_leads(X))
    book = RuleBook(
        rules=[
            Rule(name="stay", family="email", column="Total Time Spent on Website",
                 per_unit=0.02, cap=40),
            Rule(name="works", family="email", column="What is your current occupation",
                 contains=["working"], points=25),
        ]
    )  # fmt: skip
    rules = LeadScorer(RulePointsClassifier(book), scale=scorer.scale_).fit(X, leads["Converted"])
    assert gap_of_reasons(rules, X) < 0.05
