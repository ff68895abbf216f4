"""TreeSHAP by tables against LightGBM's own `pred_contrib`."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadml.scoring import bag as bag_module
from leadml.scoring import treeshap
from leadml.scoring.bag import Bag, BagSettings, fit_bag, make_matrix
from leadml.scoring.boosting import LeadBoostingClassifier
from leadml.scoring.columns import CategoryColumn, NumberColumn, TextColumn, compute_codes
from leadml.scoring.folds import Training
from leadml.scoring.treeshap import build_tables

EXACT = 1e-11  # of log-odds
SETTINGS = BagSettings(
    learning_rate=0.2,
    num_leaves=31,
    max_depth=6,
    min_data_in_leaf=3,
    additive=False,
    max_rounds=20,
    patience=60,
    seed=0,
    n_threads=2,
)


def make_columns(n_numbers=3):
    """Numbers of many bins and of one, levels below and above a word of bits, a text."""
    numbers = [NumberColumn(f"n{place}", tuple(range(40))) for place in range(n_numbers)]
    levels = [CategoryColumn(f"c{count}", tuple(map(str, range(count)))) for count in (3, 30, 70)]
    return [*numbers, NumberColumn("one bin", ()), *levels, TextColumn("t", "s", ("x",))]


def draw_codes(columns, size, seed):
    """Every code there is, other and missing too."""
    random = np.random.default_rng(seed)
    return [random.integers(0, column.n_codes, size).astype(np.int32) for column in columns]


def make_bag(seed=0, size=400, seen=None, n_numbers=3, **shape):
    """Grow boosters on joint effects; `seen` cuts what the training has of codes."""
    columns = make_columns(n_numbers)
    codes = draw_codes(columns, size, seed)
    if seen is not None:
        codes = [np.minimum(values, seen).astype(np.int32) for values in codes]
    random = np.random.default_rng(seed + 1)
    effects = [random.normal(size=column.n_codes) for column in columns]
    z = [effect[values] for effect, values in zip(effects, codes, strict=True)]
    won = random.random(size) < 1 / (1 + np.exp(-z[0] * z[-2] - z[1] + z[2] * z[-3] - z[-2]))
    weight = random.exponential(size=size)
    folds = (np.arange(size) % 3,)
    training = Training(codes, columns, won, folds, [0] * len(columns), weight / weight.mean())
    own = replace(SETTINGS, seed=seed, **shape)
    return fit_bag(training, own, n_rounds=own.max_rounds)


def compute_reference(bag, codes):
    matrix = make_matrix(codes, bag.columns)
    values = [
        booster.predict(matrix, pred_contrib=True, num_iteration=bag.n_rounds)
        for booster in bag.boosters
    ]
    return np.mean(values, axis=0)


def check_bag(bag, codes):
    values, start = bag.contributions(codes)
    reference = compute_reference(bag, codes)
    np.testing.assert_allclose(values, reference[:, :-1], rtol=0, atol=EXACT)
    assert start == pytest.approx(reference[0, -1], abs=EXACT)
    np.testing.assert_allclose(values.sum(axis=1) + start, bag.predict(codes), rtol=0, atol=EXACT)


@given(
    seed=st.integers(0, 10_000),
    seen=st.sampled_from([None, 1, 25]),
    num_leaves=st.sampled_from([2, 7, 31, 63]),
    max_depth=st.sampled_from([1, 3, 6]),
    min_data_in_leaf=st.sampled_from([1, 20, 1_000]),
)
@settings(max_examples=30, deadline=None)
def test_equals_pred_contrib_on_every_code(seed, seen, num_leaves, max_depth, min_data_in_leaf):
    bag = make_bag(
        seed,
        seen=seen,
        num_leaves=num_leaves,
        max_depth=max_depth,
        min_data_in_leaf=min_data_in_leaf,
        max_rounds=5,
    )
    assert bag._tables is not None
    check_bag(bag, draw_codes(bag.columns, 300, seed + 2))


def test_levels_of_several_words_of_bits():
    bag = make_bag(size=4_000)
    text = bag.boosters[0].model_to_string()
    edges = [line.split("=")[1] for line in text.splitlines() if line.startswith("cat_bound")]
    assert max(max(np.diff(np.array(line.split(), dtype=int)), default=0) for line in edges) > 1
    check_bag(bag, draw_codes(bag.columns, 300, 4))


@pytest.mark.parametrize("size", [0, 1, 7, treeshap.FEW - 1, treeshap.FEW, 1_000])
def test_a_lead_gets_the_same_in_any_company(size):
    bag = make_bag()
    codes = draw_codes(bag.columns, 2_000, 5)
    whole, start = bag.contributions(codes)
    part, same = bag.contributions([values[:size] for values in codes])
    np.testing.assert_array_equal(part, whole[:size])
    assert part.shape == (size, len(codes))
    assert same == start
    raw = bag._tables.contributions([values[:size] for values in codes])
    np.testing.assert_array_equal(raw / len(bag.boosters), part)


def test_blocks_and_threads_change_nothing(monkeypatch):
    bag = make_bag()
    codes = draw_codes(bag.columns, 1_000, 6)
    values, predicted = bag.contributions(codes)[0], bag.predict(codes)
    monkeypatch.setattr(treeshap, "BLOCK", 37)
    monkeypatch.setattr(treeshap, "cpu_count", lambda: 3)
    monkeypatch.setattr(bag_module, "BLOCK", 41)
    np.testing.assert_array_equal(bag.contributions(codes)[0], values)
    np.testing.assert_array_equal(bag.predict(codes), predicted)


def test_equal_leads_get_equal_values():
    bag = make_bag()
    codes = [np.repeat(values, 3) for values in draw_codes(bag.columns, 200, 7)]
    values = bag.contributions(codes)[0].reshape(200, 3, -1)
    assert (values == values[:, :1]).all()


def test_a_tree_of_one_leaf_says_its_value():
    bag = make_bag(min_data_in_leaf=1_000)
    values, start = bag.contributions(draw_codes(bag.columns, 100, 8))
    assert bag._tables.words == []
    assert not values.any()
    assert start == pytest.approx(bag.predict(draw_codes(bag.columns, 1, 8))[0], abs=EXACT)


def test_a_split_gives_its_column_the_difference_from_the_mean():
    bag = make_bag(num_leaves=2, max_rounds=1)
    codes = draw_codes(bag.columns, 100, 9)
    tables = build_tables(bag.boosters[:1], bag.columns, 1)
    values = tables.contributions(codes)
    matrix = make_matrix(codes, bag.columns)
    raw = bag.boosters[0].predict(matrix, raw_score=True, num_iteration=1)
    assert (values != 0).any(axis=0).sum() == 1
    np.testing.assert_allclose(values.sum(axis=1), raw - tables.start, rtol=0, atol=EXACT)


def test_trees_too_deep_or_too_many_are_left_to_lightgbm(monkeypatch):
    deep = make_bag(size=2_000, n_numbers=12, num_leaves=200, max_depth=-1, min_data_in_leaf=1)
    assert deep._tables is None
    check_bag(deep, draw_codes(deep.columns, 100, 10))
    many = make_bag()
    monkeypatch.setattr(treeshap, "MOST_BYTES", 10_000)
    assert many._tables is None
    check_bag(many, draw_codes(many.columns, 100, 11))


def test_no_boosters_say_nothing():
    bag = Bag(tuple(make_columns()), (), 0, np.empty(0))
    for size in (1, 100):
        values, start = bag.contributions(draw_codes(bag.columns, size, 12))
        assert values.shape == (size, len(bag.columns))
        assert start == 0
        assert not values.any()


def test_tables_are_kept_but_not_copied():
    bag = make_bag()
    codes = draw_codes(bag.columns, 200, 13)
    values = bag.contributions(codes)[0]
    tables = bag._tables
    assert bag._tables is tables
    for other in (copy.deepcopy(bag), pickle.loads(pickle.dumps(bag)), replace(bag)):  # noqa: S301
        assert "_tables" not in vars(other)
        np.testing.assert_array_equal(other.contributions(codes)[0], values)


def test_threads_may_ask_at_once():
    bag = make_bag()
    codes = draw_codes(bag.columns, 300, 14)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: bag.contributions(codes)[0], range(8)))
    for values in found:
        np.testing.assert_array_equal(values, found[0])


def test_a_trained_model_on_odd_leads(models, leads, odd_leads):
    model = models["full"]
    for frame in (leads, odd_leads, pd.concat([leads, odd_leads])):
        check_bag(model.bag_, compute_codes(frame, model.table_.columns))


def test_a_model_of_weighted_snapshots(leads, won):
    random = np.random.default_rng(15)
    weight = random.choice([0, 0.2, 1], len(won), p=[0.1, 0.4, 0.5])
    model = LeadBoostingClassifier("full", max_rounds=60, random_state=0)
    model.fit(leads, won, groups=random.integers(0, 200, len(won)), row_weight=weight)
    check_bag(model.bag_, compute_codes(leads, model.table_.columns))


def test_a_model_of_x_education(real_data):
    leads = pd.read_csv(real_data / "x_education" / "Leads.csv", na_values=["Select"])
    won = leads.pop("Converted").to_numpy()
    X = leads.drop(columns=["Prospect ID", "Lead Number", "Tags"])
    model = LeadBoostingClassifier("full", max_rounds=60, random_state=0).fit(X, won)
    assert model.bag_._tables is not None
    check_bag(model.bag_, compute_codes(X.iloc[::10], model.table_.columns))
    total = model.compute_contributions(X).sum(axis=1) + model.start_
    np.testing.assert_allclose(total, model.decision_function(X), rtol=0, atol=1e-6)
