"""Bands (hot, warm, cold) and buying stages of a score."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from leadml.errors import DataError


@dataclass(frozen=True)
class Bands:
    """Edges on the score from which a lead is hot or warm.

    Parameters
    ----------
    hot : float, default=65
    warm : float, default=45

    Examples
    --------
    >>> Bands().assign([70, 50, 10]).tolist()
    ['hot', 'warm', 'cold']
    """

    hot: float = 65.0
    warm: float = 45.0

    def assign(self, scores: Any) -> np.ndarray:
        """Return the band of each score, shape (n_leads,)."""
        scores = np.asarray(scores)
        return np.where(scores >= self.hot, "hot", np.where(scores >= self.warm, "warm", "cold"))

    @classmethod
    def from_capacity(cls, scores: Any, leads_a_week: float, weeks: float = 1.0) -> Self:
        """Choose the hot edge so that sales gets at most so many leads a week.

        Parameters
        ----------
        scores : array of int, shape (n_leads,)
            Scores of the leads that came in during `weeks`.
        leads_a_week : float
        weeks : float, default=1

        Raises
        ------
        DataError
            Where the capacity is not positive.
        """
        if leads_a_week <= 0 or weeks <= 0:
            message = (
                f"`leads_a_week` and `weeks` must be positive. Got {leads_a_week!r} and {weeks!r}."
            )
            raise DataError(message)
        scores = np.asarray(scores)
        edges = np.arange(101)
        above = (scores[None, :] >= edges[:, None]).sum(axis=1)
        fitting = edges[above <= leads_a_week * weeks]
        hot = float(fitting[0]) if len(fitting) else 100.0
        return cls(hot=hot, warm=min(cls.warm, hot))


def assign_stages(scores: Any) -> np.ndarray:
    """Return the buying stage of each score: 76-100, 51-75, 26-50 and 0-25.

    Examples
    --------
    >>> assign_stages([80, 60, 30, 10]).tolist()
    ['decision', 'evaluation', 'consideration', 'awareness']
    """
    scores = np.asarray(scores)
    names = np.array(["awareness", "consideration", "evaluation", "decision"])
    return names[np.searchsorted([25, 50, 75], scores, side="left")]
