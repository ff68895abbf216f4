"""What each value of a feature earns on average, in model and rules."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from leadml.scoring.attribution import split_pipeline
from leadml.scoring.by_source import compute_points_by_source, find_sources
from leadml.scoring.columns import Column, NumberColumn, source_of
from leadml.scoring.reasons import describe_feature
from leadml.scoring.scorer import LeadScorer

AVERAGED = 5_000  # leads that points are averaged over; of a `full` model fewer
AVERAGED_FULL = 1_000
MOST_BINS, MOST_LEVELS = 20, 25  # of a feature that are shown


def compute_mean_points(
    scorer: LeadScorer, leads: pd.DataFrame, rules: LeadScorer | None = None
) -> pd.DataFrame:
    """Return the mean points of each feature's values among some leads.

    Parameters
    ----------
    scorer : LeadScorer
        Fitted, around leadml's own learned model.
    leads : DataFrame of shape (n_leads, n_columns)
    rules : LeadScorer, default=None
        A rule book on the same scale: its points on the same values, from all of its rules about
        the same raw column.

    Returns
    -------
    DataFrame
        Columns feature, label, family, kind (`number` or `category`), value, from, to (edges of a
        bin), share of the leads, points and other_points (of the rules; NaN where none is about
        the column). What a feature does together with others is in its mean. Neighbouring bins
        are joined to at most 20, rare categories to `other levels`.
    """
    X = scorer.select(leads)
    points, _ = scorer.compute_points(X)
    before, last = split_pipeline(scorer.estimator_)
    values = X if before is None else before.transform(X)
    sources = find_sources(scorer)
    other = None if rules is None else centre_points(compute_points_by_source(rules, leads))
    tables = []
    for column in last.table_.columns:
        theirs = None if other is None else other.get(sources[column.name])
        table = _average(column, values[source_of(column)], points[column.name], theirs)
        table.insert(0, "feature", column.name)
        table.insert(1, "label", describe_feature(column.name))
        table.insert(2, "family", scorer.find_family(column.name) or "")
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def centre_points(points: pd.DataFrame) -> pd.DataFrame:
    """Count points from their mean: a rule book's zero is no average lead."""
    return points - points.mean()


def _average(
    column: Column, values: pd.Series, points: pd.Series, other: pd.Series | None
) -> pd.DataFrame:
    codes = column.codes(values)
    counts = np.bincount(codes, minlength=column.n_codes)
    table = pd.DataFrame(
        {
            "value": np.array(column.labels(), dtype=object),
            "n": counts,
            "points": np.bincount(codes, weights=points, minlength=column.n_codes),
            "other_points": np.nan
            if other is None
            else np.bincount(codes, weights=other, minlength=column.n_codes),
        }
    )
    is_number = isinstance(column, NumberColumn)
    edges = [-np.inf, *column.edges, np.inf] if isinstance(column, NumberColumn) else []
    table["from"] = [*edges[:-1], np.nan] if is_number else np.nan
    table["to"] = [*edges[1:], np.nan] if is_number else np.nan
    table = _join_bins(table) if is_number else _join_levels(table)
    table["share"] = table["n"] / max(len(codes), 1)
    table[["points", "other_points"]] = table[["points", "other_points"]].div(table["n"], axis=0)
    table.insert(0, "kind", "number" if is_number else "category")
    return table[["kind", "value", "from", "to", "share", "points", "other_points"]]


def _join_bins(table: pd.DataFrame) -> pd.DataFrame:
    """Join neighbouring bins of a number until each holds its part of the leads."""
    bins, missing = table.iloc[:-1], table.iloc[-1:]
    total = max(int(bins["n"].sum()), 1)
    middle = bins["n"].cumsum() - bins["n"] / 2
    groups = (MOST_BINS * middle / total).clip(upper=MOST_BINS - 1).astype(int)
    groups = groups.where(bins["n"] > 0).bfill().ffill().fillna(0)
    sums = bins.groupby(groups)[["n", "points", "other_points"]].sum(min_count=1)
    joined = sums.assign(
        **{"from": bins.groupby(groups)["from"].min(), "to": bins.groupby(groups)["to"].max()}
    )
    joined["value"] = [_describe_bin(*row) for row in joined[["from", "to"]].to_numpy()]
    both = pd.concat([joined, missing], ignore_index=True)
    return both[both["n"] > 0].reset_index(drop=True)


def _describe_bin(low: float, high: float) -> str:
    if np.isinf(low) and np.isinf(high):
        return "any value"
    if np.isinf(low):
        return f"below {high:.6g}"
    return f"{low:.6g} or more" if np.isinf(high) else f"{low:.6g} to {high:.6g}"


def _join_levels(table: pd.DataFrame) -> pd.DataFrame:
    seen = table[table["n"] > 0]
    missing = seen[seen["value"] == "missing"]
    levels = seen.drop(missing.index).sort_values("n", ascending=False, kind="stable")
    rest = levels.iloc[MOST_LEVELS:]
    if len(rest) < 2:
        return seen.reset_index(drop=True)
    sums = rest[["n", "points", "other_points"]].sum(min_count=1).to_frame().T
    joined = sums.assign(value=f"{len(rest)} rarer levels", **{"from": np.nan, "to": np.nan})
    return pd.concat([levels.iloc[:MOST_LEVELS], joined, missing], ignore_index=True)


def take_sample(leads: Mapping[str, pd.DataFrame], scorer: LeadScorer) -> dict[str, pd.DataFrame]:
    """Return some of the leads, as each model reads them, drawn at random: enough to average."""
    is_full = getattr(split_pipeline(scorer.estimator_)[1], "bag_", None) is not None
    most = AVERAGED_FULL if is_full else AVERAGED
    n_leads = len(next(iter(leads.values())))
    if n_leads <= most:
        return dict(leads)
    rows = np.sort(np.random.default_rng(0).choice(n_leads, most, replace=False))
    return {name: X.iloc[rows] for name, X in leads.items()}
