import numpy as np
import pandas as pd
import pytest

from leadml.errors import DataError
from leadml.evaluation.disagreement import (
    compute_reason_agreement,
    find_disagreements,
    share_same_strongest,
)


def test_disagreements_by_hand():
    table = find_disagreements({"model": [90, 50, 20, 70, 10], "rules": [50, 50, 60, 20, 15]}, n=2)
    assert table["place"].tolist() == [3, 0, 2, 4]
    assert table["score"].tolist() == [70, 90, 20, 10]
    assert table["other_score"].tolist() == [20, 50, 60, 15]
    assert table["difference"].tolist() == [50, 40, -40, -5]


def test_leads_of_equal_score_are_no_disagreement():
    table = find_disagreements({"model": [50, 60, 70], "rules": [50, 60, 60]}, n=3)
    assert table["place"].tolist() == [2]
    assert find_disagreements({"model": [50], "rules": [50]}).empty


def test_of_equal_differences_the_higher_score_comes_first():
    table = find_disagreements({"model": [30, 90, 10, 40], "rules": [20, 80, 30, 60]}, n=1)
    assert table["place"].tolist() == [1, 3]


def test_no_lead_is_listed_twice():
    rng = np.random.default_rng(0)
    scores = {"model": rng.integers(0, 100, 12), "rules": rng.integers(0, 100, 12)}
    table = find_disagreements(scores, n=10)
    assert table["place"].is_unique
    assert len(table) == (scores["model"] != scores["rules"]).sum()


@pytest.mark.parametrize(
    ("scores", "match"),
    [
        ({"model": [1, 2]}, r"holds {'model': \(2,\)}"),
        ({"model": [1, 2], "rules": [1]}, "Accepted are two models"),
        ({"a": [1], "b": [2], "c": [3]}, "Accepted are two models"),
        ({"model": [1, np.nan], "rules": [1, 2]}, "'model' hold nan"),
    ],
)
def test_scores_that_cannot_be_compared(scores, match):
    with pytest.raises(DataError, match=match):
        find_disagreements(scores)


def test_n_below_one():
    with pytest.raises(DataError, match=r"`n` must be a whole number of at least 1\. Got 0"):
        find_disagreements({"model": [1], "rules": [2]}, n=0)


def test_reasons_by_hand():
    points = pd.DataFrame({"source": [1.0, -1, 2, 0], "calls": [5.0, -5, 5, 5], "own": [1.0] * 4})
    others = pd.DataFrame({"calls": [-1.0, 1, -1, -1], "source": [2.0, 2, 4, 2], "mine": [0.0] * 4})
    table = compute_reason_agreement(points, others)
    assert table["column"].tolist() == ["calls", "source"]
    assert table["points"].tolist() == [5, 1]
    assert table["other_points"].tolist() == [1, 2.5]
    # no sign differs where one gives no points
    assert table["opposite"].tolist() == [1, 0.25]
    assert table["correlation"][0] == pytest.approx(-1)
    expected = np.corrcoef(points["source"], others["source"])[0, 1]
    assert table["correlation"][1] == pytest.approx(expected)


def test_a_model_agrees_with_itself():
    points = pd.DataFrame(np.random.default_rng(1).normal(size=(50, 4)), columns=list("abcd"))
    table = compute_reason_agreement(points, points)
    assert table["correlation"].to_numpy() == pytest.approx(1)
    assert (table["opposite"] == 0).all()
    assert (table["points"] == table["other_points"]).all()
    assert share_same_strongest(points, points) == 1


def test_order_of_rows_and_columns_changes_nothing():
    rng = np.random.default_rng(2)
    points, others = (
        pd.DataFrame(rng.normal(size=(50, 4)), columns=list("abcd")) for _ in range(2)
    )
    order = rng.permutation(50)
    table = compute_reason_agreement(points.iloc[order], others.iloc[order][list("dcba")])
    pd.testing.assert_frame_equal(table, compute_reason_agreement(points, others))
    share = share_same_strongest(points, others)
    assert share_same_strongest(points.iloc[order, ::-1], others.iloc[order]) == share


def test_the_same_points_for_all_leads_have_no_correlation():
    # 0.1 is not the mean of three 0.1, by rounding
    points = pd.DataFrame({"source": [0.1, 0.1, 0.1], "calls": [0.1, 0.2, 0.3]})
    found = compute_reason_agreement(points, points).set_index("column")["correlation"]
    assert np.isnan(found["source"])
    assert found["calls"] == pytest.approx(1)


def test_strongest_reason_counts_columns_of_one_model_too():
    points = pd.DataFrame({"source": [3.0, -4, 1, 0], "calls": [1.0, 2, -1, 0]})
    others = pd.DataFrame({"source": [9.0, 0, 2, 0], "country": [0.0, 5, 1, 0]})
    # source and source; source and country; equals: calls, first by name, and source; none and none
    assert share_same_strongest(points, others) == 0.5


def test_no_common_column():
    nothing = compute_reason_agreement(pd.DataFrame({"a": [1.0]}), pd.DataFrame({"b": [1.0]}))
    assert nothing.empty
    assert nothing.columns.tolist() == [
        "column",
        "points",
        "other_points",
        "correlation",
        "opposite",
    ]


def test_points_of_other_leads_and_columns_twice():
    points = pd.DataFrame({"source": [1.0, 2.0]}, index=["L1", "L2"])
    with pytest.raises(DataError, match="`points` holds 2 leads, `other_points` 1"):
        compute_reason_agreement(points, points.iloc[:1])
    with pytest.raises(DataError, match="`points` holds 0 leads"):
        compute_reason_agreement(points.iloc[:0], points.iloc[:0])
    with pytest.raises(DataError, match="indexes are not the same"):
        share_same_strongest(points, points.iloc[::-1])
    with pytest.raises(DataError, match="`other_points` has the column 'source' twice"):
        compute_reason_agreement(points, points[["source", "source"]])
