"""Sums: each lead's score as a sum of points over features, of any classifier."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.special import expit

from leadml.errors import DataError
from leadml.scoring.attribution import compute_attribution, compute_log_odds, split_pipeline
from leadml.scoring.columns import Floats
from leadml.scoring.frames import as_frame
from leadml.scoring.handoff import Handoff
from leadml.scoring.points import add_up
from leadml.scoring.reasons import describe_value, format_reasons
from leadml.scoring.verdicts import Verdicts

FIT_FAMILIES = ("demographic", "firmographic")
AVERAGE, START = BASE_LINES = ("average lead", "start")
ENGAGEMENT_FAMILIES = ("behavioral", "email")


@dataclass(frozen=True)
class Sums:
    """Scores before rounding and clipping: `raw_scores` = 50 + `start` + the sum of `points`.

    Attributes
    ----------
    points : DataFrame of shape (n_leads, n_features) or None
        None for a classifier that gives no contributions.
    start : float
        What all leads have.
    values : DataFrame
        The features' values.
    raw_scores : array of shape (n_leads,)
    probability : array of shape (n_leads,)
        NaN for a rule book that has seen no outcomes.
    """

    points: pd.DataFrame | None
    start: float
    values: pd.DataFrame
    raw_scores: Floats
    probability: Floats


def compute_sums(scorer: Any, X: Any) -> Sums:
    """Return the sums of some leads by a fitted `LeadScorer`."""
    if scorer.scale_ is None:
        return _sum_rule_points(scorer, X)
    log_odds = compute_log_odds(scorer.estimator_, X)
    raw, probability = scorer.scale_.raw_scores(log_odds), expit(log_odds)
    attribution = compute_attribution(scorer.estimator_, X)
    if attribution is None:
        return Sums(None, 0.0, as_frame(scorer, X, reset=False), raw, probability)
    contributions, start = attribution.contributions, attribution.start
    if scorer.offsets_ is not None:
        contributions = contributions - scorer.offsets_
        start += float(scorer.offsets_.sum())
    start_points = float(scorer.scale_.raw_scores(start)) - 50
    points = contributions * scorer.scale_.points_per_logit
    return Sums(points, start_points, attribution.values, raw, probability)


def explain_sum(scorer: Any, X: pd.DataFrame) -> pd.DataFrame:
    """Return one lead's sum line by line: `points`, `feature`, `value`, `family`.

    Raises
    ------
    DataError
        Where the classifier gives no contributions.
    """
    return explain_sums(scorer, X.iloc[:1])[0]


def explain_sums(scorer: Any, X: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the sum of each lead line by line, as `explain_sum`."""
    sums = compute_sums(scorer, X)
    if sums.points is None:
        message = "This classifier gives no contributions, so there is no sum to explain."
        raise DataError(message)
    head: list[tuple[float, str, str, str]] = []
    if scorer.scale_ is not None:
        head.append((50.0, AVERAGE, "", ""))
    if scorer.scale_ is not None and round(sums.start, 9) != 0:
        head.append((sums.start, START, "what every lead has", ""))
    families = {name: scorer.find_family(name) or "" for name in sums.points.columns}
    # a rule says itself when it fires; a column of its name may hold an address
    is_rules = hasattr(split_pipeline(scorer.estimator_)[1], "rules_")
    shown = pd.Index([]) if is_rules else sums.values.columns
    tables = []
    for place in range(len(X)):
        mine, values = sums.points.iloc[place], sums.values.iloc[place]
        lines = [
            (
                mine[feature],
                str(feature),
                describe_value(values[feature]) if feature in shown else "",
                families[feature],
            )
            for feature in mine.abs().sort_values(ascending=False, kind="stable").index
        ]
        names = ["points", "feature", "value", "family"]
        tables.append(pd.DataFrame([*head, *lines], columns=names))
    return tables


def judge_foreign(scorer: Any, X: pd.DataFrame) -> Verdicts:
    """Return what a classifier that is not one of leadml's says of some leads."""
    sums = compute_sums(scorer, X)
    more = sums.values[sums.values.columns.difference(X.columns)]
    both = pd.concat([X.set_axis(range(len(X))), more.set_axis(range(len(X)))], axis=1)
    handoff = Handoff(scorer.handoff, scorer.bant, scorer.rules)
    looks = handoff.looks([*X.columns], [*more.columns])
    codes = {look.key: look.column.codes(both[look.feature]) for look in looks}
    fit, engagement = (
        _sum_families(scorer, sums, families) for families in (FIT_FAMILIES, ENGAGEMENT_FAMILIES)
    )
    reasons = [pa.nulls(len(X), pa.string())] * scorer.n_reasons
    if sums.points is not None:
        texts = format_reasons(sums.points, sums.values, scorer.n_reasons)
        reasons = [pa.array(texts[name], pa.string()) for name in texts]
    return Verdicts(
        raw_scores=sums.raw_scores,
        probability=sums.probability,
        fit=fit,
        engagement=engagement,
        qualified=handoff.find_qualified(codes, fit, engagement),
        bant=handoff.find_bant(codes, len(X)),
        reasons=reasons,
        points=None,
    )


def _sum_rule_points(scorer: Any, X: Any) -> Sums:
    """Take the rule book's points as the score: there is nothing to calibrate them by."""
    before, last = split_pipeline(scorer.estimator_)
    inputs = as_frame(scorer, X, reset=False) if before is None else before.transform(X)
    points = last.compute_rule_points(inputs)
    total = add_up(points.to_numpy())
    return Sums(points, -50.0, inputs, total, np.full(len(total), np.nan))


def _sum_families(scorer: Any, sums: Sums, families: tuple[str, ...]) -> Floats:
    if sums.points is None:
        return np.full(len(sums.raw_scores), np.nan)
    mine = [name for name in sums.points.columns if scorer.find_family(name) in families]
    return np.clip(np.round(50 + add_up(sums.points[mine].to_numpy()), 1), 0, 100)
