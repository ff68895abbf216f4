"""LeadValueRegressor: what a deal is worth if it is won, learned where that beats the mean."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t
from sklearn.base import BaseEstimator, RegressorMixin, _fit_context
from sklearn.model_selection import GroupKFold, KFold
from sklearn.utils import Tags, assert_all_finite, check_random_state
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from leadml.errors import DataError
from leadml.scoring.bag import Bag, make_matrix
from leadml.scoring.columns import (
    CategoryColumn,
    Column,
    Floats,
    build_columns,
    column_from_dict,
    column_to_dict,
    compute_codes,
)
from leadml.scoring.folds import number_accounts
from leadml.scoring.frames import as_frame

N_FOLDS = 5
MAX_ROUNDS, PATIENCE = 1_000, 50
FEW, MANY = 50, 20_000  # deals: below, no tree may leave some out; above, threads are worth it
FILE = "value.txt"


class LeadValueRegressor(RegressorMixin, BaseEstimator):
    """Predict the mean value of a deal, given that it is won.

    A LightGBM booster with a log link and the Tweedie loss of power 1.5, between equal weight for
    each unit of money and equal weight for each percent. The best forecast under this loss is the
    mean, so that probability times value is an expected value; a booster of log values would
    forecast a median. What shrinkage takes away is given back: forecasts are raised until, outside
    their folds, they sum to the deals' values.

    Where cross-validation cannot show that the booster beats the mean value of the won deals,
    every prediction is that mean: see `beats_mean_`.

    Parameters
    ----------
    random_state : int, RandomState or None, default=0

    Attributes
    ----------
    mean_ : float
        Mean value of the won deals.
    beats_mean_ : bool
        Whether the booster's cross-validated Tweedie loss lies below that of the mean, the 95 %
        interval of the difference excluding 0. Where False, `predict` gives `mean_`.
    level_ : float
        What the booster's forecasts are multiplied by.
    errors_ : DataFrame
        Cross-validated errors of the booster, used or not: metric (`mae`, `baseline_mae`, `rmse`,
        `baseline_rmse`, `bias`), value, lower, upper (95 %), in units of `y`. The baseline is the
        mean value of the deals outside the fold; bias is the mean of prediction less value.
    bag_ : Bag
        The booster of the values' logarithms over `mean_`; empty where it does not beat the mean.

    Raises
    ------
    DataError
        Where a value is not above 0, or there are fewer than two deals or groups.

    References
    ----------
    Jørgensen 1987, Journal of the Royal Statistical Society B 49, 127-162 (Tweedie models);
    Gneiting 2011, Journal of the American Statistical Association 106, 746-762 (losses whose best
    forecast is the mean); Denuit, Charpentier & Trufin 2021, Insurance: Mathematics and Economics
    101, 485-497 (boosting with a log link misses the total, and how to give it back).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> deals = pd.DataFrame({"seats": np.arange(300) % 10 + 1})
    >>> noise = np.random.default_rng(0).lognormal(sigma=0.3, size=300)
    >>> model = LeadValueRegressor().fit(deals, 100 * deals["seats"] * noise)
    >>> model.beats_mean_
    True
    >>> low, high = model.predict(pd.DataFrame({"seats": [2, 8]}))
    >>> bool(150 < low < 250 and 700 < high < 1_000)
    True
    """

    _parameter_constraints: ClassVar[dict] = {"random_state": ["random_state"]}

    def __init__(self, random_state: int | np.random.RandomState | None = 0) -> None:
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Learn from won deals alone: the others have no value to learn from.

        Parameters
        ----------
        X : DataFrame or array of shape (n_deals, n_columns)
            Numbers and texts; missing values are information.
        y : array of shape (n_deals,)
            Values of the won deals, above 0.
        groups : array of shape (n_deals,), default=None
            The account of each deal. An account's deals stay in one fold, and the intervals of
            `errors_` count accounts; a deal without one is its own.
        """
        frame = as_frame(self, X, reset=True)
        values = _as_values(y, frame)
        random_state = check_random_state(self.random_state)
        folds, clusters = _split(len(values), groups, random_state)
        columns = build_columns(frame)
        matrix = make_matrix(compute_codes(frame, columns), columns)
        self.mean_ = float(values.mean())
        # so that the strength of the penalties does not depend on the currency
        relative = values / self.mean_
        seed = random_state.randint(2**31 - 1)
        booster, n_rounds, forecasts = _learn(matrix, relative, columns, folds, seed)
        levelled, means = np.empty(len(values)), np.empty(len(values))
        for train, test in folds:
            # the other folds tell the level, so that the bias reported is not 0 by construction
            levelled[test] = forecasts[test] * relative[train].sum() / forecasts[train].sum()
            means[test] = relative[train].mean()
        gaps, base_gaps = self.mean_ * (levelled - relative), self.mean_ * (means - relative)
        self.errors_ = _compute_errors(gaps, base_gaps, clusters)
        gain = _tweedie_loss(relative, means) - _tweedie_loss(relative, levelled)
        self.beats_mean_ = bool(_mean_interval(gain, clusters)[1] > 0)
        self.level_ = float(1 / forecasts.mean()) if self.beats_mean_ else 1.0
        boosters = (booster,) if self.beats_mean_ else ()
        self.bag_ = Bag(tuple(columns), boosters, n_rounds, np.empty(0))
        return self

    def predict(self, X: Any) -> Floats:
        """Return the expected value of each lead if it is won, shape (n_leads,)."""
        check_is_fitted(self)
        frame = as_frame(self, X, reset=False)
        codes = compute_codes(frame, self.bag_.columns)
        return self.mean_ * self.level_ * np.exp(self.bag_.predict(codes))

    def to_dict(self, files: dict[str, str]) -> dict[str, Any]:
        """Return what predicting needs as JSON values; the booster's text goes into `files`.

        Examples
        --------
        >>> files = {}
        >>> model = LeadValueRegressor().fit([[1], [2], [3]], [10, 20, 30])
        >>> state = model.to_dict(files)
        >>> LeadValueRegressor.from_dict(state, files).predict([[2]])
        array([20.])
        """
        check_is_fitted(self)
        for booster in self.bag_.boosters:
            files[FILE] = booster.model_to_string(num_iteration=self.bag_.n_rounds)
        names = getattr(self, "feature_names_in_", None)
        return {
            "mean": self.mean_,
            "level": self.level_,
            "beats_mean": self.beats_mean_,
            "errors": self.errors_.to_dict("records"),
            "columns": [column_to_dict(column) for column in self.bag_.columns],
            "named": names is not None,
            "n_rounds": self.bag_.n_rounds,
            "booster": FILE if self.bag_.boosters else None,
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any], files: Mapping[str, str]) -> Self:
        """Return the model that `to_dict` wrote."""
        model = cls()
        model.mean_, model.level_ = state["mean"], state["level"]
        model.beats_mean_ = state["beats_mean"]
        model.errors_ = pd.DataFrame(state["errors"])
        columns = tuple(column_from_dict(column) for column in state["columns"])
        boosters: tuple[Any, ...] = ()
        if state["booster"] is not None:
            import lightgbm

            boosters = (lightgbm.Booster(model_str=files[state["booster"]]),)
        model.bag_ = Bag(columns, boosters, state["n_rounds"], np.empty(0))
        model.n_features_in_ = len(columns)
        if state["named"]:
            names = [column.name for column in columns]
            model.feature_names_in_ = np.asarray(names, dtype=object)
        return model

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _as_values(y: Any, X: pd.DataFrame) -> Floats:
    if y is None:
        message = "requires y to be passed, but the target y is None."
        raise ValueError(message)
    y = column_or_1d(y, warn=True)
    assert_all_finite(y, input_name="y")
    check_consistent_length(X, y)
    values = np.asarray(y, dtype=np.float64)
    wrong = values <= 0
    if wrong.any():
        message = (
            f"`y` holds {values[wrong][0]:g} and {int(wrong.sum()) - 1} more values of at most 0. "
            "Accepted are values above 0, of won deals. Leave deals without a value out."
        )
        raise DataError(message)
    return values


