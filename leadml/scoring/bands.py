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
    def from_capacity(
        cls,
        scores: Any,
        leads_a_week: float,
        weeks: float = 1.0,
        *,
        warm_leads_a_week: float | None = None,
    ) -> Self:
        """Choose the lowest hot edge at which sales gets at most so many leads a week.

        Leads of one score cannot be told apart: they are all hot or none of them is, so the hot
        band may stay somewhat below the capacity, never above it.

        Parameters
        ----------
        scores : array-like of shape (n_leads,)
            Scores, 0 to 100, of the leads that came in during `weeks`: open ones too.
        leads_a_week : float
            Hot leads that sales can take.
        weeks : float, default=1
        warm_leads_a_week : float, default=None
            Warm leads that can be taken care of beside them. None: a lead is warm from 45 on, or
            from the hot edge where that lies below.

        Raises
        ------
        DataError
            Where a capacity or `weeks` is not positive, a score lies outside 0 to 100, or more
            leads than the capacity share the best score, so that none could be hot.

        Examples
        --------
        >>> scores = [90, 80, 80, 70, 60, 10]
        >>> Bands.from_capacity(scores, leads_a_week=2)
        Bands(hot=81.0, warm=45.0)
        >>> Bands.from_capacity(scores, leads_a_week=2, weeks=2, warm_leads_a_week=0.5)
        Bands(hot=61.0, warm=11.0)
        """
        capacities = {"leads_a_week": leads_a_week, "weeks": weeks}
        if warm_leads_a_week is not None:
            capacities["warm_leads_a_week"] = warm_leads_a_week
        if not all(capacity > 0 for capacity in capacities.values()):
            message = f"All of {capacities} must be positive. Pass for example leads_a_week=50."
            raise DataError(message)
        above = _count_above(scores)
        edges = np.flatnonzero(above <= leads_a_week * weeks)
        if not len(edges) or not above[edges[0]]:
            best = np.flatnonzero(above)[-1]
            message = (
                f"`leads_a_week` is {leads_a_week:g}, but {above[best] / weeks:g} leads a week "
                f"have the best score, {best}, so none could be hot. Accepted is at least that "
                "many. Pass more, or call the best of them by their probability."
            )
            raise DataError(message)
        hot = float(edges[0])
        if warm_leads_a_week is None:
            return cls(hot=hot, warm=min(cls.warm, hot))
        both = (leads_a_week + warm_leads_a_week) * weeks
        return cls(hot=hot, warm=float(np.flatnonzero(above <= both)[0]))


def _count_above(scores: Any) -> np.ndarray:
    """Return how many leads score at least 0, 1, ..., 100."""
    scores = np.asarray(scores, dtype=float)
    if not scores.size or not ((scores >= 0) & (scores <= 100)).all():
        met = f"reach from {scores.min():g} to {scores.max():g}" if scores.size else "are none"
        message = (
            f"`scores` {met}. Accepted are scores from 0 to 100, none missing, of at least one "
            "lead. Pass the column `score` of a scored table."
        )
        raise DataError(message)
    counts = np.bincount(scores.astype(np.int64), minlength=101)
    return counts[::-1].cumsum()[::-1]


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
