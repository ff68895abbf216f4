"""What so many calls find: wins among the best-scored leads, by model and by difference."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadml.errors import DataError
from leadml.evaluation import _weighted as weighted
from leadml.evaluation._counts import Counts
from leadml.evaluation._inputs import Floats
from leadml.evaluation._resample import percentile_interval

DEFAULT_FRACTION = 0.1
WEEKS_A_MONTH = 365.25 / 12 / 7
_GRID: Floats = np.concatenate([np.arange(10) / 1000, np.linspace(0.01, 1, 100)])


@dataclass(frozen=True)
class Capacity:
    """How many of the leads can be called.

    Attributes
    ----------
    n_leads : int
        Leads there are.
    chosen : int
        Leads that can be called.
    weeks : float or None
        In how many weeks the leads came in.
    given : float or None
        The capacity that was asked for, None where the best 10 % are taken.
    """

    n_leads: int
    chosen: int
    weeks: float | None = None
    given: float | None = None

    @property
    def fraction(self) -> float:
        """Share of the leads that can be called."""
        return self.chosen / self.n_leads

    @property
    def fractions(self) -> Floats:
        """Shares of the leads that the curves are drawn at, the chosen one among them."""
        others = _GRID[np.abs(_GRID - self.fraction) > 1e-9]
        return np.union1d(others, [self.fraction])

    @classmethod
    def choose(cls, n_leads: int, capacity: float | None, weeks: float | None) -> "Capacity":
        """Return the capacity that was asked for: leads a week, or leads where no weeks are known.

        Raises
        ------
        DataError
            Where a number is not positive, or the capacity is larger than there are leads.
        """
        for name, value in (("capacity", capacity), ("weeks", weeks)):
            if value is not None and not (value > 0 and math.isfinite(value)):
                message = (
                    f"`{name}` must be a positive number. Got {value!r}. "
                    "Pass for example capacity=50, weeks=26 for 50 calls a week."
                )
                raise DataError(message)
        if capacity is None:
            return cls(n_leads, max(round(DEFAULT_FRACTION * n_leads), 1), weeks)
        chosen = round(capacity * (weeks or 1))
        if not 1 <= chosen <= n_leads:
            unit = "a week" if weeks else "in all"
            message = (
                f"`capacity` of {capacity:g} leads {unit} makes {chosen:,} of these {n_leads:,} "
                f"leads. Accepted are up to {n_leads / (weeks or 1):,.0f} {unit}."
            )
            raise DataError(message)
        return cls(n_leads, chosen, weeks, capacity)

    def count_wins(self, counts: Counts) -> tuple[Floats, Floats]:
        """Return wins, and their share of all wins, at each of `fractions`, by resample.

        Both have the shape (n_resamples, n_fractions). A resample of accounts may hold more or
        fewer leads: its wins are those of `n_leads`.
        """
        gain = weighted.gain(counts, self.fractions)
        wins = np.nan_to_num(gain * counts.n_won[:, None])
        return wins * (self.n_leads / counts.n_leads)[:, None], gain

    def tabulate(
        self,
        values: Mapping[str, Floats],
        drawn: Mapping[str, Floats],
        gains: Mapping[str, Floats],
    ) -> pd.DataFrame:
        """Return the wins of each model, and their share, one row a model and fraction."""
        parts = []
        for name, wins in values.items():
            lower, upper = percentile_interval(gains[name])
            shares = {"gain": wins / (wins[-1] or np.nan), "gain_lower": lower, "gain_upper": upper}
            parts.append(self._rows(wins, drawn[name], "n_won", model=name).assign(**shares))
        return pd.concat(parts, ignore_index=True)

    def tabulate_differences(
        self, values: Mapping[str, Floats], drawn: Mapping[str, Floats]
    ) -> pd.DataFrame:
        """Return the wins of the first model less those of each other, paired by resample."""
        first, *others = values
        parts = [
            self._rows(
                values[first] - values[other],
                drawn[first] - drawn[other],
                "difference",
                model=first,
                other=other,
            )
            for other in others
        ]
        return pd.concat(parts, ignore_index=True)

    def _rows(self, value: Floats, drawn: Floats, name: str, **labels: str) -> pd.DataFrame:
        lower, upper = percentile_interval(drawn)
        table = {
            "fraction": self.fractions,
            "n_leads": self.fractions * self.n_leads,
            name: value,
            "lower": lower,
            "upper": upper,
        }
        return pd.DataFrame({**labels, **table})
