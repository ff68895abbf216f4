import numpy as np
import pandas as pd
import pytest

from leadml.errors import DataError
from leadml.scored import SCORED_COLUMNS, check_scored, reason_columns


def make_scored() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "lead_id": ["a", "b"],
            "probability": [0.1, np.nan],
            "score": [0, 100],
            "band": ["hot", "cold"],
            "stage": ["decision", "awareness"],
            "fit": [50.0, np.nan],
            "engagement": [1.0, 2.0],
            "qualified": [True, False],
            "bant": ["", "B-NT"],
            "reason_1": ["+6.2 visits: 4", None],
            "points": [np.nan, -3.0],
            "model": "m",
            "version": "",
        }
    )


def test_a_sound_table_passes():
    check_scored(make_scored())
    check_scored(make_scored().assign(account="x"))  # further columns come last
    check_scored(make_scored().drop(columns="reason_1"))


def test_the_contract_of_the_columns():
    assert list(SCORED_COLUMNS) == list(make_scored().columns[:9])
    assert reason_columns(3) == ["reason_1", "reason_2", "reason_3"]
    assert reason_columns(0) == []


def test_every_missing_column_is_named():
    with pytest.raises(DataError, match="it lacks 'band', 'version'"):
        check_scored(make_scored().drop(columns=["band", "version"]))


def test_columns_out_of_order():
    scored = make_scored()
    with pytest.raises(DataError, match=r"out of order\. Accepted order"):
        check_scored(scored[scored.columns[::-1]])
    first = pd.DataFrame({"account": ["x", "y"]})
    with pytest.raises(DataError, match="out of order"):
        check_scored(first.join(scored))


@pytest.mark.parametrize(
    ("column", "value", "match"),
    [
        ("probability", 1.1, "`probability` lies outside 0 to 1"),
        ("probability", -0.1, "`probability` lies outside 0 to 1"),
        ("score", 101, "`score` lies outside 0 to 100"),
        ("band", "lukewarm", "`band` holds other values"),
        ("stage", "won", "`stage` holds other values"),
    ],
)
def test_values_out_of_range(column, value, match):
    with pytest.raises(DataError, match=match):
        check_scored(make_scored().assign(**{column: value}))


def test_all_problems_at_once():
    with pytest.raises(DataError, match="`score` lies outside 0 to 100; `band` holds"):
        check_scored(make_scored().assign(score=-1, band="x"))
