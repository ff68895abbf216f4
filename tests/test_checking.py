"""Leaks in leads and in activities are found, left out of a training, and told."""

import tomllib

import numpy as np
import pandas as pd
import pytest
import small_crm
import small_sales

from leadml.checking import check_leads, check_proposal, drop_leaks
from leadml.config import Config, load_config
from leadml.data.schema import infer_config
from leadml.errors import ConfigError
from leadml.rows import read_rows
from leadml.training import train

TABLES = small_sales.make_tables(400)
LEAKING_KIND = ["won_deal_7d", "won_deal_30d", "lost_deal_30d"]


def plant_stage(tables):
    """A column of the leads with the stage as of the export."""
    status = tables["outcomes"].set_index("lead_id")["status"]
    stage = tables["leads"]["lead_id"].map(status).map({"won": "Customer", "lost": "Dead"})
    return {**tables, "leads": tables["leads"].assign(stage=stage.fillna("Working"))}


def plant_kind(tables):
    """A task from the first day on, whose kind is overwritten with the outcome."""
    leads = tables["leads"].set_index("lead_id")
    outcomes = tables["outcomes"]
    before = leads["created"].loc[outcomes["lead_id"]].to_numpy() - np.timedelta64(1, "h")
    tasks = pd.DataFrame(
        {"lead_id": outcomes["lead_id"], "at": before, "kind": outcomes["status"] + " deal"}
    )
    return {**tables, "touches": pd.concat([tables["touches"], tasks], ignore_index=True)}


def make_config(settings=small_sales.SETTINGS, **features) -> Config:
    config = settings if isinstance(settings, Config) else load_settings(settings)
    features = config.features.model_copy(update=features)
    return config.model_copy(update={"features": features})


def load_settings(text):
    return Config.model_validate(tomllib.loads(text))


def check(config, tables):
    return check_leads(config, tables["leads"], tables=others(tables))


def others(tables):
    return {name: table for name, table in tables.items() if name != "leads"}


def severities(found):
    return found.leaks.set_index("column")["severity"]


@pytest.fixture(scope="module")
def clean():
    return check(make_config(), TABLES)


def test_a_clean_history_passes(clean):
    assert clean.passed
    assert clean.leaking.empty
    assert (clean.leaks["severity"] != "drop").all()
    readiness = clean.readiness.set_index("check")
    status = TABLES["outcomes"]["status"].value_counts()
    assert readiness.loc["rows", "value"] == "400"
    assert readiness.loc["wins", "value"] == str(status["won"])
    # open for longer than the horizon is a loss too
    assert int(readiness.loc["losses", "value"]) >= status["lost"]


def test_every_column_and_every_count_is_tested_once(clean):
    columns = clean.leaks["column"].tolist()
    assert len(columns) == len(set(columns))
    assert columns[:4] == ["lead_id", "account_id", "source", "industry"]
    assert {"demo_30d", "days_since_email", "activities_velocity_7d"} <= set(columns)
    uses = clean.leaks.set_index("column")["use"]
    assert uses[:4].tolist() == ["id", "account", "feature", "feature"]
    assert (uses.drop(["lead_id", "account_id"]) == "feature").all()


def test_ids_may_be_numbers():
    """As a CSV file holds them, with empty cells in between."""
    tables = {name: table.copy() for name, table in TABLES.items()}
    for name in ("leads", "outcomes", "touches"):
        tables[name]["lead_id"] = tables[name]["lead_id"].str[1:].astype(int)
    for name in ("leads", "accounts"):
        tables[name]["account_id"] = tables[name]["account_id"].str[1:].astype(int)
    found = check(make_config(), tables)
    expected = check(make_config(), TABLES)
    pd.testing.assert_frame_equal(found.readiness, expected.readiness)
    assert severities(found)["demo_30d"] == severities(expected)["demo_30d"]


def test_a_stage_among_the_leads_is_found():
    tables = plant_stage(TABLES)
    found = check(make_config(context=["source", "stage"]), tables)
    assert found.leaking["column"].tolist() == ["stage"]
    assert not found.passed
    # no feature, it does no harm
    unused = check(make_config(), tables)
    assert unused.leaks.set_index("column").loc["stage", ["severity", "use"]].tolist() == [
        "drop",
        "not used",
    ]
    assert unused.passed


def test_a_kind_overwritten_with_the_outcome_is_found():
    found = check(make_config(), plant_kind(TABLES))
    leaking = found.leaking["column"].tolist()
    assert set(LEAKING_KIND) <= set(leaking)
    evidence = found.leaks.set_index("column").loc["won_deal_30d", "evidence"]
    assert evidence.startswith("On its own it tells won from lost leads with AUC 0.99")
    # a week before the last look there was no task, but before the first there was
    assert leaking == [name for name in found.leaks["column"] if "_deal" in name]
    hidden = found.leaks.set_index("column").loc["won_deal_7d"]
    assert hidden["auc"] < 0.6
    assert hidden["test"] == "kind"
    assert "`won_deal_30d`, of the same activities, gives the outcome away." in hidden["evidence"]


@pytest.fixture(scope="module")
def trained():
    """A training on a history with both leaks; one leaking count is kept on demand."""
    tables = plant_kind(plant_stage(TABLES))
    config = make_config(context=["source", "stage"], keep=["won_deal_decayed"])
    return train(config, tables["leads"], tables=others(tables), structure="additive")


