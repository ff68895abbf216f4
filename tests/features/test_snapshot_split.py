import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score

from leadml.errors import DataError
from leadml.features.snapshot_split import SnapshotSplit


def snapshots(leads=600, looks=2, span=720, seed=0):
    rng = np.random.default_rng(seed)
    lead = np.repeat(np.arange(leads), looks)
    created = rng.integers(0, span, leads)[lead] + np.tile(np.arange(looks) * 14, leads)
    dates = pd.Timestamp("2025-01-01") + pd.to_timedelta(created, unit="D")
    index = pd.MultiIndex.from_arrays([lead, dates], names=["lead_id", "snapshot_date"])
    return pd.DataFrame({"a": rng.normal(size=len(index))}, index=index)


def check(X, splitter, groups=None):
    """Assert what holds of every fold, and return the folds."""
    dates, ids = X.index.get_level_values("snapshot_date"), X.index.get_level_values("lead_id")
    folds = list(splitter.split(X, None, groups))
    assert len(folds) == splitter.get_n_splits()
    for train, test in folds:
        assert dates[train].max() + pd.Timedelta(splitter.horizon) <= dates[test].min().normalize()
        assert not set(ids[train]) & set(ids[test])
        if groups is not None:
            firms = pd.Series(groups, dtype=object)
            assert not set(firms[train].dropna()) & set(firms[test].dropna())
    tested = np.concatenate([test for _, test in folds])
    assert len(set(tested)) == len(tested)
    return folds


def test_folds_roll_forward_in_blocks_of_equal_size():
    X = snapshots()
    folds = check(X, SnapshotSplit(n_splits=3, horizon="90D", test_share=0.5))
    assert [len(test) for _, test in folds] == pytest.approx([200, 200, 200], abs=6)
    learned = [len(train) for train, _ in folds]
    assert learned == sorted(learned)
    dates = X.index.get_level_values("snapshot_date")
    for (_, test), (_, later) in pairwise(folds):
        assert dates[test].max() < dates[later].min()
    assert dates[folds[-1][1]].max() == dates.max()


def test_the_order_of_the_rows_changes_nothing():
    X = snapshots()
    X["row"] = range(len(X))
    shuffled = X.sample(frac=1, random_state=0)
    for first, second in zip(
        SnapshotSplit().split(X), SnapshotSplit().split(shuffled), strict=True
    ):
        for one, other in zip(first, second, strict=True):
            assert set(X["row"].iloc[one]) == set(shuffled["row"].iloc[other])


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 4),
    st.integers(1, 60),
    st.sampled_from([0.2, 0.5, 0.7]),
    st.integers(0, 9),
    st.booleans(),
)
def test_nothing_crosses_from_test_to_train(n_splits, gap, share, seed, grouped):
    X = snapshots(leads=120, looks=3, span=400, seed=seed)
    groups = np.random.default_rng(seed).integers(0, 300, 120)[X.index.get_level_values(0)]
    splitter = SnapshotSplit(n_splits, horizon=f"{gap}D", test_share=share)
    check(X, splitter, [None if code > 200 else code for code in groups] if grouped else None)


def test_it_serves_scikit_learn():
    X = snapshots()
    y = (X["a"] + np.random.default_rng(1).normal(size=len(X)) > 0).astype(int)
    accounts = X.index.get_level_values(0) // 2
    scores = cross_val_score(
        LogisticRegression(), X, y, cv=SnapshotSplit(4), groups=accounts, scoring="roc_auc"
    )
    assert scores.shape == (4,)
    assert scores.min() > 0.7
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=SnapshotSplit(2))
    assert search.fit(X, y).best_score_ > 0.6
    with config_context(enable_metadata_routing=True):
        search.fit(X, y, groups=accounts)
    assert repr(SnapshotSplit(2, horizon="30D")).startswith("SnapshotSplit(horizon='30D'")


def test_dates_alone_are_enough():
    X = snapshots(looks=1).droplevel("lead_id")
    assert len(list(SnapshotSplit().split(X))) == 3


@pytest.mark.parametrize(
    ("splitter", "told"),
    [
        (SnapshotSplit(3, horizon="300D"), "too short for n_splits=3 folds"),
        (SnapshotSplit(2, horizon="300D"), "gap of one horizon (300D)"),
        (
            SnapshotSplit(3, horizon="300D"),
            "The snapshots span 313 days (2025-01-01 to 2025-11-10)",
        ),
        (SnapshotSplit(3, horizon="300D"), "Pass fewer folds, a smaller test_share or a shorter"),
        (SnapshotSplit(0), "n_splits=0 and test_share=0.5"),
        (SnapshotSplit(test_share=1.0), "n_splits=3 and test_share=1.0"),
        (SnapshotSplit(horizon="soon"), "`horizon` must be a positive time span. Got 'soon'"),
    ],
)
def test_what_cannot_be_split_is_told(splitter, told):
    X = snapshots(span=300)
    with pytest.raises(DataError, match=re.escape(told)):
        list(splitter.split(X))


def test_more_folds_than_days_are_told():
    X = snapshots(span=6, looks=1)
    with pytest.raises(DataError, match="too short for n_splits=5"):
        list(SnapshotSplit(5, horizon="1D").split(X))


def test_one_account_for_all_is_told():
    X = snapshots()
    with pytest.raises(DataError, match="No rows are left to learn from"):
        list(SnapshotSplit().split(X, groups=["one"] * len(X)))


@pytest.mark.parametrize("X", [np.zeros((5, 2)), pd.DataFrame({"a": [1, 2]})])
def test_an_index_without_dates_is_told(X):
    with pytest.raises(DataError, match=r"an index level 'snapshot_date'\. Got"):
        list(SnapshotSplit().split(X))


def test_no_dates_at_all_are_told():
    with pytest.raises(DataError, match="span no dates"):
        list(SnapshotSplit().split(snapshots().iloc[:0]))
