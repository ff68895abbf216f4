"""The trees of a LightGBM booster on integer codes: what goes where, by code."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadml.scoring.columns import CategoryColumn, Column

IS_CATEGORY, IS_DEFAULT_LEFT, IS_NAN_MISSING = 1, 2, 8  # of LightGBM's `decision_type`

Masks = NDArray[np.bool_]
Path = list[tuple[int, int]]  # split, side: 0 left, 1 right


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


def read_trees(booster: Any, n_rounds: int, columns: Sequence[Column]) -> Iterator[Tree]:
    """Yield the trees of a booster's first rounds, from LightGBM's text format."""
    model = booster.model_to_string(num_iteration=n_rounds)
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
