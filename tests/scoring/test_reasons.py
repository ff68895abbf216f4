import numpy as np
import pandas as pd
import pytest

from leadml.scoring.reasons import describe_feature, describe_value, format_reasons


def reasons(points, values=None, count=3):
    values = (
        pd.DataFrame(index=range(len(next(iter(points.values()))))) if values is None else values
    )
    frame = format_reasons(pd.DataFrame(points), pd.DataFrame(values), count)
    assert list(frame.columns) == [f"reason_{place}" for place in range(1, count + 1)]
    return frame.astype(object).where(frame.notna(), None).to_numpy().tolist()


def test_format():
    points = {"visits_30d": [6.24], "Lead Source": [-12.0], "country": [0.06]}
    values = {"visits_30d": [4.0], "Lead Source": ["Google"], "country": [None]}
    assert reasons(points, values) == [
        ["-12.0 Lead Source: Google", "+6.2 visits (30 days): 4", "+0.1 country: missing"]
    ]


def test_what_rounds_to_nothing_is_no_reason():
    assert reasons({"a": [0.049, -0.05, 0.0], "b": [0.0, 0.0, 1.0]}, count=3) == [
        [None, None, None],
        ["-0.1 a", None, None],
        ["+1.0 b", None, None],
    ]


def test_order_is_by_absolute_points_and_ties_keep_the_columns_order():
    points = {"a": [1.0, -2.0], "b": [-1.0, 2.0], "c": [3.0, 2.0]}
    assert reasons(points) == [
        ["+3.0 c", "+1.0 a", "-1.0 b"],
        ["-2.0 a", "+2.0 b", "+2.0 c"],
    ]


def test_reasons_do_not_depend_on_the_batch():
    random = np.random.default_rng(0)
    points = pd.DataFrame(random.integers(-3, 4, (60, 6)) / 2.0, columns=list("abcdef"))
    values = pd.DataFrame(random.choice([1.5, np.nan, 2.0], (60, 6)), columns=list("abcdef"))
    whole = format_reasons(points, values, 4)
    for row in range(0, 60, 7):
        alone = format_reasons(points.iloc[[row]], values.iloc[[row]], 4)
        assert alone.to_numpy().tolist() == whole.iloc[[row]].to_numpy().tolist()


def test_more_reasons_than_features():
    assert reasons({"a": [1.0]}, {"a": [True]}, count=2) == [["+1.0 a: True", None]]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4.0, "4"),
        (-0.0, "0"),
        (0.25, "0.25"),
        (1_234.5, "1,234.5"),
        (np.nan, "missing"),
        (None, "missing"),
        (pd.NaT, "missing"),
        ("Google", "Google"),
        (True, "True"),
        (3, "3"),
        (np.int64(3), "3"),
        (np.inf, "inf"),
    ],
)
def test_describe_value(value, text):
    assert describe_value(value) == text


def test_a_whole_number_reads_the_same_in_any_batch():
    assert describe_value(4_000) == describe_value(4_000.0)


def test_missing_of_a_nullable_column():
    assert describe_value(pd.NA) == "missing"


def test_describe_feature():
    assert describe_feature("pricing_page_views_30d") == "pricing page views (30 days)"
    assert describe_feature("days_since_last_activity") == "days since last activity"
    assert describe_feature("30d") == "30d"
