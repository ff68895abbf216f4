import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadml.scoring.folds import assign_folds, compute_groups


def deal(won, groups, n_folds=5):
    return assign_folds(np.asarray(won), np.asarray(groups), n_folds, np.random.RandomState(0))


def folds_of(groups, folds):
    return [set(folds[groups == group]) for group in np.unique(groups)]


def test_twins_share_a_group():
    codes = [np.array([0, 1, 0, 2]), np.array([5, 5, 5, 5])]
    groups = compute_groups(codes)
    assert groups[0] == groups[2]
    assert len(np.unique(groups)) == 3


def test_chains_of_accounts_and_twins_are_one_group():
    # 0-1 share an account, 1-2 look alike, 2-3 share an account; 4 is alone
    codes = [np.array([0, 1, 1, 2, 3])]
    groups = compute_groups(codes, np.array(["a", "a", "b", "b", "c"]))
    assert len(set(groups[:4])) == 1
    assert groups[4] != groups[0]


@pytest.mark.parametrize("empty", [None, np.nan])
def test_leads_without_account_are_no_group(empty):
    groups = compute_groups([np.arange(4)], np.array(["a", "a", empty, empty], dtype=object))
    assert groups[0] == groups[1]
    assert groups[2] != groups[3]


@given(seed=st.integers(0, 999), n_groups=st.integers(30, 80))
@settings(max_examples=30, deadline=None)
def test_groups_are_never_split(seed, n_groups):
    random = np.random.default_rng(seed)
    groups = random.integers(0, n_groups, 300)
    won = random.random(300) < 0.4
    folds = deal(won, groups)
    assert all(len(places) == 1 for places in folds_of(groups, folds))
    assert set(folds) == set(range(5))


def test_sizes_and_win_rates_are_even_without_groups():
    won = np.random.default_rng(0).random(1_003) < 0.3
    folds = deal(won, np.arange(1_003))
    sizes = np.bincount(folds)
    assert sizes.max() - sizes.min() <= 1
    wins = np.bincount(folds, weights=won)
    assert wins.max() - wins.min() <= 1


def test_accounts_of_equal_size_keep_sizes_even():
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(100), 7)
    folds = deal(random.random(700) < 0.3, groups)
    assert np.bincount(folds).tolist() == [140] * 5


@pytest.mark.parametrize(
    "sizes", [[1_000, *[1] * 4_000], (2_000 / np.arange(1, 61) ** 1.5).astype(int)]
)
def test_large_accounts_keep_sizes_even(sizes):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    folds = deal(np.random.default_rng(0).random(len(groups)) < 0.4, groups)
    largest = max(max(sizes), -(-len(groups) // 5))
    assert np.bincount(folds).max() <= 1.1 * largest
    assert np.sort(np.bincount(folds))[:4].min() >= 0.8 * (len(groups) - largest) / 4


@pytest.mark.parametrize(("wins", "losses"), [(2, 2), (2, 3), (3, 40), (40, 2)])
def test_tiny_inputs_train_on_both_outcomes(wins, losses):
    won = np.array([True] * wins + [False] * losses)
    for groups in (np.arange(len(won)), np.zeros(len(won), dtype=int), won.astype(int)):
        folds = deal(won, groups)
        assert len(np.unique(folds)) > 1
        for fold in np.unique(folds):
            assert set(won[folds != fold]) == {True, False}


def test_one_random_state_gives_one_deal():
    won = np.random.default_rng(0).random(50) < 0.5
    np.testing.assert_array_equal(deal(won, np.arange(50)), deal(won, np.arange(50)))
