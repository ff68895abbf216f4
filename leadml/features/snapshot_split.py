"""SnapshotSplit: rolling-origin cross-validation of snapshots, as scikit-learn takes it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import BaseCrossValidator

from leadml.errors import DataError
from leadml.features.labels import as_time_span
from leadml.features.splits import split_by_date

SNAPSHOT_LEVEL = "snapshot_date"


class SnapshotSplit(BaseCrossValidator):
    """Learn from the past, judge by what came next, again and again.

    The newest part of the rows is dealt by date into blocks, each judged once. A block is
    learned for from all rows that are at least one horizon older than its first day, so that every
    label was known on that day. Leads and groups (accounts) in the block are not learned from.

    Blocks hold equally many rows (up to whole days) rather than equal spans of time: then every
    fold's figure rests on as much, and their mean is not decided by a quiet quarter with three
    wins.

    Parameters
    ----------
    n_splits : int, default=3
    horizon : str, default="90D"
        The time a lead has to be won, and the gap.
    test_share : float, default=0.5
        The newest part of the rows, which the blocks share.

    Examples
    --------
    >>> days = pd.date_range("2025-01-01", periods=400, name="snapshot_date")
    >>> X = pd.DataFrame({"visits": range(400)}, index=days)
    >>> for train, test in SnapshotSplit(n_splits=2, horizon="90D").split(X):
    ...     print(f"{days[train[-1]]:%Y-%m-%d} {days[test[0]]:%Y-%m-%d} {len(test)}")
    2025-04-21 2025-07-20 100
    2025-07-30 2025-10-28 100
    """

    # a signature of scikit-learn's metadata routing: `split` takes groups
    __metadata_request__split = {"groups": True}  # noqa: RUF012

    def __init__(self, n_splits: int = 3, horizon: str = "90D", test_share: float = 0.5) -> None:
        self.n_splits = n_splits
        self.horizon = horizon
        self.test_share = test_share

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: ARG002
        """Return the number of folds."""
        return self.n_splits

    def split(
        self,
        X: Any,
        y: Any = None,  # noqa: ARG002
        groups: Any = None,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the places (train, test) of each fold, oldest first.

        Parameters
        ----------
        X : DataFrame of shape (n_snapshots, n_features)
            Its index has a level `snapshot_date`, and `lead_id` where leads have several rows.
        y : ignored
        groups : array-like of shape (n_snapshots,), default=None
            Accounts.

        Raises
        ------
        DataError
            Where the index has no dates, or the span is too short.
        """
        index = _snapshot_index(X)
        stamps = index.get_level_values(SNAPSHOT_LEVEL)
        starts = self._first_days(stamps)
        accounts = None if groups is None else np.asarray(groups, dtype=object)
        for start, end in zip(starts, [*starts[1:], None], strict=True):
            so_far = np.flatnonzero(stamps.notna() if end is None else stamps < end)
            train, test = split_by_date(
                index[so_far],
                start,
                gap=self.horizon,
                groups=None if accounts is None else accounts[so_far],
            )
            yield so_far[train], so_far[test]

    def _first_days(self, stamps: pd.Index) -> list[pd.Timestamp]:
        """Return the first day of each block."""
        gap = as_time_span(self.horizon)
        if self.n_splits < 1 or not 0 < self.test_share < 1:
            message = (
                "`n_splits` must be at least 1 and `test_share` lie between 0 and 1. Got "
                f"n_splits={self.n_splits!r} and test_share={self.test_share!r}."
            )
            raise DataError(message)
        known = np.sort(stamps.dropna())
        shares = 1 - self.test_share * np.arange(self.n_splits, 0, -1) / self.n_splits
        firsts = (len(known) * shares).astype(int)
        days = pd.DatetimeIndex(known[firsts] if len(known) else known).normalize()
        if not len(known) or days.has_duplicates or known[0] > days[0] - gap:
            raise DataError(self._too_short(known))
        return list(days)

    def _too_short(self, known: np.ndarray) -> str:
        span = "no dates"
        if len(known):
            first, last = pd.Timestamp(known[0]), pd.Timestamp(known[-1])
            span = f"{(last - first).days} days ({first:%Y-%m-%d} to {last:%Y-%m-%d})"
        return (
            f"The snapshots span {span}: too short for n_splits={self.n_splits} folds in the "
            f"newest {self.test_share:.0%} of rows with a gap of one horizon ({self.horizon}) "
            "before each. Pass fewer folds, a smaller test_share or a shorter horizon, or wait "
            "for a longer history."
        )


def _snapshot_index(X: Any) -> pd.MultiIndex:
    """Return the index of `X` as levels, of which one holds the dates."""
    index = getattr(X, "index", None)
    if not isinstance(index, pd.Index) or SNAPSHOT_LEVEL not in index.names:
        names = list(index.names) if isinstance(index, pd.Index) else type(X).__name__
        message = (
            f"SnapshotSplit takes a data frame with an index level {SNAPSHOT_LEVEL!r}. Got "
            f"{names}. Pass the X of build_snapshots, or X.set_index([...])."
        )
        raise DataError(message)
    if isinstance(index, pd.MultiIndex):
        return index
    return pd.MultiIndex.from_arrays([index], names=[SNAPSHOT_LEVEL])
