import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from leadml.scoring.reasons import describe_numbers, describe_value, format_reasons
from leadml.scoring.strongest import find_strongest

SHAPES = st.tuples(st.integers(1, 9), st.integers(0, 12))
# equal ones, or so far apart that 40 bits tell them
VALUES = st.one_of(st.integers(-4, 4).map(lambda n: n / 2), st.sampled_from([1e-9, -1e-12, 1e9]))


@given(
    points=SHAPES.flatmap(lambda shape: arrays(np.float64, shape, elements=VALUES)),
    count=st.integers(0, 11),
)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_the_strongest_are_those_of_a_stable_sort(points, count):
    features, found = find_strongest(points, count)
    order = np.argsort(-np.abs(points), axis=0, kind="stable")[:count]
    expected = np.take_along_axis(points, order, axis=0)
    n_there = len(order)
    np.testing.assert_array_equal(found[:n_there], expected)
    np.testing.assert_array_equal(found[n_there:], 0)
    np.testing.assert_array_equal(features[:n_there], order)


@pytest.mark.parametrize("n_features", [1, 40, 127, 128, 1_000])
def test_of_any_floats_the_strongest_are_found(n_features):
    points = np.random.default_rng(n_features).standard_t(2, (n_features, 500))
    order = np.argsort(-np.abs(points), axis=0, kind="stable")[:3]
    features, found = find_strongest(points, 3)
    np.testing.assert_array_equal(features[: len(order)], order)
    np.testing.assert_array_equal(found[: len(order)], np.take_along_axis(points, order, axis=0))


def test_no_features_and_no_leads():
    features, points = find_strongest(np.empty((0, 4)), 2)
    assert features.shape == points.shape == (2, 4)
    assert not points.any()
    features, points = find_strongest(np.empty((3, 0)), 2)
    assert features.shape == points.shape == (2, 0)


def test_the_points_stay_as_they_are():
    points = np.array([[1.5, -0.0], [-2.5, 5e-324]])
    kept = points.copy()
    find_strongest(points, 2)
    np.testing.assert_array_equal(points, kept)


NUMBERS = st.one_of(
    st.floats(),
    st.integers(-(10**16), 10**16).map(float),
    st.floats(-1e7, 1e7),
    st.floats(-1e-4, 1e-4),
    st.sampled_from([999.9995, 999.99949, 1e3, 999_999.5, 1e15, 1e15 - 1, -1e3, 1e-5, 0.1 + 0.2]),
)


def read(text):
    return float(text.replace(",", ""))


@given(number=NUMBERS)
@settings(max_examples=500, deadline=None, derandomize=True)
def test_a_number_is_shown_to_six_digits_or_to_the_unit(number):
    [text] = describe_numbers(np.array([number])).to_pylist()
    if np.isnan(number):
        assert text == "missing"
    elif np.isinf(number):
        assert read(text) == number
    else:
        off = max(5e-6 * abs(number), 5e-324) if abs(number) < 1e5 else 0.5000001
        assert abs(read(text) - number) <= off * 1.0000001
        assert not text.startswith("-0") or read(text) != 0
    assert text == describe_value(number)


@given(number=st.integers(-(10**15) + 1, 10**15 - 1))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_whole_number_has_commas(number):
    assert describe_value(number) == describe_value(float(number)) == f"{number:,}"


@given(numbers=st.lists(NUMBERS, max_size=12))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_number_is_shown_alike_in_any_company(numbers):
    alone = [describe_numbers(np.array([number])).to_pylist()[0] for number in numbers]
    assert describe_numbers(np.array(numbers, dtype=np.float64)).to_pylist() == alone


@given(points=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=10))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_points_are_shown_with_their_sign_and_a_tenth(points):
    table = format_reasons(pd.DataFrame({"a": points}), pd.DataFrame(index=range(len(points))), 1)
    for point, text in zip(points, table["reason_1"], strict=True):
        if abs(point) < 0.05:
            assert text is None or pd.isna(text)
            continue
        shown, _, name = text.partition(" ")
        assert name == "a"
        assert shown[0] == "+-"[point < 0]
        assert abs(float(shown) - point) <= 0.05000001
        assert len(shown.partition(".")[2]) == 1
