"""How firm the bands stand: the hot edge, had other leads of the same kind come in."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadml.errors import DataError
from leadml.evaluation._inputs import Floats, check_length, checked_outcomes
from leadml.evaluation._resample import percentile_interval

WARM = 45
_N_SCORES = 101
Ints = NDArray[np.int64]


def compute_band_stability(
    y_true: Any,
    score: Any,
    leads_a_week: float,
    weeks: float = 1,
    n_resamples: int = 200,
    random_state: int = 0,
) -> pd.DataFrame:
    """Return how far the hot edge, the bands and their conversion hang on the leads at hand.

    The hot edge is the lowest score from which on no more than `leads_a_week` leads come in a
    week, as `Bands.from_capacity` chooses it; a lead is warm from 45 on. Each resample chooses
    its own edge.

    Parameters
    ----------
    y_true : array-like of shape (n_leads,)
        1 for won, 0 for lost.
    score : array-like of shape (n_leads,)
        Scores, 0 to 100.
    leads_a_week : float
        Hot leads that sales can take.
    weeks : float, default=1
        Weeks in which these leads came in.
    n_resamples : int, default=200
    random_state : int, default=0

    Returns
    -------
    DataFrame
        Three rows: figure, value, lower, upper (95 % percentile bootstrap). `hot_edge` is the
        edge of these leads (101: none can be hot); `share_kept` the mean share of these leads
        that keep their band under a resample's edge; `hot_conversion` the conversion of the hot
        band (NaN where it is empty), each resample with its own edge.

    Raises
    ------
    DataError
        Where outcomes are not 0 and 1, a score lies outside 0 to 100, `leads_a_week` or `weeks`
        is not positive, `n_resamples` is below 1, or lengths differ.

    Notes
    -----
    Edges are whole scores, so leads at each score are all that counts, and a bootstrap resample
    is one draw of a multinomial (Efron & Tibshirani 1993, An Introduction to the Bootstrap,
    chapter 6): as fast for a million leads as for a thousand.

    Examples
    --------
    >>> import numpy as np
    >>> score = np.arange(1000) % 100
    >>> won = np.arange(1000) * 7919 % 101 < score
    >>> compute_band_stability(won, score, leads_a_week=50, weeks=2).round(2)
               figure  value  lower  upper
    0        hot_edge  90.00  88.00  92.00
    1      share_kept   0.99   0.98   1.00
    2  hot_conversion   0.89   0.83   0.95
    """
    outcomes = checked_outcomes(y_true)
    scores = _whole_scores(score, len(outcomes))
    if not (leads_a_week > 0 and weeks > 0 and n_resamples >= 1):
        message = (
            f"`leads_a_week` ({leads_a_week!r}) and `weeks` ({weeks!r}) must be positive, and "
            f"`n_resamples` ({n_resamples!r}) at least 1. Pass for example 50, 4 and 200."
        )
        raise DataError(message)
    capacity = leads_a_week * weeks
    cells = np.bincount(2 * scores + outcomes.astype(int), minlength=2 * _N_SCORES)
    rng = np.random.default_rng(random_state)
    resamples = rng.multinomial(len(scores), cells / len(scores), size=n_resamples)
    (edge,), (conversion,) = _hot(cells[None, :], capacity)
    edges, conversions = _hot(resamples, capacity)
    kept = np.array([_share_kept(cells, edge, other) for other in edges])
    columns = np.column_stack([edges.astype(float), kept, conversions])
    lower, upper = percentile_interval(columns)
    figures = ["hot_edge", "share_kept", "hot_conversion"]
    values = [float(edge), kept.mean(), conversion]
    return pd.DataFrame({"figure": figures, "value": values, "lower": lower, "upper": upper})


def _hot(cells: Ints, capacity: float) -> tuple[Ints, Floats]:
    """Return hot edge and hot conversion of each row of lost and won leads by score."""
    lost, won = cells[:, ::2], cells[:, 1::2]
    # one more score, 101, which no lead has: where all above would be too many
    above = np.pad((lost + won)[:, ::-1].cumsum(axis=1)[:, ::-1], ((0, 0), (0, 1)))
    won_above = np.pad(won[:, ::-1].cumsum(axis=1)[:, ::-1], ((0, 0), (0, 1)))
    edges = (above <= capacity).argmax(axis=1)
    rows = np.arange(len(cells))
    leads = above[rows, edges].astype(float)
    return edges, won_above[rows, edges] / np.where(leads > 0, leads, np.nan)


def _share_kept(cells: Ints, edge: int, other: int) -> float:
    leads = cells[::2] + cells[1::2]
    same = _bands(edge) == _bands(other)
    return float(leads[same].sum() / leads.sum())


def _bands(edge: int) -> Ints:
    """Return the band of each score as 0, 1 or 2."""
    scores = np.arange(_N_SCORES)
    return (scores >= edge).astype(np.int64) + (scores >= min(WARM, edge))


def _whole_scores(score: Any, n_leads: int) -> Ints:
    scores = np.asarray(score, dtype=float)
    check_length(scores, n_leads, "score")
    if not ((scores >= 0) & (scores <= 100)).all():
        message = (
            f"`score` reaches from {np.min(scores):g} to {np.max(scores):g}. Accepted is 0 to 100, "
            "none missing. Pass the column `score` of a scored table."
        )
        raise DataError(message)
    # an edge is a whole score: what lies above it matters no more
    return np.floor(scores).astype(np.int64)
