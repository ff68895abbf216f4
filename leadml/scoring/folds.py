"""Folds that keep accounts and identical leads together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from leadml.scoring.columns import Codes, Column


@dataclass(frozen=True)
class Training:
    """The leads of a training as codes, and how they are dealt to folds (one or more deals)."""

    codes: list[Codes]
    columns: Sequence[Column]
    won: NDArray[np.bool_]
    folds: tuple[NDArray[np.int64], ...]
    monotone: Sequence[int]


def compute_groups(codes: list[Codes], groups: NDArray | None = None) -> NDArray[np.int64]:
    """Return one number a lead: leads of an account, and leads that look the same, share it.

    Duplicates on both sides of a fold let a booster learn them by heart, which breaks early
    stopping. An account's leads and their twins elsewhere form one group, however long the chain.
    """
    rows = np.column_stack(codes)
    _, twins = np.unique(rows, axis=0, return_inverse=True)
    twins = twins.reshape(-1)
    if groups is None:
        return twins.astype(np.int64)
    _, accounts = np.unique(np.asarray(groups), return_inverse=True)
    n_twins, n_accounts = int(twins.max()) + 1, int(accounts.max()) + 1
    links = coo_array(
        (np.ones(len(twins), dtype=np.int8), (twins, n_twins + accounts)),
        shape=(n_twins + n_accounts,) * 2,
    )
    _, labels = connected_components(links, directed=False)
    return labels[twins].astype(np.int64)


def assign_folds(
    won: NDArray[np.bool_],
    groups: NDArray[np.int64],
    n_folds: int,
    random_state: np.random.RandomState,
) -> NDArray[np.int64]:
    """Deal whole groups to folds, larger first, then by wins: sizes and win rates stay even."""
    _, group = np.unique(groups, return_inverse=True)
    sizes = np.bincount(group)
    wins = np.bincount(group, weights=won)
    order = np.lexsort((random_state.permutation(len(sizes)), wins, -sizes))
    fold_of_group = np.empty(len(sizes), dtype=np.int64)
    fold_of_group[order] = np.arange(len(sizes)) % n_folds
    folds = fold_of_group[group]
    if _each_trains_on_both(won, folds):
        return folds
    # too few groups to keep them whole (a handful of leads): deal single leads
    order = np.lexsort((random_state.permutation(len(won)), won))
    folds = np.empty(len(won), dtype=np.int64)
    folds[order] = np.arange(len(won)) % min(n_folds, won.sum(), (~won).sum())
    return folds


def _each_trains_on_both(won: NDArray[np.bool_], folds: NDArray[np.int64]) -> bool:
    """Return whether, without any one fold, wins and losses remain."""
    places = np.unique(folds)
    return len(places) > 1 and all(
        won[folds != fold].any() and not won[folds != fold].all() for fold in places
    )
