"""Tables behind the plots: reliability, gain, bands and the spread of scores, with intervals."""

from typing import Any

import numpy as np
import pandas as pd

from leadml.errors import DataError, did_you_mean
from leadml.evaluation import _weighted as weighted
from leadml.evaluation._counts import count_outcomes
from leadml.evaluation._inputs import Floats, check_length, checked_outcomes
from leadml.scored import BANDS

CURVE_FRACTIONS: Floats = np.linspace(0, 1, 101)
SCORE_STEP = 5
_Z95 = 1.959963984540054


def wilson_interval(won: Any, n_leads: Any) -> tuple[Floats, Floats]:
    """Return the 95 % Wilson interval of a conversion; NaN where there are no leads.

    Parameters
    ----------
    won, n_leads : array-like of shape (n_rows,)
        Leads won (whole or expected numbers) of how many leads.

    Returns
    -------
    lower, upper : ndarray of shape (n_rows,)

    References
    ----------
    Wilson 1927, Journal of the American Statistical Association 22, 209-212; recommended for small
    counts by Brown, Cai & DasGupta 2001, Statistical Science 16, 101-133.

    Examples
    --------
    >>> lower, upper = wilson_interval([5], [10])
    >>> print(lower.round(4), upper.round(4))
    [0.2366] [0.7634]
    """
    n = np.asarray(n_leads, dtype=float)
    n = np.where(n > 0, n, np.nan)
    rate = np.asarray(won, dtype=float) / n
    middle = (rate + _Z95**2 / (2 * n)) / (1 + _Z95**2 / n)
    half = _Z95 / (1 + _Z95**2 / n) * np.sqrt(rate * (1 - rate) / n + _Z95**2 / (4 * n**2))
    # rounding must not push the end of a sure interval past 0 or 1, nor past the rate itself
    return np.clip(np.minimum(middle - half, rate), 0, 1), np.clip(
        np.maximum(middle + half, rate), 0, 1
    )


def compute_reliability(y_true: Any, y_prob: Any, n_bins: int = 10) -> pd.DataFrame:
    """Return what was promised and what came, in bins of equal count.

    Leads of equal probability stay in one bin, so many ties give fewer bins.

    Parameters
    ----------
    y_true : array-like of shape (n_leads,)
        1 for won, 0 for lost.
    y_prob : array-like of shape (n_leads,)
        Probabilities of winning, 0 to 1.
    n_bins : int, default=10

    Returns
    -------
    DataFrame
        One row a bin, lowest first: y_prob_mean, conversion, lower, upper (95 % Wilson), n_leads.

    Raises
    ------
    DataError
        Where outcomes are not 0 and 1, probabilities lie outside 0 to 1, or lengths differ.

    Examples
    --------
    >>> compute_reliability([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.8], n_bins=2).round(3)
       y_prob_mean  conversion  lower  upper  n_leads
    0          0.2         0.0  0.000  0.658        2
    1          0.7         1.0  0.342  1.000        2
    """
    counts = count_outcomes(y_true, y_prob, n_bins=n_bins)
    leads, won = counts.in_bins(counts.leads)[0], counts.in_bins(counts.won)[0]
    lower, upper = wilson_interval(won, leads)
    table = {
        "y_prob_mean": counts.in_bins(counts.leads * counts.prob)[0] / leads,
        "conversion": won / leads,
        "lower": lower,
        "upper": upper,
        "n_leads": leads.astype(int),
    }
    return pd.DataFrame(table).iloc[::-1].reset_index(drop=True)


def compute_gain_curve(y_true: Any, y_prob: Any) -> pd.DataFrame:
    """Return the share of wins found when calling the best-scored 0 %, 1 %, ..., 100 % of leads.

    Parameters, raises: as `compute_reliability`.

    Returns
    -------
    DataFrame
        fraction (of the leads, best first), n_leads, n_won (both expected values over ties, so
        not always whole), gain (share of all wins; NaN without wins), lift (gain / fraction; NaN
        at 0), lower and upper (95 % Wilson interval of the gain, as if the edge were fixed).

    Examples
    --------
    >>> curve = compute_gain_curve([1, 0, 1, 0], [0.9, 0.8, 0.6, 0.1])
    >>> curve.loc[[25, 50], ["fraction", "n_leads", "n_won", "gain", "lift"]]
        fraction  n_leads  n_won  gain  lift
    25      0.25      1.0    1.0   0.5   2.0
    50      0.50      2.0    1.0   0.5   1.0
    """
    counts = count_outcomes(y_true, y_prob)
    gain = weighted.gain(counts, CURVE_FRACTIONS)[0]
    won = gain * counts.n_won[0]
    lower, upper = wilson_interval(won, np.full(len(gain), counts.n_won[0]))
    table = {
        "fraction": CURVE_FRACTIONS,
        "n_leads": CURVE_FRACTIONS * counts.n_leads[0],
        "n_won": won,
        "gain": gain,
        "lift": gain / np.where(CURVE_FRACTIONS > 0, CURVE_FRACTIONS, np.nan),
        "lower": lower,
        "upper": upper,
    }
    return pd.DataFrame(table)


