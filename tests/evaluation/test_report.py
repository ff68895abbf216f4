import re
import time
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from leadml.errors import DataError
from leadml.evaluation.comparison import compare
from leadml.evaluation.report import Report, render_report, write_report
from leadml.evaluation.summary import evaluate
from leadml.evaluation.tables import compute_score_distribution

SCRIPT = "<script>alert('x')</script>"
VOID = {"meta", "br"}


class Page(HTMLParser):
    """Collect tags, text by tag and attributes; every tag opened has to be closed."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.open, self.text = [], [], [], {}
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.extend(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.extend(attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.text.setdefault(self.open[-1], []).append(data)


def models(n=600, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(-0.6, 1.5, n)
    y_true = (rng.random(n) < expit(z)).astype(int)
    return y_true, {"model": expit(z), "rules": expit(0.3 * z + rng.normal(size=n))}


def points(extra=()):
    rows = [
        ("visits", "below 3", -4.0),
        ("visits", "3 to 5.5", 1.0),
        ("visits", "5.5 or more", 6.0),
    ]
    rows += [("visits", "missing", -1.0), ("source", "web", 2.0), ("source", "other", -3.0)]
    return pd.DataFrame([*rows, *extra], columns=["feature", "value", "points"])


def report(y_true=None, table=None, **changes):
    drawn, probabilities = models()
    y_true = drawn if y_true is None else y_true
    scores = {name: np.round(100 * y_prob) for name, y_prob in probabilities.items()}
    bands = {
        name: np.where(score > 60, "hot", np.where(score > 30, "warm", "cold"))
        for name, score in scores.items()
    }
    evaluations = {
        name: evaluate(y_true, y_prob, band=bands[name], n_resamples=20)
        for name, y_prob in probabilities.items()
    }
    values = {
        "title": "Which leads to call first",
        "facts": {"Version": "3"},
        "warnings": ("no better than the base rate",),
        "evaluations": evaluations,
        "comparison": compare(y_true, probabilities, n_resamples=20),
        "scores": {name: compute_score_distribution(y_true, scores[name]) for name in scores},
        "points": points() if table is None else table,
        "structures": pd.DataFrame({"structure": ["pairwise"], "log_loss": [0.41923]}),
        "notes": ("Tags were left out.",),
    }
    return Report(**{**values, **changes})


def text_of(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_page_needs_nothing_else_and_is_small():
    html = render_report(report())
    page = Page(html)
    assert not {"script", "link", "img", "iframe", "object", "image"} & set(page.tags)
    links = [value for name, value in page.attributes if name in ("src", "href", "xlink:href")]
    assert all(value.startswith("#") for value in links)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert "@import" not in html
    assert re.findall(r"url\((?!#)", html) == []
    assert len(html.encode()) < 1_000_000


def test_it_holds_every_part_in_order():
    given = report()
    text = text_of(render_report(given))
    parts = [
        "Which leads to call first",
        "no better than the base rate",
        given.comparison.verdict[0],
        f"{given.evaluations['model'].metrics.loc['roc_auc', 'value']:.3f}",
        "Do the probabilities hold?",
        "How many wins do the best-scored leads hold?",
        "Does the score part won from lost?",
        "What do hot, warm and cold mean?",
        "What earns points",
        "What was tried",
        "0.4192",
        "How to read it",
        "Tags were left out.",
    ]
    body = text[text.rindex("Which leads to call first") :]
    places = [body.find(part) for part in parts]
    assert -1 not in places
    # a figure or a word may come earlier too: each part is searched for behind the one before
    place = 0
    for part in parts:
        place = body.index(part, place)


def test_a_difference_stands_with_its_interval_and_says_who_is_better():
    given = report()
    row = given.comparison.differences.set_index("metric").loc["roc_auc"]
    text = text_of(render_report(given))
    numbers = f"{row['difference']:+.3f} {row['lower']:+.3f} to {row['upper']:+.3f}"
    assert f"better {numbers}" in text


def test_text_from_data_stays_text_in_the_page_and_in_the_charts():
    rows = [(f"{SCRIPT} feature", SCRIPT, 5.0), (f"{SCRIPT} feature", '$a$ & "b"', -5.0)]
    table = points(rows)
    given = report(
        table=table,
        title=SCRIPT,
        facts={SCRIPT: SCRIPT},
        warnings=(SCRIPT,),
        notes=(SCRIPT,),
        structures=pd.DataFrame({SCRIPT: [SCRIPT]}),
    )
    y_true, probabilities = models()
    named = dict(zip((SCRIPT, "rules"), probabilities.values(), strict=True))
    given = Report(
        **{
            **vars(given),
            "evaluations": dict(zip(named, given.evaluations.values(), strict=True)),
            "comparison": compare(y_true, named, n_resamples=20),
            "scores": dict(zip(named, given.scores.values(), strict=True)),
        }
    )
    page = Page(render_report(given))
    assert "script" not in page.tags
    assert f"{SCRIPT} feature" in page.text["h3"]
    # the label of the bar is cut, the name of the model in a legend is not
    assert SCRIPT in page.text["text"]
    assert any(
        text.startswith("<script>alert") and text.endswith("…") for text in page.text["text"]
    )
    assert '$a$ & "b"' in page.text["text"]
    labels = [value for name, value in page.attributes if name == "aria-label"]
    assert any(value.startswith(f"Points of {SCRIPT} feature") for value in labels)


def test_every_chart_is_read_aloud_and_its_ids_are_its_own():
    html = render_report(report())
    page = Page(html)
    assert page.tags.count("svg") == html.count('role="img"') == 7
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    used = re.findall(r'(?:url\(#|href="#)([^")]+)', html)
    assert set(used) <= set(ids)


def test_equal_reports_give_equal_pages_without_a_date():
    assert render_report(report()) == render_report(report())
    assert "<dc:date>" not in render_report(report())


def test_numbers_are_steps_and_categories_bars_of_at_most_twelve():
    many = [("city", f"{2000 + place}", place / 10) for place in range(20)]
    page = Page(render_report(report(table=points(many))))
    texts = page.text["text"]
    assert "2019" in texts
    assert "2007" not in texts
    assert "missing: −1" in texts
    assert "8 more values, of less weight, are not shown." in page.text["figcaption"]


def test_the_strongest_features_come_first_weighted_by_share():
    rows = [("rare", "a", 9.0), ("rare", "b", 0.0), ("common", "a", 2.0), ("common", "b", -2.0)]
    rows += [("flat", "a", 1.0), ("flat", "b", 1.0)]
    table = pd.DataFrame(rows, columns=["feature", "value", "points"])
    headings = lambda one: [  # noqa: E731
        text
        for text in Page(render_report(report(table=one))).text["h3"]
        if text in set(table["feature"])
    ]
    assert headings(table) == ["rare", "common"]
    assert headings(table.assign(share=[0.01, 0.99, 0.5, 0.5, 0.5, 0.5])) == ["common", "rare"]


def test_a_single_model_without_wins_or_extras_has_a_page_too():
    evaluation = evaluate([0, 0, 0], [0.1, 0.2, 0.3], n_resamples=5)
    empty = pd.DataFrame(columns=["feature", "value", "points"])
    text = text_of(
        render_report(Report("x", {}, (), {"model": evaluation}, None, {}, empty, None, ()))
    )
    assert "3 leads, 0 won" in text
    assert "nan" not in text.lower().split()
    assert "What earns points" not in text


def test_glyphs_that_matplotlib_lacks_are_left_to_the_reader():
    page = Page(render_report(report(table=points([("source", "日本語", 1.0)]))))
    assert "日本語" in page.text["text"]


def test_a_failed_write_leaves_the_old_file_and_nothing_beside(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError, match="division"):
        write_report(report(), path)
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text() == "old"


def test_writing_replaces_the_file_within_six_seconds(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    given = report()
    start = time.perf_counter()
    assert write_report(given, str(path)) == path
    assert time.perf_counter() - start < 6
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert len(list(tmp_path.iterdir())) == 1


def test_drawing_leaves_no_figures_and_no_settings_behind():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    render_report(report())
    assert dict(mpl.rcParams) == before


def test_what_cannot_be_reported_is_refused():
    with pytest.raises(DataError, match="`evaluations` is empty"):
        report(evaluations={})
    with pytest.raises(DataError, match=r"`points` lacks the columns \['points', 'value'\]"):
        report(table=pd.DataFrame({"feature": ["x"]}))
