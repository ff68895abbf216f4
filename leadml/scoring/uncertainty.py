"""Uncertainty: how far each probability may be from the truth, and where nobody can tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from leadml.errors import DataError
from leadml.scoring.attribution import split_pipeline
from leadml.scoring.boosting import LeadBoostingClassifier
from leadml.scoring.columns import CategoryColumn, Codes, Column, Floats, compute_codes
from leadml.scoring.folds import number_accounts
from leadml.scoring.frames import as_frame, as_won
from leadml.scoring.posterior import (
    FEWEST,
    Design,
    Posterior,
    build_design,
    fit_posterior,
    predict_posterior,
)
from leadml.scoring.weights import as_row_weight

Z95 = 1.959963984540054
FEW, MOST = 3_000, 20_000  # leads that the variances, and then the coefficients, are learned from
LAST_ROUNDS = 2
RARE_OUTCOMES = 20.0  # chosen in simulations: of so few wins, the variance is twice what it seems
DECIMALS = 5
STRANGE = "hardly any such lead in training: "
COVERAGE = (
    "95 % intervals. In simulations with 500 to 4,000 leads, where each lead's true probability is "
    "known, they held it for 97 % of leads on average, and for 91 % in the hardest one. They do "
    "not know of a market that changes, nor of what no column tells."
)


@dataclass(frozen=True)
class Uncertainty:
    """The variance of each lead's log-odds as a sum over columns, and the values hardly seen.

    Parameters
    ----------
    start : float
        Variance that all leads share.
    variances : dict of column to array of shape (n_codes,)
        What each code of the model's columns adds; never below 0.
    strange : dict of column to array of bool, shape (n_codes,)
        Codes that fewer than 5 leads of the training had. Of numbers only "missing" is one.

    Examples
    --------
    >>> visits = np.arange(200) % 10
    >>> won = np.random.default_rng(0).random(200) < visits / 10
    >>> leads = pd.DataFrame({"visits": visits})
    >>> model = LeadBoostingClassifier("additive", random_state=0).fit(leads, won)
    >>> uncertainty = fit_uncertainty(model, leads, won)
    >>> intervals = uncertainty.compute_intervals(model, pd.DataFrame({"visits": [1, 8, None]}))
    >>> intervals[["abstain", "why"]].to_dict("list")
    {'abstain': [False, False, True], 'why': ['', '', 'hardly any such lead in training: visits']}
    """

    start: float
    variances: Mapping[str, Floats]
    strange: Mapping[str, NDArray[np.bool_]]

    def compute_variance(self, codes: Mapping[str, NDArray[Any]], n_leads: int) -> Floats:
        """Return the variance of the log-odds of leads given by their codes, shape (n_leads,)."""
        total = np.full(n_leads, self.start)
        for name, values in self.variances.items():
            total += values.take(codes[name])
        return total

    def find_strange(self, codes: Mapping[str, NDArray[Any]], n_leads: int) -> NDArray[np.object_]:
        """Return why the model should abstain, shape (n_leads,); an empty text where it need not.

        The text names columns, no values: those may be personal.
        """
        why = np.full(n_leads, "", dtype=object)
        for name, is_strange in self.strange.items():
            rows = np.flatnonzero(is_strange.take(codes[name]))
            if len(rows):
                first = why[rows] == ""
                why[rows] += np.where(
                    first, f"hardly any such lead in training: {name}", f", {name}"
                )
        return why

    def compute_intervals(self, model: Any, X: Any) -> pd.DataFrame:
        """Return each lead's 95 % interval, and whether the model should abstain.

        Parameters
        ----------
        model : LeadScorer, Pipeline or LeadBoostingClassifier
            The fitted model that this was made for.
        X : DataFrame or array of shape (n_leads, n_columns)
            As in the model's `predict_proba`.

        Returns
        -------
        DataFrame of shape (n_leads, 4)
            `lower` and `upper` of the probability, `abstain` (bool) and `why` ("" where not).

        Raises
        ------
        DataError
            Where the model is not around `LeadBoostingClassifier`, or has other columns.
        """
        classifier, inputs, frame = _read(model, X)
        columns = classifier.table_.columns
        shapes = {name: len(values) for name, values in self.variances.items()}
        if {column.name: column.n_codes for column in columns} != shapes:
            message = (
                "This uncertainty was made for another model, with the columns "
                f"{', '.join(shapes)}. Make it anew with fit_uncertainty."
            )
            raise DataError(message)
        names = [column.name for column in columns]
        codes = dict(zip(names, compute_codes(frame, columns), strict=True))
        variance = self.compute_variance(codes, len(frame))
        lower, upper = compute_bounds(classifier.decision_function(inputs), variance)
        why = self.find_strange(codes, len(frame))
        table = {"lower": lower, "upper": upper, "abstain": why != "", "why": why}
        return pd.DataFrame(table, index=X.index if isinstance(X, pd.DataFrame) else None)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "start": self.start,
            "columns": {
                name: {
                    "variances": values.tolist(),
                    "strange": np.flatnonzero(self.strange[name]).tolist(),
                }
                for name, values in self.variances.items()
            },
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """Return the uncertainty that `to_dict` wrote."""
        variances, strange = {}, {}
        for name, column in state["columns"].items():
            variances[name] = np.asarray(column["variances"], dtype=np.float64)
            strange[name] = np.zeros(len(variances[name]), dtype=bool)
            strange[name][column["strange"]] = True
        return cls(float(state["start"]), variances, strange)


def compute_bounds(log_odds: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return both ends of the 95 % interval of each probability, shape (n_leads,)."""
    half = Z95 * np.sqrt(variance)
    return expit(log_odds - half), expit(log_odds + half)


