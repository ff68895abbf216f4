"""What may be shown of single leads: values that the model knows, and no text beside them."""

import pandas as pd

from leadml.scoring.attribution import split_pipeline
from leadml.scoring.columns import CategoryColumn, as_texts
from leadml.scoring.scorer import LeadScorer

RARE = "a rare value"


def find_levels(scorer: LeadScorer) -> dict[str, set[str]]:
    """Return the levels that a fitted model knows of each of its categories."""
    table = getattr(split_pipeline(scorer.estimator_)[1], "table_", None)
    columns = () if table is None else table.columns
    return {one.name: set(one.levels) for one in columns if isinstance(one, CategoryColumn)}


def hide_rare(scorer: LeadScorer, leads: pd.DataFrame) -> pd.DataFrame:
    """Return leads with `a rare value` in place of texts that a learned model does not know.

    They score as before: to the model all such texts are alike. Fewer than 3 leads of the training
    had them, so they may say who somebody is.
    """
    before, _ = split_pipeline(scorer.estimator_)
    X = scorer.select(leads)
    values = X if before is None else before.transform(X)
    profile = None if before is None else before[0]
    hidden = X.copy()
    for feature, levels in find_levels(scorer).items():
        raw = feature if profile is None else profile.source_[feature]
        is_text = profile is None or profile.kinds_[raw] == "category"
        texts = as_texts(values[feature]).to_numpy()
        rare = ~pd.isna(texts) & ~pd.Series(texts).isin(levels).to_numpy()
        if is_text and rare.any():
            hidden[raw] = hidden[raw].astype(object).mask(rare, RARE)
    return hidden
