import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadml.errors import LeadmlError
from leadml.scoring.bag import BagSettings, fit_bag
from leadml.scoring.collapse import collapse_bag, purify
from leadml.scoring.columns import NumberColumn, build_columns, compute_codes
from leadml.scoring.folds import Training, assign_folds, compute_groups
from leadml.scoring.points import PairTerm, PointsTable, Term, add_up

SETTINGS = BagSettings(
    learning_rate=0.05,
    num_leaves=8,
    max_depth=-1,
    min_data_in_leaf=5,
    additive=False,
    max_rounds=200,
    patience=60,
    seed=0,
    n_threads=2,
)
SHAPES = {
    "additive": {"additive": True},
    "pairwise": {"max_depth": 2},
    "no pairs, deeper": {"max_depth": 6, "pairs": ()},
    # columns 0 and 1 hold numbers, 2 and 3 texts
    "pairs, deeper": {
        "max_depth": 6,
        "one_hot": True,
        "feature_fraction": 1.0,
        "pairs": ((0, 1), (0, 3), (2, 3)),
    },
}


def make_training(leads, won):
    columns = build_columns(leads)
    codes = compute_codes(leads, columns)
    folds = assign_folds(won, compute_groups(codes), 5, np.random.RandomState(0))
    return Training(codes, columns, won, (folds,), [1, 0, 0, 0, 0], np.ones(len(won)))


@pytest.mark.parametrize("structure", SHAPES)
def test_tables_say_what_the_boosters_say(leads, won, odd_leads, structure):
    training = make_training(leads, won)
    bag = fit_bag(training, replace(SETTINGS, **SHAPES[structure]))
    constant, tables, grids = collapse_bag(bag)
    assert bool(grids) == (structure in ("pairwise", "pairs, deeper"))
    assert set(grids) <= set(SHAPES[structure].get("pairs", grids))
    moved, pure = purify(tables, grids, training.codes)
    weight = 0.7
    names = [column.name for column in training.columns]
    table = PointsTable(
        columns=tuple(training.columns),
        terms=tuple(
            Term(name, name, weight * values) for name, values in zip(names, tables, strict=True)
        ),
        pairs=tuple(
            PairTerm.from_full_grid((names[a], names[b]), weight * grid)
            for (a, b), grid in pure.items()
        ),
        intercept=weight * (constant + moved),
    )
    for frame in (leads, odd_leads):
        expected = weight * bag.predict(compute_codes(frame, training.columns))
        np.testing.assert_allclose(table.decide(frame), expected, rtol=0, atol=1e-6)


def test_a_tree_of_three_columns_is_no_table(won, leads):
    bag = fit_bag(make_training(leads, won), SETTINGS)
    with pytest.raises(LeadmlError, match="only two fit"):
        collapse_bag(bag)


def test_treeshap_adds_up_to_the_boosters(leads, won, odd_leads):
    training = make_training(leads, won)
    bag = fit_bag(training, SETTINGS)
    codes = compute_codes(odd_leads, training.columns)
    values, start = bag.contributions(codes)
    np.testing.assert_allclose(values.sum(axis=1) + start, bag.predict(codes), atol=1e-9)


def test_purified_grids_have_zero_means_and_the_same_sum():
    random = np.random.default_rng(0)
    codes = [random.integers(0, 4, 300), random.integers(0, 3, 300), random.integers(0, 5, 300)]
    codes = [values.astype(np.int32) for values in codes]
    tables = [random.normal(size=size) for size in (4, 3, 5)]
    grids = {(0, 1): random.normal(size=(4, 3)), (0, 2): random.normal(size=(4, 5))}

    def total(constant, tables, grids):
        singles = sum(table[values] for table, values in zip(tables, codes, strict=True))
        return constant + singles + sum(grid[codes[a], codes[b]] for (a, b), grid in grids.items())

    before = total(0.0, tables, grids)
    constant, pure = purify(tables, grids, codes)
    np.testing.assert_allclose(total(constant, tables, pure), before, atol=1e-12)
    for (a, b), grid in pure.items():
        for other, over_other in ((b, grid), (a, grid.T)):
            share = np.bincount(codes[other], minlength=len(tables[other])) / 300
            np.testing.assert_allclose(over_other @ share, 0, atol=1e-12)


