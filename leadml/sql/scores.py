"""Points to probability, score, band, stage, fit and engagement, in SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlglot import exp

from leadml.scoring.attribution import split_pipeline
from leadml.scoring.bands import Bands
from leadml.scoring.rulepoints import RulePointsClassifier
from leadml.scoring.scorer import LeadScorer
from leadml.scoring.sums import ENGAGEMENT_FAMILIES, FIT_FAMILIES
from leadml.sql.expressions import add_up, call, double, number, round_even, text, when, whole
from leadml.sql.query import Query, Sql

LARGEST_LOG_ODDS = 700.0  # a chance of 1; PostgreSQL stops where an exponential overflows


@dataclass(frozen=True)
class Scores:
    """What the scored table says of a lead.

    Attributes
    ----------
    columns : dict of column to Expression
        From `probability` to `engagement`.
    points : dict of feature to Expression
        Points of the score.
    total : Expression
        Sum of a rule book's points; NULL for a learned model.
    """

    columns: dict[str, Sql]
    points: dict[str, Sql]
    total: Sql


def add_scores(query: Query, scorer: LeadScorer, raw: Mapping[str, Sql]) -> Scores:
    """Return the scores of a lead.

    Parameters
    ----------
    query : Query
    scorer : LeadScorer
    raw : dict of feature to Expression
        What each feature adds before any scale.
    """
    _, last = split_pipeline(scorer.estimator_)
    total: Sql = exp.cast(exp.null(), "double")
    if isinstance(last, RulePointsClassifier):
        total = query.add("sum", "total_points", add_up([double(0), *raw.values()]))
    probability: Sql = exp.cast(exp.null(), "double")
    if scorer.scale_ is None:  # a rule book without outcomes
        points, score = dict(raw), total
    else:
        points, log_odds = _scale(query, scorer, last, raw)
        base = float(np.log(scorer.scale_.base_odds))
        above = exp.Paren(this=log_odds - number(base))
        score = number(50) + number(scorer.scale_.points_per_logit) * above
        probability = _chance(log_odds)
    score = query.add("score", "raw_score", score.copy())
    rounded = query.add("rounded", "score", exp.cast(_clip(round_even(score)), "bigint"))
    columns = {
        "probability": probability,
        "score": rounded,
        "band": _find_band(rounded, scorer.bands or Bands()),
        "stage": _find_stage(rounded),
        "fit": _sum_families(query, scorer, points, "fit", FIT_FAMILIES),
        "engagement": _sum_families(query, scorer, points, "engagement", ENGAGEMENT_FAMILIES),
    }
    return Scores(columns, points, total)


def _scale(
    query: Query, scorer: LeadScorer, last: Any, raw: Mapping[str, Sql]
) -> tuple[dict[str, Sql], Sql]:
    """Return each feature's points of the score, and the log-odds."""
    assert scorer.scale_ is not None  # noqa: S101 - the caller has looked
    slope = last.slope_ if isinstance(last, RulePointsClassifier) else None
    logits = {
        feature: column.copy() if slope is None else column.copy() * number(slope)
        for feature, column in raw.items()
    }
    log_odds = query.add("sum", "log_odds", add_up([double(last.start_), *logits.values()]))
    points: dict[str, Sql] = {}
    for place, (feature, logit) in enumerate(logits.items(), start=1):
        scaled = logit.copy() * number(scorer.scale_.points_per_logit)
        points[feature] = query.add("sum", f"points_{place}", scaled, feature)
    return points, log_odds


def _chance(log_odds: Sql) -> Sql:
    most, least = number(LARGEST_LOG_ODDS), number(-LARGEST_LOG_ODDS)
    within = call("GREATEST", call("LEAST", log_odds.copy(), most), least)
    odds_against = exp.Exp(this=exp.Neg(this=within))
    return exp.Div(this=number(1), expression=exp.Paren(this=number(1) + odds_against))


def _clip(value: Sql) -> Sql:
    return call("LEAST", call("GREATEST", value, number(0)), number(100))


def _find_band(score: Sql, bands: Bands) -> Sql:
    return when(
        (score >= number(bands.hot), text("hot")),
        (score >= number(bands.warm), text("warm")),
        default=text("cold"),
    )


def _find_stage(score: Sql) -> Sql:
    stages = [(75, "decision"), (50, "evaluation"), (25, "consideration")]
    cases = [(score > whole(edge), text(stage)) for edge, stage in stages]
    return when(*cases, default=text("awareness"))


def _sum_families(
    query: Query,
    scorer: LeadScorer,
    points: Mapping[str, Sql],
    name: str,
    families: Sequence[str],
) -> Sql:
    mine = [value.copy() for key, value in points.items() if scorer.find_family(key) in families]
    total = exp.Paren(this=add_up([double(0), *mine]))
    above = query.add("score", f"{name}_sum", number(50) + total)
    tenths = round_even(exp.Paren(this=above * number(10)))
    return query.add("rounded", name, _clip(exp.Paren(this=tenths) / number(10)))
