"""The classifiers that a config describes, from raw columns on."""

from typing import Any

import numpy as np
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from leadml.config import Config, Kind
from leadml.data.lead_table import feature_columns
from leadml.features.profile import ProfileFeatures
from leadml.scoring.bands import Bands
from leadml.scoring.boosting import LeadBoostingClassifier
from leadml.scoring.rulebook import RuleBook
from leadml.scoring.rulepoints import RulePointsClassifier
from leadml.scoring.scale import Scale
from leadml.scoring.scorer import LeadScorer

MODEL, RULES, LOGISTIC = "model", "rules", "logistic regression"


def make_profile(config: Config, *, keep_raw: bool = False) -> ProfileFeatures:
    """Return the profile features of a config's columns."""
    used = config.features.families()
    # a column that the hand-off alone reads gives no feature
    handoff_only = [column for column in feature_columns(config) if column not in used]
    kinds: dict[str, Kind] = dict.fromkeys(handoff_only, "text")
    kinds.update(config.features.kinds)
    return ProfileFeatures(kinds=kinds, missing=config.leads.missing, keep_raw=keep_raw)


def make_model(config: Config, structure: str = "auto", random_state: int = 0) -> Pipeline:
    """Return profile features and `LeadBoostingClassifier`, not fitted."""
    model = LeadBoostingClassifier(
        structure, monotone=dict(config.features.monotone), random_state=random_state
    )
    return Pipeline([("profile", make_profile(config)), ("model", model)])


def make_rules(config: Config, book: RuleBook) -> Pipeline:
    """Return profile features beside the raw columns, and the rule book, not fitted."""
    profile = make_profile(config, keep_raw=True)
    return Pipeline([("profile", profile), ("model", RulePointsClassifier(book))])


def make_logistic(config: Config) -> Pipeline:
    """Return the plain peer: one-hot categories, scaled numbers, logistic regression."""
    numbers = make_pipeline(
        SimpleImputer(add_indicator=True, keep_empty_features=True), StandardScaler()
    )
    categories = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=10)
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include=np.number)),
        (categories, make_column_selector(dtype_exclude=np.number)),
    )
    return Pipeline(
        [
            ("profile", make_profile(config)),
            ("columns", columns),
            ("model", LogisticRegression(max_iter=2_000)),
        ]
    )


def make_scorer(
    config: Config,
    classifier: Any,
    *,
    name: str,
    rules: RuleBook | None = None,
    scale: Scale | None = None,
) -> LeadScorer:
    """Return a scorer with the config's families, bands, BANT and hand-off, not fitted."""
    return LeadScorer(
        classifier,
        families={column: str(family) for column, family in config.features.families().items()},
        bands=Bands(config.bands.hot, config.bands.warm),
        scale=scale,
        handoff=config.handoff,
        bant=config.features.bant,
        rules=rules,
        name=name,
    )
