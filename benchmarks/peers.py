"""The models that leadml is measured against, each as its makers set it up."""

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegressionCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.datasets import LeadSet
from leadml.scoring.boosting import LeadBoostingClassifier

N_JOBS = 2
STRUCTURES = ("auto", "additive", "pairwise", "full")

Peer = Callable[[LeadSet], tuple[object, pd.DataFrame]]


def leadml_model(structure: str = "auto") -> Peer:
    """Return our learner: it takes texts and missing values as they are."""

    def build(leads: LeadSet) -> tuple[object, pd.DataFrame]:
        model = LeadBoostingClassifier(
            structure, monotone=leads.monotone, n_jobs=N_JOBS, random_state=0
        )
        return model, leads.X

    return build


def lightgbm_default(leads: LeadSet) -> tuple[object, pd.DataFrame]:
    """Return LightGBM with native categories."""
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(n_jobs=N_JOBS, random_state=0, verbosity=-1)
    names = [f"column_{place}" for place in range(leads.X.shape[1])]
    return model, leads.as_categories().set_axis(names, axis=1)


def hist_gradient_boosting(leads: LeadSet) -> tuple[object, pd.DataFrame]:
    """Return scikit-learn's histogram boosting with native categories."""
    return HistGradientBoostingClassifier(random_state=0), leads.as_categories()


def logistic(leads: LeadSet) -> tuple[object, pd.DataFrame]:
    """Return a logistic regression: one-hot, medians and missing flags, scaled, C by 5 folds."""
    numbers = make_column_selector(dtype_include="number")
    texts = make_column_selector(dtype_exclude="number")
    prepare = make_column_transformer(
        (
            make_pipeline(
                SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
                StandardScaler(),
            ),
            numbers,
        ),
        (OneHotEncoder(handle_unknown="ignore"), texts),
    )
    model = LogisticRegressionCV(
        Cs=10,
        cv=5,
        scoring="neg_log_loss",
        max_iter=1_000,
        l1_ratios=(0.0,),
        use_legacy_attributes=False,
    )
    return make_pipeline(prepare, model), leads.X


def catboost_default(leads: LeadSet) -> tuple[object, pd.DataFrame]:
    """Return CatBoost with native categories."""
    from catboost import CatBoostClassifier

    texts = leads.X.select_dtypes(exclude="number").columns.tolist()
    model = CatBoostClassifier(
        cat_features=texts,
        thread_count=N_JOBS,
        random_seed=0,
        verbose=False,
        allow_writing_files=False,
    )
    return model, _fill_texts(leads.X)


def ebm(leads: LeadSet) -> tuple[object, pd.DataFrame]:
    """Return interpret's boosting machine: additive, with pairs."""
    from interpret.glassbox import ExplainableBoostingClassifier

    return ExplainableBoostingClassifier(n_jobs=N_JOBS, random_state=0), _fill_texts(leads.X)


def base_rate(leads: LeadSet) -> tuple[object, pd.DataFrame]:
    """Return the share of wins in training for everyone."""
    return DummyClassifier(strategy="prior"), leads.X


PEERS: dict[str, Peer] = {
    **{f"leadml {structure}": leadml_model(structure) for structure in STRUCTURES},
    "LightGBM default": lightgbm_default,
    "HistGradientBoosting": hist_gradient_boosting,
    "logistic": logistic,
    "CatBoost default": catboost_default,
    "base rate": base_rate,
}
SLOW_PEERS: dict[str, Peer] = {"EBM": ebm}


def fit_and_predict(
    peer: Peer, leads: LeadSet, train: np.ndarray, test: np.ndarray
) -> tuple[object, np.ndarray]:
    """Fit on `train`, and return the model and the chances of `test`."""
    model, X = peer(leads)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peers' own: convergence, unseen categories
        model.fit(X.iloc[train], leads.y[train])
        return model, model.predict_proba(X.iloc[test])[:, 1]


def _fill_texts(X: pd.DataFrame) -> pd.DataFrame:
    texts = X.select_dtypes(exclude="number").columns
    return X.assign(**{name: X[name].astype(object).fillna("missing") for name in texts})
