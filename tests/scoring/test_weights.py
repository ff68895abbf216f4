"""Leads that count more or less than one, leads with dates, leads that come in clusters."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from scipy.special import expit, logit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from leadml.errors import DataError
from leadml.scoring.boosting import LeadBoostingClassifier
from leadml.scoring.calibration import compute_offsets, fit_sigmoid, fit_stack
from leadml.scoring.folds import Training
from leadml.scoring.linear import _ridge
from leadml.scoring.rulepoints import RulePointsClassifier
from leadml.scoring.scorer import LeadScorer
from leadml.scoring.structures import Candidate, choose, compute_gap
from leadml.scoring.weights import as_days, as_row_weight, find_newest

SHORT = {"n_repeats": 1, "max_rounds": 60, "random_state": 0}

# log-odds of six leads, log loss, and the errors of what was tried, written down without weights;
# a new LightGBM, or another way to the ridge's minimum, moves them a little
BEFORE = {
    "auto": (
        [-0.337085048, -1.533145496, 1.476198281, -1.547331884, 1.587190825, -1.30360756],
        0.584702924751126,
        [0.0009665478038003036, 0.0, 0.0005825834477289278, 0.001004349756469042],
    ),
    "pairwise": (
        [-0.395868787, -1.513701646, 1.458988979, -1.560393859, 1.549732393, -1.333579145],
        0.583737605506179,
        [0.0],
    ),
    "full": (
        [-0.299067511, -1.4941174, 1.504485122, -1.536597743, 1.440892211, -1.279172364],
        0.588812729751379,
        [0.0],
    ),
}


@pytest.fixture
def days() -> pd.Series:
    return pd.Series(pd.date_range("2024-01-01", periods=500, freq="6h", tz="Europe/Paris"))


@pytest.mark.parametrize("structure", BEFORE)
def test_without_weights_nothing_has_changed(leads, won, structure):
    model = LeadBoostingClassifier(
        structure, monotone={"visits": 1}, n_repeats=2, max_rounds=60, random_state=0
    ).fit(leads, won)
    log_odds, loss, errors = BEFORE[structure]
    np.testing.assert_allclose(model.decision_function(leads)[:6], log_odds, rtol=0, atol=5e-3)
    assert model.log_loss_ == pytest.approx(loss, abs=1e-4)
    np.testing.assert_allclose(model.structures_["gap_se"], errors, rtol=0, atol=1e-4)
    assert model.base_rate_ == won.mean()
    assert model.stack_from_ is None


def test_equal_weights_are_no_weights(leads, won, models):
    again = LeadBoostingClassifier(**models["pairwise"].get_params())
    again.fit(leads, won, row_weight=np.full(len(won), 0.25))
    assert again.table_.to_dict() == models["pairwise"].table_.to_dict()


@pytest.mark.parametrize("structure", ["additive", "pairwise", "full"])
def test_repeated_rows_count_once(leads, won, structure):
    # a lost lead is open for longer, so it is seen more often
    times = np.random.default_rng(3).integers(1, np.where(won, 3, 5))
    rows = np.repeat(np.arange(len(won)), times)
    model = LeadBoostingClassifier(structure, max_rounds=200, random_state=0)
    single = model.fit(leads, won).predict_proba(leads)[:, 1]
    base_rate, loss = model.base_rate_, model.log_loss_
    many, weight = leads.iloc[rows], 1 / times[rows]
    once = model.fit(many, won[rows], groups=rows, row_weight=weight).predict_proba(leads)[:, 1]
    assert model.base_rate_ == pytest.approx(base_rate, abs=1e-12)
    assert model.log_loss_ == pytest.approx(loss, abs=0.015)
    assert np.abs(once - single).mean() < 0.04
    often = model.fit(many, won[rows], groups=rows).predict_proba(leads)[:, 1]
    assert model.base_rate_ < base_rate - 0.1
    assert np.abs(often - single).mean() > 2 * np.abs(once - single).mean()


@pytest.mark.parametrize("structure", ["additive", "full"])
def test_weights_move_the_level_and_the_centre(leads, won, structure):
    weight = np.where(won, 3.0, 1.0)
    model = LeadBoostingClassifier(structure, **SHORT).fit(leads, won, row_weight=weight)
    assert model.base_rate_ == pytest.approx(np.average(won, weights=weight))
    assert model.start_ == pytest.approx(logit(model.base_rate_))
    chances = model.predict_proba(leads)[:, 1]
    assert np.average(chances, weights=weight) == pytest.approx(model.base_rate_, abs=0.02)
    # each column takes its part of Jensen's gap by its share of the variance, both weighted
    points = model.compute_contributions(leads).to_numpy()
    if structure == "full":  # centred by every second lead
        points, weight = points[::2], weight[::2]
    means = np.average(points, axis=0, weights=weight)
    variances = np.average((points - means) ** 2, axis=0, weights=weight)
    np.testing.assert_allclose(means / means.sum(), variances / variances.sum(), atol=1e-6)


def test_rows_of_weight_zero_are_left_out(leads, won, days):
    kept = np.arange(len(won)) % 3 > 0
    accounts = np.arange(len(won)) // 7
    model = LeadBoostingClassifier("additive", **SHORT)
    weighted = model.fit(leads, won, accounts, kept.astype(int), days).table_.to_dict()
    model.fit(leads[kept], won[kept], accounts[kept], dates=days[kept])
    assert model.table_.to_dict() == weighted


def test_weights_with_which_a_fold_has_next_to_no_loss(leads, won):
    weight = np.where(np.arange(len(won)) % 50 == 0, 1e9, 1e-9)
    model = LeadBoostingClassifier("additive", **SHORT).fit(leads, won, row_weight=weight)
    assert np.isfinite(model.decision_function(leads)).all()


@pytest.mark.parametrize(
    ("row_weight", "match"),
    [
        ([1, 1, 1], r"one value a lead, shape \(4,\). Got \(3,\)"),
        ([[1], [1], [1], [1]], r"Got \(4, 1\)"),
        ([1, -2, 1, -1], r"from 0 up. Got -2.0 in row 1, 2 such row\(s\)"),
        ([1, 1, np.nan, 1], "Got nan in row 2"),
        ([1, 1, 1, np.inf], "Got inf in row 3"),
        ([0, 0, 0, 0], "2 wins and 2 losses. Got 0 and 0 above 0"),
        ([1, 1, 1, 0], "Got 2 and 1 above 0"),
        (["a", "b", "c", "d"], "must hold numbers"),
    ],
)
def test_row_weights_that_cannot_be_used(row_weight, match):
    with pytest.raises(DataError, match=match):
        as_row_weight(row_weight, np.array([True, True, False, False]))


def test_row_weights_are_scaled_to_a_mean_of_one():
    won = np.array([True, True, False, False, False])
    scaled = as_row_weight(np.array([1, 1, 0, 2, 4]) * 4e307, won)
    np.testing.assert_allclose(scaled, [0.5, 0.5, 0, 1, 2])


def make_parts(count: int, a: float, b: float, seed: int):
    random = np.random.default_rng(seed)
    boosted, linear = random.normal(size=(2, count)) * 1.5
    return random.random(count) < expit(a * boosted + b * linear - 0.5), boosted, linear


def test_a_weight_of_two_is_a_lead_twice():
    won, boosted, linear = make_parts(400, 0.8, 0.3, 0)
    times = np.random.default_rng(1).integers(1, 4, 400)
    rows = np.repeat(np.arange(400), times)
    np.testing.assert_allclose(
        fit_stack(won, boosted, linear, times),
        fit_stack(won[rows], boosted[rows], linear[rows]),
        atol=1e-3,
    )
    np.testing.assert_allclose(
        fit_sigmoid(won, boosted, times), fit_sigmoid(won[rows], boosted[rows]), atol=1e-3
    )
    parts = np.column_stack([boosted, linear])
    offsets = compute_offsets(parts[rows], 0.1, 0.4)
    np.testing.assert_allclose(compute_offsets(parts, 0.1, 0.4, times), offsets)
    signs = np.zeros(2)
    slopes, intercept = _ridge(csr_array(parts), won, times, 1.0, signs)
    expected = _ridge(csr_array(parts[rows]), won[rows], np.ones(len(rows)), 1.0, signs)
    np.testing.assert_allclose(slopes, expected[0], atol=1e-3)
    assert intercept == pytest.approx(expected[1], abs=1e-3)


def test_the_stack_follows_the_newest_and_the_level_follows_all():
    old, new = make_parts(20_000, 0.9, 0.1, 0), make_parts(5_000, 0.2, 0.8, 1)
    won, boosted, linear = (np.r_[one, other] for one, other in zip(old, new, strict=True))
    newest = np.arange(25_000) >= 20_000
    weight = np.where(np.arange(25_000) % 2, 1.5, 0.5)
    a, b, c = fit_stack(won, boosted, linear, weight, newest)
    assert (a, b) == pytest.approx((0.2, 0.8), abs=0.06)
    assert fit_stack(*new, weight[newest])[:2] == pytest.approx((a, b), abs=1e-3)
    chances = expit(a * boosted + b * linear + c)
    assert np.average(chances, weights=weight) == pytest.approx(
        np.average(won, weights=weight), abs=1e-4
    )


def test_dates_choose_who_weighs_the_parts_and_leave_the_folds(leads, won, days):
    model = LeadBoostingClassifier("full", **SHORT)
    dated = model.fit(leads, won, dates=days)
    assert dated.stack_from_ == "2024-04-10"
    texts = [booster.model_to_string() for booster in dated.bag_.boosters]
    weight = dated.bag_weight_
    plain = model.fit(leads, won)
    assert plain.stack_from_ is None
    assert [booster.model_to_string() for booster in plain.bag_.boosters] == texts
    assert plain.bag_weight_ != weight


@pytest.mark.parametrize(
    "dates",
    [
        pd.Series([pd.NaT] * 500),
        pd.Series(pd.date_range("2024-01-01", periods=500)).where(np.arange(500) < 150),
    ],
)
def test_too_few_of_the_newest_mean_all(leads, won, dates):
    model = LeadBoostingClassifier("additive", **SHORT)
    plain = model.fit(leads, won).table_.to_dict()
    assert model.fit(leads, won, dates=dates).stack_from_ is None
    assert model.table_.to_dict() == plain


def test_the_newest_are_a_fifth_of_the_dated_with_all_of_their_first_day():
    won = np.arange(500) % 2 == 0
    dates = np.datetime64("2024-01-01") + np.arange(500).astype("timedelta64[D]")
    dates[::5] = "NaT"
    newest, first = find_newest(as_days(dates, won), won)
    assert (newest.sum(), first) == (80, str(dates[newest].min()))
    assert not newest[::5].any()
    one_day = np.full(500, np.datetime64("2024-02-03T04:05"))
    newest, first = find_newest(as_days(one_day, won), won)
    assert (newest.all(), first) == (True, "2024-02-03")
    few_wins = np.arange(500) % 6 == 1
    assert find_newest(as_days(dates, few_wins), few_wins) == (None, None)


@pytest.mark.parametrize(
    ("dates", "match"),
    [
        (["2024-01-01", "2024-01-02"], "`dates` must hold datetime64.*Got str.*to_datetime"),
        ([20240101, 20240102], "Got int64"),
        (pd.date_range("2024-01-01", periods=3), r"shape \(2,\). Got \(3,\)"),
    ],
)
def test_dates_that_cannot_be_used(dates, match):
    with pytest.raises(DataError, match=match):
        as_days(dates, np.array([True, False]))


def make_candidates(gap: np.ndarray, weight: np.ndarray, clusters) -> tuple:
    training = Training([], [], gap > 0, (), [], weight, None, clusters)
    losses = {"additive": 0.5 + gap, "full": np.full(len(gap), 0.5)}
    candidates = [
        Candidate(name, None, None, (0.5, 0.5, 0.0), loss, float((weight * loss).mean()))
        for name, loss in losses.items()
    ]
    return training, candidates


def gap_of(training, pair):
    return compute_gap(pair[0].losses - pair[1].losses, training.weight, training.clusters)


def test_rows_of_a_cluster_are_one_observation():
    gap = np.random.default_rng(0).normal(0.005, 0.1, 200)
    training, pair = make_candidates(gap, np.ones(200), None)
    assert gap_of(training, pair) == pytest.approx((gap.mean(), gap.std() / np.sqrt(200)))
    rows = np.repeat(np.arange(200), 4)
    training, pair = make_candidates(gap[rows], np.ones(800), rows)
    assert gap_of(training, pair) == pytest.approx((gap.mean(), gap.std() / np.sqrt(200)))
    assert choose(training, pair).structure == "additive"
    # the same rows taken for independent ones make the gap look certain
    alone = replace(training, clusters=None)
    assert gap_of(alone, pair)[1] == pytest.approx(gap.std() / np.sqrt(800))
    assert choose(alone, pair).structure == "full"
    times = 1 + np.arange(200) % 3
    rows = np.repeat(np.arange(200), times)
    training, pair = make_candidates(gap[rows], as_row_weight(1 / times[rows], gap[rows] > 0), rows)
    assert gap_of(training, pair) == pytest.approx((gap.mean(), gap.std() / np.sqrt(200)))


def test_rule_points_are_weighted(leads, won):
    weight = np.where(won, 3.0, 1.0)
    model = RulePointsClassifier()
    plain = model.fit(leads, won).predict_proba(leads)[:, 1].mean()
    assert plain == pytest.approx(won.mean(), abs=0.01)
    model.fit(leads, won, row_weight=weight)
    assert model.base_rate_ == pytest.approx(np.average(won, weights=weight))
    chances = model.predict_proba(leads)[:, 1]
    assert np.average(chances, weights=weight) == pytest.approx(model.base_rate_, abs=0.01)
    with pytest.raises(DataError, match="`row_weight` must have one value a lead"):
        model.fit(leads, won, row_weight=weight[1:])


@pytest.mark.parametrize(
    "classifier", [LeadBoostingClassifier("additive", **SHORT), RulePointsClassifier()]
)
def test_a_weighted_first_training_starts_at_fifty(leads, won, classifier):
    weight = np.where(won, 3.0, 1.0)
    base_rate = np.average(won, weights=weight)
    alone = LeadScorer(classifier).fit(leads, won, row_weight=weight)
    assert alone.scale_.base_odds == pytest.approx(base_rate / (1 - base_rate))
    steps = [("same", FunctionTransformer()), ("model", classifier)]
    piped = LeadScorer(Pipeline(steps)).fit(leads, won, model__row_weight=weight)
    np.testing.assert_array_equal(piped.decision_function(leads), alone.decision_function(leads))
    assert piped.scale_ == alone.scale_
    if isinstance(classifier, LeadBoostingClassifier):
        assert piped.compute_points(leads)[1] == pytest.approx(0, abs=1e-9)
        assert "start" not in set(piped.explain(leads.iloc[[0]])["feature"])