def _split(
    n_deals: int, groups: Any, random_state: np.random.RandomState
) -> tuple[list[tuple[NDArray, NDArray]], NDArray[np.int64]]:
    """Return training and test deals of each fold, and which deals are not independent."""
    clusters = np.arange(n_deals) if groups is None else number_accounts(groups)
    check_consistent_length(clusters, np.empty(n_deals))
    n_clusters = len(np.unique(clusters))
    if n_clusters < 2:
        message = (
            f"There are {n_deals} deals in {n_clusters} group (n_samples={n_deals}). Accepted are "
            "two or more groups: without, no error can be told. Use the mean value instead."
        )
        raise DataError(message)
    n_folds = min(N_FOLDS, n_clusters)
    if groups is None:
        split = KFold(n_folds, shuffle=True, random_state=random_state).split(clusters)
    else:
        split = GroupKFold(n_folds).split(clusters, groups=clusters)
    return list(split), clusters


def _learn(
    matrix: NDArray[np.float32],
    values: Floats,
    columns: list[Any],
    folds: list[tuple[NDArray, NDArray]],
    seed: int,
) -> tuple[Any, int, Floats]:
    """Return a booster of all deals, its number of trees, and forecasts from outside each fold."""
    import lightgbm

    parameters = _parameters(len(values), columns, seed)
    categorical = [i for i, column in enumerate(columns) if isinstance(column, CategoryColumn)]

    def make() -> Any:
        return lightgbm.Dataset(
            matrix, values, params=parameters, categorical_feature=categorical, free_raw_data=False
        )

    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    more = {"folds": folds, "callbacks": [stop], "return_cvbooster": True}
    cross = lightgbm.cv(parameters, make(), MAX_ROUNDS, **more)["cvbooster"]
    forecasts = np.empty(len(values))
    for booster, (_, test) in zip(cross.boosters, folds, strict=True):
        forecasts[test] = booster.predict(matrix[test], num_iteration=cross.best_iteration)
    booster = lightgbm.train(parameters, make(), cross.best_iteration)
    return booster, cross.best_iteration, forecasts


