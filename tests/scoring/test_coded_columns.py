import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadml.scoring.columns import (
    CategoryColumn,
    NumberColumn,
    TextColumn,
    as_numbers,
    as_text,
    build_category_column,
    build_columns,
    build_number_column,
    column_from_dict,
    column_to_dict,
    compute_codes,
    is_number,
)

ODD = [np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-40, -1e-40, 5e-324, 1.7e308, -1.7e308]
FLOATS = st.one_of(st.sampled_from(ODD), st.floats(width=64))


@given(
    edges=st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=6, unique=True),
    values=st.lists(FLOATS, min_size=1, max_size=20),
)
@settings(max_examples=150, deadline=None)
def test_a_number_code_counts_the_edges_at_or_below(edges, values):
    column = NumberColumn("x", tuple(sorted(edges)))
    values = np.array([*values, *edges])  # values on the edges too
    expected = [
        len(edges) + 1 if np.isnan(value) else sum(edge <= value for edge in edges)
        for value in values
    ]
    assert column.codes(values).tolist() == expected
    assert column.codes(values).max() < column.n_codes


@given(values=st.lists(FLOATS, min_size=1, max_size=300))
@settings(max_examples=150, deadline=None)
def test_few_distinct_values_get_a_bin_each(values):
    numbers = np.array(values)
    column = build_number_column("x", numbers)
    finite = np.unique(numbers[np.isfinite(numbers)])
    if len(finite) <= 127:
        assert column.codes(finite).tolist() == list(range(len(finite)))
    edges = np.array(column.edges)
    assert (np.diff(edges) > 0).all()
    assert np.isfinite(edges).all()


def test_adjacent_floats_get_different_codes():
    low = 1.0
    high = np.nextafter(low, 2)
    column = build_number_column("x", [low, high])
    assert column.codes([low, high]).tolist() == [0, 1]
    tiny = build_number_column("x", [0.0, 5e-324, 1e-40])
    assert tiny.codes([0.0, 5e-324, 1e-40]).tolist() == [0, 1, 2]


def test_many_distinct_values_get_bins_of_about_equal_count():
    values = np.random.default_rng(0).normal(size=5_000)
    column = build_number_column("x", values)
    counts = np.bincount(column.codes(values), minlength=column.n_codes)
    assert len(column.edges) == 126
    assert counts[-1] == 0  # nothing is missing
    assert counts[:-1].min() > 30
    assert counts[:-1].max() < 50


@pytest.mark.parametrize("heavy", [0, 500, 5_000])
def test_no_bin_is_empty(heavy):
    values = np.r_[np.arange(200), np.full(500, 1_000), np.full(heavy, 2_000)]
    column = build_number_column("x", values)
    assert np.bincount(column.codes(values), minlength=column.n_codes)[:-1].min() > 0


def test_numbers_are_read_from_any_column():
    objects = pd.Series(["1", 2, None, "x", True, np.inf], dtype=object)
    np.testing.assert_array_equal(as_numbers(objects), [1, 2, np.nan, np.nan, 1, np.inf])
    nullable = pd.Series([True, None, False], dtype="boolean")
    np.testing.assert_array_equal(as_numbers(nullable), [1, np.nan, 0])
    np.testing.assert_array_equal(as_numbers(pd.Series([1, None], dtype="Int64")), [1, np.nan])


def test_kinds_of_columns():
    frame = pd.DataFrame(
        {
            "int": [1, 2],
            "bool": [True, False],
            "object of numbers": pd.Series([1, None], dtype=object),
            "mixed": pd.Series([1, "a"], dtype=object),
            "text": ["a", None],
            "category": pd.Series([1, 2], dtype="category"),
        }
    )
    numbers = [name for name in frame if is_number(frame[name])]
    assert numbers == ["int", "bool", "object of numbers"]
    kinds = [type(column) for column in build_columns(frame)]
    assert kinds == [NumberColumn] * 3 + [CategoryColumn] * 3


def test_levels_seen_less_than_three_times_are_other():
    column = build_category_column("x", ["b"] * 3 + ["a"] * 3 + ["c"] * 4 + ["d"] * 2 + [None] * 9)
    assert column.levels == ("c", "a", "b")
    values = pd.Series(["c", "a", "b", "d", "never seen", "", None, np.nan, pd.NA], dtype=object)
    assert column.codes(values).tolist() == [0, 1, 2, 3, 3, 3, 4, 4, 4]


def test_a_level_keeps_its_code_whatever_the_type_of_the_column():
    column = build_category_column("x", pd.Series([1.0, 2.0] * 3 + ["x"] * 3, dtype=object))
    assert column.levels == ("1", "2", "x")
    for values in ([1, 2], [1.0, 2.0], ["1", "2"], pd.Series([1, 2], dtype="category")):
        assert column.codes(values).tolist() == [0, 1]


def test_text_column_matches_words_in_any_case():
    part = TextColumn("rule", "title", ("Chief", " HEAD "))
    whole = TextColumn("rule", "title", ("Chief",), whole=True)
    titles = ["chief of staff", "Head of sales", "clerk", None, " CHIEF "]
    assert part.codes(titles).tolist() == [1, 1, 0, 2, 1]
    assert whole.codes(titles).tolist() == [0, 0, 0, 2, 1]


def test_empty_input_gives_no_codes():
    for column in (
        NumberColumn("x", (1.0,)),
        CategoryColumn("x", ("a",)),
        TextColumn("x", "x", ()),
    ):
        assert column.codes(pd.Series([], dtype=object)).shape == (0,)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.0, "2"),
        (np.float32(2), "2"),
        (np.int64(2), "2"),
        (2.5, "2.5"),
        (np.inf, "inf"),
        (-0.0, "0"),
        (1e22, "1" + "0" * 22),
        (True, "True"),
        ("2.0", "2.0"),
    ],
)
def test_as_text(value, text):
    assert as_text(value) == text


@given(
    edges=st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=5, unique=True),
    values=st.lists(FLOATS, min_size=1, max_size=10),
)
@settings(max_examples=50, deadline=None)
def test_json_round_trip_of_numbers(edges, values):
    column = NumberColumn("x", tuple(sorted(edges)), "source")
    back = column_from_dict(json.loads(json.dumps(column_to_dict(column))))
    assert back == column
    assert back.codes(values).tolist() == column.codes(values).tolist()


@pytest.mark.parametrize(
    "column",
    [
        CategoryColumn("x", ("é", "", '"quoted"')),
        TextColumn("rule", "x", ("a", "b")),
        TextColumn("rule", "x", (), whole=True),
    ],
)
def test_json_round_trip_of_texts(column):
    assert column_from_dict(json.loads(json.dumps(column_to_dict(column)))) == column


def test_labels_are_one_a_code():
    for column in (
        NumberColumn("x", ()),
        NumberColumn("x", (1.0,)),
        NumberColumn("x", (1.0, 2.0, 3.5)),
        CategoryColumn("x", ("a", "b")),
        TextColumn("rule", "x", ("a",)),
    ):
        assert len(column.labels()) == column.n_codes
    labels = NumberColumn("x", (1.0, 2.0)).labels()
    assert labels == ["below 1", "1 to 2", "2 or more", "missing"]


def test_codes_come_from_the_source_column():
    column = NumberColumn("rule", (1.0,), "visits")
    assert compute_codes(pd.DataFrame({"visits": [0, 1]}), [column])[0].tolist() == [0, 1]
