"""The page computes the same sums as the package, in a real browser."""

import shutil

import numpy as np
import pytest
import small_crm

from leadml.batch import check_book
from leadml.config import load_config
from leadml.evaluation.report import render_report
from leadml.reporting.build import make_report
from leadml.scoring.what_if import WhatIf
from leadml.training import train

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (extra dev)")

OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def page():
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs Chromium (Debian's package chromium)")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=list(OPTIONS))
        yield browser.new_page()
        browser.close()


@pytest.fixture(scope="module", params=["additive", "pairwise", "full"])
def trained(request, crm):
    """A training of each structure, on more leads than the small one: trees need some."""
    config = load_config(crm / "leadml.toml")
    book = check_book(crm / "rules.toml", config)
    leads = small_crm.make_leads(600, seed=3)
    return train(config, leads, rules=book, structure=request.param)


def test_sums_in_the_page_are_those_of_the_package(page, trained, tmp_path):
    scorers = {"model": trained.model.scorer, "rules": trained.model.rules}
    made = make_report(
        trained.judged,
        trained.evaluations,
        trained.comparison,
        scorers,
        dict.fromkeys(scorers, trained.leads.X),
        title="Leads",
        facts={},
        show_leads=True,
    )
    path = tmp_path / "report.html"
    path.write_text(render_report(made), encoding="utf-8")
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    X = trained.leads.X.head(25)
    inputs = dict.fromkeys(scorers, trained.leads.X)
    rows = WhatIf.build(scorers, inputs).read_values(dict.fromkeys(scorers, X))
    assert len(rows[0]) == len(made.what_if["fields"])
    for name, scorer in scorers.items():
        found = [page.evaluate("values => leadml.score(values)", row)[name] for row in rows]
        log_odds = scorer.decision_function(X)
        raw = scorer.scale_.raw_scores(log_odds)
        np.testing.assert_allclose([each["raw"] for each in found], raw, atol=0.01)
        chances = scorer.predict_proba(X)[:, 1]
        np.testing.assert_allclose([each["probability"] for each in found], chances, atol=1e-3)
        points, _ = scorer.compute_points(X)
        for each, (_, expected) in zip(found, points.iterrows(), strict=True):
            told = {line["feature"]: line["points"] for line in each["lines"]}
            mine = [told.get(feature, 0.0) for feature in expected.index]
            np.testing.assert_allclose(mine, expected, atol=0.01)
    assert errors == []
