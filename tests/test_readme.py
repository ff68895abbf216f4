"""What README.md says exists and runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import small_crm
import typer

from leadml.cli.app import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
CODE = [
    code
    for code in [
        *re.findall(r"^```bash\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL),
        *re.findall(r"`([^`\n]+)`", README),
    ]
    if ("--" in code or "leadml " in code) and not code.startswith("spark-submit")
]
COMMANDS = [line for code in CODE for line in code.splitlines() if re.match(r"leadml [a-z]", line)]


def find_command(words):
    """Return the command that the first words name."""
    command = typer.main.get_command(app)
    for word in words[1:]:
        if not hasattr(command, "commands"):
            return command
        assert word in command.commands, f"there is no `leadml {word}`"
        command = command.commands[word]
    return command


def options_of(command):
    return {name for parameter in command.params for name in parameter.opts} | {"--help"}


def every_option():
    commands, options = [typer.main.get_command(app)], set()
    while commands:
        command = commands.pop()
        options |= options_of(command)
        commands += getattr(command, "commands", {}).values()
    return options


@pytest.fixture
def crm_folder(tmp_path):
    leads = small_crm.make_leads()
    small_crm.write_crm(tmp_path, leads)
    leads[leads["status"] == "open"].to_csv(tmp_path / "new.csv", index=False)
    return tmp_path


def run_python(code, folder):
    environment = {
        name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def block_with(word):
    [block] = [block for block in BLOCKS if word in block]
    return block


def test_names_commands():
    assert len(BLOCKS) == 1
    assert len(COMMANDS) > 12


@pytest.mark.parametrize("line", sorted(set(COMMANDS)))
def test_command_and_its_options_exist(line):
    command = find_command(line.split())
    options = re.findall(r"(?<![\w-])--?[a-z][a-z-]*", line)
    assert set(options) <= options_of(command)


def test_options_named_alone_exist():
    options = {option for code in CODE for option in re.findall(r"(?<![\w-])--[a-z-]+", code)}
    assert options <= every_option()


def test_columns_are_those_of_the_scored_table():
    from leadml.scored import LAST_COLUMNS, SCORED_COLUMNS, reason_columns

    table = README.partition("## What comes out")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    columns = re.findall(r"`(\w+)`", " ".join(cells))
    assert columns == [*SCORED_COLUMNS, *reason_columns(3), *LAST_COLUMNS]


def test_links_lead_somewhere():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_python_use_runs_as_written(crm_folder):
    printed = run_python(block_with("load_config"), crm_folder)
    assert "roc_auc" in printed
    assert "reason_1" in printed
    assert (crm_folder / "models" / "first" / "model.json").is_file()
