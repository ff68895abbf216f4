import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from leadml.evaluation.comparison import compare
from leadml.evaluation.summary import evaluate
from leadml.rule_learning import LearnedRules
from leadml.scoring.rulebook import Rule, RuleBook

EVIL = "<script>alert('$x$')</script>"


class _Page(HTMLParser):
    """Reads a piece of HTML: its tags, whether they are closed, and its text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.texts = set(), [], []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name in ("src", "href") or name.startswith("on")]
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data.strip())

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def read(result):
    """Return the page of a result, checked to be whole, inert, and the same each time."""
    html = result._repr_html_()
    assert html == result._repr_html_()
    page = _Page(html)
    assert not page.tags & {"script", "style", "link", "img", "iframe"}
    assert "url(" not in html
    assert not re.search(r"[;\"]color:#|background:#(?!2C8CCB|D9691E)", html)  # dark and light
    return page


def leads(count=300):
    rng = np.random.default_rng(0)
    good = rng.beta(1, 3, count)
    poor = np.clip(good + rng.normal(0, 0.3, count), 0.01, 0.99)
    return (rng.random(count) < good).astype(int), good, poor


def test_a_comparison_shows_verdict_wins_and_who_is_better():
    y_true, good, poor = leads()
    result = compare(y_true, {"model": good, "rules": poor}, capacity=3, weeks=10, n_resamples=50)
    page = read(result)
    assert result.verdict[0] in page.text
    assert "With 3 calls a week" in page.text
    assert "deals a month" in page.text
    auc = result.metrics.set_index(["metric", "model"])["value"]["roc_auc"]
    assert f"AUC (ranks won before lost) {auc['model']:.3f} {auc['rules']:.3f}" in page.text
    assert "model is better" in page.text
    top = result.top.iloc[0]
    assert f"both tops of 30 leads hold {top['both']}" in page.text
    assert "300 leads, " in page.text


def test_a_comparison_by_leads_shows_wins_of_each_model():
    y_true, good, poor = leads()
    third = (good + poor) / 2
    groups = np.arange(300) // 3
    models = {"model": good, "rules": poor, EVIL: third}
    result = compare(y_true, models, groups=groups, n_resamples=20)
    page = read(result)
    assert "Calling 30 leads" in page.text
    assert "paired resamples of 100 groups" in page.text
    assert EVIL in page.text  # as text
    found = result.at_capacity().set_index("model")["n_won"]["rules"]
    assert f"rules {found:.0f}" in page.text


@pytest.mark.parametrize("y_true", [[0, 0, 0], [1, 1, 1]])
def test_a_comparison_without_both_outcomes_is_shown(y_true):
    both = {"a": [0.1, 0.2, 0.3], "b": [0.3, 0.2, 0.1]}
    page = read(compare(y_true, both, n_resamples=10))
    assert "–" in page.text
    assert "no difference shown" in page.text


def test_an_evaluation_shows_the_figures_and_the_bands():
    y_true, good, _ = leads()
    band = np.where(good > 0.5, "hot", "cold")
    result = evaluate(y_true, good, band=band, n_resamples=50)
    page = read(result)
    auc = result.metrics.loc["roc_auc"]
    assert f"before a lost one in {100 * auc['value']:.1f} % of pairs" in page.text
    assert f"AUC {auc['value']:.3f} {auc['lower']:.3f} to {auc['upper']:.3f}" in page.text
    hot = result.bands.iloc[0]
    assert f"hot {hot['n_leads']} {100 * hot['conversion']:.0f} %" in page.text
    assert "warm 0 – –" in page.text
    assert "brier" in page.text


def test_an_evaluation_of_one_lead_is_shown():
    page = read(evaluate([1], [0.5], n_resamples=5))
    assert "nothing to rank" in page.text


def test_a_training_shows_figures_of_all_recipes_and_its_scorer(training):
    page = read(training)
    scorer = training.model.scorer
    assert training.comparison.verdict[0] in page.text
    for name, one in training.evaluations.items():
        assert f"{name} {one.metrics['value']['roc_auc']:.3f}" in page.text
    assert f"{scorer.name} {scorer.version}" in page.text
    assert "points double the odds" in page.text
    assert all(warning in page.text for warning in training.warnings)


def test_learned_rules_show_the_book_and_what_it_costs():
    y_true, good, poor = leads()
    comparison = compare(y_true, {"model": good, "rules": poor}, n_resamples=10)
    book = RuleBook(
        rules=[
            Rule(name=EVIL, family="context", column="a", is_missing=True, points=-4),
            Rule(name="visits", family="behavioral", column="v", at_least=3, points=12),
        ]
    )
    nothing = np.nan
    figures = pd.DataFrame(
        [
            ("model", "roc_auc", 0.8, nothing, nothing, nothing),
            ("rules", "roc_auc", 0.75, -0.05, -0.07, -0.03),
        ],
        columns=["recipe", "metric", "value", "difference", "lower", "upper"],
    )
    learned = LearnedRules(book, f"# {EVIL}", figures, comparison, "five folds", ("NO SIGNAL",))
    page = read(learned)
    assert "2 rules learned" in page.text
    assert f"−4 {EVIL} context +12 visits behavioral" in page.text
    assert "rules 0.750 −0.050 −0.070 to −0.030" in page.text
    assert "NO SIGNAL" in page.text
    assert f"# {EVIL}" in page.text
