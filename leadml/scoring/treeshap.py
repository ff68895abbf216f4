"""Exact path-dependent TreeSHAP of boosters on integer codes, by looking up patterns of bits.

The values are those of LightGBM's `pred_contrib` (Lundberg et al. 2020, "From local explanations
to global understanding with explainable AI for trees"). A leaf of value v adds to column j of its
path, by the multilinear extension of the game (Owen 1972),

    v (b_j - w_j) * integral from 0 to 1 of the product over i != j of (w_i + t (b_i - w_i)) dt

where b_i says whether a lead meets all conditions of the path on column i, and w_i is the share
of training leads that do. Half as many Gauss-Legendre nodes as columns give it exactly.

As in WOODELF (Nadel and Wettenstein 2026, "From Decision Trees to Boolean Logic: A Fast and
Unified SHAP Algorithm"), a lead matters only by the bits b: what it gets is read from tables by
pattern. Here leaves that hang together share one table, of at most 8 bits: one for each column
above them and one for each split between them. A lead's patterns, eight to a 64-bit word, are
looked up by its codes, which stand for missing values and categories too.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property, partial
from math import prod
from typing import Any

import numpy as np
from joblib import cpu_count
from numpy.typing import NDArray

from leadml.scoring.columns import Codes, Column, Floats
from leadml.scoring.trees import Masks, Path, Tree, read_trees

BITS = 8  # of a pattern: a byte
SLOTS = 8  # patterns in a word
FEW = 200  # leads: fewer are explained one by one, all trees at once
BLOCK = 8_192  # leads at a time, tree by tree: what they need stays in the cache
MOST_BYTES = 2**29  # of tables: about 300,000 leaves

# of a leaf, by column: bits that count, what they must be, share of training leads that meet it
Conditions = dict[int, tuple[int, int, float]]
FREE = (0, 0, 1.0)
Bits = list[tuple[int, Masks]]  # column, codes that set the bit
Places = list[tuple[int, int]]  # column, where what it says starts


@dataclass(frozen=True)
class Word:
    """Up to eight groups of leaves of one tree, whose patterns are the bytes of one word."""

    look_ups: Places  # of words by code
    groups: list[Places]  # of values by pattern


@dataclass(frozen=True)
class TreeTables:
    """What a sum of trees says of any lead, by look-up; `start` is its mean over the training."""

    words: list[Word]
    by_code: NDArray[np.uint64]
    by_pattern: Floats
    start: float

    def contributions(self, codes: Sequence[Codes]) -> Floats:
        """Return exact TreeSHAP values by column, shape (n_leads, n_columns).

        A lead's values are the same, to the last bit, in whatever company.
        """
        n_leads = len(codes[0])
        if 0 < n_leads < FEW:
            return np.array(
                [self._explain_one(np.array(lead)) for lead in zip(*codes, strict=True)]
            )
        values = np.zeros((len(codes), n_leads))
        n_threads = cpu_count()
        # blocks of one size, as many for each thread
        n_blocks = -(-n_leads // (BLOCK * n_threads)) * n_threads
        edges = np.linspace(0, n_leads, n_blocks + 1).astype(int)
        with ThreadPoolExecutor(n_threads) as pool:
            list(pool.map(partial(self._explain, codes, values), edges[:-1], edges[1:]))
        return values.T

    def _explain(self, codes: Sequence[Codes], values: Floats, start: int, end: int) -> None:
        """Add the values of a block of leads to their places in `values`."""
        code = [column[start:end].astype(np.intp) for column in codes]
        sums = list(values[:, start:end])
        patterns, found = np.empty((2, len(code[0])), dtype=np.uint64)
        value = np.empty(len(code[0]))
        for word in self.words:
            patterns[:] = 0
            # codes are always in range: "clip" only spares `take` a copy
            for column, place in word.look_ups:
                self.by_code[place:].take(code[column], None, found, "clip")
                np.bitwise_or(patterns, found, patterns)
            as_bytes = patterns.view(np.uint8).reshape(-1, SLOTS)
            for slot, group in enumerate(word.groups):
                pattern = as_bytes[:, slot].astype(np.intp)
                for column, place in group:
                    self.by_pattern[place:].take(pattern, None, value, "clip")
                    np.add(sums[column], value, sums[column])

    def _explain_one(self, lead: Codes) -> Floats:
        """Return the values of one lead, added in the same order."""
        if not self.words:
            return np.zeros(len(lead))
        (columns, places, first), (value_columns, value_places, of_value) = self._indices
        found = self.by_code[places + lead[columns]]
        patterns = np.bitwise_or.reduceat(found, first).view(np.uint8)
        values = self.by_pattern[value_places + patterns[of_value]]
        sums = np.bincount(value_columns, values, minlength=len(lead))
        return sums.astype(np.float64, copy=False)

    @cached_property
    def _indices(self) -> tuple[tuple[NDArray[np.intp], ...], ...]:
        """Return columns, places and each word's first of the look-ups; the same of the values.

        These have the numbers of their patterns in the place of the first ones.
        """
        look_ups = [place for word in self.words for place in word.look_ups]
        first = np.cumsum([0, *(len(word.look_ups) for word in self.words[:-1])])
        values = [
            (column, place, SLOTS * number + slot)
            for number, word in enumerate(self.words)
            for slot, group in enumerate(word.groups)
            for column, place in group
        ]
        return (*np.array(look_ups).T.copy(), first), tuple(np.array(values).T.copy())


def build_tables(
    boosters: Sequence[Any], columns: Sequence[Column], n_rounds: int
) -> TreeTables | None:
    """Return the tables of the boosters' sum, or None where it does not fit into tables.

    That is so where a path joins more than 8 columns, or the tables would take over 512 MB.
    """
    words: list[Word] = []
    start, by_code, by_pattern = 0.0, bytearray(), bytearray()  # which grow without a copy
    for booster in boosters:
        for tree in read_trees(booster, n_rounds, columns):
            start += tree.mean
            nodes = _divide(tree)
            too_many = len(by_code) + len(by_pattern) > MOST_BYTES
            if too_many or any(len(tree.columns_of(path)) > BITS for _, path in nodes):
                return None
            for first in range(0, len(nodes), SLOTS):
                groups = [_make_group(tree, *node) for node in nodes[first : first + SLOTS]]
                word = Word([], [])
                words.append(word)
                for column, look_up in _make_look_ups([bits for bits, _, _ in groups], columns):
                    word.look_ups.append((column, len(by_code) // look_up.itemsize))
                    by_code += look_up.tobytes()
                for _, own, table in groups:
                    place, n_patterns = len(by_pattern) // table.itemsize, table.shape[1]
                    places = range(place, place + table.size, n_patterns)
                    word.groups.append(list(zip(own, places, strict=True)))
                    by_pattern += table.tobytes()
    return TreeTables(words, np.frombuffer(by_code, "<u8"), np.frombuffer(by_pattern), start)


def _divide(tree: Tree) -> list[tuple[int, Path]]:
    """Return the nodes, with the paths to them, whose leaves share one pattern."""
    nodes: list[tuple[int, Path]] = []
    to_do: list[tuple[int, Path]] = [(0, [])] if tree.children else []
    while to_do:
        node, path = to_do.pop()
        if node < 0 or len(tree.columns_of(path)) + tree.count_splits(node) <= BITS:
            nodes.append((node, path))
        else:
            to_do += [(tree.children[node][side], [*path, (node, side)]) for side in (0, 1)]
    return nodes


def _make_group(tree: Tree, node: int, path: Path) -> tuple[Bits, list[int], Floats]:
    """Return the pattern of the leaves below a node, their columns and their table."""
    bits: Bits = []
    above: Conditions = {}
    for column in tree.columns_of(path):
        own = [(split, side) for split, side in path if tree.columns[split] == column]
        bit, share = 1 << len(bits), prod(tree.shares[split][side] for split, side in own)
        above[column] = (bit, bit, share)
        meets = [tree.goes_left[split] ^ bool(side) for split, side in own]
        bits.append((column, np.logical_and.reduce(meets)))
    leaves, to_do = [], [(node, above)]
    while to_do:
        node, conditions = to_do.pop()
        if node < 0:
            leaves.append((tree.values[~node], conditions))
            continue
        column, bit = tree.columns[node], 1 << len(bits)
        bits.append((column, tree.goes_left[node]))
        mask, want, share = conditions.get(column, FREE)
        for side, child in enumerate(tree.children[node]):
            more = (mask | bit, want | (0 if side else bit), share * tree.shares[node][side])
            to_do.append((child, {**conditions, column: more}))
    columns = list(dict.fromkeys(column for column, _ in bits))
    return bits, columns, _make_table(leaves, columns, len(bits))


def _make_table(leaves: list[tuple[float, Conditions]], columns: list[int], n_bits: int) -> Floats:
    """Return what each column gets from the leaves together, (n_columns, n_patterns)."""
    by_leaf = [[conditions.get(column, FREE) for column in columns] for _, conditions in leaves]
    mask, want, share = np.array(by_leaf).transpose(2, 0, 1)[..., None]
    patterns = np.arange(2**n_bits, dtype=np.uint8)
    lever = ((patterns & mask.astype(np.uint8)) == want.astype(np.uint8)) - share
    values = np.array([value for value, _ in leaves])[:, None, None]
    others = np.zeros_like(lever)
    for node, weight in _quadrature(max(len(conditions) for _, conditions in leaves)):
        factors = node * lever
        factors += share
        product = weight * values * factors.prod(axis=1, keepdims=True)
        others += np.divide(product, factors, out=factors)
    others *= lever
    return others.sum(axis=0)


@cache
def _quadrature(n_columns: int) -> list[tuple[float, float]]:
    """Return nodes and weights from 0 to 1, exact for polynomials of a degree < `n_columns`."""
    nodes, weights = np.polynomial.legendre.leggauss((n_columns + 1) // 2)
    return list(zip((nodes + 1) / 2, weights / 2, strict=True))


def _make_look_ups(
    groups: Sequence[Bits], columns: Sequence[Column]
) -> list[tuple[int, NDArray[np.uint64]]]:
    """Return what each column adds to the word of the groups' patterns, by code."""
    look_ups: dict[int, NDArray[np.uint64]] = {}
    for slot, bits in enumerate(groups):
        for bit, (column, codes) in enumerate(bits):
            words = look_ups.setdefault(column, np.zeros(columns[column].n_codes, dtype="<u8"))
            words |= codes.astype(words.dtype) << np.uint64(BITS * slot + bit)
    return list(look_ups.items())
