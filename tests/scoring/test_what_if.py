import json
from bisect import bisect_right

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from leadml.features.profile import ProfileFeatures
from leadml.scoring import what_if_trees
from leadml.scoring.boosting import LeadBoostingClassifier
from leadml.scoring.rulebook import Rule, RuleBook
from leadml.scoring.rulepoints import RulePointsClassifier
from leadml.scoring.scorer import LeadScorer
from leadml.scoring.what_if import WhatIf


def leads(n=1500, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "visits": rng.poisson(3, n).astype(float),
            "minutes": rng.gamma(2, 20, n),
            "source": rng.choice(["web", "fair", "mail", "a, b"], n),
            "title": rng.choice(["CEO", "VP Sales", "Sales Director VP", "Clerk", "Intern"], n),
        }
    )
    frame.loc[rng.random(n) < 0.1, ["visits", "source"]] = np.nan
    frame.loc[rng.random(n) < 0.1, "title"] = None
    together = (frame["visits"] > 3) & (frame["source"] == "fair")
    z = -1 + 0.3 * frame["visits"].fillna(1) + 1.5 * together - (frame["minutes"] > 60)
    return frame, (rng.random(n) < 1 / (1 + np.exp(-z))).astype(int)


BOOK = RuleBook(
    caps={"demographic": 12.0},
    rules=[
        Rule(name="Visits", family="behavioral", column="visits", per_unit=3, cap=12),
        Rule(name="Three visits", family="behavioral", column="visits", is_in=[3], points=4),
        Rule(
            name="No visits known", family="behavioral", column="visits", is_missing=True, points=-5
        ),
        Rule(name="Fair", family="context", column="source", is_in=["Fair"], points=9),
        Rule(name="Boss", family="demographic", column="title", contains=["ceo", "vp"], points=10),
        Rule(
            name="Director", family="demographic", column="title", contains=["director"], points=8
        ),
        Rule(name="CEO itself", family="demographic", column="title", is_in=["CEO"], points=5),
        Rule(name="Long", family="behavioral", column="minutes", at_least=20, below=60, points=-6),
    ],
)


def scorers(structure):
    X, y = leads()
    kinds = {"title": "title"}
    model = Pipeline(
        [
            ("profile", ProfileFeatures(kinds=kinds)),
            ("model", LeadBoostingClassifier(structure, n_repeats=1, random_state=0)),
        ]
    )
    rules = Pipeline(
        [
            ("profile", ProfileFeatures(kinds=kinds, keep_raw=True)),
            ("model", RulePointsClassifier(BOOK)),
        ]
    )
    first = LeadScorer(model).fit(X, y)
    return {"model": first, "rules": LeadScorer(rules, scale=first.scale_).fit(X, y)}


def walk(tree, codes, model):
    """Return the leaf of a tree that a lead falls into."""
    node = 0
    while node >= 0:
        place = tree["columns"][node]
        column, code, left = model["columns"][place], codes[place], tree["left"][node]
        is_number = column["kind"] == "number"
        last = len(column["edges"] if is_number else column["levels"]) + 1
        if code == last:
            goes_left = tree["missing"][node] == 1
        else:
            goes_left = code < left if isinstance(left, int) else code in left
        node = tree["children"][node][0 if goes_left else 1]
    return tree["values"][~node]


def mean_of(tree, node):
    """Return the mean of a tree over the training."""
    if node < 0:
        return tree["values"][~node]
    share = tree["shares"][node]
    left, right = tree["children"][node]
    return share * mean_of(tree, left) + (1 - share) * mean_of(tree, right)


def play(model, values):
    """Add up a model's points as the page does."""
    codes, numbers = [], []
    for column in model["columns"]:
        value = values[column["field"]]
        numbers.append(value)
        if column["kind"] == "number":
            edges = column["edges"]
            codes.append(len(edges) + 1 if value is None else bisect_right(edges, value))
        else:
            levels = column["levels"]
            place = levels.index(value) if value in levels else len(levels)
            codes.append(len(levels) + 1 if value is None else place)
    points = {}
    for term in model["terms"]:
        worth = term["values"][codes[term["column"]]]
        if term["slope"] and numbers[term["column"]] is not None:
            worth += term["slope"] * min(max(numbers[term["column"]], term["low"]), term["high"])
        points[term["feature"]] = points.get(term["feature"], 0.0) + worth
    for pair in model["pairs"]:
        i, j = pair["columns"]
        half = pair["grid"][pair["first"][codes[i]]][pair["second"][codes[j]]] / 2
        for place in (i, j):
            points[model["columns"][place]["name"]] += half
    points["trees"] = sum(walk(tree, codes, model) - mean_of(tree, 0) for tree in model["trees"])
    for family, cap in model["caps"].items():
        mine = [name for name in points if model["families"].get(name) == family]
        total = sum(points[name] for name in mine)
        if total > cap:
            points.update({name: points[name] * cap / total for name in mine})
    return model["start"] + sum(points.values())


