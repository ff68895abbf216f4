import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from leadml.errors import DataError
from leadml.scoring.bands import Bands, assign_stages
from leadml.scoring.scale import Scale, round_scores


@pytest.mark.parametrize(
    ("probability", "score"),
    # base rate 20 %, odds 1:4; every doubling of the odds is ten points
    [(0.2, 50), (1 / 3, 60), (0.5, 70), (2 / 3, 80), (1 / 9, 40), (1 / 17, 30), (0.999999, 100)],
)
def test_ten_points_double_the_odds(probability, score):
    assert Scale(base_odds=0.25).scores(logit(probability)) == score


def test_raw_scores_are_neither_rounded_nor_clipped():
    scale = Scale(base_odds=1.0, points_to_double=5)
    np.testing.assert_allclose(scale.raw_scores(np.log([1, 2, 2**20, 2**-20])), [50, 55, 150, -50])
    assert scale.scores(np.log([2**20, 2**-20])).tolist() == [100, 0]
    assert scale.points_per_logit == pytest.approx(5 / np.log(2))


@given(
    probabilities=st.lists(st.floats(1e-9, 1 - 1e-9), min_size=2, max_size=30),
    base_rate=st.floats(0.01, 0.99),
    points_to_double=st.sampled_from([10.0, 8.0, 6.0, 5.0, 4.0]),
)
@settings(max_examples=100, deadline=None)
def test_scores_never_fall_as_the_probability_rises(probabilities, base_rate, points_to_double):
    scale = Scale(base_rate / (1 - base_rate), points_to_double)
    log_odds = np.sort(logit(probabilities))
    scores = scale.scores(log_odds)
    assert (np.diff(scores) >= 0).all()
    assert (np.diff(expit(log_odds)) >= 0).all()
    assert scores.dtype == np.int64


@pytest.mark.parametrize(
    ("reach", "points_to_double"),
    # doublings from the base odds at which 3 % of leads stand; 50 points are there to spend
    [(4.9, 10), (5.5, 8), (7, 6), (9, 5), (11, 4), (40, 4)],
)
def test_choose_clips_at_most_two_percent(reach, points_to_double):
    log_odds = logit(0.3) + np.log(2) * np.r_[np.zeros(97), np.full(3, reach)]
    scale = Scale.choose(log_odds, base_rate=0.3)
    assert scale == Scale(base_odds=0.3 / 0.7, points_to_double=points_to_double)


def test_choose_lets_two_percent_be_clipped():
    log_odds = np.log(2) * np.r_[np.zeros(98), np.full(2, -40)]
    assert Scale.choose(log_odds, base_rate=0.5).points_to_double == 10


def test_rounding():
    assert round_scores(np.array([-3.0, 0.4, 49.6, 99.5, 250.0])).tolist() == [0, 0, 50, 100, 100]


def test_band_edges_belong_to_the_band_above():
    assert Bands().assign([0, 44, 45, 64, 65, 100]).tolist() == [
        *["cold", "cold", "warm", "warm", "hot", "hot"]
    ]


@given(
    scores=st.lists(st.integers(0, 100), min_size=1, max_size=60),
    leads_a_week=st.integers(1, 30),
    weeks=st.sampled_from([1, 2, 4]),
)
@settings(max_examples=100, deadline=None)
def test_the_hot_band_fills_the_capacity(scores, leads_a_week, weeks):
    capacity = leads_a_week * weeks
    assume(scores.count(max(scores)) <= capacity)
    bands = Bands.from_capacity(scores, leads_a_week, weeks)
    assert 0 < (np.array(scores) >= bands.hot).sum() <= capacity
    if bands.hot > 0:  # one point lower would be too many
        assert (np.array(scores) >= bands.hot - 1).sum() > capacity
    assert bands.warm == min(45, bands.hot)


@given(scores=st.lists(st.integers(0, 100), min_size=1, max_size=60), warm=st.integers(1, 30))
@settings(max_examples=100, deadline=None)
def test_the_warm_band_fills_its_capacity_beside_the_hot_one(scores, warm):
    capacity = scores.count(max(scores))
    bands = Bands.from_capacity(scores, capacity, warm_leads_a_week=warm)
    assert bands.hot == Bands.from_capacity(scores, capacity).hot
    assert bands.warm <= bands.hot
    assert (np.array(scores) >= bands.warm).sum() <= capacity + warm
    if bands.warm > 0:
        assert (np.array(scores) >= bands.warm - 1).sum() > capacity + warm


def test_capacity_by_hand():
    scores = [90, 80, 80, 70, 60, 10]
    assert Bands.from_capacity(scores, 3).hot == 71
    assert Bands.from_capacity(scores, 2).hot == 81  # the two of 80 are called both or not at all
    assert Bands.from_capacity(scores, 1, weeks=4).hot == 61
    assert Bands.from_capacity(scores, 100) == Bands(hot=0, warm=0)
    assert Bands.from_capacity([99.5, 99.2, 40], 2).hot == 41


def test_more_leads_of_the_best_score_than_sales_can_take():
    with pytest.raises(DataError, match=r"`leads_a_week` is 2, but 3 leads a week .* score, 100"):
        Bands.from_capacity([100, 100, 100, 7], 2)
    with pytest.raises(DataError, match=r"is 0.25, but 0.5 leads a week have the best score, 7"):
        Bands.from_capacity([7, 3], 0.25, weeks=2)


@pytest.mark.parametrize(("leads_a_week", "weeks"), [(0, 1), (-1, 1), (5, 0), (float("nan"), 1)])
def test_capacity_must_be_positive(leads_a_week, weeks):
    with pytest.raises(DataError, match="must be positive"):
        Bands.from_capacity([50], leads_a_week, weeks)
    with pytest.raises(DataError, match=r"'warm_leads_a_week': 0.* must be positive"):
        Bands.from_capacity([50], 5, warm_leads_a_week=0)


@pytest.mark.parametrize("scores", [[], [101], [-1, 5], [float("nan")]])
def test_capacity_needs_scores(scores):
    with pytest.raises(DataError, match="Accepted are scores from 0 to 100"):
        Bands.from_capacity(scores, 5)


def test_stages_at_their_edges():
    stages = assign_stages([0, 25, 26, 50, 51, 75, 76, 100])
    names = ["awareness", "consideration", "evaluation", "decision"]
    assert stages.tolist() == [name for name in names for _ in range(2)]
