import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import small_crm
from small_values import make_leads
from typer.testing import CliRunner

import leadml
from leadml.cli.app import app, main
from leadml.config import load_config
from leadml.errors import ConfigError, DataError, LeadmlError, ModelFolderError
from leadml.publishing import write_training
from leadml.scored import check_scored

INIT = ["--id", "lead_id", "--outcome", "status", "--won", "won", "--lost", "lost"]


@pytest.fixture
def _here(tmp_path, monkeypatch):
    """An empty working folder with a CSV export in it."""
    monkeypatch.chdir(tmp_path)
    small_crm.make_leads().to_csv("leads.csv", index=False)


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.stderr, result.exception)
    return result


def fails(error, *arguments) -> str:
    """Return the message of an error of ours, which `main` prints."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert isinstance(result.exception, error), result.exception
    assert result.stdout == ""
    return str(result.exception)


def in_shell(*arguments, folder):
    command = [sys.executable, "-c", "from leadml.cli.app import main; main()"]
    return subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, cwd=folder, check=False
    )


@pytest.mark.usefixtures("_here")
def test_the_whole_job():
    told = run("init", "leads.csv", *INIT, "--exclude", "stage_note", "--exclude", "deal_value")
    assert "400 leads, 15 columns" in told.stderr
    config = load_config("leadml.toml")
    assert {"stage_note", "deal_value"} <= set(config.features.exclude)
    run("rules", "check", "rules.toml")
    trained = run(
        "train", "leadml.toml", "--out", "models/x", "--structure", "additive", "--no-mlflow",
        "--seed", "1",
    )  # fmt: skip
    assert "Structures tried" in trained.stdout
    assert "wrote models/x" in trained.stderr
    assert not Path("mlflow.db").exists()
    counted = run("score", "models/x", "leads.csv", "-o", "scored.csv")
    assert "400 leads scored" in counted.stderr
    assert counted.stdout == ""
    scored = pd.read_csv("scored.csv")
    check_scored(scored)
    best = scored.sort_values("score").iloc[-1]
    explained = run("explain", "models/x", "leads.csv", "--id", best["lead_id"]).stdout
    assert f"Lead {best['lead_id']}: score {best['score']}, {best['band']}, chance" in explained
    assert "average lead" in explained
    assert "conversion by band" in run("evaluate", "models/x").stdout.lower()
    compared = run("compare", "models/x", "rules").stdout
    assert "→" in compared
    assert "rules" in compared
    # again in its place: the scale stays
    before = json.loads(Path("models/x/model.json").read_text())["model"]["scale"]
    trained = run(
        "train", "leadml.toml", "--out", "models/x", "--structure", "additive", "--no-mlflow",
        "--overwrite", "--leads", "leads.csv", "--json",
    )  # fmt: skip
    assert json.loads(trained.stdout)["no_signal"] is False
    assert "reading leads" in trained.stderr
    assert json.loads(Path("models/x/model.json").read_text())["model"]["scale"] == before


@pytest.mark.usefixtures("_here")
def test_deals_have_values():
    leads = make_leads()
    settings = small_crm.write_crm(Path(), leads)
    given = ["--out", "m", "--structure", "additive", "--no-mlflow"]
    said = " ".join(run("train", settings, *given).stdout.split())
    assert "→ Among the best 10 % of leads (18), ranking by expected value finds" in said
    assert "won deals were off by" in said
    assert "New leads to expect, as in the last 70 weeks one week (95 % interval)" in said
    assert "all 14 (7–22) 141–196" in said
    stored = json.loads(Path("m/metrics.json").read_text(encoding="utf-8"))
    verdict = stored["value"]["verdict"]
    assert verdict in said
    assert verdict in Path("m/card.md").read_text(encoding="utf-8")
    report = Path("m/report.html").read_text(encoding="utf-8")
    payload = json.loads(re.search(r'id="data"[^>]*>(.*?)</script>', report, re.DOTALL)[1])
    assert payload["value"] == stored["value"]["at_capacity"]
    assert payload["forecast"] == stored["forecast"]
    assert verdict in payload["notes"]
    scored = run("score", "m", "leads.csv", "-o", "x.csv", "--with", "value", "--columns", "status")
    assert "1,000 leads scored" in scored.stderr
    table = pd.read_csv("x.csv")
    assert [*table][-3:] == ["deal_value", "expected_value", "status"]
    won = table["status"] == "won"
    assert table.loc[won, "deal_value"].sum() == pytest.approx(
        leads.loc[won, "deal_value"].sum(), rel=0.05
    )
    told = fails(DataError, "score", "m", "leads.csv", "-o", "x.csv", "--with", "worth")
    assert "--with has 1 problem" in told
    assert "'worth' is not known. Accepted: value, interval." in told


@pytest.mark.usefixtures("_here")
def test_init_writes_what_it_was_told():
    run(
        "init", "leads.csv", *INIT, "--created", "created_at", "--account", "account_id",
        "--value", "deal_value", "--missing", "Select", "--missing", "none", "--horizon", "30D",
        "--out", "a.toml", "--rules", "b.toml",
    )  # fmt: skip
    config = load_config("a.toml")
    assert config.leads.model_dump(exclude_none=True) == {
        "path": "leads.csv", "id": "lead_id", "created": "created_at", "account": "account_id",
        "value": "deal_value", "missing": config.leads.missing,
    }  # fmt: skip
    assert {"Select", "none"} <= set(config.leads.missing)
    assert config.outcome.horizon == "30D"
    assert Path("b.toml").is_file()
    assert not Path("rules.toml").exists()


@pytest.mark.usefixtures("_here")
def test_init_does_not_overwrite():
    Path("rules.toml").write_text("# mine")
    assert "rules.toml exist already" in fails(ConfigError, "init", "leads.csv", *INIT)
    assert Path("rules.toml").read_text() == "# mine"
    assert not Path("leadml.toml").exists()
    run("init", "leads.csv", *INIT, "--overwrite")
    assert Path("leadml.toml").exists()


@pytest.mark.usefixtures("_here")
def test_init_says_what_it_cannot_use():
    assert "does not exist" in fails(ConfigError, "init", "leads.csv", "--out", "no/where.toml")
    assert "leads.cvs does not exist" in fails(DataError, "init", "leads.cvs")
    message = fails(LeadmlError, "init", "leads.csv", "--id", "lead", "--outcome", "status")
    assert "Did you mean 'lead_id'?" in message
    assert not Path("leadml.toml").exists()


def test_json_is_all_of_standard_output(model_folder, crm):
    leads = crm / "leads.csv"
    calls = [
        ("evaluate", model_folder, "--json"),
        ("evaluate", model_folder, "--leads", leads, "--by", "rules", "--json"),
        ("compare", model_folder, "rules", "--json"),
        ("compare", model_folder, "rules", "--leads", leads, "--json"),
        ("explain", model_folder, leads, "--id", "lead-0001-0x", "--json"),
        ("explain", crm / "rules.toml", leads, "--id", "lead-0001-0x", "--json"),
    ]
    for call in calls:
        text = run(*call).stdout
        assert json.loads(text, parse_constant=pytest.fail), call
    stored = json.loads(run("evaluate", model_folder, "--json").stdout)
    assert list(stored) == ["model", "rules", "logistic regression"]
    lead = json.loads(run(*calls[4]).stdout)
    assert lead["lead"]["lead_id"] == "lead-0001-0x"
    total = sum(line["points"] for line in lead["sum"])
    assert abs(total - lead["lead"]["score"]) <= 0.55 or total < 0
    assert json.loads(run(*calls[5]).stdout)["lead"]["probability"] is None


def test_train_refuses_before_any_work(crm, model_folder, tmp_path):
    settings = crm / "leadml.toml"
    assert "holds a model already" in fails(
        ModelFolderError, "train", settings, "--out", model_folder
    )
    assert "is no model folder" in fails(ModelFolderError, "train", settings, "--out", crm)
    bad = tmp_path / "rules.toml"
    bad.write_text(small_crm.RULES.replace('"visits"', '"visit"'))
    message = fails(ConfigError, "train", settings, "--out", tmp_path / "m", "--rules", bad)
    assert "Did you mean 'visits'?" in message
    assert not (tmp_path / "m").exists()


def test_rules_are_shown(crm):
    shown = run("rules", "show", crm / "rules.toml").stdout
    for text in ("+5 each, at most 40", "+20", "source is referral", "never qualified"):
        assert text in shown
    assert "3 rules, no problems" in run("rules", "check", crm / "rules.toml").stderr


def test_rules_check_lists_every_problem_with_its_line(crm, tmp_path):
    bad = tmp_path / "rules.toml"
    text = small_crm.RULES.replace("per_unit = 5\ncap = 40\n", "per_unit = 5\n")
    text = text.replace('family = "context"', 'family = "contexts"').replace("points =", "point =")
    bad.write_text(text)
    message = fails(ConfigError, "rules", "check", bad, "--config", crm / "leadml.toml")
    assert "problems" in message
    for place, what in [("line 5", "cap"), ("line 13", "contexts"), ("line 16", "point")]:
        [line] = [line for line in message.splitlines() if place + ":" in line]
        assert what in line


def test_rules_check_needs_settings(tmp_path):
    (tmp_path / "rules.toml").write_text(small_crm.RULES)
    assert "leadml.toml does not exist" in fails(
        ConfigError, "rules", "check", tmp_path / "rules.toml"
    )


def test_a_model_without_rules_is_not_compared_with_them(crm, training, tmp_path):
    judged = {name: one for name, one in training.evaluations.items() if name != "rules"}
    alone = replace(training, model=replace(training.model, rules=None), evaluations=judged)
    folder = write_training(alone, tmp_path / "alone")
    for more in ([], ["--leads", crm / "leads.csv"]):
        assert "holds no rule book" in fails(LeadmlError, "compare", folder, "rules", *more)


@pytest.mark.parametrize(
    "wrong",
    [
        ["nothing"],
        ["score", "m"],
        ["score", "m", "leads.csv"],
        ["score", "m", "leads.csv", "-o", "x.csv", "--by", "modell"],
        ["score", "m", "leads.csv", "-o", "x.csv", "--reasons", "-1"],
        ["train", "leadml.toml"],
        ["train", "leadml.toml", "--out", "m", "--structure", "deep"],
        ["train", "leadml.toml", "--out", "m", "--seed", "one"],
        ["explain", "m", "leads.csv"],
        ["compare", "m", "m2"],
        ["evaluate", "m", "--by", "rule"],
        ["rules", "nothing"],
        ["--jsn"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2(wrong):
    assert run(*wrong, code=2).stdout == ""


def test_version_and_help():
    assert run("--version").stdout.strip() == leadml.__version__
    told = run("--help").stdout
    for verb in ("demo", "init", "train", "evaluate", "compare", "score", "explain", "rules"):
        assert verb in told
        assert run(verb, "--help").stdout


@pytest.mark.parametrize("verb", ["score", "explain", "evaluate", "compare", "train", "rules"])
def test_our_errors_are_a_message_and_1(verb, monkeypatch, capsys, tmp_path):
    calls = {
        "score": ["score", "nowhere", "leads.csv", "-o", "x.csv"],
        "explain": ["explain", "nowhere", "leads.csv", "--id", "1"],
        "evaluate": ["evaluate", "nowhere"],
        "compare": ["compare", "nowhere", "rules"],
        "train": ["train", "nowhere.toml", "--out", "m"],
        "rules": ["rules", "show", "nowhere.toml"],
    }
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["leadml", *calls[verb]])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("error: nowhere")
    assert "Traceback" not in told.err
    assert list(tmp_path.iterdir()) == []


def test_exit_codes_in_a_shell(model_folder, crm, tmp_path):
    done = in_shell(
        "score", model_folder, crm / "leads.csv", "-o", "x.jsonl", "--reasons", 1, folder=tmp_path
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "400 leads scored" in done.stderr
    ours = in_shell("score", model_folder, "no.csv", "-o", "x.csv", folder=tmp_path)
    assert (ours.returncode, ours.stdout) == (1, "")
    assert ours.stderr.startswith("error: no.csv does not exist.")
    assert "Traceback" not in ours.stderr
    assert in_shell("score", "--wrong", folder=tmp_path).returncode == 2
