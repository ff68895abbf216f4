import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from leadml.errors import DataError
from leadml.features.censoring import compute_censoring_weights
from leadml.features.labels import compute_labels

HORIZON, AS_OF = "60D", pd.Timestamp("2026-12-31")
DAY = pd.Timedelta("1D")


def followed(days, closed_after, horizon="30D"):
    """Weights of leads followed for `days`, closed so many days after their snapshot."""
    at = AS_OF - pd.Series(days) * DAY
    closed = at + pd.to_timedelta(pd.Series(closed_after, dtype=float), unit="D")
    return compute_censoring_weights(at, closed, horizon=horizon, as_of=AS_OF)


def test_weights_worked_by_hand():
    # one is won on day 3; day 5: 1 of 5 is cut off, G = 4/5; day 12: 1 of 2, G = 2/5
    weights = followed([5, 40, 20, 12, 40, 40], [None, 3, 10, None, None, 10])
    assert weights.tolist() == pytest.approx([0, 1, 5 / 4, 0, 5 / 2, 5 / 4])
    assert weights.sum() == pytest.approx(6)  # they stand for all


def test_an_outcome_on_the_day_the_view_ends_comes_first():
    # the lead closed on day 10 was followed for 10 days: known, and not at risk of being cut off
    assert followed([10, 10, 40], [10, None, None]).tolist() == [1, 0, 2]


def test_where_every_horizon_is_over_nothing_is_weighted():
    assert followed([31, 50, 90], [None, 10, 80]).tolist() == [1, 1, 1]


def test_what_is_after_the_outcome_or_after_the_day_weighs_nothing():
    weights = followed([10, 10, -5, 40], [0, -3, None, 20])
    assert weights.tolist() == [0, 0, 0, 1]


def test_an_outcome_after_the_day_is_not_known():
    assert followed([10, 40], [20, None]).tolist() == [0, 2]


def test_a_wrong_horizon_is_told():
    with pytest.raises(DataError, match="must be a positive time span"):
        followed([1], [None], horizon="soon")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.none() | st.integers(1, 60)), min_size=1))
def test_labelled_leads_stand_for_all_where_one_is_followed_to_the_end(leads):
    days, closed = zip((61, None), *leads, strict=True)
    weights = followed(days, closed)
    known = [
        min(30 if after is None else after, 30) <= seen
        for seen, after in zip(days, closed, strict=True)
    ]
    assert (weights[known] >= 1).all()
    assert (weights[np.invert(known)] == 0).all()
    assert weights.sum() == pytest.approx(len(days))


def simulate(seed, trend=0.0, count=20_000):
    """A year of ever more leads: wins take 20 days, losses 60; `trend` lifts the share of wins."""
    rng = np.random.default_rng(seed)
    place = np.log1p(rng.random(count) * (np.e**3 - 1)) / 3
    created = pd.Series(pd.Timestamp("2026-01-01") + (place * 364).astype(int) * DAY)
    X = rng.normal(size=(count, 3))
    chance = 1 / (1 + np.exp(1.2 - X[:, 0] - 0.5 * X[:, 1] - trend * (place - 0.5)))
    won = rng.random(count) < chance
    # what makes a lead quick says little of whether it is won
    days = rng.exponential(np.where(won, 20, 60) * np.exp(0.3 * X[:, 2]))
    closed = created + (1 + days.astype(int)) * DAY
    ids = np.arange(count)
    snapshots = pd.DataFrame({"lead_id": ids, "created": created, "snapshot_date": created})
    outcomes = pd.DataFrame({"lead_id": ids, "won": won.astype(float), "closed": closed})
    truth = won & (closed - created <= pd.Timedelta(HORIZON))
    return X, truth, snapshots, outcomes


def judge(seed, trend=0.0):
    """Return predicted over observed wins, and the AUC, of the newest leads by the weights."""
    X, truth, snapshots, outcomes = simulate(seed, trend)
    at = snapshots["snapshot_date"]
    labels = compute_labels(snapshots, outcomes, horizon=HORIZON, as_of=AS_OF)
    weights = compute_censoring_weights(at, labels.closed, horizon=HORIZON, as_of=AS_OF)
    assert ((weights > 0) == labels.y.notna()).all()
    ways = {
        "open as lost": np.ones(len(at)),
        "labels": labels.y.notna(),
        "mature only": at + pd.Timedelta(HORIZON) <= AS_OF,
        "weights": weights,
    }
    newest = (at >= at.quantile(0.8)).to_numpy()
    figures = {}
    for way, weight in ways.items():
        model = LogisticRegression().fit(X, labels.y.fillna(0), sample_weight=weight)
        chances = model.predict_proba(X[newest])[:, 1]
        auc = roc_auc_score(truth[newest], chances)
        figures[way] = {"level": chances.sum() / truth[newest].sum(), "auc": auc}
    return pd.DataFrame(figures).T


def test_weights_mend_the_level_and_not_the_ranking():
    figures = sum(judge(seed) for seed in range(3)) / 3
    assert figures.loc["open as lost", "level"] < 0.92
    assert figures.loc["labels", "level"] > 1.08  # recent labels are quick ones: wins
    assert figures.loc["mature only", "level"] == pytest.approx(1, abs=0.04)
    assert figures.loc["weights", "level"] == pytest.approx(1, abs=0.04)
    assert figures["auc"].max() - figures["auc"].min() < 0.01


def test_where_wins_become_more_frequent_weights_follow_sooner_but_not_all_the_way():
    level = (sum(judge(seed, trend=1.0) for seed in range(3)) / 3)["level"]
    assert level["open as lost"] < level["mature only"] < level["weights"] < 0.95
