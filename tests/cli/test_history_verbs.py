"""`leadml check`, and the other verbs on a history of several tables."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import small_crm
import small_sales
from typer.testing import CliRunner

from leadml.cli.app import app
from leadml.config import load_config
from leadml.errors import DataError
from leadml.scored import check_scored

TABLES = small_sales.make_tables(400)
DAY = "2025-10-20"


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.stderr, result.exception)
    return result


def fails(*arguments) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert isinstance(result.exception, DataError), result.exception
    return str(result.exception)


def init(folder, *more, activities="touches.parquet", out="leadml.toml", code=0):
    tables = ("--accounts", folder / "accounts.csv", "--outcomes", folder / "outcomes.csv")
    return run(
        "init", folder / "leads.csv", *tables, "--activities", folder / activities,
        "--horizon", "30D", "--out", folder / out, "--overwrite", *more, code=code,
    )  # fmt: skip


@pytest.fixture(scope="module")
def sales(tmp_path_factory):
    """A folder with the tables of a history, initialised in a folder beside, and its model."""
    folder = tmp_path_factory.mktemp("sales")
    small_sales.write_tables(folder, TABLES)
    (folder / "settings").mkdir()
    init(folder, out="settings/leadml.toml")
    settings = folder / "settings" / "leadml.toml"
    told = run(
        "train", settings, "--out", folder / "model", "--structure", "additive", "--no-mlflow"
    )
    (folder / "told.txt").write_text(told.stdout + told.stderr, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def settings(sales):
    return sales / "settings" / "leadml.toml"


@pytest.fixture(scope="module")
def with_leak(tmp_path_factory):
    """A flat table with a stage that knows the outcome, used and not used."""
    folder = tmp_path_factory.mktemp("leak")
    used = small_crm.SETTINGS.replace('["visits"]', '["visits", "stage_note"]')
    used = used.replace('exclude = { stage_note = "written after the outcome" }\n', "")
    small_crm.write_crm(folder, small_crm.make_leads())
    (folder / "used.toml").write_text(used, encoding="utf-8")
    return folder


def test_paths_are_seen_from_the_settings(sales, settings):
    text = settings.read_text(encoding="utf-8")
    for name in ("leads.csv", "accounts.csv", "outcomes.csv", "touches.parquet"):
        assert f'path = "../{name}"' in text
    config = load_config(settings)
    assert Path(config.activities[0].path).samefile(sales / "touches.parquet")
    assert Path(config.outcome.path).samefile(sales / "outcomes.csv")


def test_init_from_the_folder_of_the_tables(sales, monkeypatch, tmp_path):
    small_sales.write_tables(tmp_path, TABLES)
    monkeypatch.chdir(tmp_path)
    told = run(
        "init", "leads.csv", "--accounts", "accounts.csv", "--outcomes", "outcomes.csv",
        "--activities", "touches.parquet", "--horizon", "30D", "--overwrite",
    )  # fmt: skip
    assert "1 table of activities" in told.stderr
    here, there = (
        path.read_text(encoding="utf-8").replace("../", "")
        for path in (tmp_path / "leadml.toml", sales / "settings" / "leadml.toml")
    )
    assert here == there
    assert run("check", "leadml.toml").stdout.count("Readiness") == 1


def test_activities_that_cannot_be_read_are_told(sales, tmp_path):
    no_lead, no_time = sales / "no_lead.csv", sales / "no_time.csv"
    TABLES["touches"][["at", "kind"]].to_csv(no_lead, index=False)
    TABLES["touches"][["lead_id", "kind"]].to_csv(no_time, index=False)
    for path, what in ((no_lead, "names the leads by their ids"), (no_time, "holds the time")):
        message = fails(
            "init", sales / "leads.csv", "--outcomes", sales / "outcomes.csv",
            "--activities", path, "--out", tmp_path / "leadml.toml",
        )  # fmt: skip
        assert f"no column {what}. It has: " in message
        assert "kind" in message
        assert "[[activities]] into leadml.toml by hand" in message
    assert list(tmp_path.iterdir()) == []


def test_a_state_is_never_a_kind_and_is_left_out(sales):
    deals = TABLES["touches"].drop(columns=["kind", "seconds"]).assign(stage="open")
    deals.loc[::3, "stage"] = "won"
    deals.to_csv(sales / "deals.csv", index=False)
    init(sales, "--activities", sales / "deals.csv", out="deals.toml")
    [touches, table] = load_config(sales / "deals.toml").activities
    assert (touches.kind, table.kind, table.kind_value) == ("kind", None, "deal")
    assert table.measures == []


def test_init_leaves_leaks_out_unless_kept(tmp_path):
    status = TABLES["outcomes"].set_index("lead_id")["status"]
    mood = TABLES["leads"]["lead_id"].map(status).fillna("new").str.replace("won", "happy")
    small_sales.write_tables(tmp_path, {**TABLES, "leads": TABLES["leads"].assign(mood=mood)})
    told = init(tmp_path)
    assert "warning: mood: LEAK: " in told.stderr
    assert "mood" in load_config(tmp_path / "leadml.toml").features.exclude
    run("check", tmp_path / "leadml.toml", "--strict")
    told = init(tmp_path, "--keep", "mood")
    assert "warning: mood: " in told.stderr
    assert "mood" in load_config(tmp_path / "leadml.toml").features.families()
    assert load_config(tmp_path / "leadml.toml").features.keep == ["mood"]


def test_what_a_training_prints(sales):
    told = (sales / "told.txt").read_text(encoding="utf-8")
    assert "snapshots of 400 leads until 2025-11-" in told.replace("\n", " ")
    assert "Optimism: a random split would have promised AUC" in told
    assert "the next period gave" in told
    assert "looking for columns that know the outcome" in told


def test_score_a_history(sales, settings, tmp_path):
    """All open leads on a day, and the same leads of a table."""
    told = run("score", sales / "model", settings, "-o", tmp_path / "a.csv", "--at", DAY)
    later = int((TABLES["leads"]["created"] > DAY).sum())
    assert f"{later} leads were created after {DAY} and are left out." in told.stderr
    scored = pd.read_csv(tmp_path / "a.csv")
    check_scored(scored)
    run(
        "score", sales / "model", sales / "leads.csv", "-o", tmp_path / "b.csv",
        "--history", settings, "--at", DAY,
    )  # fmt: skip
    every = pd.read_csv(tmp_path / "b.csv").set_index("lead_id")
    assert len(every) == 400 - later > len(scored)
    np.testing.assert_array_equal(every.loc[scored["lead_id"], "score"], scored["score"])
    lead = scored["lead_id"].iloc[0]
    explained = run("explain", sales / "model", settings, "--id", lead, "--at", DAY, "--json")
    assert json.loads(explained.stdout)["lead"]["score"] == scored["score"].iloc[0]
    both = run(
        "explain", sales / "model", sales / "leads.csv", "--history", settings, "--id", lead,
        "--at", DAY, "--json",
    )  # fmt: skip
    assert both.stdout == explained.stdout


def test_evaluate_and_compare_on_a_history(sales, settings):
    found = run("evaluate", sales / "model", "--leads", settings, "--json")
    assert "has learned from these leads" in found.stderr
    by_table = run(
        "evaluate", sales / "model", "--leads", sales / "leads.csv", "--history", settings, "--json"
    )
    assert by_table.stdout == found.stdout
    message = fails("evaluate", sales / "model", "--leads", sales / "leads.csv")
    assert "beside them (--history)" in message
    compared = run(
        "compare", sales / "model", "rules", "--leads", sales / "leads.csv",
        "--history", settings, "--json",
    )  # fmt: skip
    assert json.loads(compared.stdout)["verdict"]


def test_a_day_for_a_flat_model(model_folder, crm, tmp_path):
    message = fails("score", model_folder, crm / "leads.csv", "-o", tmp_path / "x.csv", "--at", DAY)
    assert message.startswith("`at` is of use where a model counts activities")
    assert not (tmp_path / "x.csv").exists()


def test_strict_is_3_where_a_used_column_leaks(with_leak):
    unused, used = with_leak / "leadml.toml", with_leak / "used.toml"
    told = run("check", used, "--strict", code=3)
    assert "stage_note" in told.stdout
    assert "Exclude before training, or the figures lie: stage_note." in told.stdout
    assert run("check", used).stdout == told.stdout
    told = run("check", unused, "--strict")
    assert "Nothing speaks against training." in told.stdout
    assert "excluded" in told.stdout


def test_strict_is_3_where_there_is_too_little(with_leak):
    few = with_leak / "few.csv"
    small_crm.make_leads(60).to_csv(few, index=False)
    told = run("check", with_leak / "leadml.toml", "--leads", few, "--strict", code=3)
    assert "Score with the rule book until there are more" in " ".join(told.stdout.split())


def test_json_holds_each_column(with_leak):
    told = run("check", with_leak / "used.toml", "--json", "--strict", code=3).stdout
    found = json.loads(told, parse_constant=pytest.fail)
    assert found["passed"] is False
    assert {"check", "value", "verdict", "advice"} == set(found["readiness"][0])
    leaks = {row["column"]: row for row in found["leaks"]}
    assert leaks["stage_note"]["severity"] == "drop"
    assert leaks["stage_note"]["use"] == "feature"
    assert "of all wins sit in 'won'" in leaks["stage_note"]["evidence"]
    assert leaks["visits"]["severity"] == "fine"
    assert 0.5 < leaks["visits"]["auc_lower"] < leaks["visits"]["auc"] < 0.9


def test_check_a_history(settings):
    found = json.loads(run("check", settings, "--json", "--strict").stdout)
    assert found["passed"] is True
    columns = [row["column"] for row in found["leaks"]]
    assert {"source", "industry", "demo_30d"} <= set(columns)


def test_check_a_table_alone(tmp_path):
    """Its roles are guessed; without an id too."""
    table = tmp_path / "leads.csv"
    small_crm.make_leads().drop(columns=["lead_id", "free_note"]).to_csv(table, index=False)
    options = ("--outcome", "status", "--won", "won", "--lost", "lost", "--json")
    found = json.loads(run("check", table, *options).stdout)
    severity = {row["column"]: row["severity"] for row in found["leaks"]}
    assert severity["stage_note"] == "drop"
    assert severity["visits"] == "fine"


def check_set(*arguments) -> dict[str, set[str]]:
    found = json.loads(run("check", *arguments, "--json").stdout)
    flagged = {"drop": set(), "look": set(), "fine": set()}
    for row in found["leaks"]:
        flagged[row["severity"]].add(row["column"])
    return flagged


def test_x_education(real_data):
    found = check_set(real_data / "x_education" / "Leads.csv", "--outcome", "Converted")
    assert {"Tags", "Lead Quality"} <= found["drop"]
    assert {"Lead Profile", "Last Notable Activity"} <= found["drop"] | found["look"]
    known = {"Tags", "Lead Quality", "Lead Profile", "Last Notable Activity", "Last Activity"}
    assert len((found["drop"] | found["look"]) - known) <= 1


def test_maven(real_data):
    path = real_data / "maven_crm" / "sales_pipeline.csv"
    found = check_set(path, "--outcome", "deal_stage", "--won", "Won", "--lost", "Lost")
    assert "close_value" in found["drop"]
    assert {"account", "close_date"} <= found["drop"] | found["look"]
    clean = (found["drop"] | found["look"]) - {"close_value", "account", "close_date"}
    assert len(clean) <= 1


def test_bank(real_data):
    path = real_data / "bank_marketing" / "bank-additional-full.csv.gz"
    found = check_set(path, "--outcome", "y")
    assert found["drop"] == {"duration"}
    assert len(found["look"]) <= 1
