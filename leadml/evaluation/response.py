"""Conversion by days to the first contact: an observation, not the effect of calling sooner."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from leadml.errors import DataError
from leadml.evaluation._inputs import check_length, checked_outcomes
from leadml.evaluation.tables import _conversions

EDGES = (0, 1, 2, 4, 8, 15, 31)


def compute_response_times(y_true: Any, days: Any, edges: Sequence[int] = EDGES) -> pd.DataFrame:
    """Return conversion by days from a lead's creation to its first contact: observational.

    This does not show what calling sooner would bring. Sales calls the better leads first, so
    they convert better in the first rows whatever the delay. A lead contacted late must still
    have been open by then (immortal time: Suissa 2008, American Journal of Epidemiology 167,
    492-499), and one that was won or lost at once was never contacted at all. Only leads called
    at random times would tell.

    Parameters
    ----------
    y_true : array-like of shape (n_leads,)
        1 for won, 0 for lost.
    days : array-like of shape (n_leads,)
        Days from creation to the first contact, from 0 up, parts of a day too; missing means
        never contacted.
    edges : sequence of int, default=(0, 1, 2, 4, 8, 15, 31)
        First day of each row, rising from 0.

    Returns
    -------
    DataFrame
        One row a span, empty ones too: contact (`same day`, `1 day`, `2 to 3 days`, ...,
        `31 days or more`, `never`), n_leads, n_won, conversion, lower, upper (95 % Wilson; NaN
        where there are no leads).

    Raises
    ------
    DataError
        Where outcomes are not 0 and 1, days lie below 0, edges do not rise from 0, or lengths
        differ.

    Examples
    --------
    >>> days = [0.2, 0.9, 3, float("nan")]
    >>> compute_response_times([1, 0, 1, 0], days, edges=(0, 1, 4)).round(3)
              contact  n_leads  n_won  conversion  lower  upper
    0        same day        2      1         0.5  0.095  0.905
    1     1 to 3 days        1      1         1.0  0.207  1.000
    2  4 days or more        0      0         NaN    NaN    NaN
    3           never        1      0         0.0  0.000  0.793
    """
    outcomes = checked_outcomes(y_true)
    waited = np.asarray(days, dtype=float)
    check_length(waited, len(outcomes), "days")
    if (waited < 0).any():
        message = (
            f"`days` holds {waited[waited < 0].max():g} and {int((waited < 0).sum()) - 1} more "
            "values below 0: contacts before the lead was created. Accepted are days from 0 up, "
            "or missing for never. Set those to 0, or leave these leads out."
        )
        raise DataError(message)
    firsts = [int(edge) for edge in edges]
    if not firsts or firsts[0] != 0 or any(low >= high for low, high in pairwise(firsts)):
        message = (
            f"`edges` is {tuple(edges)}. Accepted are whole days that rise from 0. Pass for "
            f"example {EDGES}."
        )
        raise DataError(message)
    row = np.searchsorted(firsts, waited, side="right") - 1
    row[np.isnan(waited)] = len(firsts)
    leads = np.bincount(row, minlength=len(firsts) + 1)
    won = np.bincount(row[outcomes == 1], minlength=len(firsts) + 1)
    return pd.DataFrame({"contact": [*_labels(firsts), "never"], **_conversions(leads, won)})


def _labels(firsts: list[int]) -> list[str]:
    spans = [_span(low, high - 1) for low, high in pairwise(firsts)]
    return [*spans, f"{firsts[-1]} days or more" if firsts[-1] else "any day"]


def _span(low: int, high: int) -> str:
    if low == high:
        return "same day" if low == 0 else f"{low} day{'s' if low > 1 else ''}"
    return f"{low} to {high} days"
