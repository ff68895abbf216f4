import json
import re

import numpy as np
import pandas as pd
import pytest
import small_crm

from leadml.assessment import compare_leads, describe_assessment, evaluate_leads, write_assessment
from leadml.config import load_config
from leadml.evaluation.report import build_payload
from leadml.publishing import write_training
from leadml.reporting.points import MOST_BINS, MOST_LEVELS, compute_mean_points
from leadml.scoring.by_source import compute_points_by_source, find_sources
from leadml.scoring.rulebook import Rule, RuleBook
from leadml.training import train


@pytest.fixture(scope="module")
def later():
    """Leads created after those of the training."""
    leads = small_crm.make_leads(200, seed=7)
    dates = pd.date_range("2026-01-01", periods=200, freq="12h").astype("str")
    return leads.assign(created_at=dates)


@pytest.fixture(scope="module")
def found(model_folder, later):
    return compare_leads(model_folder, "rules", later, capacity=5)


@pytest.fixture(scope="module")
def payload(found):
    return json.loads(json.dumps(build_payload(describe_assessment(found)), allow_nan=False))


def test_mean_points_are_the_means_over_leads(training):
    scorer, X = training.model.scorer, training.leads.X
    table = compute_mean_points(scorer, X, training.model.rules)
    points, _ = scorer.compute_points(X)
    rules = compute_points_by_source(training.model.rules, X)
    sources = find_sources(scorer)
    for feature, rows in table.groupby("feature"):
        assert rows["share"].sum() == pytest.approx(1)
        assert rows["share"] @ rows["points"] == pytest.approx(points[feature].mean(), abs=1e-9)
        if sources[feature] in rules:
            assert rows["share"] @ rows["other_points"] == pytest.approx(0, abs=1e-9)
        else:
            assert rows["other_points"].isna().all()
    assert table["other_points"].notna().any()


def test_bins_and_levels_are_joined_to_what_can_be_shown(training):
    table = compute_mean_points(training.model.scorer, training.leads.X)
    sizes = table.groupby(["feature", "kind"]).size().reset_index(name="n")
    most = sizes["kind"].map({"number": MOST_BINS + 1, "category": MOST_LEVELS + 2})
    assert (sizes["n"] <= most).all()
    numbers = table[(table["kind"] == "number") & (table["value"] != "missing")]
    for _, rows in numbers.groupby("feature"):
        # the bins follow one another without a gap
        np.testing.assert_array_equal(rows["from"].iloc[1:], rows["to"].iloc[:-1])
        assert np.isneginf(rows["from"].iloc[0])
        assert np.isposinf(rows["to"].iloc[-1])


def test_points_by_raw_column_add_up_to_the_score(training):
    X = training.leads.X.head(50)
    for scorer in (training.model.scorer, training.model.rules):
        points = compute_points_by_source(scorer, X)
        whole, _ = scorer.compute_points(X)
        np.testing.assert_allclose(points.sum(axis=1), whole.sum(axis=1), atol=1e-9)
        assert set(points.columns) <= set(training.leads.X.columns)


def test_sums_side_by_side_add_up_to_the_scores(payload, found):
    apart = payload["disagreement"]
    assert apart
    scored = {name: table["score"].to_numpy() for name, table in found.judged.scored.items()}
    gaps = np.abs(scored["model"] - scored["rules"])
    assert max(abs(lead["score"] - lead["other_score"]) for lead in apart) == gaps.max()
    for lead in apart:
        for lines, score in (
            (lead["sum"], lead["score"]),
            (lead["other_sum"], lead["other_score"]),
        ):
            raw = sum(line[0] for line in lines)
            assert np.clip(raw, 0, 100) == pytest.approx(score, abs=0.6)
        assert lead["won"] in (0, 1)


def test_leads_that_can_be_looked_up_have_scores_reasons_and_values(payload, found, later):
    leads = payload["leads"]
    closed = later[later["status"] != "open"]
    assert {lead["lead_id"] for lead in leads} <= set(closed["lead_id"])
    assert {lead["lead_id"] for lead in payload["disagreement"]} <= {
        lead["lead_id"] for lead in leads
    }
    score = dict(
        zip(found.judged.leads.lead_ids, found.judged.scored["model"]["score"], strict=True)
    )
    for lead in leads:
        assert lead["scores"]["model"]["score"] == score[lead["lead_id"]]
        assert len(lead["values"]) == len(payload["what_if"]["fields"])
        assert lead["reasons"]["model"]


def test_nobody_is_named(found, later, tmp_path):
    html = write_assessment(found, tmp_path / "report.html").read_text(encoding="utf-8")
    personal = [
        column for column in ("email", "phone", "job_title", "name") if column in later.columns
    ]
    assert len(personal) >= 3
    for column in personal:
        values = later[column].dropna().astype("str").unique()
        assert [value for value in values if len(value) > 4 and value in html] == []


