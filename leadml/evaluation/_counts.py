"""Won and lost leads at each distinct probability: all that any metric needs to know.

Leads of equal probability cannot be told apart, so each metric is written on the counts of won and
lost leads at each distinct probability. This makes it independent of the order of the rows, and a
bootstrap resample is nothing but another row of counts.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from leadml.evaluation._inputs import (
    Floats,
    checked_outcomes,
    checked_probabilities,
    checked_weight,
)

N_BINS = 10


@dataclass(frozen=True, eq=False)
class Counts:
    """Weights of won and lost leads at each distinct probability, one row a resample.

    `prob` has the shape (n_distinct,) and falls; `won` and `lost` have (n_resamples, n_distinct);
    `bins` holds the first distinct probability of each equal-count bin.
    """

    prob: Floats
    won: Floats
    lost: Floats
    bins: Any

    @cached_property
    def leads(self) -> Floats:
        return self.won + self.lost

    @cached_property
    def n_won(self) -> Floats:
        return self.won.sum(axis=1)

    @cached_property
    def n_lost(self) -> Floats:
        return self.lost.sum(axis=1)

    @cached_property
    def n_leads(self) -> Floats:
        return self.n_won + self.n_lost

    def in_bins(self, values: Floats) -> Floats:
        """Sum values of shape (n_resamples, n_distinct) over each bin."""
        return np.add.reduceat(values, self.bins, axis=1)


@dataclass(frozen=True, eq=False)
class Cells:
    """Where each lead is counted; made once a model, used for every resample."""

    prob: Floats
    cell: Any
    bins: Any
    rows: Any = None  # places of the leads that are counted; None: all

    @classmethod
    def build(
        cls,
        y_true: Floats,
        y_prob: Floats,
        weight: Floats,
        n_bins: int = N_BINS,
        rows: Any = None,
    ) -> Self:
        if rows is not None:
            y_true, y_prob, weight = y_true[rows], y_prob[rows], weight[rows]
        falling, place = np.unique(-y_prob, return_inverse=True)
        # `cell` is even for a lost and odd for a won lead: one bincount counts both
        cell = 2 * place + y_true.astype(np.intp)
        bins = bin_starts(np.bincount(place, weights=weight), n_bins)
        return cls(-falling, cell, bins, rows)

    def count(self, weights: Floats) -> Counts:
        """Count leads with weights of shape (n_resamples, n_leads)."""
        mine = weights if self.rows is None else weights[:, self.rows]
        size = 2 * len(self.prob)
        both = np.stack([np.bincount(self.cell, weights=row, minlength=size) for row in mine])
        return self._as_counts(both.astype(np.float64))

    def count_blocks(self, blocks: Any, n_blocks: int) -> Floats:
        """Count the leads of each block, shape (n_blocks, cells); see `count_draws`."""
        mine = blocks if self.rows is None else blocks[self.rows]
        size = 2 * len(self.prob)
        counted = np.bincount(mine * size + self.cell, minlength=n_blocks * size)
        return counted.reshape(n_blocks, size).astype(np.float64)

    def count_draws(self, times: Floats, counted: Floats) -> Counts:
        """Count leads where blocks are drawn `times`, shape (n_resamples, n_blocks)."""
        return self._as_counts(times @ counted)

    def coarsen(self, most: int) -> Self:
        """Return cells of at most so many probabilities: neighbours share their mean."""
        if len(self.prob) <= most:
            return self
        leads = np.bincount(self.cell // 2, minlength=len(self.prob)).astype(float)
        starts = bin_starts(leads, most)
        merged = np.cumsum(np.bincount(starts, minlength=len(leads))) - 1
        total = np.add.reduceat(leads, starts)
        prob = np.add.reduceat(leads * self.prob, starts) / total
        cell = 2 * merged[self.cell // 2] + self.cell % 2
        return type(self)(prob, cell, bin_starts(total, len(self.bins)), self.rows)

    def _as_counts(self, both: Floats) -> Counts:
        won, lost = (np.ascontiguousarray(both[:, first::2]) for first in (1, 0))
        return Counts(self.prob, won, lost, self.bins)


def bin_starts(weight: Any, n_bins: int) -> Any:
    """Return where each of up to `n_bins` bins of equal weight starts; ties stay in one bin.

    A distinct probability goes to the bin that holds the middle of its ranks.
    """
    middle = np.cumsum(weight) - weight / 2
    bins = np.minimum(n_bins * middle / max(weight.sum(), 1e-300), n_bins - 1).astype(int)
    return np.flatnonzero(np.diff(bins, prepend=-1))


def count_outcomes(
    y_true: Any, y_prob: Any, sample_weight: Any = None, n_bins: int = N_BINS
) -> Counts:
    """Check the input and return its counts as a single row.

    Raises
    ------
    DataError
        Where outcomes are not 0 and 1, probabilities lie outside 0 to 1, or lengths differ.
    """
    outcomes = checked_outcomes(y_true)
    probabilities = checked_probabilities(y_prob, len(outcomes))
    weight = checked_weight(sample_weight, len(outcomes))
    return Cells.build(outcomes, probabilities, weight, n_bins).count(weight[None, :])
