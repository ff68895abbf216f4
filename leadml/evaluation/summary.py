"""The whole evaluation of one column of probabilities: every figure with its interval."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from leadml.evaluation._counts import Cells
from leadml.evaluation._inputs import checked_outcomes, checked_probabilities
from leadml.evaluation._resample import (
    all_metrics,
    draw_counts,
    group_codes,
    percentile_interval,
    resample_metrics,
    with_intervals,
)
from leadml.evaluation.display import jsonable
from leadml.evaluation.metrics import check_base_rate
from leadml.evaluation.tables import (
    CURVE_FRACTIONS,
    compute_bands,
    compute_gain_curve,
    compute_reliability,
    compute_score_distribution,
)


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """How good probabilities were on leads whose outcome is known.

    Attributes
    ----------
    metrics : DataFrame
        Index `metric`; columns value, lower, upper (95 % bootstrap interval).
    reliability : DataFrame
        As `compute_reliability` gives it.
    gain : DataFrame
        As `compute_gain_curve` gives it, but with bootstrap intervals.
    bands : DataFrame or None
        As `compute_bands` gives it; None where no bands were passed.
    scores : DataFrame or None
        As `compute_score_distribution` gives it; None where no scores were passed.
    n_leads, n_won : int
    n_groups : int or None
        How many groups were resampled; None where leads were.
    n_resamples : int
    """

    metrics: pd.DataFrame
    reliability: pd.DataFrame
    gain: pd.DataFrame
    bands: pd.DataFrame | None
    scores: pd.DataFrame | None
    n_leads: int
    n_won: int
    n_groups: int | None
    n_resamples: int

    def __repr__(self) -> str:
        auc, loss = self.metrics["value"]["roc_auc"], self.metrics["value"]["log_loss"]
        leads = f"{self.n_leads:,} leads, {self.n_won:,} won"
        return f"<Evaluation: {leads}, AUC {auc:.3f}, log loss {loss:.4f}>"

    def expect_next(self) -> pd.DataFrame:
        """Return what to expect of as many leads of a next period, with 95 % ranges.

        An interval says where the true figure lies. The next period's figure has a chance of its
        own, as large as this one's, so its range is wider by the square root of 2. A change of
        the market is in neither.

        Returns
        -------
        DataFrame
            As `metrics`.

        Examples
        --------
        >>> result = evaluate([1, 0, 1, 0] * 20, [0.9, 0.8, 0.6, 0.1] * 20, n_resamples=50)
        >>> wide, narrow = result.expect_next(), result.metrics
        >>> bool(wide.loc["log_loss", "lower"] < narrow.loc["log_loss", "lower"])
        True
        """
        value = self.metrics["value"]
        away = self.metrics[["lower", "upper"]].sub(value, axis="index") * np.sqrt(2)
        return pd.DataFrame({"value": value}).join(away.add(value, axis="index"))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-able values; what is not defined is None.

        Examples
        --------
        >>> result = evaluate([1, 0, 1, 0], [0.9, 0.8, 0.6, 0.1], n_resamples=20).to_dict()
        >>> result["metrics"]["roc_auc"]["value"], result["bands"]
        (0.75, None)
        """
        metrics = {name: dict(row) for name, row in self.metrics.iterrows()}
        return jsonable({**vars(self), "metrics": metrics})

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """Return the evaluation that `to_dict` wrote."""
        metrics = pd.DataFrame.from_dict(state["metrics"], orient="index", dtype="float64")
        tables = {
            name: None if state[name] is None else pd.DataFrame(state[name])
            for name in ("reliability", "gain", "bands", "scores")
        }
        return cls(**{**state, "metrics": metrics.rename_axis("metric"), **tables})

    def _repr_html_(self) -> str:
        from leadml.evaluation.reprs import show_evaluation

        return show_evaluation(self)


def evaluate(
    y_true: Any,
    y_prob: Any,
    *,
    score: Any = None,
    band: Any = None,
    groups: Any = None,
    base_rate: float | None = None,
    n_resamples: int = 500,
    random_state: int = 0,
) -> Evaluation:
    """Measure probabilities against outcomes, with a 95 % interval on every figure.

    Parameters
    ----------
    y_true : array-like of shape (n_leads,)
        1 for won, 0 for lost; leave open leads out.
    y_prob : array-like of shape (n_leads,)
        Probabilities of winning, 0 to 1.
    score : array-like of shape (n_leads,), default=None
        Scores, 0 to 100, for their distribution.
    band : array-like of shape (n_leads,), default=None
        `hot`, `warm` or `cold`, for the conversion of each.
    groups : array-like of shape (n_leads,), default=None
        Accounts. Leads of one account are no independent evidence, so whole accounts are drawn; a
        lead without one is its own.
    base_rate : float, default=None
        Conversion of the training leads, for `log_loss_gain`; that of these leads where None.
    n_resamples : int, default=500
        Bootstrap resamples; about 100 KB and 3 ms each for 10,000 leads.
    random_state : int, default=0
        Equal numbers give equal intervals.

    Returns
    -------
    Evaluation
        `metrics` holds roc_auc, average_precision, log_loss, base_log_loss, log_loss_gain (base
        less model: an interval that includes 0 means no signal was shown), brier and its parts,
        the calibration slope and intercept, ece, and lift and gain of the best 5, 10 and 20 %.

    Raises
    ------
    DataError
        Where outcomes are not 0 and 1, probabilities, scores or bands are not, or lengths differ.

    Notes
    -----
    Percentile intervals (Efron & Tibshirani 1993, chapter 13). Noise within bins only ever adds to
    reliability, resolution and ece, once in the sample and once more in each resample: their
    intervals are shifted back by the bootstrap's estimate of bias (there, chapter 10), and those of
    reliability and ece reach down to 0 where all of the figure can be noise.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> y_prob = rng.beta(1, 3, 2000)
    >>> y_true = rng.random(2000) < y_prob
    >>> evaluate(y_true, y_prob).metrics.loc[["roc_auc", "calibration_slope"]].round(2)
                       value  lower  upper
    metric
    roc_auc             0.80   0.78   0.82
    calibration_slope   1.11   0.98   1.23
    """
    outcomes = checked_outcomes(y_true)
    n_leads = len(outcomes)
    probabilities = checked_probabilities(y_prob, n_leads)
    check_base_rate(base_rate)
    codes = group_codes(groups, n_leads)
    cells = Cells.build(outcomes, probabilities, np.ones(n_leads))
    draws = draw_counts({"": cells}, n_leads, codes, n_resamples, random_state)
    frames, gains = resample_metrics(draws, base_rate, CURVE_FRACTIONS)
    values = all_metrics(cells.count(np.ones((1, n_leads))), base_rate)
    lower, upper = percentile_interval(gains[""])
    return Evaluation(
        metrics=with_intervals(pd.DataFrame(values).iloc[0], frames[""]),
        reliability=compute_reliability(outcomes, probabilities),
        gain=compute_gain_curve(outcomes, probabilities).assign(lower=lower, upper=upper),
        bands=None if band is None else compute_bands(outcomes, band),
        scores=None if score is None else compute_score_distribution(outcomes, score),
        n_leads=n_leads,
        n_won=int(outcomes.sum()),
        n_groups=None if codes is None else int(codes.max()) + 1,
        n_resamples=n_resamples,
    )