def fit_uncertainty(
    model: Any,
    X: Any,
    y: Any,
    *,
    groups: Any = None,
    row_weight: Any = None,
    random_state: int = 0,
) -> Uncertainty:
    """Learn from a model's training leads how far its probabilities may be from the truth.

    A second, simpler model is fitted to the same leads: a Bayesian logistic regression on coarse
    codes and on cells of pairs of columns (see `leadml.scoring.posterior`). A lead's variance is
    that model's own, plus the square of what the two models disagree by: its own covers what
    chance may have done, the disagreement what either has wrong. Over all leads, not for each of
    them, such intervals hold the truth as often as they say (Nychka 1988, "Bayesian confidence
    intervals for smoothing splines"); `benchmarks/results/coverage.md` has the measured figures.
    The variances are then written as a sum over columns, so that scoring is looking up.

    Parameters
    ----------
    model : LeadScorer, Pipeline or LeadBoostingClassifier
        Fitted on these leads.
    X : DataFrame or array of shape (n_leads, n_columns)
    y : array of shape (n_leads,)
    groups : array of shape (n_leads,), default=None
        As in the model's training. Leads of an account say less than as many that are independent.
    row_weight : array of shape (n_leads,), default=None
        As in the model's training.
    random_state : int, default=0
        Draws the leads to learn from where there are many.

    Raises
    ------
    DataError
        Where the model is not around `LeadBoostingClassifier`, or `row_weight` cannot be used.
    """
    classifier, inputs, frame = _read(model, X)
    _, won = as_won(y, frame)
    weight = as_row_weight(row_weight, won)
    columns = classifier.table_.columns
    rows = np.flatnonzero(weight)
    groups = None if groups is None else number_accounts(groups)
    every = compute_codes(frame, columns)
    counts = _count_leads(columns, [values[rows] for values in every], groups, rows)
    draw = np.random.RandomState(random_state)
    if len(rows) > MOST:
        # what more leads would teach is left out: their intervals come out too wide, not too narrow
        rows = np.sort(draw.choice(rows, MOST, replace=False))
    won, weight = won[rows], weight[rows]
    groups = None if groups is None else groups[rows]
    codes = [values[rows] for values in every]
    log_odds = classifier.decision_function(_safe_indexing(inputs, rows))
    weight = weight / _compute_design_effect(won - expit(log_odds), weight, groups)
    few = np.arange(len(won))
    if len(won) > FEW:
        few = np.sort(draw.choice(len(won), FEW, replace=False))
    # the products are small: BLAS threads would only wait for one another
    with threadpool_limits(1, user_api="blas"):
        design = build_design(columns, codes, log_odds)
        part = [values[few] for values in codes]
        posterior = fit_posterior(design, part, won[few], log_odds[few], weight[few])
        if len(few) < len(won):
            posterior = fit_posterior(
                design, codes, won, log_odds, weight, posterior.variances, LAST_ROUNDS
            )
        mean, variance = predict_posterior(design, posterior, codes)
    variance += (mean - log_odds) ** 2
    # how much columns say is learned too, and the less sure the fewer outcomes there are
    outcomes = min((weight * won).sum(), (weight * ~won).sum())
    variance *= 1 + RARE_OUTCOMES / max(outcomes, 1.0)
    information = weight * expit(log_odds) * expit(-log_odds)
    return _spread(columns, codes, variance, design, posterior, information, counts)


