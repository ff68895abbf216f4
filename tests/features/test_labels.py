import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadml.errors import DataError
from leadml.features.labels import as_time_span, compute_labels, compute_snapshot_weights

AS_OF = pd.Timestamp("2026-06-30")


def snapshots(*rows):
    frame = pd.DataFrame(rows, columns=["lead_id", "created", "snapshot_date"])
    return frame.astype({"created": "datetime64[us]", "snapshot_date": "datetime64[us]"})


def outcomes(*rows):
    frame = pd.DataFrame(rows, columns=["lead_id", "won", "closed"])
    return frame.astype({"won": float, "closed": "datetime64[us]"})


def label(shots, ends, horizon="30D", as_of=AS_OF):
    labels = compute_labels(shots, ends, horizon=horizon, as_of=as_of)
    assert labels.counts.sum() == len(shots)
    assert labels.y.index.equals(shots.index)
    assert not (labels.left_out & labels.y.notna()).any()
    return labels


def met(labels):
    return {word: count for word, count in labels.counts.items() if count}


@pytest.mark.parametrize(
    ("won", "closed", "y", "word"),
    [
        (1, "2026-03-02", 1, "won"),
        (1, "2026-03-31", 1, "won"),  # the last moment of the horizon
        (1, "2026-03-31 00:01", 0, "not_won_in_time"),
        (1, "2026-03-01", np.nan, "after_outcome"),  # at the snapshot
        (1, "2026-02-20", np.nan, "after_outcome"),
        (0, "2026-03-02", 0, "lost"),
        (0, "2026-06-01", 0, "not_won_in_time"),
        (0, "2026-02-20", np.nan, "after_outcome"),
        (np.nan, None, 0, "not_won_in_time"),
        (1, "2026-07-10", 0, "not_won_in_time"),  # not known on the day
    ],
)
def test_one_lead_by_hand(won, closed, y, word):
    shots = snapshots(("a", "2026-02-01", "2026-03-01"))
    labels = label(shots, outcomes(("a", won, closed)))
    assert met(labels) == {word: 1}
    assert labels.y.tolist() == pytest.approx([y], nan_ok=True)
    assert labels.left_out.tolist() == [word == "after_outcome"]


def test_an_open_lead_is_lost_only_when_its_horizon_is_over():
    shots = snapshots(*[("a", "2026-05-01", f"2026-05-{day}") for day in (30, 31)])
    labels = label(shots, outcomes())
    assert labels.y.tolist() == [0, 0]
    before = label(shots, outcomes(), as_of=pd.Timestamp("2026-06-29"))
    assert before.y.tolist() == pytest.approx([0, np.nan], nan_ok=True)
    assert met(before) == {"not_won_in_time": 1, "open": 1}
    assert not before.left_out.any()
    assert before.problems == ()


def test_an_outcome_known_before_the_horizon_is_over_is_a_label():
    shots = snapshots(("a", "2026-06-20", "2026-06-20"), ("b", "2026-06-20", "2026-06-20"))
    ends = outcomes(("a", 1, "2026-06-25"), ("b", 0, "2026-06-28"))
    assert label(shots, ends).y.tolist() == [1, 0]


def test_the_snapshots_of_one_lead_end_as_they_saw_it():
    shots = snapshots(
        *[
            ("a", "2026-01-01", day)
            for day in pd.to_datetime(["2026-01-01", "2026-02-20", "2026-03-05", "2026-03-10"])
        ]
    )
    labels = label(shots, outcomes(("a", 1, "2026-03-05")))
    assert labels.y.tolist() == pytest.approx([0, 1, np.nan, np.nan], nan_ok=True)
    assert labels.problems == ("2 snapshots left out: the lead was won or lost by then.",)
    assert labels.closed.eq(pd.Timestamp("2026-03-05")).all()


def test_broken_outcomes_are_told_and_not_guessed():
    shots = snapshots(
        ("fine", "2026-01-01", "2026-01-01"),
        ("early", "2026-02-01", "2026-02-01"),
        ("early", "2026-02-01", "2026-02-15"),
        ("both", "2026-01-01", "2026-01-01"),
        ("two dates", "2026-01-01", "2026-01-01"),
        ("no date", "2026-01-01", "2026-01-01"),
    )
    ends = outcomes(
        ("fine", 1, "2026-01-10"),
        ("fine", 1, "2026-01-10"),  # said twice: one outcome
        ("early", 1, "2026-01-15"),
        ("both", 1, "2026-01-10"),
        ("both", 0, "2026-01-10"),
        ("two dates", 1, "2026-01-10"),
        ("two dates", 1, "2026-01-20"),
        ("no date", 0, None),
    )
    labels = label(shots, ends)
    assert labels.left_out.tolist() == [False] + [True] * 5
    assert met(labels) == {"before_creation": 2, "contradictory": 2, "undated": 1, "won": 1}
    assert labels.problems == (
        "1 lead (2 snapshots) left out: outcomes dated before the lead was created.",
        "2 leads (2 snapshots) left out: two different outcomes, or two dates of one.",
        "1 lead (1 snapshot) left out: won or lost without a date, where others have one.",
    )
    assert not any(name in text for text in labels.problems for name in ("early", "fine"))
    assert labels.closed.notna().tolist() == [True] + [False] * 5


