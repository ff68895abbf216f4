import numpy as np
import pandas as pd
import pytest

from leadml.errors import DataError
from leadml.evaluation.cross import compute_cross_table, compute_grid
from leadml.evaluation.tables import compute_bands

BANDS = np.array(["hot", "warm", "cold"], dtype=object)


def test_cross_table_by_hand():
    band = ["hot", "hot", "hot", "warm", "cold", "cold"]
    other = ["hot", "hot", "cold", "hot", "cold", "warm"]
    table = compute_cross_table([1, 0, 1, 1, 0, 0], band, other)
    assert table[["band", "other_band"]].agg(" ".join, axis=1).tolist() == [
        *("hot hot", "hot warm", "hot cold"),
        *("warm hot", "warm warm", "warm cold"),
        *("cold hot", "cold warm", "cold cold"),
    ]
    assert table["n_leads"].tolist() == [2, 0, 1, 1, 0, 0, 0, 1, 1]
    assert table["n_won"].tolist() == [1, 0, 1, 1, 0, 0, 0, 0, 0]
    assert table["conversion"].isna().sum() == table["lower"].isna().sum() == 4
    # Wilson's interval of 1 of 2
    assert table.loc[0, ["lower", "upper"]].tolist() == pytest.approx([0.0945, 0.9055], abs=1e-4)


@pytest.mark.parametrize("as_type", [list, pd.Series, pd.Categorical, np.asarray])
def test_cross_table_adds_up_to_the_bands_of_each(as_type):
    rng = np.random.default_rng(0)
    y_true, band, other = rng.integers(2, size=500), *BANDS[rng.integers(3, size=(2, 500))]
    table = compute_cross_table(y_true, as_type(band), as_type(other))
    for name, column in (("band", band), ("other_band", other)):
        sums = table.groupby(name)[["n_leads", "n_won"]].sum().loc[list(BANDS)]
        bands = compute_bands(y_true, column)
        assert sums["n_leads"].tolist() == bands["n_leads"].tolist()
        assert sums["n_won"].tolist() == bands["n_won"].tolist()


def test_cross_table_of_no_wins():
    table = compute_cross_table([0, 0], ["hot", "cold"], ["hot", "cold"])
    assert table["n_won"].sum() == 0
    assert table["conversion"].max() == 0


@pytest.mark.parametrize(
    ("wrong", "met"), [("hott", "'hott'"), (None, "'None'"), (np.nan, "'nan'")]
)
def test_unknown_band(wrong, met):
    with pytest.raises(DataError, match=rf"`other_band` holds {met} and 0 more.*Accepted are"):
        compute_cross_table([1, 0], ["hot", "cold"], ["hot", wrong])


def test_bands_of_another_length():
    with pytest.raises(DataError, match="`band` has the shape"):
        compute_cross_table([1, 0], ["hot"], ["hot", "cold"])


def test_grid_by_hand_with_edges():
    fit, engagement = [30, 20, 10, 9.9, -5, 25], [0, 1, 5, 10, 10, 4]
    table = compute_grid([1, 1, 0, 0, 1, 0], fit, engagement, [10, 20, 30], [1, 5, 10]).set_index(
        "cell"
    )
    assert table.index.tolist() == [
        f"{letter}{number}" for letter in "ABCD" for number in (1, 2, 3, 4)
    ]
    leads = table["n_leads"]
    assert leads[leads > 0].to_dict() == {"A4": 1, "B3": 2, "C2": 1, "D1": 2}
    assert table.loc["B3", "conversion"] == 0.5
    ends = ["fit_from", "fit_to", "engagement_from", "engagement_to"]
    assert table.loc["A4", ends].tolist() == [30, np.inf, -np.inf, 1]
    assert table.loc["D1", ends].tolist() == [-np.inf, 10, 10, np.inf]
    assert table.loc["C2", ["fit", "engagement"]].tolist() == ["C", 2]


def test_quartiles_hold_a_quarter_each():
    rng = np.random.default_rng(1)
    y_true, fit, engagement = rng.integers(2, size=400), rng.normal(size=400), rng.normal(size=400)
    table = compute_grid(y_true, fit, engagement)
    assert table.groupby("fit")["n_leads"].sum().tolist() == pytest.approx([100] * 4, abs=1)
    assert table.groupby("engagement")["n_leads"].sum().tolist() == pytest.approx([100] * 4, abs=1)
    assert table["n_won"].sum() == y_true.sum()
    order = rng.permutation(400)
    pd.testing.assert_frame_equal(compute_grid(y_true[order], fit[order], engagement[order]), table)
    # its own edges give the same grid
    edges = [sorted(set(table[name]) - {-np.inf}) for name in ("fit_from", "engagement_from")]
    pd.testing.assert_frame_equal(compute_grid(y_true, fit, engagement, *edges), table)


def test_who_did_nothing_is_in_the_lowest_quarter_however_many_they_are():
    engagement = [0] * 8 + [3, 7]
    table = compute_grid([0] * 9 + [1], [1] * 10, engagement).set_index("cell")
    leads = table["n_leads"]
    # one value alone says nothing: nobody is better than a D
    assert leads[leads > 0].to_dict() == {"D1": 2, "D4": 8}


@pytest.mark.parametrize("edges", [[1, 2], [1, 1, 2], [3, 2, 1], [1, 2, np.inf], [1, np.nan, 2]])
def test_edges_that_are_none(edges):
    with pytest.raises(DataError, match=r"`engagement_edges` is .* Accepted are three rising"):
        compute_grid([1, 0], [1, 2], [1, 2], engagement_edges=edges)


def test_missing_points():
    with pytest.raises(DataError, match="`fit` holds nan"):
        compute_grid([1, 0], [1, np.nan], [1, 2])