def _parameters(n_deals: int, columns: list[Column], seed: int) -> dict[str, Any]:
    least = int(np.clip(n_deals / 50, 3, 15))
    return {
        "objective": "tweedie",
        "tweedie_variance_power": 1.5,
        "learning_rate": 0.05 if n_deals < MANY else 0.1,
        "num_leaves": int(np.clip(n_deals / 50, 4, 15)),
        "min_data_in_leaf": least,
        "lambda_l2": 1.0,
        "feature_fraction": max(0.7, min(1.0, 4 / len(columns))),
        "bagging_fraction": 0.8,
        "bagging_freq": int(n_deals >= FEW),
        "cat_smooth": 20.0,
        "cat_l2": 20.0,
        "min_data_per_group": least,
        "max_bin": 255,  # numbers are binned already, to 127 at most
        "min_data_in_bin": 1,
        "feature_pre_filter": False,
        "seed": seed,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": 1 if n_deals < MANY else 0,
        "verbosity": -1,
    }


def _tweedie_loss(values: Floats, forecasts: Floats) -> Floats:
    """Return the unit deviance of each deal, at power 1.5."""
    return 4 * (np.sqrt(values) - np.sqrt(forecasts)) ** 2 / np.sqrt(forecasts)


def _compute_errors(gaps: Floats, base_gaps: Floats, clusters: NDArray[np.int64]) -> pd.DataFrame:
    rows = {
        "mae": _mean_interval(np.abs(gaps), clusters),
        "baseline_mae": _mean_interval(np.abs(base_gaps), clusters),
        "rmse": tuple(np.sqrt(np.maximum(_mean_interval(gaps**2, clusters), 0))),
        "baseline_rmse": tuple(np.sqrt(np.maximum(_mean_interval(base_gaps**2, clusters), 0))),
        "bias": _mean_interval(gaps, clusters),
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "lower", "upper"])
    return table.rename_axis("metric").reset_index()


def _mean_interval(values: Floats, clusters: NDArray[np.int64]) -> tuple[float, float, float]:
    """Return the mean and its 95 % interval, deals of a cluster not being independent.

    Cameron & Miller 2015, Journal of Human Resources 50, 317-372, formula 11, of an intercept.
    """
    mean = float(values.mean())
    sums = np.bincount(clusters, weights=values - mean)
    count = len(np.unique(clusters))
    error = np.sqrt(count / (count - 1) * (sums**2).sum()) / len(values)
    half = float(t.ppf(0.975, count - 1) * error)
    return mean, mean - half, mean + half
