"""The documentation site builds without a warning and says what exists."""

import inspect
import os
import re
import shutil
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import pytest
import small_crm
import typer

import leadml
from leadml.cli.app import app

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = {str(path.relative_to(DOCS)): path.read_text("utf-8") for path in DOCS.rglob("*.md")}
TOML = [
    (name, block)
    for name, text in PAGES.items()
    for block in re.findall(r"^```toml\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
]
BASH = [
    block
    for text in PAGES.values()
    for block in re.findall(r"^```bash\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
]
PYTHON = {
    name: re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    for name, text in PAGES.items()
}
COMMANDS = [
    line
    for block in BASH
    for line in block.replace("\\\n", " ").splitlines()
    if line.startswith("leadml ")
]


def every_command(command, words=()):
    """Yield the words and the command of each verb."""
    for name, child in getattr(command, "commands", {}).items():
        yield from every_command(child, (*words, name))
    if not hasattr(command, "commands"):
        yield " ".join(words), command


VERBS = dict(every_command(typer.main.get_command(app)))


def options_of(command):
    return {name for one in command.params for name in one.opts if name.startswith("-")}


class Assets(HTMLParser):
    """Collect what a page loads by itself."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        loads = tag in {"script", "img", "iframe", "source", "video", "audio", "embed"}
        if loads and values.get("src"):
            self.found.append(values["src"])
        if tag == "link" and values.get("href") and values.get("rel") != "canonical":
            self.found.append(values["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    for package in ("mkdocs", "material", "mkdocstrings"):
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed: pip install 'leadml[docs]'")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(
        [*command, "--config-file", str(ROOT / "mkdocs.yml")],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "true"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_pages_are_found():
    assert len(PAGES) > 20
    assert len(TOML) > 5
    assert len(COMMANDS) > 30


def test_every_public_name_is_in_the_reference():
    text = "\n".join(text for name, text in PAGES.items() if name.startswith("reference"))
    shown = set(re.findall(r"^::: (\S+)$", text, flags=re.MULTILINE))
    missing = {f"{module}.{name}" for name, module in leadml._PUBLIC.items()} - shown
    assert missing == set()


def test_every_plot_is_in_the_reference():
    from leadml.evaluation import plots

    shown = set(re.findall(r"plots\.(\w+)$", PAGES["reference/python-plots.md"], re.M))
    assert {name for name in plots.__all__ if name.startswith("plot_")} <= shown


def test_every_extra_column_is_documented():
    from leadml.registry.extras import EXTRAS, find_columns

    page = PAGES["reference/scored-table.md"]
    assert [name for name in find_columns(tuple(EXTRAS)) if f"`{name}`" not in page] == []
    assert [name for name in EXTRAS if f"`--with {name}`" not in page] == []


def test_pictures_are_small_and_used():
    texts = "".join([*PAGES.values(), (ROOT / "README.md").read_text("utf-8")])
    for picture in (DOCS / "images").iterdir():
        assert picture.stat().st_size < 250_000, picture
        assert f"images/{picture.name})" in texts


def test_every_verb_and_option_is_on_the_page_of_commands():
    page = PAGES["reference/commands.md"]
    sections = dict(re.findall(r"^## leadml ([a-z ]+)\n(.*?)(?=^## |\Z)", page, re.M | re.S))
    assert sections.keys() == VERBS.keys()
    for verb, command in VERBS.items():
        rows = re.findall(r"^\| (`-.*?) \|", sections[verb], flags=re.MULTILINE)
        listed = set(re.findall(r"`(-[a-z-]+)`", " ".join(rows)))
        assert listed == options_of(command) - {"--help"}, verb


@pytest.mark.parametrize("line", sorted(set(COMMANDS)))
def test_command_and_its_options_exist(line):
    words = re.findall(r"(?<= )[a-z]+(?= |$)", line.partition(" -")[0])
    verb = next((v for v in (" ".join(words[:2]), words[0]) if v in VERBS), None)
    assert verb is not None, line
    options = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", re.sub(r"'[^']*'|\"[^\"]*\"", "", line)))
    assert options <= options_of(VERBS[verb])


@pytest.mark.parametrize(("name", "block"), TOML)
def test_toml_parses(name, block):
    assert tomllib.loads(block), name


def run_python(code, folder):
    environment = {
        name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"
    }
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(code)],
        cwd=folder,
        env={**environment, "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_python_runs_as_written(tmp_path):
    """The pages on notebooks, bands and plots, one after the other."""
    leads = small_crm.make_leads()
    small_crm.write_crm(tmp_path, leads)
    leads[leads["status"] == "open"].to_csv(tmp_path / "new.csv", index=False)
    notebook = [
        block for block in PYTHON["how-to/notebook.md"] if "LogisticRegression" not in block
    ]
    closed = [
        'scored.to_csv("scored.csv", index=False)',
        "known = training.judged.leads",
        'closed = training.judged.scored["model"][["score"]]',
        "closed = closed.assign(won=known.y.to_numpy(), created=known.created.to_numpy())",
        'closed.to_csv("closed.csv", index=False)',
    ]
    printed = run_python(
        [
            *notebook,
            *closed,
            *PYTHON["how-to/bands-by-capacity.md"],
            *PYTHON["reference/python-plots.md"],
        ],
        tmp_path,
    )
    assert "Bands(hot=" in printed
    assert "hot_edge" in printed
    assert (tmp_path / "capacity.png").is_file()


def block_with(word):
    [block] = [block for blocks in PYTHON.values() for block in blocks if word in block]
    return block


def test_spark_is_called_as_it_is():
    import leadml.spark

    called = re.search(r"leadml\.spark\.score\((.*), (\w+)=\[", block_with("leadml.spark.score"))
    assert called
    inspect.signature(leadml.spark.score).bind("df", "model", **{called[2]: ["owner"]})


def test_mlflow_use_runs_as_written(tmp_path, model_folder):
    leads = small_crm.make_leads()
    leads[leads["status"] == "open"].to_csv(tmp_path / "new.csv", index=False)
    log = (
        "from leadml.registry.tracking import log_training\n"
        f"log_training({str(model_folder)!r}, {{}}, {{}})\n"
    )
    printed = run_python([log, block_with("pyfunc"), "print(*scored.columns)"], tmp_path)
    assert printed.startswith("lead_id probability score band")


def test_python_is_python():
    for name, blocks in PYTHON.items():
        for block in blocks:
            compile(block, name, "exec")


def test_every_key_of_the_settings_is_documented():
    from leadml.config import Config
    from leadml.scoring.rulebook import Rule

    page = PAGES["reference/leadml-toml.md"]
    missing = [name for name in keys_of(Config) if not re.search(rf"`{name}`|{name}\b.*\]", page)]
    assert missing == []
    rules = PAGES["reference/rules-toml.md"]
    assert [name for name in Rule.model_fields if f"`{name}`" not in rules] == []


def keys_of(model):
    """Return the keys of a table of settings and of the tables in it."""
    from typing import get_args

    for name, field in model.model_fields.items():
        yield name
        for kind in (field.annotation, *get_args(field.annotation)):
            if hasattr(kind, "model_fields"):
                yield from keys_of(kind)


def test_every_page_is_in_the_navigation():
    listed = set(re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text("utf-8")))
    assert set(PAGES) == listed


def test_site_builds_without_warnings(site):
    assert (site / "index.html").is_file()
    assert (site / "search" / "search_index.js").is_file()
    assert list(site.rglob("*.py")) == []


def test_pages_load_nothing_from_elsewhere(site):
    for page in site.rglob("*.html"):
        assets = Assets()
        assets.feed(page.read_text("utf-8"))
        assert assets.found
        assert [one for one in assets.found if re.match(r"(\w+:)?//", one)] == [], page


def test_styles_load_nothing_from_elsewhere(site):
    for style in site.rglob("*.css"):
        assert (
            re.findall(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", style.read_text("utf-8")) == []
        )


def test_signatures_and_docstrings_are_shown(site):
    shown = "".join(page.read_text("utf-8") for page in (site / "reference").glob("python*.html"))
    for name, module in leadml._PUBLIC.items():
        assert f'id="{module}.{name}"' in shown


def test_search_works_from_disk(site):
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not on PATH")
    with playwright.sync_playwright() as play:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = play.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_page()
        said, asked = [], []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((site / "how-to" / "compare.html").as_uri())
        page.click("input.md-search__input")
        page.keyboard.type("horizon")
        page.wait_for_function("document.querySelectorAll('.md-search-result__item').length > 2")
        browser.close()
    assert said == []
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}
