"""Split leads, or snapshots of them, into those to learn from and those to judge by."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from leadml.errors import DataError
from leadml.features.labels import as_time_span

TEST_SHARE = 0.2
FOLDS = 5
MANY = 2_000  # from here on one part of 20 % gives intervals narrow enough
FEWEST = 20  # wins, and losses, among the older leads
FEWEST_AFTER_GAP = 40  # as many as training asks for: below, the gap costs more than it is worth
MOST_DROPPED = 0.3  # of the older leads, to keep accounts on one side


@dataclass(frozen=True)
class Split:
    """Pairs of places (train, test), how they were made, and what to know of them."""

    parts: tuple[tuple[np.ndarray, np.ndarray], ...]
    method: str
    warnings: tuple[str, ...] = ()
    by_time: bool = False


def split_leads(
    y: pd.Series,
    created: pd.Series | None = None,
    account: pd.Series | None = None,
    random_state: int = 0,
    *,
    horizon: str | None = None,
    lead: Any = None,
) -> Split:
    """Split by time where dates are known, else at random, accounts together where known.

    Parameters
    ----------
    y : Series of shape (n_rows,)
        1 won, 0 lost.
    created : Series of datetime, default=None
        When each row was looked at. The newest 20 % are the test; rows of one day stay on one
        side.
    account : Series, default=None
        A lead without an account is its own.
    random_state : int, default=0
    horizon : str, default=None
        A time span such as `"90D"`, left free before the test where the history is long enough:
        every label that is learned from was then known on the test's first day. A row without a
        date is not learned from then.
    lead : array-like of shape (n_rows,), default=None
        The lead of each row, where a lead has several snapshots: they stay on one side.

    Returns
    -------
    Split
        One part by time or from 2,000 rows on, else five that cover every row once.

    Examples
    --------
    >>> dates = pd.Series(pd.date_range("2026-01-01", periods=200))
    >>> y = pd.Series([0.0, 1.0] * 100)
    >>> split = split_leads(y, dates)
    >>> len(split.parts[0][1]), split.method
    (40, 'the newest 20 % of leads, from 2026-06-10 on')
    >>> split = split_leads(y, dates, horizon="30D")
    >>> len(split.parts[0][0]), split.method
    (131, 'the newest 20 % of leads, from 2026-06-10 on, after a gap of 30 days')
    """
    gap = None if horizon is None else as_time_span(horizon)
    leads = None if lead is None else np.asarray(lead)
    if created is None or created.dt.normalize().nunique() < 2:
        reason = "No `created` dates" if created is None else "`created` holds fewer than two days"
        return _deal(y, account, leads, random_state, reason)
    lost_gap: tuple[str, ...] = ()
    if gap is not None:
        split = _split_by_time(y, created, account, leads, gap)
        if _can_learn(y, split.parts[0][0], FEWEST_AFTER_GAP, leads):
            return split
        lost_gap = (
            f"With a gap of one horizon ({_span(gap)}) before the newest 20 %, fewer than "
            f"{FEWEST_AFTER_GAP} wins or losses are left to learn from. The split has no gap, so "
            "some outcomes that are learned from came after its first test day: the figures are a "
            "little too good.",
        )
    split = _split_by_time(y, created, account, leads, None)
    if _can_learn(y, split.parts[0][0], FEWEST, leads):
        return replace(split, warnings=(*split.warnings, *lost_gap))
    reason = f"The older 80 % of {_rows(leads)} hold too few wins or losses to learn from"
    return _deal(y, account, leads, random_state, reason)


def split_by_date(
    dates: Any,
    date: str | pd.Timestamp | None = None,
    *,
    test_share: float = TEST_SHARE,
    gap: str | pd.Timedelta | None = None,
    groups: Any = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Split by a date, with a gap before it, and no lead and no group on both sides.

    Parameters
    ----------
    dates : index or array-like of datetime, shape (n_rows,)
        The dates of the rows, or an index with a level `snapshot_date`. With a level `lead_id`,
        rows of leads in the test are not learned from.
    date : str or Timestamp, default=None
        The test's first day; None takes the newest `test_share` of rows, in whole days.
    test_share : float, default=0.2
    gap : str or Timedelta, default=None
        Rows are learned from where they are so much older than the test's first day: pass the
        horizon, and every label was known on that day.
    groups : array-like of shape (n_rows,), default=None
        Accounts. Rows of groups that are in the test are not learned from; a missing group is
        nobody's.

    Returns
    -------
    train, test : ndarray of int
        Places of the rows. A row without a date is in neither.

    Raises
    ------
    DataError
        Where a side is empty, or `gap` or `test_share` is none.

    Examples
    --------
    >>> days = pd.date_range("2026-01-01", periods=100)
    >>> train, test = split_by_date(days, "2026-03-01", gap="30D")
    >>> days[train[-1]].date().isoformat(), days[test[0]].date().isoformat()
    ('2026-01-30', '2026-03-01')
    """
    index = dates if isinstance(dates, pd.MultiIndex) else None
    stamps = pd.DatetimeIndex(dates if index is None else index.get_level_values("snapshot_date"))
    wait = None if gap is None else as_time_span(gap)
    if stamps.isna().all() or not 0 < test_share < 1:
        message = (
            "A split by date takes rows with dates and a `test_share` between 0 and 1. Got "
            f"{len(stamps.dropna())} dates and test_share={test_share!r}."
        )
        raise DataError(message)
    start = _first_test_day(stamps, test_share) if date is None else pd.Timestamp(date)
    older, newer = _sides(stamps, start, wait)
    if index is not None and "lead_id" in index.names:
        older &= ~_is_shared(pd.factorize(index.get_level_values("lead_id"))[0], newer)
    if groups is not None:
        older &= ~_is_shared(_group_codes(groups), newer)
    if not older.any() or not newer.any():
        first, last = (f"{day:%Y-%m-%d}" for day in (stamps.min(), stamps.max()))
        side = "learn from" if newer.any() else "judge by"
        message = (
            f"No rows are left to {side}: dates from {first} to {last}, the test from "
            f"{start:%Y-%m-%d} on, a gap of {_span(wait)} before it, and leads and groups on one "
            "side only. Pass an earlier or later date, a shorter gap, or no groups."
        )
        raise DataError(message)
    return np.flatnonzero(older), np.flatnonzero(newer)


