"""RulePointsClassifier: a rule book, and what its points have meant for winning."""

from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from leadml.errors import DataError, all_problems
from leadml.scoring.calibration import fit_sigmoid
from leadml.scoring.columns import Floats, as_numbers, is_number
from leadml.scoring.frames import as_frame, as_won
from leadml.scoring.points import add_up
from leadml.scoring.rulebook import Rule, RuleBook, find_unknown_columns
from leadml.scoring.weights import as_row_weight

QUARTILES = (0.25, 0.5, 0.75)


class RulePointsClassifier(ClassifierMixin, BaseEstimator):
    """Score leads by a rule book; with outcomes its points become a chance of winning.

    Parameters
    ----------
    rules : RuleBook, default=None
        None makes a plain book from the outcomes: three `at_least` rules a column of numbers, at
        its quartiles, in whole points (a stand-in; people write better ones).

    Attributes
    ----------
    classes_ : array of shape (2,)
    rules_ : RuleBook
    table_ : PointsTable
        The rule book's points.
    slope_, intercept_ : float or None
        Log-odds for each point, and at no points; None without outcomes.
    base_rate_ : float or None
        Weighted share of wins.

    Raises
    ------
    DataError
        Where a rule names a column that is not there, or `row_weight` cannot be used.

    Examples
    --------
    >>> book = RuleBook(rules=[
    ...     Rule(name="Visits", family="behavioral", column="visits", per_unit=5, cap=50)
    ... ])
    >>> leads = pd.DataFrame({"visits": [0, 1, 4, 9]})
    >>> RulePointsClassifier(book).fit(leads).compute_raw_points(leads).tolist()
    [0.0, 5.0, 20.0, 45.0]
    """

    _parameter_constraints: ClassVar[dict] = {"rules": [RuleBook, None]}

    def __init__(self, rules: RuleBook | None = None) -> None:
        self.rules = rules

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any = None, row_weight: Any = None) -> Self:
        """Check the rules against the columns; with outcomes, calibrate the points.

        Parameters
        ----------
        X : DataFrame or array of shape (n_leads, n_columns)
        y : array of shape (n_leads,), default=None
            Two classes; None for a team with no history: points, but no probability.
        row_weight : array of shape (n_leads,), default=None
            How much each row counts for the chance of winning, from 0 up; only the ratios matter.
            None counts all alike.
        """
        frame = as_frame(self, X, reset=True)
        self.classes_, won = (np.array([0, 1]), None) if y is None else as_won(y, frame)
        self.rules_ = self.rules if self.rules is not None else _make_book(frame, won)
        unknown = find_unknown_columns(self.rules_, frame.columns)
        if unknown:
            raise DataError(all_problems("The rule book", list(unknown.values())))
        self.table_ = self.rules_.compile()
        self.slope_: float | None = None
        self.intercept_: float | None = None
        self.base_rate_: float | None = None
        if won is not None:
            weight = as_row_weight(row_weight, won)
            # the products are small: BLAS threads would only wait for one another
            with threadpool_limits(1, user_api="blas"):
                points = self.table_.decide(frame)
                self.slope_, self.intercept_ = fit_sigmoid(won, points, weight)
            self.base_rate_ = float(np.average(won, weights=weight))
        return self

    @property
    def start_(self) -> float:
        """Log-odds of a lead for which no rule fires."""
        return self._calibration()[1]

    def compute_raw_points(self, X: Any) -> Floats:
        """Return the plain sum of each lead's points, shape (n_leads,)."""
        check_is_fitted(self)
        return self.table_.decide(as_frame(self, X, reset=False))

    def compute_rule_points(self, X: Any) -> pd.DataFrame:
        """Return what each rule gives each lead, shape (n_leads, n_rules)."""
        check_is_fitted(self)
        frame = as_frame(self, X, reset=False)
        points = self.table_.compute_contributions(frame)
        index = X.index if isinstance(X, pd.DataFrame) else None
        return pd.DataFrame(points, columns=self.table_.features, index=index)

    def compute_contributions(self, X: Any) -> pd.DataFrame:
        """Return what each rule adds to the log-odds; with `start_` it is the decision function."""
        slope, _ = self._calibration()
        return self.compute_rule_points(X) * slope

    def decision_function(self, X: Any) -> Floats:
        """Return the log-odds of winning, shape (n_leads,)."""
        check_is_fitted(self)
        contributions = self.compute_contributions(X)
        return add_up(contributions.to_numpy(), self.start_)

    def predict_proba(self, X: Any) -> Floats:
        """Return the chances of losing and of winning, shape (n_leads, 2)."""
        won = expit(self.decision_function(X))
        return np.column_stack([1 - won, won])

    def predict(self, X: Any) -> NDArray:
        """Return the likelier class of each lead, shape (n_leads,)."""
        likely = self.decision_function(X) > 0
        return self.classes_[likely.astype(int)]

    def _calibration(self) -> tuple[float, float]:
        check_is_fitted(self)
        if self.slope_ is None or self.intercept_ is None:
            message = (
                "This rule book has seen no outcomes, so its points are no probability. "
                "Fit it with `y`, or use its points alone."
            )
            raise DataError(message)
        return self.slope_, self.intercept_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.target_tags.required = False
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _make_book(frame: pd.DataFrame, won: NDArray[np.bool_] | None) -> RuleBook:
    """Return rules at each number's quartiles, worth 5 points a unit of log odds ratio."""
    if won is None:
        message = "Without outcomes a rule book must be given. Pass `rules=load_rules(...)`."
        raise DataError(message)
    rules = []
    for name in frame.columns:
        if not is_number(frame[name]):
            continue
        numbers = as_numbers(frame[name])
        present = numbers[np.isfinite(numbers)]
        edges = np.unique(np.quantile(present, QUARTILES)) if len(present) else np.empty(0)
        for edge in edges:
            above = numbers >= edge
            wins = np.array([won[~above].sum(), won[above].sum()]) + 0.5
            losses = np.array([(~won)[~above].sum(), (~won)[above].sum()]) + 0.5
            weight = float(np.rint(5 * np.log(wins[1] / losses[1] * losses[0] / wins[0])))
            text = f"{name} at least {edge:.6g}"
            rules.append(
                Rule(name=text, family="context", column=name, at_least=edge, points=weight)
            )
    return RuleBook(rules=list({rule.name: rule for rule in rules}.values()))