def compute_bands(y_true: Any, band: Any) -> pd.DataFrame:
    """Return how many leads of each band were won.

    Parameters
    ----------
    y_true : array-like of shape (n_leads,)
        1 for won, 0 for lost.
    band : array-like of shape (n_leads,)
        `hot`, `warm` or `cold`.

    Returns
    -------
    DataFrame
        One row a band, hot first, empty ones too: band, n_leads, n_won, conversion, lower, upper
        (95 % Wilson; NaN for an empty band).

    Raises
    ------
    DataError
        Where outcomes are not 0 and 1, a band is not known, or lengths differ.

    Examples
    --------
    >>> compute_bands([1, 0, 0], ["hot", "hot", "cold"]).round(3)
       band  n_leads  n_won  conversion  lower  upper
    0   hot        2      1         0.5  0.095  0.905
    1  warm        0      0         NaN    NaN    NaN
    2  cold        1      0         0.0  0.000  0.793
    """
    outcomes = checked_outcomes(y_true)
    names = np.asarray(band, dtype=object)
    check_length(names, len(outcomes), "band")
    unknown = [str(name) for name in pd.unique(names) if name not in BANDS]
    if unknown:
        hint = did_you_mean(unknown[0], BANDS)
        message = f"`band` holds {', '.join(map(repr, unknown))}. Accepted are {BANDS}.{hint}"
        raise DataError(message)
    leads = np.array([(names == name).sum() for name in BANDS])
    won = np.array([outcomes[names == name].sum() for name in BANDS]).astype(int)
    return pd.DataFrame({"band": BANDS, **_conversions(leads, won)})


def compute_score_distribution(y_true: Any, score: Any) -> pd.DataFrame:
    """Return how the scores of won and of lost leads are spread, in steps of 5 points.

    Parameters
    ----------
    y_true : array-like of shape (n_leads,)
        1 for won, 0 for lost.
    score : array-like of shape (n_leads,)
        Scores, 0 to 100.

    Returns
    -------
    DataFrame
        One row a step: score_from (included), score_to (excluded, but for 100), n_leads, n_won,
        conversion, lower, upper (95 % Wilson), share_won and share_lost (of all won, of all lost).

    Raises
    ------
    DataError
        Where outcomes are not 0 and 1, a score lies outside 0 to 100, or lengths differ.

    Examples
    --------
    >>> table = compute_score_distribution([1, 0, 0], [72, 71, 30])
    >>> table.loc[table["n_leads"] > 0, ["score_from", "score_to", "n_leads", "n_won"]]
        score_from  score_to  n_leads  n_won
    6           30        35        1      0
    14          70        75        2      1
    """
    outcomes = checked_outcomes(y_true)
    scores = np.asarray(score, dtype=float)
    check_length(scores, len(outcomes), "score")
    if not ((scores >= 0) & (scores <= 100)).all():
        message = (
            f"`score` reaches from {scores.min():g} to {scores.max():g}. Accepted is 0 to 100, "
            "none missing. Pass the column `score` of a scored table."
        )
        raise DataError(message)
    edges = np.arange(0, 100 + SCORE_STEP, SCORE_STEP)
    leads, won = np.histogram(scores, edges)[0], np.histogram(scores[outcomes == 1], edges)[0]
    lost = leads - won
    return pd.DataFrame(
        {
            "score_from": edges[:-1],
            "score_to": edges[1:],
            **_conversions(leads, won),
            "share_won": won / (won.sum() or np.nan),
            "share_lost": lost / (lost.sum() or np.nan),
        }
    )


def _conversions(leads: Any, won: Any) -> dict[str, Any]:
    lower, upper = wilson_interval(won, leads)
    conversion = won / np.where(leads > 0, leads, np.nan)
    return {
        "n_leads": leads,
        "n_won": won,
        "conversion": conversion,
        "lower": lower,
        "upper": upper,
    }