def _read(model: Any, X: Any) -> tuple[LeadBoostingClassifier, Any, pd.DataFrame]:
    """Return the learned classifier within a model, what it is given, and that as a table."""
    before, classifier = split_pipeline(getattr(model, "estimator_", model))
    if not isinstance(classifier, LeadBoostingClassifier):
        message = (
            "Intervals are known for models around LeadBoostingClassifier alone. "
            f"Got {type(classifier).__name__}. Train one of those."
        )
        raise DataError(message)
    check_is_fitted(classifier)
    inputs = X if before is None else before.transform(X)
    return classifier, inputs, as_frame(classifier, inputs, reset=False)


def _compute_design_effect(residuals: Floats, weight: Floats, groups: Any) -> float:
    """Return how many leads say as much as one that is independent, at least 1.

    The variance of the score with whole groups, over that of independent leads of equal weight
    (Kish 1965, Survey Sampling).
    """
    own = weight * residuals
    total = own if groups is None else np.bincount(groups, weights=own)
    return max(float((total**2).sum() / (weight * residuals**2).sum()), 1.0)


def _count_leads(
    columns: tuple[Column, ...],
    codes: list[Codes],
    groups: NDArray[np.int64] | None,
    rows: NDArray[np.int64],
) -> list[NDArray[np.int64]]:
    """Return how many leads, or groups of them, have each code."""
    if groups is None:
        pairs = zip(codes, columns, strict=True)
        return [np.bincount(values, minlength=column.n_codes) for values, column in pairs]
    counts = []
    for values, column in zip(codes, columns, strict=True):
        once = np.unique(groups[rows] * column.n_codes + values) % column.n_codes
        counts.append(np.bincount(once, minlength=column.n_codes))
    return counts


def _spread(
    columns: tuple[Column, ...],
    codes: list[Codes],
    variance: Floats,
    design: Design,
    posterior: Posterior,
    information: Floats,
    counts: list[NDArray[np.int64]],
) -> Uncertainty:
    """Write the leads' variances as a sum over columns, with a guess for codes hardly seen."""
    least = float(variance.min())
    found = _fit_sum(design, codes, variance - least)
    variances, strange = {}, {}
    for place, column in enumerate(columns):
        groups = design.groups[place]
        new = posterior.measure_column(design, place, codes[place])
        known = np.bincount(codes[place], weights=information, minlength=column.n_codes)
        alone = new / (1 + new * known)  # of a level that shares its coefficient with others
        values: Floats = np.where(design.is_pooled[place], alone, 0.0)
        values += np.where(groups >= 0, found[place][groups], 0.0)
        variances[column.name] = np.round(values, DECIMALS).astype(np.float64)
        strange[column.name] = counts[place] < FEWEST
        if not isinstance(column, CategoryColumn):
            strange[column.name][:-1] = False
    return Uncertainty(round(least + found[-1].item(), DECIMALS), variances, strange)


def _fit_sum(design: Design, codes: list[Codes], target: Floats) -> list[Floats]:
    """Return the least squares of a sum of values by group, none below 0, and what all share."""
    X = design.flags(codes)
    gram = (X.T @ X).toarray()
    gram[np.diag_indices(len(gram) - 1)] += 1.0  # a lead's worth of pull to 0
    right = X.T @ target
    scale = 1 / np.sqrt(np.diag(gram))
    gram, right = gram * scale * scale[:, None], right * scale

    def loss(values: Floats) -> tuple[float, Floats]:
        gradient = gram @ values - right
        return float(values @ (gradient - right)) / 2, gradient

    bounds = [(0, None)] * len(right)
    found = minimize(loss, np.zeros(len(right)), jac=True, method="L-BFGS-B", bounds=bounds).x
    return np.split(found * scale, design.starts)
