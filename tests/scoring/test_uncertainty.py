"""Intervals hold the true probability, and leads like none in training are told."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from leadml.errors import DataError
from leadml.features.profile import ProfileFeatures
from leadml.scoring import uncertainty as module
from leadml.scoring.boosting import LeadBoostingClassifier
from leadml.scoring.scorer import LeadScorer
from leadml.scoring.uncertainty import Uncertainty, compute_bounds, fit_uncertainty


def draw_leads(count, seed):
    """Return leads, their true log-odds, and which were won."""
    random = np.random.default_rng(seed)
    leads = pd.DataFrame(
        {
            "visits": random.poisson(4, count).astype(float),
            "minutes": random.exponential(5, count),
            "source": random.choice(["web", "fair", "chat"], count, p=[0.6, 0.3, 0.1]),
            "noise": random.choice(list("abcdefgh"), count),
        }
    )
    z = 0.4 * (leads["visits"] - 4) + np.tanh(leads["minutes"] / 4 - 1)
    z = (z + leads["source"].map({"web": -0.5, "fair": 0.3, "chat": 1.2})).to_numpy()
    return leads, z, random.random(count) < expit(z)


def fit_small(leads, won, structure="additive", **given):
    return LeadBoostingClassifier(
        structure, n_repeats=1, max_rounds=150, random_state=0, n_jobs=1
    ).fit(leads, won, **given)


def mean_width(table):
    return float((table["upper"] - table["lower"]).mean())


def share_held(table, truth):
    chance = expit(truth)
    return float(((table["lower"] <= chance) & (chance <= table["upper"])).mean())


@pytest.fixture(scope="module")
def fitted():
    leads, _, won = draw_leads(800, 0)
    model = fit_small(leads, won)
    return leads, won, model, fit_uncertainty(model, leads, won)


def test_intervals_hold_the_true_probability_as_often_as_they_say():
    held, held_by_less = [], []
    for seed in range(5):
        leads, _, won = draw_leads(600, seed)
        model = fit_small(leads, won)
        test, truth, _ = draw_leads(1_000, 100 + seed)
        uncertainty = fit_uncertainty(model, leads, won)
        table = uncertainty.compute_intervals(model, test)
        held.append(share_held(table, truth))
        less = Uncertainty(
            uncertainty.start / 6,
            {name: values / 6 for name, values in uncertainty.variances.items()},
            uncertainty.strange,
        )
        held_by_less.append(share_held(less.compute_intervals(model, test), truth))
        assert 0.05 < mean_width(table) < 0.6
    assert 0.91 < np.mean(held) < 0.995
    assert np.mean(held_by_less) < 0.85  # the check would see intervals that are too short


def test_intervals_hold_the_probability_and_get_shorter_with_more_leads(fitted):
    leads, _, model, uncertainty = fitted
    table = uncertainty.compute_intervals(model, leads)
    chance = model.predict_proba(leads)[:, 1]
    assert ((table["lower"] < chance) & (chance < table["upper"])).all()
    more, _, won = draw_leads(4_000, 1)
    large = fit_small(more, won)
    assert mean_width(fit_uncertainty(large, more, won).compute_intervals(large, leads)) < (
        0.8 * mean_width(table)
    )


def test_where_leads_are_few_intervals_are_longer(fitted):
    leads, _, model, uncertainty = fitted
    names = [column.name for column in model.table_.columns]
    far = leads.assign(visits=14.0, minutes=45.0, source="chat")

    def variance(frame):
        codes = [column.codes(frame[column.name]) for column in model.table_.columns]
        return uncertainty.compute_variance(dict(zip(names, codes, strict=True)), len(frame))

    assert variance(far).min() > 1.5 * variance(leads).mean()


def test_json_gives_the_same_and_runs_in_any_order(fitted):
    leads, won, model, uncertainty = fitted
    text = json.dumps(uncertainty.to_dict(), allow_nan=False)
    assert len(text) < 10_000
    again = Uncertainty.from_dict(json.loads(text))
    table = uncertainty.compute_intervals(model, leads)
    pd.testing.assert_frame_equal(again.compute_intervals(model, leads), table)
    turned = again.compute_intervals(model, leads[::-1])
    pd.testing.assert_frame_equal(turned[::-1], table)
    assert fit_uncertainty(model, leads, won).to_dict() == uncertainty.to_dict()


def test_abstains_from_values_hardly_seen_and_from_new_gaps(fitted):
    leads, _, model, uncertainty = fitted
    rows = leads.head(4).copy()
    rows["source"] = ["web", "podcast", "web", None]
    rows["visits"] = [1.0, 1.0, np.nan, np.nan]
    table = uncertainty.compute_intervals(model, rows)
    assert table["why"].tolist() == [
        "",
        "hardly any such lead in training: source",
        "hardly any such lead in training: visits",
        "hardly any such lead in training: visits, source",
    ]
    assert table["abstain"].tolist() == [False, True, True, True]
    known = uncertainty.compute_intervals(model, rows.assign(source="web", visits=1.0))
    assert mean_width(table[1:2]) > mean_width(known[1:2])


def test_a_value_of_one_account_alone_is_hardly_seen():
    leads, _, won = draw_leads(300, 2)
    leads.loc[:19, "source"] = "partner"
    account = np.r_[np.zeros(20), np.arange(1, 281)].astype(int)
    model = fit_small(leads, won)
    alone, shared = (
        fit_uncertainty(model, leads, won, groups=groups).compute_intervals(model, leads)
        for groups in (None, account)
    )
    assert not alone["abstain"].any()
    assert shared["abstain"].tolist() == [True] * 20 + [False] * 280


def test_copies_of_leads_change_no_interval():
    leads, _, won = draw_leads(300, 3)
    model = fit_small(leads, won)
    once = fit_uncertainty(model, leads, won).compute_intervals(model, leads)
    rows, lead = pd.concat([leads] * 4), np.tile(np.arange(300), 4)
    copied = fit_uncertainty(model, rows, np.tile(won, 4), groups=lead)
    width = mean_width(copied.compute_intervals(model, leads))
    assert width == pytest.approx(mean_width(once), rel=0.1)


def test_rows_of_weight_zero_do_not_count(fitted):
    leads, won, model, uncertainty = fitted
    more = pd.concat([leads, leads.head(50).assign(source="podcast")])
    y, weight = np.r_[won, ~won[:50]], np.r_[np.full(800, 3.0), np.zeros(50)]
    again = fit_uncertainty(model, more, y, row_weight=weight)
    for name, values in uncertainty.variances.items():
        np.testing.assert_allclose(again.variances[name], values, atol=1e-4)
        np.testing.assert_array_equal(again.strange[name], uncertainty.strange[name])


def test_many_leads_are_sampled(fitted, monkeypatch):
    leads, won, model, uncertainty = fitted
    monkeypatch.setattr(module, "FEW", 300)
    monkeypatch.setattr(module, "MOST", 600)
    sampled, same = (fit_uncertainty(model, leads, won, random_state=1) for _ in range(2))
    assert sampled.to_dict() == same.to_dict()
    whole = mean_width(uncertainty.compute_intervals(model, leads))
    assert mean_width(sampled.compute_intervals(model, leads)) == pytest.approx(whole, rel=0.4)
    for name, values in uncertainty.strange.items():
        np.testing.assert_array_equal(sampled.strange[name], values)


@pytest.mark.parametrize("structure", ["additive", "pairwise", "full"])
def test_every_structure_and_odd_values(structure, models, leads, won, odd_leads):
    model = models[structure]
    table = fit_uncertainty(model, leads, won).compute_intervals(model, odd_leads)
    assert table[["lower", "upper"]].notna().all(axis=None)
    assert (table["lower"] < table["upper"]).all()
    assert table["abstain"].any()


def test_scorer_around_a_pipeline_and_snapshots():
    leads, _, won = draw_leads(300, 4)
    dates = pd.date_range("2026-01-01", periods=300)
    leads.index = pd.MultiIndex.from_arrays(
        [[f"L{place // 3}" for place in range(300)], dates], names=["lead_id", "snapshot_date"]
    )
    model = LeadBoostingClassifier("additive", n_repeats=1, max_rounds=40, random_state=0)
    scorer = LeadScorer(Pipeline([("profile", ProfileFeatures()), ("model", model)]))
    scorer.fit(leads, won)
    uncertainty = fit_uncertainty(scorer, leads, won, groups=leads.index.get_level_values(0))
    table = uncertainty.compute_intervals(scorer, leads)
    assert table.index.equals(leads.index)
    chance = scorer.predict_proba(leads)[:, 1]
    assert ((table["lower"] < chance) & (chance < table["upper"])).all()
    pd.testing.assert_frame_equal(uncertainty.compute_intervals(scorer.estimator_, leads), table)


def test_arrays_and_columns_that_say_nothing():
    random = np.random.default_rng(0)
    X = np.column_stack([random.normal(size=120), np.ones(120), np.full(120, np.nan)])
    y = random.random(120) < 0.4
    model = fit_small(X, y)
    table = fit_uncertainty(model, X, y).compute_intervals(model, X)
    assert list(table.columns) == ["lower", "upper", "abstain", "why"]
    assert (table["lower"] < table["upper"]).all()
    assert not table["abstain"].any()


def test_bounds_are_symmetric_in_log_odds():
    lower, upper = compute_bounds(np.array([0.0, 2.0]), np.array([1.0, 0.0]))
    assert lower[0] == pytest.approx(1 - upper[0]) == pytest.approx(expit(-1.959963984540054))
    assert lower[1] == upper[1] == expit(2.0)


def test_other_models_are_refused(fitted):
    leads, won, _, uncertainty = fitted
    numbers = leads[["visits", "minutes"]]
    foreign = LogisticRegression().fit(numbers, won)
    with pytest.raises(DataError, match="LogisticRegression"):
        fit_uncertainty(foreign, numbers, won)
    other = fit_small(numbers, won)
    with pytest.raises(DataError, match="another model"):
        uncertainty.compute_intervals(other, numbers)
