from dataclasses import replace

import pandas as pd
import pytest
import small_crm

from leadml.assessment import compare_leads, evaluate_leads, stored_comparison, stored_evaluations
from leadml.config import load_config
from leadml.errors import DataError, ModelFolderError
from leadml.publishing import write_training
from leadml.registry.bundle import load_model, save_model
from leadml.training import train


@pytest.fixture(scope="module")
def later():
    """Leads created after those of the training."""
    leads = small_crm.make_leads(200, seed=7)
    dates = pd.date_range("2026-01-01", periods=200, freq="12h").astype("str")
    return leads.assign(created_at=dates)


@pytest.fixture(scope="module")
def second(crm, tmp_path_factory):
    config = load_config(crm / "leadml.toml")
    result = train(config, small_crm.make_leads(250, 8), structure="additive", name="second")
    return write_training(result, tmp_path_factory.mktemp("second") / "second")


def test_stored_figures_are_those_of_the_training(model_folder, training):
    stored = stored_evaluations(model_folder)
    assert list(stored) == ["model", "rules", "logistic regression"]
    for name, one in stored.items():
        assert one.to_dict() == training.evaluations[name].to_dict()
    assert stored_comparison(model_folder).to_dict() == training.comparison.to_dict()


def test_a_folder_without_figures_is_told(model_folder, tmp_path):
    folder = save_model(tmp_path / "bare", load_model(model_folder))
    with pytest.raises(ModelFolderError, match=r"holds no figures of a training\. Pass leads"):
        stored_evaluations(folder)


def test_open_leads_are_left_out(model_folder, later):
    found = evaluate_leads(model_folder, later)
    evaluation = found.evaluations["model"]
    assert evaluation.n_leads == (later["status"] != "open").sum() == 180
    assert evaluation.n_groups == later.loc[later["status"] != "open", "account_id"].nunique()
    assert evaluation.metrics.loc["roc_auc", "value"] > 0.7
    assert evaluation.bands["n_leads"].sum() == 180
    assert found.warnings == ()
    assert found.comparison is None


def test_both_of_a_folder_are_judged(model_folder, later):
    rules = evaluate_leads(model_folder, later, by="rules").evaluations
    model = evaluate_leads(model_folder, later).evaluations
    both = compare_leads(model_folder, "rules", later)
    assert list(both.evaluations) == ["model", "rules"]
    assert both.evaluations["model"].to_dict() == model["model"].to_dict()
    assert both.evaluations["rules"].to_dict() == rules["rules"].to_dict()
    assert len(both.comparison.verdict) == 1
    assert both.warnings == ()


def test_the_capacity_is_what_the_verdict_is_about(model_folder, later):
    weekly = compare_leads(model_folder, "rules", later, capacity=2)
    assert "with 2 calls a week the model" in weekly.comparison.verdict[0].lower()
    half = compare_leads(
        model_folder, "rules", later, capacity=2, weeks=weekly.comparison.weeks / 2
    )
    assert half.comparison.chosen == pytest.approx(weekly.comparison.chosen / 2, abs=1)
    with pytest.raises(DataError, match="`capacity` of 900 leads a week makes"):
        compare_leads(model_folder, "rules", later, capacity=900)


def test_segments_are_compared_with_both_models(model_folder, later):
    found = compare_leads(model_folder, "rules", later, segments=["source"]).comparison.segments
    assert set(found["column"]) == {"source"}
    assert set(found["model"]) == {"model", "rules"}


def test_leads_of_the_training_are_told(model_folder, crm, later):
    (warning,) = evaluate_leads(model_folder, crm / "leads.csv").warnings
    assert "has learned from these leads" in warning
    some = pd.concat([later, small_crm.make_leads().head(5)])
    (warning,) = evaluate_leads(model_folder, some).warnings
    assert "may have learned from some of these leads" in warning


def test_two_models_on_the_same_leads(model_folder, second, later):
    there = compare_leads(model_folder, second, later)
    assert list(there.evaluations) == ["model small", "model second"]
    back = compare_leads(second, model_folder, later)
    small = back.evaluations["model small"].to_dict()
    assert small == there.evaluations["model small"].to_dict()
    ours = there.comparison.differences.set_index("metric")["difference"]
    theirs = back.comparison.differences.set_index("metric")["difference"]
    pd.testing.assert_series_equal(ours, -theirs)


def test_versions_tell_models_of_one_name_apart(model_folder, second, tmp_path, later):
    other = load_model(second)
    other.scorer.set_params(name="small")
    folder = save_model(tmp_path / "small", other)
    evaluations = compare_leads(model_folder, folder, later).evaluations
    assert all(name.startswith("model small ") for name in evaluations)
    assert len(evaluations) == 2


def test_a_model_is_not_compared_with_itself(model_folder, later):
    with pytest.raises(DataError, match=r"are the same model, model small [0-9a-f]{8}\. Pass two"):
        compare_leads(model_folder, model_folder, later)


def test_models_that_read_other_outcomes_are_not_compared(model_folder, second, tmp_path, later):
    other = load_model(second)
    outcome = other.config.outcome.model_copy(update={"won": ["lost"], "lost": ["won"]})
    config = other.config.model_copy(update={"outcome": outcome})
    folder = save_model(tmp_path / "other", replace(other, config=config))
    with pytest.raises(DataError, match="read other ids or outcomes"):
        compare_leads(model_folder, folder, later)


@pytest.mark.parametrize("status", ["won", "open"])
def test_both_outcomes_are_needed(model_folder, later, status):
    with pytest.raises(DataError, match="0 lost; both are needed"):
        evaluate_leads(model_folder, later.assign(status=status))
    with pytest.raises(DataError, match=r"0 are won and 0 lost"):
        evaluate_leads(model_folder, later.drop(columns="status"))


def test_points_without_history_are_not_judged(crm, later):
    with pytest.raises(DataError, match="points are no probability"):
        evaluate_leads(crm / "rules.toml", later)
