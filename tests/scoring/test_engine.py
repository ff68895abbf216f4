# ruff: noqa: F811  fixtures are imported

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from engine_leads import (
    NAMES,
    NUMBERS,
    VALUES,
    assert_same,
    beside,
    draw_frame,
    index_of,
    judge,
    make_leads,
    number_column,
    predict_by_boosters,
    scorers,  # noqa: F401
    take,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from leadml.scoring import lookups
from leadml.scoring.columns import NumberColumn
from leadml.scoring.reasons import format_reasons


@pytest.fixture(scope="module")
def odd(scorers):
    """400 leads with values that no training lead has."""
    random = np.random.default_rng(3)
    edges = {name: beside(number_column(scorers, name).edges) for name in ("visits", "minutes")}
    frame = {name: random.choice([*NUMBERS, *values], 400) for name, values in edges.items()}
    frame |= {name: random.choice(np.array(pool, object), 400) for name, pool in VALUES.items()}
    snapshots = pd.Timestamp("2026-02-01") + pd.to_timedelta(random.integers(0, 60, 400), "D")
    return pd.DataFrame(frame, index=index_of(snapshots))


def assert_right(scorer, frame):
    """The engine says what the classifier says, and what the tables were collapsed from."""
    found = judge(scorer, frame, frame.index)
    if scorer.scale_ is None:
        total = scorer.estimator_[-1].compute_raw_points(scorer.estimator_[0].transform(frame))
        np.testing.assert_allclose(found.raw_scores, total, rtol=0, atol=1e-9)
        np.testing.assert_allclose(found.points, total, rtol=0, atol=1e-9)
        return
    expected = expit(scorer.decision_function(frame))
    np.testing.assert_allclose(found.probability, expected, rtol=0, atol=1e-9)
    assert np.isfinite(found.raw_scores).all()
    if scorer.collapsed_from is not None:
        boosted = predict_by_boosters(scorer, frame)
        np.testing.assert_allclose(found.probability, boosted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_engine_says_what_the_boosters_say(scorers, odd, name):
    assert_right(scorers[name], odd)
    assert_right(scorers[name], make_leads(300, 1)[0])


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_of_any_lead_the_engine_says_what_the_boosters_say(scorers, name, data):
    frame = draw_frame(data, scorers, data.draw(st.integers(1, 12)))
    assert_right(scorers[name], frame)
    assert_same(judge(scorers[name], frame, frame.index), judge_as_arrow(scorers[name], frame))


def judge_as_arrow(scorer, frame):
    """Judge a frame as Arrow hands it over."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    columns = {name: table.column(name) for name in table.column_names}
    return judge(scorer, columns, frame.index)


@pytest.mark.parametrize("name", NAMES)
def test_reasons_fit_and_engagement_are_those_of_the_points(scorers, odd, name):
    scorer = scorers[name]
    leads, _ = make_leads(300, 1)
    for frame in (leads, odd):
        found = judge(scorer, frame, frame.index)
        if name == "points alone":
            inputs = scorer.estimator_[0].transform(frame)
            points = scorer.estimator_[-1].compute_rule_points(inputs)
        else:
            points, _ = scorer.compute_points(frame)
        for families, sums in (
            (("demographic", "firmographic"), found.fit),
            (("behavioral", "email"), found.engagement),
        ):
            mine = [column for column in points if scorer.find_family(column) in families]
            expected = (50 + points[mine].sum(axis=1)).clip(0, 100)
            np.testing.assert_allclose(sums, expected, atol=0.0500001)
        values = scorer.estimator_[0].transform(frame)
        texts = format_reasons(points, values, 3)
        for rank, own in enumerate(found.reasons):
            expected = texts[f"reason_{rank + 1}"]
            differ = (
                pd.Series(own.to_pandas()).fillna("").to_numpy() != expected.fillna("").to_numpy()
            )
            # points that lie between two tenths, or tie, may go either way
            assert differ.mean() < 0.01, (own.to_pandas()[differ][:5], expected[differ][:5])


def compare_columns(scorers, name, values, expected):
    """Judge average leads but for one column, given in two ways; they must say the same."""
    frame, _ = make_leads(len(values), 2)
    for scorer in scorers.values():
        columns = {key: frame[key] for key in frame.columns}
        first = judge(scorer, {**columns, name: expected}, frame.index)
        second = judge(scorer, {**columns, name: values}, frame.index)
        assert_same(first, second)
        assert not second.unread


WHOLE = [0, 3, None, 7, 100, 2]


def as_dictionary(values, kind, places=pa.int8()):  # noqa: B008
    return pa.array(values, kind).dictionary_encode().cast(pa.dictionary(places, kind))


NUMBER_FORMS = {
    **{
        str(kind): pa.array(WHOLE, kind)
        for kind in (
            *(pa.int8(), pa.int16(), pa.int32(), pa.int64()),
            *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
            *(pa.float32(), pa.float64(), pa.decimal128(9, 2), pa.decimal256(50, 3)),
        )
    },
    "float16": pa.array(np.array([0, 3, np.nan, 7, 100, 2], np.float16), from_pandas=True),
    "chunks": pa.chunked_array([WHOLE[:2], WHOLE[2:]], pa.int64()),
    "dictionary of int64": as_dictionary(WHOLE, pa.int64()),
    "dictionary of float64": as_dictionary(WHOLE, pa.float64()),
    "Int8": pd.Series(WHOLE, dtype="Int8"),
    "Float32": pd.Series(WHOLE, dtype="Float32"),
    "float32 of pandas": pd.Series(WHOLE, dtype="float32"),
    "Arrow in pandas": pd.Series(WHOLE, dtype=pd.ArrowDtype(pa.uint8())),
    "object": pd.Series(WHOLE, dtype=object),
    "category": pd.Series(WHOLE, dtype="category"),
    "mixed": pd.Series([0, "3", None, 7.0, " 100 ", "2.0"], dtype=object),
    "texts": pa.array(["0", "3.0", "", "7", " 1e2", "+2"]),
    "large texts": pa.array(["0", "3.0", " ", "7", "100.", "02"], pa.large_string()),
    "texts that mean missing": pa.array(["0", "3.0", "SELECT", "7", "100", "2"]),
    "dictionary of texts": as_dictionary(["0", "3.0", None, "7", "100", "2"], pa.string()),
    "-1": pa.array([0, 3, -1, 7, 100, 2]),
    "infinity": pa.array([0, 3, np.inf, 7, 100, 2]),
}


@pytest.mark.parametrize("form", NUMBER_FORMS)
def test_numbers_in_any_form(scorers, form):
    expected = pd.Series(WHOLE, dtype=object).astype("float64")
    compare_columns(scorers, "visits", NUMBER_FORMS[form], expected)


TEXTS = ["web", None, "fair", "never seen", "", "WEB"]
HOLDING_NULL = pa.DictionaryArray.from_arrays(
    pa.array([0, 1, 2, 3, None, 4], pa.int8()), ["web", None, "fair", "never seen", "web"]
)
TEXT_FORMS = {
    "string": pa.array(TEXTS),
    "large_string": pa.array(TEXTS, pa.large_string()),
    "string_view": pa.array(TEXTS, pa.string_view()),
    "dictionary": as_dictionary(TEXTS, pa.string()),
    "dictionary of large texts": as_dictionary(TEXTS, pa.large_string(), pa.uint32()),
    "dictionary with a null": HOLDING_NULL,
    "chunks with dictionaries of their own": pa.chunked_array(
        [as_dictionary(TEXTS[:3], pa.string()), as_dictionary(TEXTS[3:], pa.string())]
    ),
    "chunks of dictionaries with nulls": pa.chunked_array([HOLDING_NULL[:3], HOLDING_NULL[3:]]),
    "slice of a long dictionary": as_dictionary([*"abcdefghij", *TEXTS], pa.string())[10:],
    "object": pd.Series(TEXTS, dtype=object),
    "str": pd.Series(TEXTS, dtype="str"),
    "string of pandas": pd.Series(TEXTS, dtype="string"),
    "category": pd.Series(TEXTS, dtype="category"),
    "category of objects": pd.Series(
        pd.Categorical(
            TEXTS, pd.Index(["", *"abc", "never seen", "WEB", "fair", "web"], dtype=object)
        )
    ),
    "blanks": pa.array([" Web", " ", "fair ", "never  seen", "select", "wEB"]),
}


@pytest.mark.parametrize("form", TEXT_FORMS)
def test_texts_in_any_form(scorers, form):
    for scorer in scorers.values():
        spelled = [None if text == "" else text for text in TEXTS]
        frame, _ = make_leads(len(TEXTS), 2)
        first = judge(scorer, {**frame, "source": pd.Series(spelled, dtype=object)}, frame.index)
        second = judge(scorer, {**frame, "source": TEXT_FORMS[form]}, frame.index)
        first_reasons = [texts.to_pylist() for texts in first.reasons]
        second_reasons = [texts.to_pylist() for texts in second.reasons]
        np.testing.assert_array_equal(first.raw_scores, second.raw_scores)
        np.testing.assert_array_equal(first.qualified, second.qualified)
        if form != "blanks":
            assert first_reasons == second_reasons


LEVELS = [1.5, 2, 10, None, 3]
LEVEL_FORMS = {
    "float64": pa.array(LEVELS, pa.float64()),
    "float32": pa.array(LEVELS, pa.float32()),
    "decimal": pa.array(LEVELS, pa.float64()).cast(pa.decimal128(9, 2)),
    "dictionary of decimals": pa.array(LEVELS, pa.float64())
    .cast(pa.decimal128(9, 2))
    .dictionary_encode(),
    "texts": pa.array(["1.50", "2.0", "10", "", "3.000"]),
    "more texts": pa.array(["15e-1", "2.", "1e1", " ", "3"]),
    "category": pd.Series(LEVELS, dtype="category"),
    "mixed": pd.Series([1.5, "2", 10, None, "3.0"], dtype=object),
    "Float64": pd.Series(LEVELS, dtype="Float64"),
    "-1": pa.array([1.5, 2, 10, -1, 3]),
}


@pytest.mark.parametrize("form", LEVEL_FORMS)
def test_levels_that_are_numbers_in_any_form(scorers, form):
    expected = pd.Series(["1.5", "2", "10", None, "3"], dtype=object)
    compare_columns(scorers, "code", LEVEL_FORMS[form], expected)


ANSWER_FORMS = {
    "bool": pa.array([True, False, None, True]),
    "dictionary of bool": pa.array([True, False, None, True]).dictionary_encode(),
    "int8": pa.array([1, 0, None, 1], pa.int8()),
    "float64": pa.array([1.0, 0.0, None, 1.0]),
    "boolean": pd.Series([True, False, None, True], dtype="boolean"),
    "object": pd.Series([True, False, None, True], dtype=object),
    "category": pd.Series([True, False, None, True], dtype="category"),
    "texts": pa.array(["TRUE", "false", "", "True"]),
    "other texts": pa.array(["ja", "nein", "select", " Y "]),
}


@pytest.mark.parametrize("form", ANSWER_FORMS)
def test_answers_in_any_form(scorers, form):
    frame, _ = make_leads(4, 2)
    answers = pd.Series(["yes", "no", None, "yes"], dtype=object)
    for scorer in scorers.values():
        first = judge(scorer, {**frame, "opted out": answers}, frame.index)
        second = judge(scorer, {**frame, "opted out": ANSWER_FORMS[form]}, frame.index)
        np.testing.assert_array_equal(first.raw_scores, second.raw_scores)
        assert not second.unread


DAYS = pd.to_datetime(["2026-01-31", "2026-02-28", None, "1999-01-01"])
DATE_FORMS = {
    **{
        f"timestamp {unit} {zone}": pa.array(DAYS.to_numpy(), from_pandas=True).cast(
            pa.timestamp(unit, zone)
        )
        for unit in ("s", "ms", "us", "ns")
        for zone in (None, "UTC", "Europe/Berlin")
    },
    "date32": pa.array(DAYS.to_numpy(), from_pandas=True).cast(pa.timestamp("s")).cast(pa.date32()),
    "date64": pa.array(DAYS.to_numpy(), from_pandas=True)
    .cast(pa.timestamp("ms"))
    .cast(pa.date64()),
    "texts": pa.array(["2026-01-31", " 2026-02-28T00:00:00Z ", "", "1999-01-01"]),
    "dictionary": pa.array(["2026-01-31", "2026-02-28", None, "1999-01-01"]).dictionary_encode(),
    "datetime64": pd.Series(DAYS),
    "object": pd.Series(DAYS).astype(object),
    "category": pd.Series(DAYS).astype("category"),
}


@pytest.mark.parametrize("form", DATE_FORMS)
def test_dates_in_any_form(scorers, form):
    expected = pd.Series(["2026-01-31", "2026-02-28", None, "1999-01-01"], dtype=object)
    compare_columns(scorers, "seen", DATE_FORMS[form], expected)


@pytest.mark.parametrize(
    "nothing", [pa.nulls(5), pd.Series([None] * 5), pa.array([None] * 5, pa.string())]
)
def test_columns_without_a_value(scorers, nothing):
    frame, _ = make_leads(5, 2)
    for scorer in scorers.values():
        empty = pd.DataFrame({name: [None] * 5 for name in frame}, dtype=object, index=frame.index)
        found = judge(scorer, dict.fromkeys(frame, nothing), frame.index)
        assert_same(found, judge(scorer, empty, frame.index))
        assert_right(scorer, empty.astype({"visits": "float64", "minutes": "float64"}))


def test_values_that_are_none_of_their_kind_are_told(scorers):
    frame, _ = make_leads(4, 2)
    odd = {**frame, "visits": pa.array(["3", "many", "", None])}
    odd["opted out"] = pa.array(["perhaps", "yes", "select", None])
    unread = judge(scorers["additive"], odd, frame.index).unread
    assert {text.split("'")[1]: mask.tolist() for text, mask in unread.items()} == {
        "visits": [False, True, False, False],
        "opted out": [True, False, False, False],
    }


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [0, 1, 8_191, 8_192, 8_193])
def test_batches_of_any_size(scorers, odd, name, count):
    rows = np.arange(count) % len(odd)
    whole = judge(scorers[name], odd, odd.index)
    many = odd.iloc[rows]
    for found in (judge(scorers[name], many, many.index), judge_as_arrow(scorers[name], many)):
        assert_same(found, take(whole, rows))
        assert all(len(texts) == count for texts in found.reasons)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=20, deadline=None, derandomize=True)
def test_rows_do_not_depend_on_their_batch(scorers, odd, name, data):
    rows = np.array(data.draw(st.lists(st.integers(0, 399), min_size=1, max_size=70)))
    whole = judge(scorers[name], odd, odd.index)
    some = odd.iloc[rows]
    assert_same(judge(scorers[name], some, some.index), take(whole, rows))


@pytest.mark.parametrize("most", [1, 7, 100_000])
def test_threads_share_an_engine(scorers, monkeypatch, most):
    """Also where the values of a column are forgotten from block to block."""
    scorer = scorers["pairwise"]
    frame, _ = make_leads(2_000, 4)
    frame["email"] = [f"{place}@gmail.com" for place in range(len(frame))]
    frame["code"] = [str(place) for place in range(len(frame))]
    expected = judge(scorer, frame, frame.index)
    monkeypatch.setattr(lookups, "MOST_VALUES", most)
    scorer.__dict__.pop("_compiled")
    scorer.compile()
    parts = [np.arange(start, len(frame), 20) for start in range(20)]
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda rows: judge_part(scorer, frame, rows), parts)
        for verdicts, rows in zip(found, parts, strict=True):
            assert_same(verdicts, take(expected, rows))


def judge_part(scorer, frame, rows):
    part = frame.iloc[rows]
    return judge_as_arrow(scorer, part)


@pytest.mark.parametrize("n_reasons", [0, 1, 40])
def test_as_many_reasons_as_asked_for(scorers, odd, n_reasons):
    for scorer in scorers.values():
        found = judge(scorer, odd, odd.index, n_reasons)
        three = judge(scorer, odd, odd.index)
        assert len(found.reasons) == n_reasons
        for mine, other in zip(found.reasons, three.reasons, strict=False):
            assert mine.to_pylist() == other.to_pylist()


def test_the_columns_themselves_stay_as_they_are(scorers, odd):
    kept = odd.copy(deep=True)
    for scorer in scorers.values():
        judge(scorer, odd, odd.index)
    pd.testing.assert_frame_equal(odd, kept)
    assert isinstance(number_column(scorers, "visits"), NumberColumn)