def test_an_outcome_not_known_yet_contradicts_nothing():
    shots = snapshots(("a", "2026-06-01", "2026-06-01"))
    ends = outcomes(("a", 0, "2026-06-10"), ("a", 1, "2026-08-01"))
    assert met(label(shots, ends)) == {"lost": 1}


def test_closed_on_the_day_of_creation_is_not_before_it():
    shots = snapshots(("a", "2026-06-01 09:30", "2026-05-31 09:30"))
    assert met(label(shots, outcomes(("a", 1, "2026-06-01")))) == {"won": 1}
    timed = outcomes(("a", 1, "2026-06-01"), ("b", 1, "2026-06-02 10:00"))
    both = pd.concat([shots, shots.assign(lead_id="b")])
    assert met(label(both, timed)) == {"before_creation": 1, "won": 1}


@pytest.mark.parametrize("there", ["missing", "empty"])
def test_without_any_date_won_is_won_and_it_is_told(there):
    shots = snapshots(
        ("won", "2026-01-01", "2026-01-01"),
        ("lost", "2026-06-20", "2026-06-20"),
        ("open", "2026-01-01", "2026-01-01"),
        ("open", "2026-01-01", "2026-06-20"),
    )
    ends = outcomes(("won", 1, None), ("lost", 0, None), ("open", np.nan, None))
    labels = label(shots, ends.drop(columns="closed") if there == "missing" else ends)
    assert labels.y.tolist() == pytest.approx([1, 0, 0, np.nan], nan_ok=True)
    (told,) = labels.problems
    assert told.startswith("No outcome has a date: won counts as won")
    assert not labels.left_out.any()


def test_ids_that_fit_no_lead_are_told():
    shots = snapshots(("1", "2026-01-01", "2026-01-01"))
    labels = label(shots, outcomes((1, 1, "2026-01-02")))
    assert labels.problems[0].startswith("None of 1 outcome belongs to a lead looked at")


def test_no_outcomes_at_all():
    labels = label(snapshots(("a", "2026-06-20", "2026-06-20")), outcomes())
    assert met(labels) == {"open": 1}
    assert labels.y.dtype == float
    assert labels.closed.dtype.kind == "M"


def test_the_index_is_that_of_the_snapshots():
    shots = snapshots(("a", "2026-01-01", "2026-01-01"), ("b", "2026-01-01", "2026-01-01"))
    shots.index = pd.MultiIndex.from_frame(shots[["lead_id", "snapshot_date"]])
    assert label(shots, outcomes(("b", 1, "2026-01-05"))).y.tolist() == [0, 1]


@pytest.mark.parametrize("horizon", ["-30D", "0D", "soon", "NaT"])
def test_a_wrong_horizon_is_told(horizon):
    with pytest.raises(DataError, match=re.escape(f"Got {horizon!r}. Pass for example")):
        as_time_span(horizon)


days = st.integers(0, 200)
leads = st.lists(
    st.tuples(days, st.none() | st.tuples(st.booleans(), days), days), min_size=1, max_size=30
)


@settings(max_examples=40, deadline=None)
@given(leads, days)
def test_what_comes_after_the_day_changes_no_label(rows, last):
    start, day = pd.Timestamp("2026-01-01"), pd.Timedelta("1D")
    shots = snapshots(*[(i, start, start + at * day) for i, (at, _, _) in enumerate(rows)])
    ends = outcomes(
        *[(i, end[0], start + end[1] * day) for i, (_, end, _) in enumerate(rows) if end]
    )
    # the last column of `rows` rewrites what is not known yet
    later = ends.copy()
    is_later = later["closed"] > start + last * day
    moved = pd.Series([start + (last + 1 + rows[i][2]) * day for i in later["lead_id"]])
    later.loc[is_later, "closed"] = moved[is_later].astype(later["closed"].dtype)
    later.loc[is_later, "won"] = 1 - later.loc[is_later, "won"]
    kept = ends[~is_later]
    as_of = start + last * day
    first, second = (label(shots, frame, as_of=as_of) for frame in (ends, later))
    pd.testing.assert_series_equal(first.y, second.y)
    if kept["closed"].notna().any() or ends.empty:
        pd.testing.assert_series_equal(first.y, label(shots, kept, as_of=as_of).y)
    for (at, end, _), y in zip(rows, first.y, strict=True):
        if y == 1:
            assert end
            assert end[0]
            assert at < end[1] <= min(at + 30, last)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0.0, 1.0, np.nan]))))
def test_every_labelled_lead_counts_once(rows):
    ids = [lead for lead, _ in rows]
    y = pd.Series([y for _, y in rows], dtype=float, index=[f"row {i}" for i in range(len(rows))])
    weights = compute_snapshot_weights(ids, y)
    assert weights.index.equals(y.index)
    by_lead = weights.groupby(ids).sum()
    labelled = y.notna().groupby(ids).any()
    assert by_lead.tolist() == pytest.approx(labelled.astype(float).tolist())


def test_weights_of_an_index():
    index = pd.MultiIndex.from_arrays([["a", "b", "a"], [0, 1, 2]], names=["lead_id", "at"])
    y = pd.Series([1.0, 0.0, np.nan], index=index)
    assert compute_snapshot_weights(index, y).tolist() == [1, 1, 0]
