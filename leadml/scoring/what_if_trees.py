"""Trees as plain values that a page can explain a lead by: for models of structure `full`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadml.scoring.bag import Bag
from leadml.scoring.trees import Tree, read_trees

MOST_SPLITS = 40_000  # about 1.5 MB of a page
SHARE_DECIMALS, VALUE_DECIMALS = 4, 5


def describe_trees(
    bag: Bag, codes: Sequence[NDArray[np.intp]], factor: float
) -> list[dict[str, Any]] | None:
    """Return the trees of a bag, leaves in points of the score; None where they are too many.

    Parameters
    ----------
    bag : Bag
    codes : sequence of array
        By column, the column's own code of each code that the page uses.
    factor : float
        Points of the score for one unit of the bag's log-odds.

    Returns
    -------
    list of dict
        By tree: `columns` and `children` of its splits (a child below 0 is the leaf of that
        number's complement), `shares` of the training leads that go left, `left`: what goes left,
        a number n for all codes below n (and the last, missing, where `missing` is 1), else a
        list of codes; `values` of its leaves.
    """
    trees = [
        tree
        for booster in bag.boosters
        for tree in read_trees(booster, bag.n_rounds, bag.columns)
        if tree.columns
    ]
    if sum(len(tree.columns) for tree in trees) > MOST_SPLITS:
        return None
    weight = factor / max(len(bag.boosters), 1)
    return [_describe(tree, codes, weight) for tree in trees]


def _describe(tree: Tree, codes: Sequence[NDArray[np.intp]], weight: float) -> dict[str, Any]:
    masks = [mask[codes[column]] for column, mask in zip(tree.columns, tree.goes_left, strict=True)]
    return {
        "columns": tree.columns,
        "children": [list(pair) for pair in tree.children],
        "shares": [round(left, SHARE_DECIMALS) for left, _ in tree.shares],
        "left": [_describe_mask(mask) for mask in masks],
        "missing": [int(mask[-1]) for mask in masks],
        "values": [round(value * weight, VALUE_DECIMALS) for value in tree.values],
    }


def _describe_mask(mask: NDArray[np.bool_]) -> int | list[int]:
    count = int(mask[:-1].sum())
    if mask[:count].all():
        return count
    return np.flatnonzero(mask[:-1]).tolist()
