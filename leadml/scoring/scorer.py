"""LeadScorer: probability, score, band, fit, engagement, hand-off and reasons of any classifier."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted

from leadml.config import BantColumns, HandoffTable
from leadml.errors import DataError, all_problems, did_you_mean
from leadml.scoring.attribution import (
    compute_attribution,
    compute_log_odds,
    is_ours,
    split_pipeline,
)
from leadml.scoring.bands import Bands
from leadml.scoring.boosting import LeadBoostingClassifier
from leadml.scoring.calibration import compute_offsets
from leadml.scoring.columns import Floats
from leadml.scoring.engine import Choice, Engine
from leadml.scoring.frames import as_frame, as_won
from leadml.scoring.one import OneLead, as_snapshot
from leadml.scoring.raw_columns import RawColumn
from leadml.scoring.reprs import Explanation, show_scorer
from leadml.scoring.rulebook import RuleBook
from leadml.scoring.rulepoints import RulePointsClassifier
from leadml.scoring.scale import Scale
from leadml.scoring.sums import (
    ENGAGEMENT_FAMILIES,
    FIT_FAMILIES,
    compute_sums,
    explain_sum,
    judge_foreign,
)
from leadml.scoring.verdicts import Verdicts, as_plain


class LeadScorer(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Score leads with any classifier, on one scale, with reasons that add up.

    Parameters
    ----------
    estimator : classifier, default=None
        None means `LeadBoostingClassifier`. A `RulePointsClassifier` may be fitted without
        outcomes; it then gives points, bands and reasons but no probability.
    families : dict of column to family, default=None
    bands : Bands, default=None
    scale : Scale, default=None
        The scale of the first training; None chooses it from this one.
    handoff : HandoffTable, default=None
    bant : BantColumns, default=None
    rules : RuleBook, default=None
        Its `disqualify` and BANT rules hold for a learned model too.
    n_reasons : int, default=3
    name, version : str
        Written into the scored table.

    Attributes
    ----------
    estimator_ : classifier
    scale_ : Scale or None
        None where a rule book was fitted without outcomes.
    classes_ : array of shape (2,)

    Examples
    --------
    >>> visits = np.arange(200) % 10
    >>> won = np.random.default_rng(0).random(200) < visits / 10
    >>> leads = pd.DataFrame({"visits": visits})
    >>> model = LeadBoostingClassifier(structure="additive", random_state=0)
    >>> scorer = LeadScorer(model, families={"visits": "behavioral"}).fit(leads, won)
    >>> scored = scorer.score_leads(leads.head(9))
    >>> list(scored.columns[:4]), bool(scored["score"].is_monotonic_increasing)
    (['lead_id', 'probability', 'score', 'band'], True)
    """

    def __init__(
        self,
        estimator: Any = None,
        *,
        families: Mapping[str, str] | None = None,
        bands: Bands | None = None,
        scale: Scale | None = None,
        handoff: HandoffTable | None = None,
        bant: BantColumns | None = None,
        rules: RuleBook | None = None,
        n_reasons: int = 3,
        name: str = "model",
        version: str = "",
    ) -> None:
        self.estimator = estimator
        self.families = families
        self.bands = bands
        self.scale = scale
        self.handoff = handoff
        self.bant = bant
        self.rules = rules
        self.n_reasons = n_reasons
        self.name = name
        self.version = version

    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> Self:
        """Fit the classifier and, where no scale is given, choose one.

        Parameters
        ----------
        X : DataFrame or array of shape (n_leads, n_columns)
        y : array of shape (n_leads,)
            Two classes; None only for a rule book.
        **fit_params
            Handed to the classifier's `fit`, such as `groups` or `row_weight`; for a step of a
            pipeline as `model__row_weight`.
        """
        frame = as_frame(self, X, reset=True)
        estimator = _copy(self.estimator)
        _, last = split_pipeline(estimator)
        if y is None and isinstance(last, RulePointsClassifier):
            self.estimator_ = estimator.fit(X)
            self.classes_ = np.array([0, 1])
            self.scale_: Scale | None = None
            self.offsets_: Floats | None = None
            return self
        self.classes_, won = as_won(y, frame)
        self.estimator_ = estimator.fit(X, y, **fit_params)
        log_odds = compute_log_odds(self.estimator_, X)
        # weighted where the classifier was: else a first training would not start at 50
        _, last = split_pipeline(self.estimator_)
        base_rate = float(getattr(last, "base_rate_", won.mean()))
        self.scale_ = self.scale or Scale.choose(log_odds, base_rate)
        self.offsets_ = None if is_ours(estimator) else self._centre(X, base_rate)
        return self

    def decision_function(self, X: Any) -> Floats:
        """Return the log-odds of winning, shape (n_leads,)."""
        check_is_fitted(self)
        as_frame(self, X, reset=False)
        return compute_log_odds(self.estimator_, X)

    def predict_proba(self, X: Any) -> Floats:
        """Return the chances of losing and of winning, shape (n_leads, 2)."""
        won = expit(self.decision_function(X))
        return np.column_stack([1 - won, won])

    def predict(self, X: Any) -> NDArray:
        """Return the likelier class of each lead, shape (n_leads,)."""
        likely = self.decision_function(X) > 0
        return self.classes_[likely.astype(int)]

    def compute_scores(self, X: Any) -> NDArray[np.int64]:
        """Return the whole scores, shape (n_leads,), without the reasons.

        Raises
        ------
        DataError
            For a rule book that has seen no outcomes: its points are on no scale.
        """
        log_odds = self.decision_function(X)
        if self.scale_ is None:
            message = "This rule book has seen no outcomes: it gives points, no scores to judge."
            raise DataError(message)
        return self.scale_.scores(log_odds)

    def assign_bands(self, scores: Any) -> NDArray:
        """Return the band of each score, shape (n_leads,)."""
        return (self.bands or Bands()).assign(scores)

    def select(self, leads: pd.DataFrame) -> pd.DataFrame:
        """Return the columns that `fit` saw, by name, of a table with any columns.

        Raises
        ------
        DataError
            Listing every column that is missing and the columns there are.
        """
        check_is_fitted(self)
        wanted = getattr(self, "feature_names_in_", None)
        if wanted is None:
            return leads
        self._check_columns(leads.columns)
        return leads[list(wanted)]

    def get_column_names(self) -> list[str]:
        """Return the names of the columns that `fit` saw; `x0`, ... where they had none."""
        numbered = [f"x{place}" for place in range(self.n_features_in_)]
        return [str(name) for name in getattr(self, "feature_names_in_", numbered)]

    def _check_columns(self, names: Iterable[Any]) -> None:
        there = [str(name) for name in names]
        lacking = [name for name in self.get_column_names() if name not in there]
        if lacking:
            problems = [f"{name!r} is missing.{did_you_mean(name, there)}" for name in lacking]
            message = f"{all_problems('The table of leads', problems)}\nIt has: {', '.join(there)}."
            raise DataError(message)

    def compute_points(self, X: Any) -> tuple[pd.DataFrame, float]:
        """Return what each feature adds to the score, and what all leads start from.

        `50 + start + points` is the score before rounding and clipping. `start` is 0 in a first
        training, and moves when a retrain on the same scale finds that all leads win more or less
        often; for a rule book it is what a lead has for which no rule fires.

        Raises
        ------
        DataError
            Where the classifier gives no contributions.
        """
        check_is_fitted(self)
        sums = compute_sums(self, X)
        if sums.points is None:
            name = type(split_pipeline(self.estimator_)[1]).__name__
            message = f"{name} gives no contributions, so its scores are no sum of reasons."
            raise DataError(message)
        return sums.points, sums.start

    def explain(self, leads: pd.DataFrame) -> pd.DataFrame:
        """Return the whole sum of one lead's score, line by line.

        Parameters
        ----------
        leads : DataFrame of shape (1, n_columns)

        Returns
        -------
        DataFrame
            Columns `points`, `feature`, `value`, `family`; the strongest points first, after the
            lines all leads share. `points` add up to the score before rounding and clipping.
        """
        return Explanation(explain_sum(self, self.select(leads)))

    def score_leads(self, leads: pd.DataFrame) -> pd.DataFrame:
        """Return the scored table: one row a lead, see `leadml.scored`.

        Parameters
        ----------
        leads : DataFrame of shape (n_leads, n_columns)
            With the lead's id as index; columns in any order, others are ignored.
        """
        X = self.select(leads)
        verdicts = self._judge_frame(X)
        ids = X.index.get_level_values("lead_id" if "lead_id" in X.index.names else 0)
        numbers = pa.array(np.arange(len(X)))
        table = verdicts.to_arrow(numbers, self.bands or Bands(), self.name, self.version)
        return as_plain(table).to_pandas().assign(lead_id=ids)

    def score_columns(
        self,
        columns: Mapping[str, Any],
        lead_ids: Any,
        *,
        index: pd.Index | None = None,
        n_reasons: int | None = None,
        explained: Choice | None = None,
    ) -> tuple[Any, Verdicts]:
        """Return the scored table in Arrow, of columns in Arrow, and all that was said.

        Parameters
        ----------
        columns : mapping of name to Arrow array
            At least the columns that are read, `compile().sources`.
        lead_ids : Arrow array of shape (n_leads,)
        index : Index, default=None
            With a level `snapshot_date`, where the classifier reads dates.
        n_reasons : int, default=None
            None takes the scorer's own.
        explained : callable, default=None
            See `Engine.score`.

        Raises
        ------
        DataError
            Where columns are missing, or the classifier is not one of leadml's.
        """
        engine = self.compile()
        if any(name not in columns for name in engine.sources):
            self._check_columns(columns)
        read = {name: RawColumn(columns[name]) for name in engine.sources}
        count = self.n_reasons if n_reasons is None else n_reasons
        verdicts = engine.score(
            read, len(lead_ids), index=index, n_reasons=count, explained=explained
        )
        table = verdicts.to_arrow(lead_ids, self.bands or Bands(), self.name, self.version)
        return table, verdicts

    def score_one(
        self, lead: Mapping[str, Any], *, lead_id: Any = None, snapshot_date: Any = None
    ) -> dict[str, Any]:
        """Return one lead's row of the scored table, in well under a millisecond.

        Parameters
        ----------
        lead : mapping of column to value
            At least the columns that are read, `compile().sources`; None or NaN where missing.
        lead_id : default=None
            Returned as it is.
        snapshot_date : date, default=None
            The day that dates are counted to, where the classifier reads dates.

        Raises
        ------
        DataError
            Where columns are missing, or the classifier is not one of leadml's.
        """
        engine = self.compile()
        if any(name not in lead for name in engine.sources):
            self._check_columns(lead)
        one = self.__dict__.get("_one")
        if one is None or one[0] is not engine:
            one = self._one = engine, OneLead(engine, self.bands or Bands())
        row = one[1].score(lead, self.n_reasons, as_snapshot(snapshot_date))
        return {"lead_id": lead_id, **row, "model": self.name, "version": self.version}

    def compile(self) -> Engine:
        """Return what scores by looking up alone; made once, and anew after a change.

        Raises
        ------
        DataError
            Where the classifier is not one of leadml's.
        """
        check_is_fitted(self)
        if not is_ours(self.estimator_):
            name = type(split_pipeline(self.estimator_)[1]).__name__
            message = f"Columns are scored with leadml's own classifiers alone, not {name}."
            raise DataError(message)
        parts = (self.estimator_, self.scale_, *self.get_params(deep=False).values())
        made = self.__dict__.get("_compiled")
        if made is None or any(old is not new for old, new in zip(made[0], parts, strict=True)):
            table = split_pipeline(self.estimator_)[1].table_
            fit, engagement = (
                [name for name in table.features if self.find_family(name) in families]
                for families in (FIT_FAMILIES, ENGAGEMENT_FAMILIES)
            )
            made = self._compiled = parts, Engine(self, fit, engagement)
        return made[1]

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        for made in ("_compiled", "_one"):  # made anew where they are needed
            state.pop(made, None)
        return state

    def _judge_frame(self, X: pd.DataFrame) -> Verdicts:
        if not is_ours(self.estimator_):
            return judge_foreign(self, X)
        engine = self.compile()
        frame = X.set_axis(self.get_column_names(), axis=1)
        columns = {name: RawColumn(frame[name]) for name in engine.sources}
        return engine.score(columns, len(X), index=X.index, n_reasons=self.n_reasons)

    def _centre(self, X: Any, base_rate: float) -> Floats | None:
        attribution = compute_attribution(self.estimator_, X)
        if attribution is None:
            return None
        return compute_offsets(attribution.contributions.to_numpy(), attribution.start, base_rate)

    def find_family(self, feature: str) -> str | None:
        """Return the family of a feature, of its source column, or of a rule."""
        before, last = split_pipeline(self.estimator_)
        if isinstance(last, RulePointsClassifier):
            return last.table_.families.get(feature)
        profile = before[0] if before is not None else None
        source = getattr(profile, "source_", {}).get(feature, feature)
        return (self.families or {}).get(source)

    def _html_repr(self) -> str:  # what scikit-learn shows in a notebook
        return show_scorer(self)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        inner = LeadBoostingClassifier() if self.estimator is None else self.estimator
        tags.input_tags = get_tags(inner).input_tags
        tags.input_tags.sparse = False
        tags.classifier_tags.multi_class = False
        return tags


def _copy(estimator: Any) -> Any:
    """Return an unfitted copy; a plain one of a classifier that scikit-learn cannot clone."""
    if estimator is None:
        return LeadBoostingClassifier(random_state=0)
    try:
        return clone(estimator)
    except RuntimeError:  # CatBoost changes a list among its parameters
        return deepcopy(estimator)