def split_at_random(
    y: pd.Series, account: pd.Series | None = None, random_state: int = 0, *, lead: Any = None
) -> Split:
    """Split at random, whatever the dates: what a split by time is compared with.

    Parameters
    ----------
    y : Series of shape (n_rows,)
        1 won, 0 lost.
    account : Series, default=None
        Accounts to keep on one side; None leaves them on both.
    random_state : int, default=0
    lead : array-like of shape (n_rows,), default=None
        The lead of each row: its snapshots stay on one side.

    Returns
    -------
    Split
        One part from 2,000 rows on, else five that cover every row once.

    Examples
    --------
    >>> split = split_at_random(pd.Series([0.0, 1.0] * 50))
    >>> split.method, [len(test) for _, test in split.parts]
    ('5 random folds', [20, 20, 20, 20, 20])
    """
    leads = None if lead is None else np.asarray(lead)
    dealt = {"n_splits": FOLDS, "shuffle": True, "random_state": random_state}
    kept, warnings = "", []
    parts = _deal_leads(y, leads, dealt)
    if account is not None:
        groups = _group_codes(account, leads)
        few = len(np.unique(groups)) < FOLDS
        together = [] if few else list(StratifiedGroupKFold(**dealt).split(y, y, groups))
        if together and all(_can_learn(y, older) for older, _ in together):
            parts, kept = together, ", accounts kept together"
        else:
            warnings.append(
                "There are too few accounts to keep each on one side of the split: the figures "
                "hold for accounts you know, not for new ones."
            )
    if len(y) >= MANY:
        return Split((parts[0],), f"a random 20 % of {_rows(leads)}{kept}", tuple(warnings))
    return Split(tuple(parts), f"5 random folds{kept}", tuple(warnings))


def _deal(
    y: pd.Series,
    account: pd.Series | None,
    leads: np.ndarray | None,
    random_state: int,
    reason: str,
) -> Split:
    """Split at random, and say why."""
    split = split_at_random(y, account, random_state, lead=leads)
    told = (
        f"{reason}: {_rows(leads)} are split at random, which promises more than the next months "
        "will hold."
    )
    return Split(split.parts, split.method, (told, *split.warnings))


