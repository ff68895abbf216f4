"""Single leads in a report: only where its reader asked for leads, and by their ids."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadml.evaluation.disagreement import find_disagreements
from leadml.judged import Judged
from leadml.scoring.attribution import is_ours
from leadml.scoring.known_values import hide_rare
from leadml.scoring.reasons import describe_feature
from leadml.scoring.scorer import LeadScorer
from leadml.scoring.sums import BASE_LINES, explain_sums
from leadml.scoring.uncertainty import Uncertainty
from leadml.scoring.what_if import WhatIf

N_DISAGREEMENTS = 10  # each way
N_LEADS = 200  # that can be looked up
MOST_LINES = 14  # of a sum; the rest in one


def name_lead(judged: Judged, place: int) -> str:
    """Return how a lead is called: its id, or its row where ids are addresses."""
    lead_id = str(judged.leads.lead_ids[place])
    return f"row {place + 1}" if "@" in lead_id else lead_id


def find_apart(judged: Judged, n: int = N_DISAGREEMENTS) -> pd.DataFrame:
    """Return the leads that the first two models judge most differently; `place` is their row."""
    names = judged.models[:2]
    if len(names) < 2:
        return pd.DataFrame({"place": [], "score": [], "other_score": []}, dtype=int)
    rows = judged.lead_rows()
    scores = {name: judged.scored[name]["score"].to_numpy()[rows] for name in names}
    table = find_disagreements(scores, n)
    return table.assign(place=rows[table["place"].to_numpy(int)])


def describe_disagreements(judged: Judged, apart: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the leads that `find_apart` found, with both sums side by side."""
    if apart.empty:
        return []
    names = judged.models[:2]
    places = [int(place) for place in apart["place"]]
    sums = {name: _find_sums(judged, name, places) for name in names}
    chances = {name: judged.scored[name]["probability"].to_numpy(float)[places] for name in names}
    first, other = names
    return [
        {
            "lead_id": name_lead(judged, int(place)),
            "won": int(judged.leads.y.iloc[place]),
            "score": int(score),
            "other_score": int(other_score),
            "probability": float(chances[first][at]),
            "other_probability": float(chances[other][at]),
            "sum": sums[first][at],
            "other_sum": sums[other][at],
        }
        for at, (place, score, other_score) in enumerate(
            zip(places, apart["score"], apart["other_score"], strict=True)
        )
    ]


def _find_sums(judged: Judged, name: str, chosen: Sequence[int]) -> list[list[list[Any]]]:
    """Return the sums of some rows as lines of points, feature and value."""
    told: dict[int, list[list[Any]]] = {}
    for scorer, mine in _by_scorer(judged, name, chosen):
        rows = hide_rare(scorer, judged.inputs[name].iloc[np.asarray(chosen)[mine]])
        known = is_ours(scorer.estimator_)
        sums = explain_sums(scorer, rows) if known else [None] * len(mine)
        told |= {at: _shorten(lines) for at, lines in zip(mine, sums, strict=True)}
    return [told[at] for at in range(len(chosen))]


def _by_scorer(
    judged: Judged, name: str, chosen: Sequence[int]
) -> Iterator[tuple[LeadScorer, list[int]]]:
    """Yield each scorer with the places, among the chosen rows, of those that it judged."""
    rows = np.asarray(chosen, dtype=np.intp)
    for places, scorers in judged.parts:
        mine = np.flatnonzero((rows >= places[0]) & (rows <= places[-1]))
        if len(mine):
            yield scorers[name], mine.tolist()


def _shorten(lines: pd.DataFrame | None) -> list[list[Any]]:
    """Return the lines of a sum: points, feature, value, and `base` for what every lead has.

    What is small stands in one line, `rest`.
    """
    if lines is None:
        return []
    fired = lines[lines["points"].round(2) != 0]
    shown = fired.head(MOST_LINES)
    told: list[list[Any]] = []
    for points, feature, value in zip(
        shown["points"].to_numpy(float), shown["feature"], shown["value"], strict=True
    ):
        kind = ["base"] if feature in BASE_LINES else []
        told.append([round(float(points), 2), describe_feature(str(feature)), str(value), *kind])
    if len(fired) > len(shown):
        rest = float(lines["points"].sum() - shown["points"].sum())
        told.append([round(rest, 2), f"{len(fired) - len(shown)} more", "", "rest"])
    return told


def describe_leads(
    judged: Judged,
    what_if: WhatIf | None,
    must: Sequence[int] = (),
    unsure: Mapping[str, Uncertainty] | None = None,
    n: int = N_LEADS,
) -> list[dict[str, Any]]:
    """Return leads to be looked up: some rows, the highest scores, and some at random.

    `unsure` holds how far the probabilities of some of the models may be from the truth.
    """
    rows = judged.lead_rows()
    score = judged.scored[judged.models[0]]["score"].to_numpy()[rows]
    best = rows[np.argsort(-score, kind="stable")[: n // 4]]
    drawn = np.random.default_rng(0).permutation(rows)
    chosen = list(dict.fromkeys([*must, *best.tolist(), *drawn.tolist()]))[:n]
    values = None
    if what_if is not None:
        inputs = {name: judged.inputs[name].iloc[chosen] for name in what_if.scorers}
        values = what_if.read_values(inputs)
    scored = {
        name: _score_chosen(judged, name, chosen, (unsure or {}).get(name))
        for name in judged.models[:2]
    }
    return [
        {
            "lead_id": name_lead(judged, place),
            "won": int(judged.leads.y.iloc[place]),
            "scores": {name: _figures(table.iloc[at]) for name, table in scored.items()},
            "reasons": {name: _reasons(table.iloc[at]) for name, table in scored.items()},
            "values": None if values is None else values[at],
        }
        for at, place in enumerate(chosen)
    ]


def _score_chosen(
    judged: Judged, name: str, chosen: Sequence[int], unsure: Uncertainty | None
) -> pd.DataFrame:
    parts = []
    for scorer, mine in _by_scorer(judged, name, chosen):
        X = hide_rare(scorer, judged.inputs[name].iloc[np.asarray(chosen)[mine]])
        scored = scorer.score_leads(X).set_axis(mine, axis=0)
        if unsure is not None:
            intervals = unsure.compute_intervals(scorer, X)
            scored = scored.join(intervals.set_axis(mine, axis=0))
        parts.append(scored)
    return pd.concat(parts).sort_index()


def _figures(row: pd.Series) -> dict[str, Any]:
    return {
        "score": int(row["score"]),
        "probability": float(row["probability"]),
        "band": str(row["band"]),
        "lower": row.get("lower"),
        "upper": row.get("upper"),
        "abstain_because": row.get("why") or None,
    }


def _reasons(row: pd.Series) -> list[str]:
    names = [name for name in row.index if str(name).startswith("reason_")]
    return [str(row[name]) for name in names if not pd.isna(row[name])]
