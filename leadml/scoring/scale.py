"""One scale: 50 is a lead of average chance at the first training; points double the odds."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from leadml.scoring.columns import Floats

POINTS_TO_DOUBLE = (10.0, 8.0, 6.0, 5.0, 4.0)
MOST_CLIPPED = 0.02


@dataclass(frozen=True)
class Scale:
    """Turn log-odds into a score; fixed at the first training and carried through retrains.

    Points to double the odds are the scaling of credit scorecards (Siddiqi 2006, chapter 6).

    Parameters
    ----------
    base_odds : float
        Odds of winning that score 50.
    points_to_double : float, default=10
        Points by which the score rises when the odds double.

    Examples
    --------
    >>> scale = Scale(base_odds=0.5)
    >>> scale.scores(np.log([0.5, 1.0, 2.0])).tolist()
    [50, 60, 70]
    """

    base_odds: float
    points_to_double: float = 10.0

    @property
    def points_per_logit(self) -> float:
        """Points for one unit of log-odds."""
        return self.points_to_double / float(np.log(2))

    def raw_scores(self, log_odds: Any) -> Floats:
        """Return scores before rounding and clipping, shape (n_leads,)."""
        above: Floats = np.asarray(log_odds) - np.log(self.base_odds)
        return 50 + self.points_per_logit * above

    def scores(self, log_odds: Any) -> np.ndarray:
        """Return whole scores from 0 to 100, shape (n_leads,)."""
        return round_scores(self.raw_scores(log_odds))

    @classmethod
    def choose(cls, log_odds: Any, base_rate: float) -> Self:
        """Take 10 points to double, or the next of 8, 6, 5, 4 that clips at most 2 % of leads."""
        base_odds = base_rate / (1 - base_rate)
        for points_to_double in POINTS_TO_DOUBLE:
            scale = cls(base_odds, points_to_double)
            raw = scale.raw_scores(log_odds)
            if np.mean((raw < 0) | (raw > 100)) <= MOST_CLIPPED:
                break
        return scale


def round_scores(raw: Floats) -> np.ndarray:
    """Return raw scores as whole numbers from 0 to 100."""
    return np.clip(np.rint(raw), 0, 100).astype(np.int64)
