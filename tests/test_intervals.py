"""Intervals of single leads, from the training to the scored file."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import small_crm

from leadml.assessment import compare_leads, describe_assessment
from leadml.batch import explain_leads, score_leads
from leadml.bulk.run import score_file
from leadml.cli import show
from leadml.errors import DataError
from leadml.evaluation.report import build_payload
from leadml.registry.bundle import load_model, save_model

COLUMNS = ["probability_lower", "probability_upper", "abstain", "abstain_because"]


@pytest.fixture(scope="module")
def new():
    """Leads of another draw; the first one comes from where nobody came from before."""
    leads = small_crm.make_leads(150, seed=11)
    leads.loc[0, "source"] = "a source never seen"
    return leads


@pytest.fixture(scope="module")
def scored(model_folder, new):
    return score_leads(model_folder, new, extras=["interval"])


def test_intervals_lie_around_the_probabilities(scored):
    assert list(scored.columns[-4:]) == COLUMNS
    low, high = scored["probability_lower"], scored["probability_upper"]
    assert ((low < scored["probability"]) & (scored["probability"] < high)).all()
    assert ((low > 0) & (high < 1)).all()
    assert (high - low).std() > 0.01  # each lead has its own


def test_a_lead_whose_like_was_not_seen_is_told_apart(scored):
    strange = scored.iloc[0]
    assert strange["abstain"]
    assert "source" in strange["abstain_because"]
    assert "never seen" not in strange["abstain_because"], "no values: they may be personal"
    assert scored["abstain"].mean() < 0.2
    assert (scored["abstain"] == (scored["abstain_because"] != "")).all()


def test_a_file_scored_in_blocks_has_the_same(model_folder, new, scored, tmp_path):
    new.to_csv(tmp_path / "new.csv", index=False)
    for suffix, read in ((".csv", pd.read_csv), (".parquet", pd.read_parquet)):
        out = tmp_path / f"out{suffix}"
        score_file(model_folder, tmp_path / "new.csv", out, extras=["interval"], keep=["source"])
        table = read(out)
        assert list(table.columns[-5:]) == [*COLUMNS, "source"]
        for name in COLUMNS[:2]:
            np.testing.assert_allclose(table[name], scored[name], rtol=0, atol=1e-12)
        assert table["abstain"].tolist() == scored["abstain"].tolist()
        because = table["abstain_because"].fillna("")
        assert because.tolist() == scored["abstain_because"].tolist()


def test_intervals_survive_the_model_folder(training, model_folder):
    kept = load_model(model_folder).uncertainty
    X = training.leads.X
    ours = training.model.uncertainty.compute_intervals(training.model.scorer, X)
    theirs = kept.compute_intervals(load_model(model_folder).scorer, X)
    pd.testing.assert_frame_equal(ours, theirs)


def test_who_has_none_is_told(model_folder, new, tmp_path):
    with pytest.raises(DataError, match="'interval' is of the learned model alone"):
        score_leads(model_folder, new, by="rules", extras=["interval"])
    old = save_model(tmp_path / "old", replace(load_model(model_folder), uncertainty=None))
    state = json.loads((old / "model.json").read_text())
    assert "uncertainty" not in state
    with pytest.raises(
        DataError, match=r"knows no intervals: it was trained by leadml before 0\.4"
    ):
        score_leads(old, new, extras=["interval"])


def test_a_lead_is_explained_with_its_interval(model_folder, new, scored, capsys):
    [(row, lines)] = explain_leads(model_folder, new, [new.loc[0, "lead_id"]])
    assert row["probability_lower"] == scored["probability_lower"].iloc[0]
    show.print_explanation(row, lines)
    printed = " ".join(capsys.readouterr().out.split())
    assert f"({row['probability_lower']:.0%}–{row['probability_upper']:.0%})" in printed
    assert "Take it with care: hardly any such lead in training: source" in printed
    [(row, _)] = explain_leads(model_folder, new, [new.loc[0, "lead_id"]], by="rules")
    assert "probability_lower" not in row


def test_the_report_shows_them(model_folder, new):
    payload = build_payload(describe_assessment(compare_leads(model_folder, "rules", new)))
    assert "95 % intervals" in payload["uncertainty"]["coverage"]
    assert 0 <= payload["uncertainty"]["abstained"] < 0.2
    for lead in payload["leads"]:
        ours, rules = lead["scores"]["model"], lead["scores"]["rules"]
        assert ours["lower"] < ours["probability"] < ours["upper"]
        assert rules["lower"] is rules["upper"] is None