def test_a_grid_keeps_each_distinct_row_and_column_once():
    grid = np.array([[1.0, 2.0, 1.0], [1.0, 2.0, 1.0], [0.0, 5.0, 0.0]])
    pair = PairTerm.from_full_grid(("a", "b"), grid)
    assert pair.grid.shape == (2, 2)
    np.testing.assert_array_equal(pair.grid[np.ix_(pair.first, pair.second)], grid)


@given(
    cells=st.lists(st.sampled_from([0.0, -0.0, 1.0, 1 / 3, 1e-12, -7.5]), min_size=12, max_size=12)
)
@settings(max_examples=50, deadline=None)
def test_a_grid_of_any_cells_is_kept(cells):
    grid = np.array(cells).reshape(3, 4)
    pair = PairTerm.from_full_grid(("a", "b"), grid)
    full = pair.grid[np.ix_(pair.first, pair.second)]
    np.testing.assert_array_equal(full, np.round(grid, 9))


@pytest.mark.parametrize("structure", ["additive", "pairwise", "full"])
def test_json_round_trip_is_bit_identical(models, odd_leads, structure):
    table = models[structure].table_
    back = PointsTable.from_dict(json.loads(json.dumps(table.to_dict(), allow_nan=False)))
    np.testing.assert_array_equal(back.decide(odd_leads), table.decide(odd_leads))
    assert back.to_dict() == table.to_dict()


@pytest.mark.parametrize("structure", ["additive", "pairwise"])
def test_contributions_add_up(models, odd_leads, structure):
    table = models[structure].table_
    points = table.compute_contributions(odd_leads)
    assert points.shape == (len(odd_leads), 5)
    np.testing.assert_array_equal(add_up(points, table.intercept), table.decide(odd_leads))


def test_a_pair_gives_half_to_each_column():
    columns = (NumberColumn("a", (1.0,)), NumberColumn("b", (1.0,)))
    grid = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    table = PointsTable(
        columns,
        terms=tuple(Term(name, name, np.zeros(3)) for name in "ab"),
        pairs=(PairTerm.from_full_grid(("a", "b"), grid),),
    )
    points = table.compute_contributions(pd.DataFrame({"a": [0, 2, None], "b": [2, 0, None]}))
    assert points.tolist() == [[1.0, 1.0], [2.0, 2.0], [4.5, 4.5]]


def test_slope_between_low_and_high():
    column = NumberColumn("rule", (), "visits")
    term = Term("rule", "rule", np.zeros(2), slope=-2.0, low=0.0, high=5.0)
    table = PointsTable((column,), (term,))
    visits = pd.DataFrame({"visits": [-3, 0, 2.5, 5, 99, np.inf, -np.inf, np.nan]})
    assert table.decide(visits).tolist() == [0, 0, -5, -10, -10, -10, 0, 0]


def make_capped(cap):
    columns = tuple(NumberColumn(name, (1.0,)) for name in "abc")
    return PointsTable(
        columns,
        terms=tuple(Term(name, name, np.array([0.0, 10.0, -4.0])) for name in "abc"),
        families={"a": "email", "b": "email", "c": "behavioral"},
        caps={"email": cap, "context": 3.0},
    )


def test_a_cap_scales_its_family_and_the_sum_is_kept():
    leads = pd.DataFrame({"a": [1, 1, None, None], "b": [1, 0, 1, None], "c": [1, 1, 1, 1]})
    points = make_capped(15).compute_contributions(leads)
    assert points.tolist() == [[7.5, 7.5, 10], [10, 0, 10], [-4, 10, 10], [-4, -4, 10]]
    assert make_capped(15).decide(leads).tolist() == [25, 20, 16, 2]
    assert make_capped(0).decide(leads).tolist() == [10, 10, 10, 2]


def test_capped_points_do_not_depend_on_the_batch():
    leads = pd.DataFrame({"a": [1, 1, None, None], "b": [1, 0, 1, None], "c": [1, 1, 1, 1]})
    table = make_capped(14.3)
    alone = [table.decide(leads.iloc[[row]])[0] for row in range(4)]
    assert alone == table.decide(leads).tolist()


def test_to_frame_is_tidy(models):
    frame = models["additive"].table_.to_frame()
    assert list(frame.columns) == ["feature", "value", "points"]
    assert set(frame["feature"]) == {"visits", "minutes", "source", "industry", "opted out"}
    assert not frame.duplicated(["feature", "value"]).any()


def test_an_empty_table_gives_its_intercept():
    table = PointsTable((), (), intercept=1.5)
    assert table.decide(pd.DataFrame({"a": [1, 2]})).tolist() == [1.5, 1.5]