@pytest.mark.parametrize("structure", ["additive", "pairwise", "full"])
def test_the_page_adds_up_to_the_score_of_every_lead(structure):
    both = scorers(structure)
    new, _ = leads(300, seed=1)
    new.loc[:5, "source"] = "never seen"
    what_if = WhatIf.build(both, dict.fromkeys(both, new))
    state = json.loads(json.dumps(what_if.to_dict(dict.fromkeys(both, new)), allow_nan=False))
    rows = what_if.read_values(dict.fromkeys(both, new))
    assert state["why"] is None
    for model in state["models"]:
        scorer = both[model["name"]]
        raw = scorer.scale_.raw_scores(scorer.decision_function(new))
        played = [play(model, row) for row in rows]
        # shares of training leads are rounded in the trees of `full`
        np.testing.assert_allclose(played, raw, atol=0.02 if model["trees"] else 1e-3)


def test_fields_hold_no_text_that_the_models_do_not_know():
    both = scorers("additive")
    new, _ = leads(50, seed=2)
    new["title"] = "Jane Doe, VP of jane@corp.example"
    inputs = dict.fromkeys(both, new)
    what_if = WhatIf.build(both, inputs)
    rows = what_if.read_values(inputs)
    assert "jane" not in json.dumps([what_if.to_dict(inputs), rows]).lower()
    place = [field.source for field in what_if.fields].index("title")
    assert {row[place] for row in rows} == {"other: vp"}


def test_a_rule_may_look_through_a_category_that_the_model_knows_too():
    X, y = leads()
    book = RuleBook(
        rules=[Rule(name="Fairs", family="context", column="source", contains=["fair"], points=9)]
    )
    model = Pipeline(
        [
            ("profile", ProfileFeatures()),
            ("model", LeadBoostingClassifier("additive", n_repeats=1, random_state=0)),
        ]
    )
    rules = Pipeline(
        [
            ("profile", ProfileFeatures(keep_raw=True)),
            ("model", RulePointsClassifier(book)),
        ]
    )
    first = LeadScorer(model).fit(X, y)
    both = {"model": first, "rules": LeadScorer(rules, scale=first.scale_).fit(X, y)}
    new, _ = leads(60, seed=4)
    # texts that the model does not know, but the rule finds its word in
    new.loc[:20, "source"] = [f"Fair of {place}" for place in range(21)]
    inputs = dict.fromkeys(both, new)
    what_if = WhatIf.build(both, inputs)
    state = what_if.to_dict(inputs)
    assert "Fair of" not in json.dumps(state)
    for told in state["models"]:
        scorer = both[told["name"]]
        raw = scorer.scale_.raw_scores(scorer.decision_function(new))
        played = [play(told, row) for row in what_if.read_values(inputs)]
        np.testing.assert_allclose(played, raw, atol=1e-3)


def test_models_that_read_a_column_differently_have_a_field_each():
    X, y = leads()
    one, two = (
        Pipeline(
            [
                ("profile", ProfileFeatures(missing=missing)),
                ("model", LeadBoostingClassifier("additive", n_repeats=1, random_state=0)),
            ]
        )
        for missing in (["web"], [])
    )
    first = LeadScorer(one).fit(X, y)
    both = {"model a": first, "model b": LeadScorer(two, scale=first.scale_).fit(X, y)}
    new, _ = leads(80, seed=5)
    inputs = dict.fromkeys(both, new)
    what_if = WhatIf.build(both, inputs)
    state = what_if.to_dict(inputs)
    labels = [field["label"] for field in state["fields"]]
    assert {"source (model a)", "source (model b)"} <= set(labels)
    assert labels.count("visits") == 1
    for told in state["models"]:
        scorer = both[told["name"]]
        raw = scorer.scale_.raw_scores(scorer.decision_function(new))
        played = [play(told, row) for row in what_if.read_values(inputs)]
        np.testing.assert_allclose(played, raw, atol=1e-3)


def test_fields_that_part_leads_most_come_first():
    both = scorers("additive")
    new, _ = leads(200, seed=3)
    points, _ = both["model"].compute_points(new)
    first = WhatIf.build({"model": both["model"]}, {"model": new}).fields[0]
    assert first.source == points.std(ddof=0).idxmax()


def test_a_full_model_with_too_many_trees_is_left_out_and_says_why(monkeypatch):
    monkeypatch.setattr(what_if_trees, "MOST_SPLITS", 100)
    both = scorers("full")
    new, _ = leads(50)
    state = WhatIf.build(both, dict.fromkeys(both, new)).to_dict(dict.fromkeys(both, new))
    assert [model["name"] for model in state["models"]] == ["rules"]
    assert "leadml explain" in state["why"]


def test_a_rule_book_without_outcomes_gives_its_plain_points():
    X, _ = leads(100)
    rules = Pipeline(
        [
            ("profile", ProfileFeatures(kinds={"title": "title"}, keep_raw=True)),
            ("model", RulePointsClassifier(BOOK)),
        ]
    )
    scorer = LeadScorer(rules).fit(X)
    what_if = WhatIf.build({"rules": scorer}, {"rules": X})
    (model,) = what_if.to_dict({"rules": X})["models"]
    played = [play(model, row) for row in what_if.read_values({"rules": X})]
    expected = scorer.estimator_[-1].compute_raw_points(scorer.estimator_[:-1].transform(X))
    np.testing.assert_allclose(played, expected, atol=1e-4)
