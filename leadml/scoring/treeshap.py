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

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from math import prod
from typing import Any

import numpy as np
from joblib import cpu_count
from numpy.typing import NDArray

from leadml.scoring.columns import CategoryColumn, Codes, Column, Floats

BITS = 8  # of a pattern: a byte
SLOTS = 8  # patterns in a word
BLOCK = 8_192  # leads at a time: what they need stays in the cache
MOST_BYTES = 2**29  # of tables: about 300,000 leaves
IS_CATEGORY, IS_DEFAULT_LEFT, IS_NAN_MISSING = 1, 2, 8  # of LightGBM's `decision_type`

Words = NDArray[np.uint64]
Masks = NDArray[np.bool_]
Path = list[tuple[int, int]]  # split, side: 0 left, 1 right
# of a leaf, by column: bits that count, what they must be, share of training leads that meet it
Conditions = dict[int, tuple[int, int, float]]
FREE = (0, 0, 1.0)
Bits = list[tuple[int, Masks]]  # column, codes that set the bit


@dataclass(frozen=True)
class Tree:
    """A tree as LightGBM writes it: a child below 0 is the leaf of that number's complement."""

    columns: list[int]
    children: list[tuple[int, int]]  # left, right
    shares: list[tuple[float, float]]  # of a split's training leads that go left, right
    goes_left: list[Masks]  # by code
    values: list[float]  # of the leaves
    mean: float  # over the training leads

    def count_splits(self, node: int) -> int:
        """Return how many splits there are from a node on."""
        return 0 if node < 0 else 1 + sum(map(self.count_splits, self.children[node]))

    def columns_of(self, path: Path) -> list[int]:
        """Return the columns that a path splits on, each once."""
        return list(dict.fromkeys(self.columns[split] for split, _ in path))


@dataclass(frozen=True)
class Word:
    """Up to eight groups of one tree, whose patterns are the bytes of one word."""

    look_ups: list[tuple[int, Words]]  # column, word by code
    groups: list[tuple[list[int], Floats]]  # columns, values by pattern


@dataclass(frozen=True)
class TreeTables:
    """What a sum of trees says of any lead, by look-up; `start` is its mean over the training."""

    words: list[Word]
    start: float

    def contributions(self, codes: Sequence[Codes]) -> Floats:
        """Return exact TreeSHAP values by column, shape (n_leads, n_columns)."""
        n_leads = len(codes[0])
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
        places = [column[start:end].astype(np.intp) for column in codes]
        sums = list(values[:, start:end])
        patterns, found = np.empty((2, len(places[0])), dtype=np.uint64)
        value = np.empty(len(places[0]))
        for word in self.words:
            patterns[:] = 0
            # codes are always in range: "clip" only spares `take` a copy
            for column, by_code in word.look_ups:
                by_code.take(places[column], None, found, "clip")
                np.bitwise_or(patterns, found, patterns)
            as_bytes = patterns.view(np.uint8).reshape(-1, SLOTS)
            for slot, (columns, table) in enumerate(word.groups):
                pattern = as_bytes[:, slot].astype(np.intp)
                for column, by_pattern in zip(columns, table, strict=True):
                    by_pattern.take(pattern, None, value, "clip")
                    np.add(sums[column], value, sums[column])


def build_tables(
    boosters: Sequence[Any], columns: Sequence[Column], n_rounds: int
) -> TreeTables | None:
    """Return the tables of the boosters' sum, or None where it does not fit into tables.

    That is so where a path joins more than 8 columns, or the tables would take over 512 MB.
    """
    words: list[Word] = []
    start, n_bytes = 0.0, 0
    for booster in boosters:
        for tree in _read_trees(booster.model_to_string(num_iteration=n_rounds), columns):
            start += tree.mean
            nodes = _divide(tree)
            if n_bytes > MOST_BYTES or any(len(tree.columns_of(path)) > BITS for _, path in nodes):
                return None
            for first in range(0, len(nodes), SLOTS):
                groups = [_make_group(tree, *node) for node in nodes[first : first + SLOTS]]
                word = _make_word(groups, columns)
                words.append(word)
                n_bytes += sum(part.nbytes for _, part in [*word.look_ups, *word.groups])
    return TreeTables(words, start)


