"""Fitted scorers as plain values, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from leadml.config import BantColumns, HandoffTable
from leadml.errors import ModelFolderError
from leadml.features.profile import ProfileFeatures
from leadml.scoring.attribution import split_pipeline
from leadml.scoring.bag import Bag
from leadml.scoring.bands import Bands
from leadml.scoring.boosting import LeadBoostingClassifier
from leadml.scoring.points import PointsTable
from leadml.scoring.rulebook import RuleBook
from leadml.scoring.rulepoints import RulePointsClassifier
from leadml.scoring.scale import Scale
from leadml.scoring.scorer import LeadScorer
from leadml.scoring.value import LeadValueRegressor


def scorer_to_dict(scorer: LeadScorer, files: dict[str, str]) -> dict[str, Any]:
    """Return a fitted scorer as JSON values; the boosters' texts go into `files`.

    Raises
    ------
    ModelFolderError
        For a classifier that is not one of leadml's: its owner keeps it, with joblib for example.
    """
    before, last = split_pipeline(scorer.estimator_)
    profile = before[0] if before is not None else None
    if not isinstance(profile, ProfileFeatures):
        message = "Only a scorer around Pipeline(ProfileFeatures, classifier) has a model folder."
        raise ModelFolderError(message)
    match last:
        case LeadBoostingClassifier():
            classifier = _boosting_to_dict(last, files)
        case RulePointsClassifier():
            classifier = _rules_to_dict(last)
        case _:
            message = f"{type(last).__name__} has no model folder. Save it as its library says."
            raise ModelFolderError(message)
    return {
        "name": scorer.name,
        "version": scorer.version,
        "classes": scorer.classes_.tolist(),
        "columns": [str(name) for name in scorer.feature_names_in_],
        "profile": profile.to_dict(),
        "classifier": classifier,
        "scale": None if scorer.scale_ is None else asdict(scorer.scale_),
        "bands": asdict(scorer.bands or Bands()),
        "families": dict(scorer.families or {}),
        "handoff": (scorer.handoff or HandoffTable()).model_dump(),
        "bant": (scorer.bant or BantColumns()).model_dump(),
        "rules": None if scorer.rules is None else scorer.rules.model_dump(exclude_none=True),
        "n_reasons": scorer.n_reasons,
    }


def scorer_from_dict(state: Mapping[str, Any], files: Mapping[str, str]) -> LeadScorer:
    """Return the fitted scorer that `scorer_to_dict` wrote."""
    profile = ProfileFeatures.from_dict(state["profile"])
    classifier: Any
    if state["classifier"]["kind"] == "boosting":
        classifier = _boosting_from_dict(state["classifier"], files)
    else:
        classifier = _rules_from_dict(state["classifier"])
    features = profile.get_feature_names_out()
    classifier.feature_names_in_, classifier.n_features_in_ = features, len(features)
    classifier.classes_ = np.asarray(state["classes"])
    scale = None if state["scale"] is None else Scale(**state["scale"])
    scorer = LeadScorer(
        Pipeline([("profile", profile), ("model", classifier)]),
        families=state["families"],
        bands=Bands(**state["bands"]),
        scale=scale,
        handoff=HandoffTable.model_validate(state["handoff"]),
        bant=BantColumns.model_validate(state["bant"]),
        rules=None if state["rules"] is None else RuleBook.model_validate(state["rules"]),
        n_reasons=state["n_reasons"],
        name=state["name"],
        version=state["version"],
    )
    scorer.estimator_ = scorer.estimator
    scorer.classes_ = np.asarray(state["classes"])
    scorer.feature_names_in_ = np.asarray(state["columns"], dtype=object)
    scorer.n_features_in_ = len(state["columns"])
    scorer.scale_, scorer.offsets_ = scale, None
    return scorer


def value_to_dict(model: Pipeline, files: dict[str, str]) -> dict[str, Any]:
    """Return a fitted model of deal values as JSON values; its booster's text goes into `files`."""
    profile, regressor = model.steps[0][1], model.steps[1][1]
    return {"profile": profile.to_dict(), "regressor": regressor.to_dict(files)}


def value_from_dict(state: Mapping[str, Any], files: Mapping[str, str]) -> Pipeline:
    """Return the fitted model of deal values that `value_to_dict` wrote."""
    profile = ProfileFeatures.from_dict(state["profile"])
    regressor = LeadValueRegressor.from_dict(state["regressor"], files)
    return Pipeline([("profile", profile), ("value", regressor)])


def _boosting_to_dict(model: LeadBoostingClassifier, files: dict[str, str]) -> dict[str, Any]:
    bag = None
    if model.bag_ is not None:
        names = [f"booster_{place}.txt" for place in range(len(model.bag_.boosters))]
        for name, booster in zip(names, model.bag_.boosters, strict=True):
            files[name] = booster.model_to_string(num_iteration=model.bag_.n_rounds)
        bag = {
            "boosters": names,
            "n_rounds": model.bag_.n_rounds,
            "weight": model.bag_weight_,
            "start": model.bag_start_,
        }
    return {
        "kind": "boosting",
        "structure": model.structure_,
        "base_rate": model.base_rate_,
        "log_loss": model.log_loss_,
        "monotone": dict(model.monotone or {}),
        "table": model.table_.to_dict(),
        "bag": bag,
    }


def _boosting_from_dict(
    state: Mapping[str, Any], files: Mapping[str, str]
) -> LeadBoostingClassifier:
    model = LeadBoostingClassifier(state["structure"], monotone=state["monotone"])
    model.structure_ = state["structure"]
    model.base_rate_, model.log_loss_ = state["base_rate"], state["log_loss"]
    model.table_ = PointsTable.from_dict(state["table"])
    model.bag_, model.bag_weight_, model.bag_start_ = None, 1.0, 0.0
    if state["bag"] is not None:
        import lightgbm

        bag = state["bag"]
        boosters = tuple(lightgbm.Booster(model_str=files[name]) for name in bag["boosters"])
        model.bag_ = Bag(model.table_.columns, boosters, bag["n_rounds"], np.empty(0))
        model.bag_weight_, model.bag_start_ = bag["weight"], bag["start"]
    return model


def _rules_to_dict(model: RulePointsClassifier) -> dict[str, Any]:
    return {
        "kind": "rules",
        "rules": model.rules_.model_dump(exclude_none=True),
        "slope": model.slope_,
        "intercept": model.intercept_,
        "base_rate": model.base_rate_,
    }


def _rules_from_dict(state: Mapping[str, Any]) -> RulePointsClassifier:
    book = RuleBook.model_validate(state["rules"])
    model = RulePointsClassifier(book)
    model.rules_, model.table_ = book, book.compile()
    model.slope_, model.intercept_ = state["slope"], state["intercept"]
    model.base_rate_ = state["base_rate"]
    return model