def test_the_report_of_a_training_shows_no_single_lead_unless_asked(training, tmp_path):
    ids = [str(lead) for lead in training.leads.lead_ids]

    def shown(folder):
        html = (folder / "report.html").read_text(encoding="utf-8")
        return [lead for lead in ids if re.search(rf"\b{re.escape(lead)}\b", html)]

    assert shown(write_training(training, tmp_path / "plain")) == []
    assert len(shown(write_training(training, tmp_path / "told", show_leads=True))) > 10


def test_the_whole_page_holds_what_was_asked(payload, found):
    assert payload["verdict"] == list(found.comparison.verdict)
    assert "calls a week" in payload["verdict"][0]
    assert len(payload["grid"]) == 16
    assert sum(cell["n_leads"] for cell in payload["grid"]) == payload["n_leads"]
    assert payload["agreement"]["rows"]
    assert [model["name"] for model in payload["what_if"]["models"]] == ["model", "rules"]
    assert payload["definitions"][0]["n_leads"] == payload["n_leads"]


def test_one_model_alone_has_a_report(model_folder, later):
    alone = build_payload(describe_assessment(evaluate_leads(model_folder, later)))
    assert alone["models"] == ["model"]
    assert alone["capacity"] is None
    assert alone["leads"]
    assert alone["disagreement"] == []


@pytest.fixture(scope="module")
def secret(model_folder, later):
    """Leads whose sources name a person, and rules that are called as the columns they read."""
    leads = later.copy()
    leads["source"] = leads["source"].astype(object)
    names = [f"Jane Doe {place} call 0171-{place:06d}" for place in range(60)]
    leads.loc[: len(names) - 1, "source"] = names
    return compare_leads(model_folder, "rules", leads)


def test_texts_that_the_model_does_not_know_are_not_shown(secret, tmp_path):
    html = write_assessment(secret, tmp_path / "report.html").read_text(encoding="utf-8")
    figures = json.dumps(secret.comparison.to_dict())
    assert "Jane Doe" not in html
    assert "Jane Doe" not in figures
    segments = secret.comparison.segments
    assert "other" in set(segments.loc[segments["column"] == "source", "segment"])
    assert "a rare value" in html
    # to the model they are all alike: what is shown is still the sum of the score
    payload = build_payload(describe_assessment(secret))
    for lead in payload["disagreement"]:
        raw = sum(line[0] for line in lead["sum"])
        assert np.clip(raw, 0, 100) == pytest.approx(lead["score"], abs=0.6)


def test_a_rule_called_as_its_column_does_not_show_it(crm, later, tmp_path):
    book = RuleBook(
        rules=[
            Rule(name="email", family="email", column="email", contains=["@"], points=5),
            Rule(name="phone", family="context", column="phone", is_missing=False, points=3),
        ]
    )
    trained = train(load_config(crm / "leadml.toml"), rules=book, structure="additive")
    folder = write_training(trained, tmp_path / "model")
    found = compare_leads(folder, "rules", later)
    html = write_assessment(found, tmp_path / "report.html").read_text(encoding="utf-8")
    mails = later["email"].dropna().astype("str").unique()
    assert [mail for mail in mails if mail in html] == []
    phones = later["phone"].dropna().astype("str").unique()
    assert [phone for phone in phones if phone in html] == []


def test_ids_that_are_addresses_are_rows(model_folder, later):
    mails = [f"someone{place}@corp.example" for place in range(len(later))]
    found = compare_leads(model_folder, "rules", later.assign(lead_id=mails))
    payload = build_payload(describe_assessment(found))
    assert "@corp" not in json.dumps(payload)
    assert all(lead["lead_id"].startswith("row ") for lead in payload["leads"])


def test_two_folders_that_read_other_columns_have_a_report(crm, model_folder, later, tmp_path):
    config = load_config(crm / "leadml.toml")
    features = config.features
    fewer = features.model_copy(
        update={"behavioral": features.behavioral[:1], "context": [*features.context, "extra"]}
    )
    leads = small_crm.make_leads(400, seed=2).assign(extra=lambda X: X["source"])
    other = train(
        config.model_copy(update={"features": fewer}), leads, structure="additive", name="other"
    )
    folder = write_training(other, tmp_path / "other")
    given = later.assign(extra=later["source"])
    for pair in ((model_folder, folder), (folder, model_folder)):
        found = compare_leads(*pair, given)
        payload = build_payload(describe_assessment(found))
        assert len(payload["what_if"]["models"]) == 2
        assert payload["leads"]


def test_weeks_given_are_those_of_every_figure(model_folder, later):
    found = compare_leads(model_folder, "rules", later, weeks=50)
    payload = build_payload(describe_assessment(found))
    definitions = payload["definitions"][0]
    assert definitions["leads_a_week"] == pytest.approx(definitions["n_leads"] / 50)
