"""LeadBoostingClassifier: bagged boosting and a ridge logistic, a sum of columns together."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from joblib import cpu_count
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils import Tags, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from leadml.errors import DataError, did_you_mean
from leadml.scoring.bag import Bag, BagSettings
from leadml.scoring.calibration import compute_offsets
from leadml.scoring.collapse import Grids, collapse_bag, purify
from leadml.scoring.columns import (
    Column,
    Floats,
    NumberColumn,
    as_numbers,
    build_columns,
    compute_codes,
)
from leadml.scoring.folds import Training, assign_folds, compute_groups, number_accounts
from leadml.scoring.frames import as_frame, as_won
from leadml.scoring.linear import Linear, fit_linear
from leadml.scoring.points import DECIMALS, PairTerm, PointsTable, Term
from leadml.scoring.structures import (
    STRUCTURES,
    Candidate,
    choose,
    compute_structures,
    extend,
    fit_candidates,
)
from leadml.scoring.weights import as_days, as_row_weight, find_newest, keep_weighted

N_FOLDS = 5
FEW, MANY = 2_000, 5_000  # leads: slower learning below, faster above
SAMPLE = 200  # leads whose TreeSHAP values centre a `full` model's reasons


class LeadBoostingClassifier(ClassifierMixin, BaseEstimator):
    """Learn calibrated chances of winning as a sum of points by column.

    A stack of two parts: LightGBM boosters, one a fold, whose log-odds are averaged, and a ridge
    logistic regression. Both never saw the leads their stack weights are fitted on, so the
    probabilities come out calibrated. `additive` and `pairwise` boosters are collapsed into a
    `PointsTable`, exactly.

    Parameters
    ----------
    structure : {"auto", "additive", "pairwise", "full"}, default="auto"
        How many columns may act together: one, two (trees of depth 2), any, or the simplest of
        the three within one standard error of the best cross-validated log loss.
    monotone : dict of column to 1 or -1, default=None
        Numbers whose points may never fall (1) or never rise (-1) with their value.
    n_repeats : int, default=2
        How many times the leads are dealt to 5 folds anew; each deal adds 5 boosters to the bag.
        The structure is chosen on the first deal, and `full` keeps to it.
    max_rounds : int, default=None
        Most trees a booster. None means 1,500, and 4,000 from 5,000 leads on.
    n_jobs : int, default=None
        Threads in training; None and -1 mean all cores. The result does not depend on it.
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    classes_ : array of shape (2,)
        Lost, won.
    structure_ : str
        The structure chosen.
    structures_ : DataFrame
        The cross-validated log loss of each structure tried.
    table_ : PointsTable
        The whole model; for `full` its linear part.
    bag_ : Bag or None
        The boosters of a `full` model.
    base_rate_ : float
        Weighted share of wins in training.
    log_loss_ : float
        Weighted out-of-fold log loss in training.
    stack_from_ : str or None
        The day (ISO) from which on leads chose the weights of the two parts; None: all leads did.

    Raises
    ------
    ValueError
        For other than two classes or fewer than two leads of one.
    DataError
        Where `monotone` names a column that is not there or is not of numbers, or `row_weight`
        or `dates` cannot be used.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> visits = np.arange(200) % 10
    >>> won = np.random.default_rng(0).random(200) < visits / 10
    >>> model = LeadBoostingClassifier(structure="additive", random_state=0)
    >>> model = model.fit(pd.DataFrame({"visits": visits}), won)
    >>> low, high = model.predict_proba(pd.DataFrame({"visits": [1, 8]}))[:, 1]
    >>> bool(low < 0.3 < 0.6 < high)
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        "structure": [StrOptions({"auto", *STRUCTURES})],
        "monotone": [Mapping, None],
        "n_repeats": [Interval(Integral, 1, None, closed="left")],
        "max_rounds": [Interval(Integral, 1, None, closed="left"), None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        structure: str = "auto",
        *,
        monotone: Mapping[str, int] | None = None,
        n_repeats: int = 2,
        max_rounds: int | None = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.structure = structure
        self.monotone = monotone
        self.n_repeats = n_repeats
        self.max_rounds = max_rounds
        self.n_jobs = n_jobs
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(
        self, X: Any, y: Any, groups: Any = None, row_weight: Any = None, dates: Any = None
    ) -> Self:
        """Learn from won and lost leads.

        Not `sample_weight`: scikit-learn has a weight of 2 equal a repeated row, exactly, which
        no classifier that bins and cross-validates can keep.

        Parameters
        ----------
        X : DataFrame or array of shape (n_leads, n_columns)
            Numbers and texts; missing values are information.
        y : array of shape (n_leads,)
            Two classes; the second in sorted order means won.
        groups : array of shape (n_leads,), default=None
            The account of each lead; an account's leads stay in one fold, and count as one
            observation where structures are compared.
        row_weight : array of shape (n_leads,), default=None
            How much each row counts, from 0 up: 1/k for each of k snapshots of a lead. Only the
            ratios matter. None counts all alike; rows of 0 are left out.
        dates : array of datetime64 of shape (n_leads,), default=None
            When each row was true; NaT where unknown. The weights of the two parts then come
            from the newest fifth of the dated rows, the level from all rows; where that fifth
            holds fewer than 20 wins or losses, both come from all.
        """
        frame = as_frame(self, X, reset=True)
        self.classes_, won = as_won(y, frame)
        weight, days = as_row_weight(row_weight, won), as_days(dates, won)
        weight, frame, won, groups, days = keep_weighted(weight, frame, won, groups, days)
        newest, self.stack_from_ = find_newest(days, won)
        columns = build_columns(frame)
        signs = _check_monotone(self.monotone or {}, columns)
        training = self._split(frame, columns, won, groups, signs, weight, newest)
        numbers = {
            place: as_numbers(frame[column.name])
            for place, column in enumerate(columns)
            if isinstance(column, NumberColumn)
        }
        # the products are small: BLAS threads would only wait for one another
        with threadpool_limits(1, user_api="blas"):
            linear = fit_linear(training, numbers)
            settings = self._settings(len(won))
            candidates = fit_candidates(training, linear, self.structure, settings)
            chosen = extend(training, linear, choose(training, candidates))
        self.structures_ = compute_structures(training, candidates)
        self.structure_ = chosen.structure
        self.log_loss_ = chosen.log_loss
        self.base_rate_ = float((weight * won).mean())
        self.bag_weight_ = chosen.weights[0]
        is_full = chosen.structure == "full"
        self.bag_: Bag | None = replace(chosen.bag, out_of_fold=np.empty(0)) if is_full else None
        self.table_ = _make_table(training, chosen, linear)
        self._centre(frame, weight)
        return self

    def compute_contributions(self, X: Any) -> pd.DataFrame:
        """Return what each column adds to the log-odds, shape (n_leads, n_columns).

        With `start_`, a lead's row adds up to its `decision_function`: exactly for the tables,
        by TreeSHAP (Lundberg et al. 2020) for `full`.
        """
        check_is_fitted(self)
        frame = as_frame(self, X, reset=False)
        index = X.index if isinstance(X, pd.DataFrame) else None
        return pd.DataFrame(self._contribute(frame), columns=self.table_.features, index=index)

    @property
    def start_(self) -> float:
        """Log-odds of the base rate: what contributions are counted from."""
        return self.table_.intercept

    def decision_function(self, X: Any) -> Floats:
        """Return the log-odds of winning, shape (n_leads,)."""
        check_is_fitted(self)
        frame = as_frame(self, X, reset=False)
        z = self.table_.decide(frame)
        if self.bag_ is not None:
            z += self.bag_weight_ * self.bag_.predict(compute_codes(frame, self.table_.columns))
            z -= self.bag_start_
        return z

    def predict_proba(self, X: Any) -> Floats:
        """Return the chances of losing and of winning, shape (n_leads, 2)."""
        won = expit(self.decision_function(X))
        return np.column_stack([1 - won, won])

    def predict(self, X: Any) -> NDArray:
        """Return the likelier class of each lead, shape (n_leads,)."""
        likely = self.decision_function(X) > 0
        return self.classes_[likely.astype(int)]

    def _split(
        self,
        frame: pd.DataFrame,
        columns: Sequence[Column],
        won: NDArray[np.bool_],
        groups: Any,
        signs: list[int],
        weight: Floats,
        newest: NDArray[np.bool_] | None,
    ) -> Training:
        codes = compute_codes(frame, columns)
        random_state = check_random_state(self.random_state)
        together = compute_groups(codes, groups)
        folds = tuple(
            assign_folds(won, together, N_FOLDS, random_state) for _ in range(self.n_repeats)
        )
        clusters = None if groups is None else number_accounts(groups)
        return Training(codes, columns, won, folds, signs, weight, newest, clusters)

    def _settings(self, n_leads: int) -> BagSettings:
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        return BagSettings(
            learning_rate=0.03 if n_leads < FEW else 0.05 if n_leads < MANY else 0.08,
            num_leaves=int(np.clip(n_leads / 100, 4, 15)),
            max_depth=-1,
            min_data_in_leaf=int(np.clip(n_leads / 100, 5, 20)),
            additive=False,
            max_rounds=self.max_rounds or (1_500 if n_leads < MANY else 4_000),
            patience=60,
            seed=seed,
            n_threads=cpu_count() if self.n_jobs in (None, -1) else max(self.n_jobs, 1),
        )

    def _contribute(self, frame: pd.DataFrame) -> Floats:
        points = self.table_.compute_contributions(frame)
        if self.bag_ is not None:
            codes = compute_codes(frame, self.table_.columns)
            points += self.bag_weight_ * self.bag_.contributions(codes)[0]
        return points

    def _centre(self, frame: pd.DataFrame, weight: Floats) -> None:
        """Shift each column's points so that a lead of average chance has a sum of zero."""
        self.bag_start_ = 0.0
        if self.bag_ is not None:
            # every k-th lead: TreeSHAP is slow
            every = slice(None, None, max(len(frame) // SAMPLE, 1))
            frame, weight = frame.iloc[every], weight[every]
            first = compute_codes(frame.iloc[:1], self.table_.columns)
            self.bag_start_ = self.bag_weight_ * self.bag_.contributions(first)[1]
        start = self.table_.intercept + self.bag_start_
        offsets = compute_offsets(self._contribute(frame), start, self.base_rate_, weight)
        terms = tuple(
            replace(term, values=np.round(term.values - offset, DECIMALS))
            for term, offset in zip(self.table_.terms, offsets, strict=True)
        )
        base = float(np.log(self.base_rate_ / (1 - self.base_rate_)))
        self.table_ = replace(self.table_, terms=terms, intercept=base)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _make_table(training: Training, chosen: Candidate, linear: Linear) -> PointsTable:
    """Return the stack as one table: the linear part, and the boosters where they collapse."""
    a, b, c = chosen.weights
    tables = [b * values for values in linear.values]
    intercept = b * linear.intercept + c
    grids: Grids = {}
    if chosen.structure != "full":
        constant, boosted, boosted_grids = collapse_bag(chosen.bag)
        tables = [table + a * more for table, more in zip(tables, boosted, strict=True)]
        grids = {pair: a * grid for pair, grid in boosted_grids.items()}
        moved, grids = purify(tables, grids, training.codes)
        intercept += a * constant + moved
    names = [column.name for column in training.columns]
    return PointsTable(
        columns=tuple(training.columns),
        terms=tuple(Term(name, name, table) for name, table in zip(names, tables, strict=True)),
        pairs=tuple(
            PairTerm.from_full_grid((names[i], names[j]), grid) for (i, j), grid in grids.items()
        ),
        intercept=intercept,
    )


def _check_monotone(monotone: Mapping[str, int], columns: Sequence[Column]) -> list[int]:
    """Return the sign of each column; raise for names that are no column of numbers."""
    kinds = {column.name: column for column in columns}
    problems = []
    for name, sign in monotone.items():
        if name not in kinds:
            problems.append(f"{name!r} is no column.{did_you_mean(name, kinds)}")
        elif not isinstance(kinds[name], NumberColumn):
            problems.append(f"{name!r} holds texts, not numbers.")
        if sign not in (-1, 1):
            problems.append(f"{name!r} has the sign {sign!r}; accepted are 1 and -1.")
    if problems:
        message = "`monotone` cannot be used: " + " ".join(problems)
        raise DataError(message)
    return [int(monotone.get(column.name, 0)) for column in columns]