def test_a_training_leaves_leaks_out_and_says_why(trained):
    features = trained.model.config.features
    for name in ["stage", *LEAKING_KIND]:
        assert features.exclude[name].startswith("LEAK: ")
        assert name not in features.families()
        assert name not in features.monotone
        assert name not in trained.leads.X
        assert name not in trained.model.scorer.feature_names_in_
        [warning] = [text for text in trained.warnings if text.startswith(f"LEAK: {name} ")]
        assert "is not used." in warning
        assert "name it in [features] keep" in warning
        assert warning in trained.model.info["warnings"]
    assert {"demo_30d", "source"} <= set(features.families())


def test_what_is_kept_is_used_and_warned_of(trained):
    assert "won_deal_decayed" in trained.model.scorer.feature_names_in_
    [warning] = [text for text in trained.warnings if text.startswith("LEAK: won_deal_decayed ")]
    assert "is used, as [features] keep asks." in warning
    assert any("too good for honest lead scoring" in text for text in trained.warnings)


def test_a_leak_stays_out_of_every_list():
    config = Config.model_validate(
        {
            "leads": {"path": "leads.csv", "id": "id"},
            "outcome": {"column": "won", "won": ["1"], "lost": ["0"]},
            "features": {
                "behavioral": ["visits", "calls"],
                "bant": {"budget": "calls"},
                "monotone": {"calls": 1, "visits": 1},
                "kinds": {"calls": "number"},
            },
            "handoff": {"required": ["calls", "visits"], "sales_ready": ["calls"]},
        }
    )
    leaks = pd.DataFrame({"column": ["calls", "visits"], "severity": ["drop", "look"]})
    leaks = leaks.assign(use="feature", evidence="It counts on.")
    left = drop_leaks(config, leaks)
    assert left.features.behavioral == ["visits"]
    assert left.features.bant.budget is None
    assert left.features.monotone == {"visits": 1}
    assert left.features.kinds == {}
    assert left.features.exclude == {"calls": "LEAK: It counts on."}
    assert left.handoff.required == ["visits"]
    assert left.handoff.sales_ready == []
    assert drop_leaks(left, leaks.assign(severity="look")) is left
    kept = config.model_copy(
        update={"features": config.features.model_copy(update={"keep": ["calls"]})}
    )
    assert drop_leaks(kept, leaks) is kept


def test_below_forty_wins_the_rule_book_is_named(crm):
    leads = small_crm.make_leads(60)
    found = check_leads(load_config(crm / "leadml.toml"), leads)
    stops = found.readiness[found.readiness["verdict"] == "stop"]
    assert set(stops["check"]) <= {"wins", "losses"}
    assert stops["advice"].str.contains("Score with the rule book until there are more").all()
    assert not found.passed


def test_below_ten_no_column_is_tested(crm):
    leads = small_crm.make_leads(400)
    leads["status"] = leads["status"].where(leads.index < 12, "open")
    found = check_leads(load_config(crm / "leadml.toml"), leads)
    assert found.leaks.empty
    assert found.leaking.empty
    assert "use" in found.leaks
    assert not found.passed


def test_roles_excluded_and_protected_columns_say_so(crm):
    config = make_config(load_config(crm / "leadml.toml"), firmographic=["employees"])
    config = make_config(config, protected=["industry"])
    found = check_leads(config, small_crm.make_leads())
    uses = found.leaks.set_index("column")["use"].to_dict()
    assert uses["lead_id"] == "id"
    assert uses["account_id"] == "account"
    assert uses["deal_value"] == "value"
    assert uses["stage_note"] == "excluded"
    assert uses["industry"] == "protected"
    assert uses["free_note"] == "not used"
    assert uses["visits"] == "feature"
    assert "status" not in uses
    assert "created_at" not in uses
    assert severities(found)["stage_note"] == "drop"
    assert found.passed


def test_dates_that_are_none_are_left_to_training(crm):
    leads = small_crm.make_leads().assign(created_at="soon")
    found = check_leads(load_config(crm / "leadml.toml"), leads)
    assert "no date of creation" in found.readiness["value"].tolist()


def test_rows_read_already_are_not_read_again(monkeypatch):
    rows, named = read_rows(make_config(), TABLES["leads"], others(TABLES))
    monkeypatch.setattr("leadml.checking.read_rows", pytest.fail)
    found = check_leads(named, TABLES["leads"], tables=others(TABLES), rows=rows)
    assert "demo_30d" in found.leaks["column"].tolist()


def test_a_proposal_drops_leaks_and_marks_what_to_look_at():
    leads = small_crm.make_leads()
    won = leads["status"] == "won"
    leads["last_state"] = np.where(won, "signed", "silent")
    leads["grade"] = np.where(won & (leads.index % 3 == 0), "gold", "none")
    checked = check_proposal(infer_config(leads, "leads.csv", outcome="status"), leads)
    assert checked.config.features.exclude["last_state"].startswith("LEAK: ")
    assert checked.notes["last_state"].startswith("LEAK: ")
    assert "LOOK: " in checked.notes["grade"]
    assert "grade" in checked.config.features.families()
    assert "LOOK" not in checked.notes["visits"]
    kept = check_proposal(infer_config(leads, "leads.csv", outcome="status"), leads, ["last_state"])
    assert "last_state" in kept.config.features.families()
    assert kept.config.features.keep == ["last_state"]
    assert "LOOK: " in kept.notes["last_state"]
    with pytest.raises(ConfigError, match=r"`keep` names 'grad', which is no column. Did you mean"):
        check_proposal(infer_config(leads, "leads.csv", outcome="status"), leads, ["grad"])
