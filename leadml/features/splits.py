"""Split leads into those to learn from and those to judge by."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

TEST_SHARE = 0.2
FOLDS = 5
MANY = 2_000  # from here on one part of 20 % gives intervals narrow enough
FEWEST = 20  # wins, and losses, among the older leads
MOST_DROPPED = 0.3  # of the older leads, to keep accounts on one side


@dataclass(frozen=True)
class Split:
    """Pairs of places (train, test), how they were made, and what to know of them."""

    parts: tuple[tuple[np.ndarray, np.ndarray], ...]
    method: str
    warnings: tuple[str, ...] = ()


def split_leads(
    y: pd.Series,
    created: pd.Series | None = None,
    account: pd.Series | None = None,
    random_state: int = 0,
) -> Split:
    """Split by time where dates are known, else at random, accounts together where known.

    Parameters
    ----------
    y : Series of shape (n_leads,)
        1 won, 0 lost.
    created : Series of datetime, default=None
        The newest 20 % are the test; leads of one day stay on one side.
    account : Series, default=None
        A lead without an account is its own.
    random_state : int, default=0

    Returns
    -------
    Split
        One part by time or from 2,000 leads on, else five that cover every lead once.

    Examples
    --------
    >>> dates = pd.Series(pd.date_range("2026-01-01", periods=100))
    >>> split = split_leads(pd.Series([0.0, 1.0] * 50), dates)
    >>> len(split.parts[0][1]), split.method
    (20, 'the newest 20 % of leads, from 2026-03-22 on')
    """
    if created is not None and created.dt.normalize().nunique() > 1:
        split = _split_by_time(y, created, account)
        if _can_learn(y, split.parts[0][0], FEWEST):
            return split
        reason = "The older 80 % of leads hold too few wins or losses to learn from"
    else:
        reason = "No `created` dates" if created is None else "`created` holds fewer than two days"
    return _split_at_random(y, account, random_state, reason)


def _split_at_random(
    y: pd.Series, account: pd.Series | None, random_state: int, reason: str
) -> Split:
    warnings = [
        f"{reason}: leads are split at random, which promises more than the next months will hold."
    ]
    places = np.arange(len(y))
    dealt = {"n_splits": FOLDS, "shuffle": True, "random_state": random_state}
    parts = list(StratifiedKFold(**dealt).split(places, y))
    kept = ""
    if account is not None:
        groups = _account_codes(account)
        few = len(np.unique(groups)) < FOLDS
        together = [] if few else list(StratifiedGroupKFold(**dealt).split(places, y, groups))
        if together and all(_can_learn(y, older) for older, _ in together):
            parts, kept = together, ", accounts kept together"
        else:
            warnings.append(
                "There are too few accounts to keep each on one side of the split: the figures "
                "hold for accounts you know, not for new ones."
            )
    if len(y) >= MANY:
        return Split((parts[0],), f"a random 20 % of leads{kept}", tuple(warnings))
    return Split(tuple(parts), f"5 random folds{kept}", tuple(warnings))


def _can_learn(y: pd.Series, places: np.ndarray, fewest: int = 2) -> bool:
    """Return whether there are so many leads of each outcome; classifiers take 2 at least."""
    return bool(np.bincount(y.to_numpy()[places].astype(int), minlength=2).min() >= fewest)


def _split_by_time(y: pd.Series, created: pd.Series, account: pd.Series | None) -> Split:
    days = created.dt.normalize().to_numpy()
    known = days[~pd.isna(days)]
    cut = np.sort(known)[int(len(known) * (1 - TEST_SHARE))]
    if cut == known.min():
        cut = np.unique(known)[1]
    newer = days >= cut
    older = ~newer  # a lead without a date is learned from, never judged by
    warnings = []
    if account is not None:
        groups = _account_codes(account)
        shared = older & np.isin(groups, groups[newer])
        if shared.sum() <= MOST_DROPPED * older.sum():
            older &= ~shared
        else:
            warnings.append(
                "Most accounts have older and newer leads, so they are on both sides of the split: "
                "the figures hold for accounts you know, not for new ones."
            )
    if y.to_numpy()[newer].min() == y.to_numpy()[newer].max():
        warnings.append("The newest 20 % of leads all ended alike: nothing can be judged by them.")
    date = pd.Timestamp(cut).date().isoformat()
    part = np.flatnonzero(older), np.flatnonzero(newer)
    return Split((part,), f"the newest 20 % of leads, from {date} on", tuple(warnings))


def _account_codes(account: pd.Series) -> np.ndarray:
    codes, _ = pd.factorize(account)
    alone = codes < 0
    codes[alone] = codes.max() + 1 + np.arange(alone.sum())
    return codes
