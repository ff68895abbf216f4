"""Folds that keep accounts and identical leads together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from leadml.scoring.columns import Codes, Column, Floats

MOST_TWINS = 10  # equal leads that are kept together


@dataclass(frozen=True)
class Training:
    """The leads of a training as codes, and how they are dealt to folds (one or more deals).

    `weight` has a mean of 1. `newest` marks the leads the stack weights are fitted on (None: all),
    `clusters` numbers those that are not independent of one another (None: all are).
    """

    codes: list[Codes]
    columns: Sequence[Column]
    won: NDArray[np.bool_]
    folds: tuple[NDArray[np.int64], ...]
    monotone: Sequence[int]
    weight: Floats
    newest: NDArray[np.bool_] | None = None
    clusters: NDArray[np.int64] | None = None


def compute_groups(codes: list[Codes], groups: NDArray | None = None) -> NDArray[np.int64]:
    """Return one number a lead: leads of an account, and leads that look the same, share it.

    A few twins on both sides of a fold let a booster learn them by heart, which breaks early
    stopping. A pattern that many leads share is no such secret: its leads are dealt singly. An
    account's leads and their twins elsewhere form one group, however long the chain.
    """
    rows = np.column_stack(codes)
    _, twins, counts = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    twins = _alone_where(counts[twins.reshape(-1)] > MOST_TWINS, twins.reshape(-1))
    if groups is None:
        return twins
    accounts = number_accounts(groups)
    n_twins, n_accounts = int(twins.max()) + 1, int(accounts.max()) + 1
    links = coo_array(
        (np.ones(len(twins), dtype=np.int8), (twins, n_twins + accounts)),
        shape=(n_twins + n_accounts,) * 2,
    )
    _, labels = connected_components(links, directed=False)
    return labels[twins].astype(np.int64)


def number_accounts(groups: Any) -> NDArray[np.int64]:
    """Return one number a lead, the same for an account's leads; a missing account is its own."""
    accounts, _ = pd.factorize(np.asarray(groups))
    return _alone_where(accounts < 0, accounts)


def assign_folds(
    won: NDArray[np.bool_],
    groups: NDArray[np.int64],
    n_folds: int,
    random_state: np.random.RandomState,
) -> NDArray[np.int64]:
    """Deal whole groups to folds, larger first, each to where its kind of leads is fewest."""
    _, group = np.unique(groups, return_inverse=True)
    folds = _deal(won, group, n_folds, random_state)
    if _each_trains_on_both(won, folds):
        return folds
    # too few groups to keep them whole (a handful of leads): deal single leads
    return _deal(won, np.arange(len(won)), min(n_folds, won.sum(), (~won).sum()), random_state)


def _deal(
    won: NDArray[np.bool_],
    group: NDArray[np.int64],
    n_folds: int,
    random_state: np.random.RandomState,
) -> NDArray[np.int64]:
    sizes = np.bincount(group)
    wins = np.bincount(group, weights=won)
    # shares, so that wins and losses weigh the same, however rare one of them is
    shares = np.column_stack([wins / wins.sum(), (sizes - wins) / (sizes - wins).sum()])
    held = np.zeros((n_folds, 2))
    fold_of_group = np.empty(len(sizes), dtype=np.int64)
    for place in np.lexsort((random_state.permutation(len(sizes)), -sizes)):
        fold = int(np.argmin(held @ shares[place]))
        held[fold] += shares[place]
        fold_of_group[place] = fold
    return fold_of_group[group]


def _alone_where(mask: NDArray[np.bool_], labels: NDArray) -> NDArray[np.int64]:
    """Return labels with a new one for each lead of `mask`."""
    labels = labels.astype(np.int64)
    labels[mask] = labels.max(initial=0) + 1 + np.arange(mask.sum())
    return labels


def _each_trains_on_both(won: NDArray[np.bool_], folds: NDArray[np.int64]) -> bool:
    """Return whether, without any one fold, wins and losses remain."""
    places = np.unique(folds)
    return len(places) > 1 and all(
        won[folds != fold].any() and not won[folds != fold].all() for fold in places
    )
