"""`leadml rules learn`: a rule book to edit, and what it costs."""

import json

import pytest
from typer.testing import CliRunner

from leadml.cli.app import app
from leadml.errors import ConfigError, LeadmlError
from leadml.scoring.rulebook import load_rules


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.stderr, result.exception)
    return result


@pytest.fixture(scope="module")
def written(crm, tmp_path_factory):
    """A learned rule book, and what the command said."""
    path = tmp_path_factory.mktemp("learned") / "rules.toml"
    return path, run("rules", "learn", crm / "leadml.toml", "-o", path, "--count", 6)


def test_rules_and_their_cost_are_printed(written):
    path, told = written
    text = " ".join(told.stdout.split())
    for rule in load_rules(path).rules:
        assert rule.describe_worth() in text
    for words in ("model", "5 rules", "base rate", "log loss", "AUC", "wins in best 20 %"):
        assert words in text
    assert "judging model and rules" in told.stderr
    assert f"wrote {path}" in told.stderr


def test_the_book_works_with_the_other_verbs(written, crm, tmp_path):
    path, _ = written
    settings = crm / "leadml.toml"
    told = run("rules", "check", path, "--config", settings)
    assert "no problems" in told.stderr
    name = load_rules(path).rules[0].name
    assert name.split()[0] in run("rules", "show", path).stdout
    trained = run(
        "train", settings, "--rules", path, "--out", tmp_path / "model", "--structure", "additive",
        "--no-mlflow",
    )  # fmt: skip
    assert "rules" in trained.stdout
    assert (tmp_path / "model" / "rules.toml").read_text() == path.read_text()


def test_json(crm, tmp_path):
    path = tmp_path / "rules.toml"
    told = run(
        "rules", "learn", crm / "leadml.toml", "-o", path, "--count", 2, "--json", "--seed", 1
    )
    values = json.loads(told.stdout)
    names = [rule["name"] for rule in values["rules"]]
    assert names == [rule.name for rule in load_rules(path).rules]
    assert {row["recipe"] for row in values["figures"]} == {"model", "rules", "base rate"}


def test_nothing_is_overwritten_unasked(crm, tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text("# mine")
    arguments = ("rules", "learn", str(crm / "leadml.toml"), "-o")
    error = CliRunner().invoke(app, [*arguments, str(path)]).exception
    assert isinstance(error, ConfigError)
    assert "exists already. Pass --overwrite" in str(error)
    assert path.read_text() == "# mine"
    error = CliRunner().invoke(app, [*arguments, str(tmp_path / "no" / "rules.toml")]).exception
    assert isinstance(error, LeadmlError)
    assert "does not exist" in str(error)
