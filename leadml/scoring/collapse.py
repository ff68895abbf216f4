"""Collapse a bag of shallow trees into tables by code: exact, and much faster than the trees."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadml.errors import LeadmlError
from leadml.scoring.bag import Bag
from leadml.scoring.columns import CategoryColumn, Codes, Column, Floats

Masks = dict[int, NDArray[np.bool_]]  # source column -> the codes that reach a leaf
Grids = dict[tuple[int, int], Floats]


def collapse_bag(bag: Bag) -> tuple[float, list[Floats], Grids]:
    """Return a constant, one table a column and one grid a pair that sum to the bag's log-odds.

    A tree whose paths touch at most two source columns is a sum of functions of at most two
    columns: each leaf adds its value where the codes of both columns lead to it.

    Raises
    ------
    LeadmlError
        Where a path touches three columns or more: such a tree is no table.
    """
    tables = [np.zeros(column.n_codes) for column in bag.columns]
    grids: Grids = {}
    constant = 0.0
    for booster in bag.boosters:
        for value, masks in _leaves(booster, bag):
            match sorted(masks):
                case []:
                    constant += value
                case [column]:
                    tables[column][masks[column]] += value
                case [a, b]:
                    shape = (bag.columns[a].n_codes, bag.columns[b].n_codes)
                    grid = grids.setdefault((a, b), np.zeros(shape))
                    grid[np.ix_(masks[a], masks[b])] += value
                case more:
                    message = f"A tree joins {len(more)} columns; only two fit into a table."
                    raise LeadmlError(message)
    count = max(len(bag.boosters), 1)
    return (
        constant / count,
        [table / count for table in tables],
        {pair: grid / count for pair, grid in grids.items()},
    )


def purify(tables: list[Floats], grids: Grids, codes: list[Codes]) -> tuple[float, Grids]:
    """Move what one column says alone from the grids into `tables`; return constant and rest.

    The mean of each grid's rows and columns over the training leads (each column's own
    frequencies) becomes zero. Half of what is left is then each column's exact Shapley value
    against independent columns (Lengerich et al. 2020, "Purifying interaction effects").
    """
    shares = [
        np.bincount(values, minlength=len(table)) / len(values)
        for values, table in zip(codes, tables, strict=True)
    ]
    constant = 0.0
    pure: Grids = {}
    for (a, b), grid in grids.items():
        by_row, by_column = grid @ shares[b], shares[a] @ grid
        mean = float(shares[a] @ by_row)
        tables[a] += by_row - mean
        tables[b] += by_column - mean
        constant += mean
        pure[a, b] = grid - by_row[:, None] - by_column[None, :] + mean
    return constant, pure


def _leaves(booster: Any, bag: Bag) -> Iterator[tuple[float, Masks]]:
    dump = booster.dump_model(num_iteration=bag.n_rounds)
    for tree in dump["tree_info"]:
        yield from _walk(tree["tree_structure"], {}, bag.columns)


def _walk(
    node: dict[str, Any], masks: Masks, columns: Sequence[Column]
) -> Iterator[tuple[float, Masks]]:
    if "leaf_value" in node:
        yield float(node["leaf_value"]), masks
        return
    place = node["split_feature"]
    left = _goes_left(node, columns[place])
    before = masks.get(place, np.ones(len(left), dtype=bool))
    yield from _walk(node["left_child"], {**masks, place: before & left}, columns)
    yield from _walk(node["right_child"], {**masks, place: before & ~left}, columns)


def _goes_left(node: dict[str, Any], column: Column) -> NDArray[np.bool_]:
    """Return which codes of a split's column go left, by LightGBM's own rules."""
    if node["decision_type"] == "==":
        left = np.zeros(column.n_codes, dtype=bool)
        left[[int(level) for level in str(node["threshold"]).split("||")]] = True
        return left
    left = np.arange(column.n_codes) <= node["threshold"]
    if not isinstance(column, CategoryColumn):
        # a missing number is NaN to the booster: it goes the way the split learned,
        # or counts as 0 where the booster never met one
        is_nan = node["missing_type"] == "NaN"
        left[-1] = node["default_left"] if is_nan else node["threshold"] >= 0
    return left
