"""Points by the raw column that they come from: what model and rules can be compared by."""

from typing import Any

import pandas as pd

from leadml.scoring.attribution import split_pipeline
from leadml.scoring.columns import source_of
from leadml.scoring.rulepoints import RulePointsClassifier
from leadml.scoring.scorer import LeadScorer


def find_sources(scorer: LeadScorer) -> dict[str, str]:
    """Return the raw column of each feature, or rule, of a fitted scorer."""
    before, last = split_pipeline(scorer.estimator_)
    made: dict[str, str] = dict(getattr(before[0], "source_", {})) if before is not None else {}
    if isinstance(last, RulePointsClassifier):
        columns = {column.name: source_of(column) for column in last.table_.columns}
        read = {term.feature: columns[term.column] for term in last.table_.terms}
        return {rule: made.get(column, column) for rule, column in read.items()}
    table = getattr(last, "table_", None)
    features = made if table is None else table.features
    return {feature: made.get(feature, feature) for feature in features}


def compute_points_by_source(scorer: LeadScorer, leads: Any) -> pd.DataFrame:
    """Return what each raw column adds to the score of some leads.

    Parameters
    ----------
    scorer : LeadScorer
        Fitted, around a classifier that gives contributions.
    leads : DataFrame of shape (n_leads, n_columns)

    Returns
    -------
    DataFrame of shape (n_leads, n_raw_columns)
    """
    points, _ = scorer.compute_points(scorer.select(leads))
    sources = find_sources(scorer)
    names = [sources.get(str(name), str(name)) for name in points.columns]
    return points.T.groupby(names, sort=False).sum().T