def _read_trees(model: str, columns: Sequence[Column]) -> Iterator[Tree]:
    """Yield the trees of a model in LightGBM's text format."""
    for text in model.partition("\nend of trees")[0].split("\nTree=")[1:]:
        fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

        def read(name: str, kind: type, fields: dict[str, str] = fields) -> NDArray:
            return np.array(fields.get(name, "").split(), dtype=kind)

        values, counts = read("leaf_value", float), read("leaf_count", int)
        if len(values) == 1:
            yield Tree([], [], [], [], values.tolist(), float(values[0]))
            continue
        children = np.column_stack([read("left_child", int), read("right_child", int)])
        # the counts of the splits, then of the leaves from the last to the first: by child
        n_leads = np.append(read("internal_count", int), counts[::-1])
        shares = n_leads[children] / n_leads[: len(children), None]
        yield Tree(
            columns=read("split_feature", int).tolist(),
            children=list(map(tuple, children.tolist())),
            shares=list(map(tuple, shares.tolist())),
            goes_left=_read_splits(read, columns),
            values=values.tolist(),
            mean=float(values @ counts / n_leads[0]),
        )


def _read_splits(read: Any, columns: Sequence[Column]) -> list[Masks]:
    """Return for each split which codes of its column go left, by LightGBM's own rules."""
    edges, levels = read("cat_boundaries", int), read("cat_threshold", np.uint32)
    places, kinds = read("split_feature", int), read("decision_type", int)
    masks = []
    for place, kind, threshold in zip(places, kinds, read("threshold", float), strict=True):
        column = columns[place]
        if kind & IS_CATEGORY:
            own = levels[slice(*edges[int(threshold) : int(threshold) + 2])]
            bits = np.unpackbits(own.view(np.uint8), count=column.n_codes, bitorder="little")
            masks.append(bits.astype(bool))
            continue
        left = np.arange(column.n_codes) <= threshold
        if not isinstance(column, CategoryColumn):
            # a missing number is NaN to the booster: it goes the way the split learned,
            # or counts as 0 where the booster never met one
            left[-1] = bool(kind & IS_DEFAULT_LEFT) if kind & IS_NAN_MISSING else left[0]
        masks.append(left)
    return masks


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
    mask, want, share = np.moveaxis(np.array(by_leaf), 2, 0)[..., None]
    patterns = np.arange(2**n_bits, dtype=np.uint8)
    lever = ((patterns & mask.astype(np.uint8)) == want.astype(np.uint8)) - share
    values = np.array([value for value, _ in leaves])[:, None, None]
    others = np.zeros_like(lever)
    for node, weight in _quadrature(max(len(conditions) for _, conditions in leaves)):
        factors = share + node * lever
        others += weight * values * factors.prod(axis=1, keepdims=True) / factors
    return (lever * others).sum(axis=0)


@cache
def _quadrature(n_columns: int) -> list[tuple[float, float]]:
    """Return nodes and weights from 0 to 1, exact for polynomials of a degree < `n_columns`."""
    nodes, weights = np.polynomial.legendre.leggauss((n_columns + 1) // 2)
    return list(zip((nodes + 1) / 2, weights / 2, strict=True))


def _make_word(groups: Sequence[tuple[Bits, list[int], Floats]], columns: Sequence[Column]) -> Word:
    look_ups: dict[int, Words] = {}
    for slot, (bits, _, _) in enumerate(groups):
        for bit, (column, codes) in enumerate(bits):
            words = look_ups.setdefault(column, np.zeros(columns[column].n_codes, dtype="<u8"))
            words |= codes.astype(words.dtype) << np.uint64(BITS * slot + bit)
    return Word(sorted(look_ups.items()), [(own, table) for _, own, table in groups])
