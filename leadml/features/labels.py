"""What came of each snapshot within the horizon, as far as it was known on a day."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leadml.errors import DataError

BROKEN = ("before_creation", "contradictory", "undated")
FOUND = (*BROKEN, "after_outcome", "won", "lost", "not_won_in_time", "open")


@dataclass(frozen=True)
class Labels:
    """A label for each snapshot, and what was found on the way.

    Attributes
    ----------
    y : Series of float, shape (n_snapshots,)
        1 won in (snapshot, snapshot + horizon], 0 not, NaN no label; the snapshots' index.
    closed : Series of datetime, shape (n_snapshots,)
        When the lead was won or lost, as known on the day; NaT for open and broken ones.
    counts : Series of int
        Snapshots by what was found, adding up to all of them: `won`, `lost`, `not_won_in_time`
        (horizon over, or won or lost after it), `open` (horizon not over), `after_outcome`
        (looked at when the lead was won or lost already), and the broken outcomes
        `before_creation`, `contradictory` and `undated`.
    problems : tuple of str
        Sentences on what is wrong with the outcomes; no ids.
    left_out : Series of bool, shape (n_snapshots,)
        Snapshots that never get a label: broken outcomes, and those after the outcome. The
        others without a label are open.
    """

    y: pd.Series
    closed: pd.Series
    counts: pd.Series
    problems: tuple[str, ...]
    left_out: pd.Series


def compute_labels(
    snapshots: pd.DataFrame, outcomes: pd.DataFrame, *, horizon: str, as_of: pd.Timestamp
) -> Labels:
    """Label snapshots by what was known on the day `as_of`; never guess an outcome.

    An open lead is lost only when its horizon is over, and an outcome dated after `as_of` is not
    known yet. Where no outcome has a date, won means won and `problems` says so. Of recent leads
    only those settled quickly have a label; `compute_censoring_weights` says what that costs.

    Parameters
    ----------
    snapshots : DataFrame of shape (n_snapshots, n_columns)
        With columns `lead_id`, `created` and `snapshot_date` (naive UTC).
    outcomes : DataFrame of shape (n_outcomes, n_columns)
        With columns `lead_id`, `won` (1, 0, or NaN for open) and, optionally, `closed` (naive
        UTC, or NaT). Rows that say the same of a lead are one.
    horizon : str
        A time span such as `"90D"`.
    as_of : Timestamp

    Raises
    ------
    DataError
        Where `horizon` is no positive time span.

    Examples
    --------
    >>> day = pd.Timestamp("2026-01-01")
    >>> snapshots = pd.DataFrame({"lead_id": ["a", "b", "c"], "created": day, "snapshot_date": day})
    >>> closed = pd.to_datetime(["2026-01-20", "2026-02-20"])
    >>> outcomes = pd.DataFrame({"lead_id": ["a", "b"], "won": [1.0, 1.0], "closed": closed})
    >>> compute_labels(snapshots, outcomes, horizon="30D", as_of=pd.Timestamp("2026-03-01")).y
    0    1.0
    1    0.0
    2    0.0
    Name: y, dtype: float64
    """
    span = as_time_span(horizon)
    ends = outcomes.reindex(columns=["lead_id", "won", "closed"]).dropna(subset=["lead_id", "won"])
    ends["closed"] = pd.to_datetime(ends["closed"])
    dated = bool(ends["closed"].notna().any())
    # what comes later is not known on the day, and so contradicts nothing either
    ends = ends[~(ends["closed"] > as_of)].drop_duplicates()
    twice = ends.loc[ends["lead_id"].duplicated(), "lead_id"]
    one = ends.drop_duplicates("lead_id").set_index("lead_id")
    own = one.reindex(snapshots["lead_id"]).set_axis(snapshots.index)
    found = _find(
        snapshots, own, snapshots["lead_id"].isin(twice), dated=dated, span=span, as_of=as_of
    )
    values = {"won": 1.0, "lost": 0.0, "not_won_in_time": 0.0}
    return Labels(
        y=found.map(values).astype(float).rename("y"),
        closed=own["closed"].mask(found.isin(BROKEN)),
        counts=found.value_counts().reindex(FOUND, fill_value=0).rename("snapshots"),
        problems=tuple(_describe(found, snapshots["lead_id"], one.index, dated=dated)),
        left_out=found.isin((*BROKEN, "after_outcome")).rename("left_out"),
    )


def compute_snapshot_weights(lead_ids: Any, y: pd.Series) -> pd.Series:
    """Return 1 / number of labelled snapshots of the lead: every lead counts once.

    Parameters
    ----------
    lead_ids : array-like of shape (n_snapshots,)
        The lead of each snapshot, or an index with a level `lead_id`.
    y : Series of shape (n_snapshots,)
        Labels; a snapshot without one weighs 0.

    Examples
    --------
    >>> compute_snapshot_weights(["a", "a", "b"], pd.Series([1.0, 1.0, 0.0])).tolist()
    [0.5, 0.5, 1.0]
    """
    ids = lead_ids.get_level_values("lead_id") if isinstance(lead_ids, pd.MultiIndex) else lead_ids
    codes, _ = pd.factorize(pd.Index(ids))
    is_labelled = y.notna().to_numpy()
    labelled = np.bincount(codes, weights=is_labelled)[codes]
    return pd.Series(is_labelled / np.maximum(labelled, 1), index=y.index, name="weight")


def as_time_span(horizon: str | pd.Timedelta) -> pd.Timedelta:
    """Return a horizon such as `"90D"` as a time span.

    Raises
    ------
    DataError
        Where it is none, or not positive.

    Examples
    --------
    >>> as_time_span("90D")
    Timedelta('90 days 00:00:00')
    """
    try:
        span = pd.Timedelta(horizon)
    except ValueError:
        span = pd.Timedelta(0)
    if not span > pd.Timedelta(0):  # "NaT" is not either
        message = (
            f"`horizon` must be a positive time span. Got {horizon!r}. Pass for example "
            "horizon='90D'."
        )
        raise DataError(message)
    return span


def _is_before(closed: pd.Series, created: pd.Series) -> pd.Series:
    """Return where a lead was closed before it was created."""
    if (closed.dropna() == closed.dropna().dt.normalize()).all():
        created = created.dt.normalize()  # days without a time: closed on the day is not before it
    return closed < created


def _find(
    snapshots: pd.DataFrame,
    own: pd.DataFrame,
    is_contradictory: pd.Series,
    *,
    dated: bool,
    span: pd.Timedelta,
    as_of: pd.Timestamp,
) -> pd.Series:
    """Return for each snapshot the word of `FOUND` that holds of its lead's own outcome."""
    at, won, closed = snapshots["snapshot_date"], own["won"], own["closed"]
    undated = won.notna() & closed.isna()
    in_time = undated | (closed <= at + span)
    cases: dict[str, pd.Series] = {
        "contradictory": is_contradictory,
        "before_creation": _is_before(closed, snapshots["created"]),
        "undated": undated & dated,
        "after_outcome": closed <= at,
        "won": (won == 1) & in_time,
        "lost": (won == 0) & in_time,
        "not_won_in_time": at + span <= as_of,
    }
    words = np.select([case.to_numpy() for case in cases.values()], list(cases), default="open")
    return pd.Series(words, index=at.index, dtype="str")


def _describe(
    found: pd.Series, lead_ids: pd.Series, known: pd.Index, *, dated: bool
) -> Iterator[str]:
    """Yield a sentence for each problem met."""
    whys = {
        "before_creation": "outcomes dated before the lead was created",
        "contradictory": "two different outcomes, or two dates of one",
        "undated": "won or lost without a date, where others have one",
    }
    for word, why in whys.items():
        if (is_met := found == word).any():
            leads = _count(lead_ids[is_met].nunique(), "lead")
            yield f"{leads} ({_count(is_met.sum(), 'snapshot')}) left out: {why}."
    if after := int((found == "after_outcome").sum()):
        yield f"{_count(after, 'snapshot')} left out: the lead was won or lost by then."
    if len(known) and not dated:
        yield (
            "No outcome has a date: won counts as won within the horizon, however long it took. "
            "Name the column with the closing date (`closed`) for labels that keep to the horizon."
        )
    if len(known) and not lead_ids.isin(known).any():
        yield (
            f"None of {_count(len(known), 'outcome')} belongs to a lead looked at: compare the ids "
            "of the outcomes with those of the leads."
        )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
