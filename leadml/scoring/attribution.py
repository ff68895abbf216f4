"""Where a classifier's log-odds come from: its own tables, TreeSHAP, or linear terms."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.pipeline import Pipeline

from leadml.scoring.columns import Floats

# to the log-odds of a chance of 0 or 1, which a foreign classifier may give
SMALLEST_CHANCE = 1e-12


@dataclass(frozen=True)
class Attribution:
    """Log-odds by feature; with `start`, each lead's row adds up to its log-odds."""

    contributions: pd.DataFrame
    start: float
    values: pd.DataFrame


def split_pipeline(classifier: Any) -> tuple[Any, Any]:
    """Return the steps before the classifier (None where there are none) and the classifier."""
    if isinstance(classifier, Pipeline):
        return (classifier[:-1] if len(classifier.steps) > 1 else None), classifier[-1]
    return None, classifier


def compute_log_odds(classifier: Any, X: Any) -> Floats:
    """Return the log-odds of winning of any fitted classifier, shape (n_leads,)."""
    _, last = split_pipeline(classifier)
    if hasattr(last, "compute_contributions"):
        return np.asarray(classifier.decision_function(X), dtype=np.float64)
    # where a margin can be had, chances that round to 0 or 1 lose nothing
    name = type(last).__name__
    if name == "LogisticRegression":
        return np.asarray(classifier.decision_function(X), dtype=np.float64)
    if name == "LGBMClassifier":
        return np.asarray(classifier.predict(X, raw_score=True), dtype=np.float64)
    if name == "CatBoostClassifier":
        return np.asarray(classifier.predict(X, prediction_type="RawFormulaVal"))
    won = np.clip(classifier.predict_proba(X)[:, 1], SMALLEST_CHANCE, 1 - SMALLEST_CHANCE)
    return np.log(won) - np.log1p(-won)


def compute_attribution(classifier: Any, X: Any) -> Attribution | None:
    """Return exact contributions, or None for a classifier that has none to give.

    Known are leadml's own classifiers, linear ones, LightGBM and CatBoost (TreeSHAP).
    """
    before, last = split_pipeline(classifier)
    inputs = X if before is None else before.transform(X)
    if issparse(inputs):
        inputs = inputs.toarray()  # type: ignore[attr-defined]
    values = _as_values(inputs, X, before)
    if hasattr(last, "compute_contributions"):
        contributions = last.compute_contributions(inputs)
        return Attribution(contributions.set_axis(values.index, axis=0), last.start_, values)
    raw = _foreign_contributions(last, inputs)
    if raw is None:
        return None
    table = pd.DataFrame(raw[:, :-1], columns=values.columns, index=values.index)
    return Attribution(table, float(raw[0, -1]), values)


def is_ours(classifier: Any) -> bool:
    """Return whether a classifier centres its own contributions."""
    return hasattr(split_pipeline(classifier)[1], "compute_contributions")


def _foreign_contributions(last: Any, inputs: Any) -> Floats | None:
    """Return contributions with the start as last column, as TreeSHAP packages do."""
    name = type(last).__name__
    if name == "LGBMClassifier":
        return np.asarray(last.predict(inputs, pred_contrib=True))
    if name == "CatBoostClassifier":
        from catboost import Pool

        pool = Pool(inputs, cat_features=last.get_cat_feature_indices())
        return np.asarray(last.get_feature_importance(pool, type="ShapValues"))
    if name == "LogisticRegression" and hasattr(inputs, "__array__"):
        matrix = np.asarray(inputs, dtype=np.float64)
        start = np.full((len(matrix), 1), last.intercept_[0])
        return np.hstack([matrix * last.coef_[0], start])
    return None


def _as_values(inputs: Any, X: Any, before: Any) -> pd.DataFrame:
    index = X.index if isinstance(X, pd.DataFrame) else None
    if isinstance(inputs, pd.DataFrame):
        return inputs.set_axis([str(name) for name in inputs.columns], axis=1)
    if before is not None and hasattr(before, "get_feature_names_out"):
        names = [str(name) for name in before.get_feature_names_out()]
    else:
        names = [f"x{place}" for place in range(np.shape(inputs)[1])]
    return pd.DataFrame(np.asarray(inputs), columns=names, index=index)
