import copy

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadml.scoring.binning import CELLS, Binner

ODD = [np.nan, np.inf, -np.inf, -0.0, 0.0, 5e-324, -5e-324, 1e-40, 2.2e-308, 1.7e308, -1.7e308]
EDGES = st.lists(
    st.one_of(
        st.sampled_from([edge for edge in ODD if np.isfinite(edge)]),
        st.integers(-20, 20).map(float),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
    max_size=130,
)


def assert_counts(edges, numbers):
    """Compare with a binary search, on the edges and one float beside them too."""
    edges = np.unique(np.asarray(edges, dtype=np.float64) + 0.0)
    with np.errstate(over="ignore", under="ignore"):
        beside = [np.nextafter(edges, np.inf), np.nextafter(edges, -np.inf)]
    numbers = np.concatenate([np.asarray(numbers, dtype=np.float64), edges, -edges, *beside, ODD])
    numbers = numbers[~np.isnan(numbers)]
    found = Binner(edges).count(numbers)
    np.testing.assert_array_equal(found, np.searchsorted(edges, numbers, side="right"))


@given(edges=EDGES, numbers=st.lists(st.floats(), max_size=20))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_count_is_that_of_a_binary_search(edges, numbers):
    assert_counts(edges, numbers)


@pytest.mark.parametrize("count", [1, 2, 3, 126, 5_000])
@pytest.mark.parametrize("shape", ["even", "normal", "lognormal", "denormal", "huge", "crowded"])
def test_edges_of_many_shapes(count, shape):
    random = np.random.default_rng(count)
    edges = {
        "even": np.arange(count) / 7,
        "normal": random.normal(size=count),
        "lognormal": random.lognormal(0, 40, count),
        "denormal": random.integers(-1_000, 1_000, count) * 5e-324,
        "huge": random.uniform(-1, 1, count) * 1.7e308,
        "crowded": 1 + random.integers(0, 50, count) * np.spacing(1.0),
    }[shape]
    assert_counts(edges, random.choice(edges, 1_000) * (1 - np.abs(random.normal(0, 1e-15, 1_000))))


def test_edges_crowd_at_one_place_and_lie_far_apart_elsewhere():
    near = np.arange(60) * 5e-324
    assert_counts(np.concatenate([near, near + 1, [1e300, -1e300]]), near)


def test_numbers_on_the_borders_of_the_cells():
    edges = np.arange(CELLS / 8)
    assert_counts(edges, np.linspace(edges[0], edges[-1], CELLS + 1))


def test_missing_numbers_do_no_harm():
    for edges in ([1.0], [1.0, 2.0], np.arange(4_000.0)):
        counts = Binner(np.array(edges)).count(np.array([np.nan, 1.0, -np.nan]))
        assert counts.shape == (3,)
        assert counts[1] == np.searchsorted(edges, 1.0, side="right")


def test_the_numbers_stay_as_they_are():
    numbers = np.array([-0.0, 3.0, np.nan, np.inf])
    kept = numbers.copy()
    Binner(np.array([0.0, 1e-300, 2.0])).count(numbers[::-1])
    np.testing.assert_array_equal(numbers, kept)
    assert np.signbit(numbers[0])


@pytest.mark.parametrize("edges", [[], [0.5], [0.5, 1e9], [0.0, 5e-324, 1.0]])
def test_copies_count_alike(edges, tmp_path):
    binner = Binner(np.array(edges))
    joblib.dump(binner, tmp_path / "binner")
    numbers = np.array([-1.0, 0.5, 1.0, 1e10])
    for other in (copy.deepcopy(binner), joblib.load(tmp_path / "binner")):
        np.testing.assert_array_equal(other.count(numbers), binner.count(numbers))
    assert binner.count(np.array([])).shape == (0,)
