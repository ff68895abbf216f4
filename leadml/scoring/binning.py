"""Find the bin of each number: a grid of cells first, then a step or two over the edges."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Cell = Callable[[Floats], NDArray[np.intp]]

CELLS = 4_096  # their table fits into the fastest cache
MOST_STEPS = 6  # edges in one cell, beyond which a binary search is as fast


class Binner:
    """Count the edges at or below each number, as `np.searchsorted(edges, x, side="right")` does.

    A binary search guesses wrong at every step where numbers are random. Here a number's cell on a
    grid tells the count up to the few edges that share the cell; those are compared one by one.
    The grid is even, or, where the edges crowd, even in the bits of the number, which are about
    its logarithm. Cells never fall as numbers rise, so the count is exact.

    Examples
    --------
    >>> Binner(np.array([1.0, 2.0, 4.0])).count(np.array([0.5, 2.0, 3.9, 9.0])).tolist()
    [0, 2, 2, 3]
    """

    def __init__(self, edges: Floats) -> None:
        self._edges = np.append(edges, np.nan)  # no number reaches the last one
        self._cell: Cell | None = None
        self._steps = MOST_STEPS + 1
        for make in (_even_cells, _bit_cells) if len(edges) > 1 else ():
            cell = make(edges)
            cells = cell(edges) if cell else np.zeros(MOST_STEPS + 1, dtype=np.intp)
            shared = int(np.bincount(cells).max())
            if shared < self._steps:
                self._cell, self._steps = cell, shared
                self._below = np.searchsorted(cells, np.arange(CELLS), side="left")

    def __reduce__(self) -> Any:
        # the grid is made anew: functions cannot be pickled
        return Binner, (self._edges[:-1],)

    def count(self, numbers: Floats) -> NDArray[np.intp]:
        """Return the number of edges at or below each number, shape as given; any for NaN."""
        if self._cell is None:
            return np.searchsorted(self._edges[:-1], numbers, side="right")
        count = self._below.take(self._cell(numbers))
        for _ in range(self._steps):
            count += numbers >= self._edges.take(count)
        return count


def _even_cells(edges: Floats) -> Cell | None:
    low, high = float(edges[0]), float(edges[-1])
    width = (high - low) / CELLS
    scale = 1 / width if width > 0 else np.inf
    if not 0 < scale < np.inf:  # so far apart, or so near, that a float cannot hold it
        return None

    def cell(numbers: Floats) -> NDArray[np.intp]:
        with np.errstate(over="ignore", invalid="ignore"):
            place = (numbers - low) * scale
        np.fmin(place, CELLS - 1, out=place)  # NaN too
        np.fmax(place, 0, out=place)
        return place.astype(np.intp)

    return cell


def _bit_cells(edges: Floats) -> Cell:
    low, high = (int(bits) for bits in _ordered_bits(edges[[0, -1]]))
    shift = max((high - low).bit_length() - CELLS.bit_length() + 1, 0)
    first, last = low >> shift, high >> shift

    def cell(numbers: Floats) -> NDArray[np.intp]:
        place = _ordered_bits(numbers) >> shift
        np.minimum(place, last, out=place)
        np.maximum(place, first, out=place)
        place -= first
        return np.minimum(place, CELLS - 1, out=place)

    return cell


def _ordered_bits(numbers: Floats) -> NDArray[np.int64]:
    """Return integers in the order of the numbers: their bits, those of negative ones turned."""
    bits = (numbers + 0.0).view(np.int64)  # -0.0 equals 0.0, so it must have its bits
    return bits ^ ((bits >> 63) & np.iinfo(np.int64).max)
