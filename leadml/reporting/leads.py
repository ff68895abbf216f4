"""Single leads in a report: only where its reader asked for leads, and by their ids."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadml.evaluation.disagreement import find_disagreements
from leadml.judged import Judged
from leadml.scoring.attribution import is_ours
from leadml.scoring.reasons import describe_feature
from leadml.scoring.scorer import LeadScorer
from leadml.scoring.sums import explain_sum
from leadml.scoring.what_if import WhatIf

N_DISAGREEMENTS = 10  # each way
N_LEADS = 200  # that can be looked up
MOST_LINES = 14  # of a sum; the rest in one


def find_scorers(judged: Judged, place: int) -> Mapping[str, LeadScorer]:
    """Return the scorers that judged a row."""
    for places, scorers in judged.parts:
        if places[0] <= place <= places[-1]:
            return scorers
    raise IndexError(place)


def describe_disagreements(judged: Judged, n: int = N_DISAGREEMENTS) -> list[dict[str, Any]]:
    """Return the leads that the first two models judge most differently, with both sums."""
    names = judged.models[:2]
    if len(names) < 2:
        return []
    rows = judged.first_rows()
    scores = {name: judged.scored[name]["score"].to_numpy()[rows] for name in names}
    found = []
    for row in find_disagreements(scores, n).to_dict("records"):
        place = int(rows[row["place"]])
        scorers = find_scorers(judged, place)
        chances = [judged.scored[name]["probability"].to_numpy(float)[place] for name in names]
        sums = [_sum_of(scorers[name], judged.inputs[name].iloc[[place]]) for name in names]
        found.append(
            {
                "lead_id": str(judged.leads.lead_ids[place]),
                "won": int(judged.leads.y.iloc[place]),
                "score": int(row["score"]),
                "other_score": int(row["other_score"]),
                "probability": float(chances[0]),
                "other_probability": float(chances[1]),
                "sum": sums[0],
                "other_sum": sums[1],
            }
        )
    return found


def _sum_of(scorer: LeadScorer, lead: pd.DataFrame) -> list[list[Any]]:
    """Return a lead's sum as lines of points, feature and value; what is small in one line."""
    if not is_ours(scorer.estimator_):
        return []
    lines = explain_sum(scorer, scorer.select(lead))
    fired = lines[lines["points"].round(2) != 0]
    shown = fired.head(MOST_LINES)
    told = [
        [round(float(line.points), 2), describe_feature(str(line.feature)), str(line.value)]
        for line in shown.itertuples(index=False)
    ]
    if len(fired) > len(shown):
        rest = float(lines["points"].sum() - shown["points"].sum())
        told.append([round(rest, 2), f"{len(fired) - len(shown)} more", ""])
    return told


def describe_leads(
    judged: Judged, what_if: WhatIf | None, must: Sequence[str] = (), n: int = N_LEADS
) -> list[dict[str, Any]]:
    """Return leads to be looked up: those of a list, the highest scores, and some at random."""
    rows = judged.first_rows()
    ids = judged.leads.lead_ids.astype("str")
    named = rows[ids[rows].isin(list(must))]
    score = judged.scored[judged.models[0]]["score"].to_numpy()[rows]
    best = rows[np.argsort(-score, kind="stable")[: n // 4]]
    drawn = np.random.default_rng(0).permutation(rows)
    chosen = list(dict.fromkeys([*named.tolist(), *best.tolist(), *drawn.tolist()]))[:n]
    values = what_if.read_values(judged.leads.X.iloc[chosen]) if what_if is not None else None
    scored = {name: _score_chosen(judged, name, chosen) for name in judged.models[:2]}
    return [
        {
            "lead_id": str(ids[place]),
            "won": int(judged.leads.y.iloc[place]),
            "scores": {name: _figures(table.iloc[at]) for name, table in scored.items()},
            "reasons": {name: _reasons(table.iloc[at]) for name, table in scored.items()},
            "values": None if values is None else values[at],
        }
        for at, place in enumerate(chosen)
    ]


def _score_chosen(judged: Judged, name: str, chosen: Sequence[int]) -> pd.DataFrame:
    parts = []
    places = np.asarray(chosen)
    for rows, scorers in judged.parts:
        mine = np.flatnonzero((places >= rows[0]) & (places <= rows[-1]))
        if len(mine):
            scored = scorers[name].score_leads(judged.inputs[name].iloc[places[mine]])
            parts.append(scored.set_axis(mine, axis=0))
    return pd.concat(parts).sort_index()


def _figures(row: pd.Series) -> dict[str, Any]:
    return {
        "score": int(row["score"]),
        "probability": float(row["probability"]),
        "band": str(row["band"]),
        "lower": None,
        "upper": None,
    }


def _reasons(row: pd.Series) -> list[str]:
    names = [name for name in row.index if str(name).startswith("reason_")]
    return [str(row[name]) for name in names if not pd.isna(row[name])]