def _deal_leads(
    y: pd.Series, leads: np.ndarray | None, dealt: dict[str, Any]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return stratified folds in which a lead is on one side."""
    folds = StratifiedKFold(**dealt)
    if leads is None:
        return list(folds.split(y, y))
    codes, _ = pd.factorize(leads)
    won = y.groupby(codes).max()  # in the order of the codes; far faster than grouped folds
    return [
        (np.flatnonzero(np.isin(codes, older)), np.flatnonzero(np.isin(codes, newer)))
        for older, newer in folds.split(won, won)
    ]


def _can_learn(
    y: pd.Series, places: np.ndarray, fewest: int = 2, leads: np.ndarray | None = None
) -> bool:
    """Return whether there are so many leads of each outcome; classifiers take 2 at least."""
    ended = y.to_numpy()[places].astype(int)
    if leads is not None:
        ended = pd.DataFrame({"lead": leads[places], "y": ended}).drop_duplicates()["y"].to_numpy()
    return bool(np.bincount(ended, minlength=2).min() >= fewest)


def _split_by_time(
    y: pd.Series,
    created: pd.Series,
    account: pd.Series | None,
    leads: np.ndarray | None,
    gap: pd.Timedelta | None,
) -> Split:
    stamps = pd.DatetimeIndex(created)
    start = _first_test_day(stamps, TEST_SHARE)
    older, newer = _sides(stamps, start, gap)
    if gap is None:
        older = ~newer  # a lead without a date is learned from, never judged by
    if leads is not None:
        older &= ~_is_shared(pd.factorize(leads)[0], newer)
    warnings = []
    if account is not None:
        shared = older & _is_shared(_group_codes(account), newer)
        if shared.sum() <= MOST_DROPPED * older.sum():
            older &= ~shared
        else:
            warnings.append(
                "Most accounts have older and newer leads, so they are on both sides of the split: "
                "the figures hold for accounts you know, not for new ones."
            )
    if y.to_numpy()[newer].min() == y.to_numpy()[newer].max():
        warnings.append(
            f"The newest 20 % of {_rows(leads)} all ended alike: nothing can be judged by them."
        )
    method = f"the newest 20 % of {_rows(leads)}, from {start:%Y-%m-%d} on"
    method += f", after a gap of {_span(gap)}" if gap is not None else ""
    part = np.flatnonzero(older), np.flatnonzero(newer)
    return Split((part,), method, tuple(warnings), by_time=True)


def _first_test_day(stamps: pd.DatetimeIndex, test_share: float) -> pd.Timestamp:
    """Return the day from which on the newest share lies, never the first day of all."""
    days = np.sort(stamps.dropna().normalize())
    start = days[int(len(days) * (1 - test_share))]
    return pd.Timestamp(start if start > days[0] else np.unique(days)[:2][-1])


def _sides(
    stamps: pd.DatetimeIndex, start: pd.Timestamp, gap: pd.Timedelta | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return masks of the rows before and from `start` on."""
    older = stamps < start if gap is None else stamps <= start - gap
    return np.asarray(older), np.asarray(stamps >= start)


def _is_shared(codes: np.ndarray, newer: np.ndarray) -> np.ndarray:
    return np.isin(codes, codes[newer])


def _group_codes(groups: Any, leads: np.ndarray | None = None) -> np.ndarray:
    """Return a number for each group; a row without one is its lead's, or its own."""
    codes, _ = pd.factorize(np.asarray(groups, dtype=object))
    alone = codes < 0
    own = np.arange(alone.sum()) if leads is None else pd.factorize(leads[alone])[0]
    codes[alone] = codes.max(initial=-1) + 1 + own
    return codes


def _rows(leads: np.ndarray | None) -> str:
    return "leads" if leads is None else "snapshots"


def _span(gap: pd.Timedelta | None) -> str:
    """Return `90 days`, or the whole span where it is not in days."""
    if gap is None:
        return "0 days"
    return f"{gap.days} days" if gap == pd.Timedelta(days=gap.days) else str(gap)
