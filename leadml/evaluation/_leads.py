"""Which row stands for each lead, where leads are looked at several times."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from leadml.evaluation._inputs import Floats, check_length


@dataclass(frozen=True, eq=False)
class Leads:
    """Leads that are called once: by each model at the row where it gives them most.

    By one edge for all rows, a lead is called when it first passes it; it passes at all where its
    highest probability does.

    Attributes
    ----------
    outcomes : array of shape (n_leads,)
        1 where any of a lead's rows is won.
    rows : array of shape (n_leads,)
        A row of each lead.
    best : dict of model to array of shape (n_leads,)
        The row where the model gives the lead most.
    """

    outcomes: Floats
    rows: Any
    best: Mapping[str, Any]

    @classmethod
    def find(cls, outcomes: Floats, chances: Mapping[str, Floats], lead_ids: Any) -> Self:
        """Return the leads of some rows; those without an id are left out. None: a row a lead."""
        places = np.arange(len(outcomes))
        if lead_ids is None:
            return cls(outcomes, places, dict.fromkeys(chances, places))
        ids = np.asarray(lead_ids, dtype=object)
        check_length(ids, len(outcomes), "lead_ids")
        codes, _ = pd.factorize(ids)
        kept = np.flatnonzero(codes >= 0)
        won = np.zeros(codes.max(initial=-1) + 1)
        np.maximum.at(won, codes[kept], outcomes[kept])
        _, first = np.unique(codes[kept], return_index=True)
        best = {name: _find_best(codes, chance, kept) for name, chance in chances.items()}
        return cls(won, kept[first], best)

    def take(self, array: Any, model: str) -> Any:
        """Return what an array of rows says of each lead, where a model gives it most."""
        return np.asarray(array)[self.best[model]]

    def spread(self, values: Floats, n_rows: int) -> Floats:
        """Return values of leads at their rows, 0 at the others."""
        told = np.zeros(n_rows)
        told[self.rows] = values
        return told


def _find_best(codes: Any, chance: Floats, kept: Any) -> Any:
    """Return the row of the highest chance by lead; of equal ones the first."""
    order = kept[np.lexsort((kept, -chance[kept], codes[kept]))]
    _, first = np.unique(codes[order], return_index=True)
    return order[first]
