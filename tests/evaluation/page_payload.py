"""A rich payload for the page's tests, from a seeded simulation; and its what-if in Python."""

import math
from itertools import pairwise

import numpy as np
import page_tables as tables
from page_tables import BAND_EDGES, MODELS

SCRIPT = "<script>alert(1)</script>"
SOURCES = ["web", "fair", "referral", SCRIPT]


def what_if(n_extra=0):
    """Four fields with a pair, a cap and a slope; `n_extra` more make it as wide as a real one."""
    fields = [
        _number_field("visits_30d", "Visits (30 days)", "behavioral", 2.0, 0, 14),
        _choice_field("source", "Source", "context", SOURCES, "web"),
        _number_field("emails_opened", "E-mails opened", "email", 1.0, 0, 9),
        _choice_field("country", "Country", "firmographic", ["DE", "FR", "US"], None),
    ]
    columns = [
        {"name": "visits_30d", "field": 0, "kind": "number", "edges": [1, 3, 6, 10.5]},
        {"name": "source", "field": 1, "kind": "category", "levels": SOURCES},
        {"name": "emails_opened", "field": 2, "kind": "number", "edges": [1, 4]},
        {"name": "country", "field": 3, "kind": "category", "levels": ["DE", "FR", "US"]},
    ]
    terms = [
        _term("visits_30d", 0, [-12.1, -3.2, 4.4, 10.9, 16.3, -6.05]),
        _term("source", 1, [-4.25, 3.5, 11.75, 0.4, -2.0, -1.5]),
        _term("emails_opened", 2, [-1.5, 0.5, 1.25, -2.0], slope=0.35, low=0.0, high=8.0),
        _term("country", 3, [1.1, -0.4, 2.2, -1.7, -0.9]),
    ]
    pair = {"columns": [0, 1], "first": [0, 0, 1, 1, 1, 0], "second": [0, 0, 1, 0, 0, 0]}
    ours = [_term("visits_30d", 0, [0, 4, 8, 12, 15, 0]), _term("source", 1, [0, 5, 10, 0, 0, 0])]
    ours.append(_term("emails_opened", 2, [0, 4, 9, 0]))
    rng = np.random.default_rng(5)
    for place in range(n_extra):
        name, family = f"signal_{place:03d}", ["behavioral", "firmographic"][place % 2]
        strength = 2.5 / (1 + place / 6)
        column = {"name": name, "field": len(fields), "kind": "number", "edges": [1, 2, 4, 8]}
        fields.append(_number_field(name, f"Signal {place}", family, 1.0, 0, 9))
        columns.append(column)
        values = np.sort(rng.normal(0, strength, 5)).round(3).tolist()
        terms.append(_term(name, len(columns) - 1, [*values, -0.1]))
    families = {field["source"]: field["family"] for field in fields}
    shared = {"columns": columns, "families": families, "points_to_double": 10.0, "base_odds": 0.2}
    pairs = [{**pair, "grid": [[-0.6, 0.8], [0.9, 3.1]]}]
    model = {"name": "model", "start": 50.0, "terms": terms, "pairs": pairs, "caps": {}, **shared}
    book = {"name": "rules", "start": 41.5, "terms": ours, "pairs": [], **shared}
    book["caps"] = {"behavioral": 12.0}
    return {"why": None, "bands": BAND_EDGES, "fields": fields, "models": [model, book]}


def _number_field(source, label, family, typical, low, high):
    field = {"source": source, "label": label, "family": family, "kind": "number", "choices": []}
    return {**field, "typical": typical, "low": low, "high": high}


def _choice_field(source, label, family, levels, typical):
    choices = [[level, level] for level in levels]
    field = {"source": source, "label": label, "family": family, "kind": "choice"}
    return {**field, "choices": choices, "typical": typical, "low": None, "high": None}


def _term(feature, column, values, slope=0.0, low=0.0, high=0.0):
    values = [float(value) for value in values]
    term = {"feature": feature, "column": column, "values": values}
    return {**term, "slope": slope, "low": low, "high": high}


def compute_score(model, values):
    """Score values as the payload's contract says; what the page must agree with."""
    codes = [_code(column, values[column["field"]]) for column in model["columns"]]
    lines = {}
    for term in model["terms"]:
        points = term["values"][codes[term["column"]]]
        value = values[model["columns"][term["column"]]["field"]]
        if term["slope"] and value is not None:
            points += term["slope"] * min(max(value, term["low"]), term["high"])
        lines[term["feature"]] = lines.get(term["feature"], 0.0) + points
    for pair in model["pairs"]:
        i, j = pair["columns"]
        half = pair["grid"][pair["first"][codes[i]]][pair["second"][codes[j]]] / 2
        for column in (i, j):
            lines[model["columns"][column]["name"]] += half
    for family, cap in model["caps"].items():
        members = [name for name in lines if model["families"][name] == family]
        total = sum(lines[name] for name in members)
        if total > cap:
            lines.update({name: lines[name] * cap / total for name in members})
    raw = model["start"] + sum(lines.values())
    odds = (raw - 50) / model["points_to_double"] + math.log2(model["base_odds"])
    score = min(max(round(raw), 0), 100)
    return {"raw": raw, "score": score, "probability": 1 / (1 + 2**-odds), "lines": lines}


def _code(column, value):
    if column["kind"] == "number":
        edges = column["edges"]
        return len(edges) + 1 if value is None else sum(edge <= value for edge in edges)
    levels = column["levels"]
    if value is None:
        return len(levels) + 1
    return levels.index(value) if value in levels else len(levels)


def draw_values(fields, n_leads, rng):
    """Draw leads' values: numbers with a long tail, choices unevenly, one in twelve missing."""
    leads = []
    for _ in range(n_leads):
        values = []
        for field in fields:
            if rng.random() < 1 / 12:
                values.append(None)
            elif field["kind"] == "number":
                values.append(float(np.round(rng.gamma(1.1, 3.0), 1)))
            else:
                at = min(int(rng.exponential(0.9)), len(field["choices"]) - 1)
                values.append(field["choices"][at][0])
        leads.append(values)
    return leads


def sample_payload(n_leads=3000, n_extra=0, n_sample=60, weeks=26.0, seed=0):
    """Return a payload with every section filled; equal arguments give equal payloads."""
    rng = np.random.default_rng(seed)
    panel = what_if(n_extra)
    values = draw_values(panel["fields"], n_leads, rng)
    judged = {one["name"]: [compute_score(one, row) for row in values] for one in panel["models"]}
    prob = {name: np.array([row["probability"] for row in judged[name]]) for name in MODELS}
    score = {name: np.array([row["score"] for row in judged[name]]) for name in MODELS}
    won = (rng.random(n_leads) < np.clip(prob["model"] * 1.05, 0, 1)).astype(int)
    ids = [f"L-{10_000 + 7 * place}" for place in range(n_leads)]
    band = {name: np.array([tables.name_band(one) for one in score[name]]) for name in MODELS}
    behaved = np.array([-1.0 if row[0] is None else row[0] for row in values])
    fit = np.array(
        [50 + row["lines"]["country"] + row["lines"]["source"] for row in judged["model"]]
    )
    sample = rng.permutation(n_leads)[:n_sample]
    return {
        "title": "Leads of the second half year",
        "facts": [
            ["Model", "model 1.4"],
            ["Leads", f"{n_leads:,} closed"],
            ["Period", "July to December 2025"],
            ["Rules", "starter book"],
        ],
        "warnings": ["The column campaign_id was seen with 14 new categories since the training."],
        "notes": [
            "Leads that are still open are left out of every figure.",
            f"Rare sources such as {SCRIPT} are kept as they are.",
        ],
        "verdict": [
            "With 50 calls a week the model finds 4.1 more deals a month than the rules, "
            "95 % interval 1.9 to 6.2.",
            "Over all leads the model ranked better than the rules: it put a won lead before a "
            "lost one in 78 % of pairs, against 70 %.",
        ],
        "models": MODELS,
        "unit": "leads",
        "n_leads": n_leads,
        "n_won": int(won.sum()),
        "n_groups": None,
        "n_resamples": 500,
        **tables.compute_metrics(won, prob),
        "auc": [
            {
                "model": "model",
                "other": "rules",
                "roc_auc": tables.compute_auc(won, prob["model"]),
                "other_roc_auc": tables.compute_auc(won, prob["rules"]),
                "difference": tables.compute_auc(won, prob["model"])
                - tables.compute_auc(won, prob["rules"]),
                "standard_error": 0.009,
                "lower": tables.compute_auc(won, prob["model"])
                - tables.compute_auc(won, prob["rules"])
                - 0.018,
                "upper": tables.compute_auc(won, prob["model"])
                - tables.compute_auc(won, prob["rules"])
                + 0.018,
                "p_value": 0.00002,
            }
        ],
        "top": [tables.compute_top(won, prob, n_leads // 10)],
        "reliability": {name: tables.compute_reliability(won, prob[name]) for name in MODELS},
        "capacity": tables.compute_capacity(won, prob, weeks),
        "net_benefit": tables.compute_net_benefit(won, prob),
        "scores": {name: tables.compute_scores(won, score[name]) for name in MODELS},
        "bands": {
            name: [
                {"band": one, **tables.compute_conversion(won[band[name] == one])}
                for one in ("hot", "warm", "cold")
            ]
            for name in MODELS
        },
        "band_edges": BAND_EDGES,
        "cross": [
            {
                "model": "model",
                "other": "rules",
                "band": one,
                "other_band": other,
                **tables.compute_conversion(won[(band["model"] == one) & (band["rules"] == other)]),
            }
            for one in ("hot", "warm", "cold")
            for other in ("hot", "warm", "cold")
        ],
        "grid": tables.compute_grid(won, fit, behaved),
        "segments": tables.compute_segments(won, prob, values),
        "definitions": tables.compute_definitions(won, score["model"], weeks),
        "forecast": tables.compute_forecast(band["model"], weeks, rng),
        "response": _response(won, rng),
        "value": tables.compute_value(won, prob, rng),
        "points": _points(panel, values),
        "agreement": {
            "share": 0.41,
            "rows": [
                {
                    "column": field["source"],
                    "points": 4.0 / (1 + place),
                    "other_points": 3.0 / (1 + place),
                    "correlation": 0.9 - 0.06 * (place % 15),
                    "opposite": 0.04 * (place % 8),
                }
                for place, field in enumerate(panel["fields"])
            ],
        },
        "disagreement": _disagreement(ids, won, judged, panel["fields"], values),
        "leads": [
            _lead(ids[at], int(won[at]), values[at], {name: judged[name][at] for name in MODELS})
            for at in sample
        ],
        "what_if": panel,
        "structures": [
            {
                "structure": "additive",
                "log_loss": 0.4312,
                "standard_error": 0.0041,
                "is_chosen": True,
            },
            {
                "structure": "pairwise",
                "log_loss": 0.4298,
                "standard_error": 0.0043,
                "is_chosen": False,
            },
        ],
        "uncertainty": {
            "coverage": "Lead intervals held the true probability in 93 % of a simulation.",
            "abstained": 0.034,
        },
    }


def _response(won, rng):
    rows = []
    contacts = [("same day", 0.14, 1.0), ("1 day", 0.2, 0.9), ("2 to 3 days", 0.23, 0.75)]
    contacts += [("4 to 7 days", 0.17, 0.6), ("8 to 14 days", 0.1, 0.5), ("never", 0.16, 0.2)]
    for contact, share, rate in contacts:
        some = won[rng.permutation(len(won))[: int(share * len(won))]]
        rows.append(
            {"contact": contact, **tables.compute_conversion(some * (rng.random(len(some)) < rate))}
        )
    return rows


def _points(panel, values):
    model, rules = panel["models"]
    theirs = {term["feature"]: term for term in rules["terms"]}
    shown = []
    for term in model["terms"]:
        column, field = model["columns"][term["column"]], panel["fields"][term["column"]]
        is_number = column["kind"] == "number"
        edges = [None, *column["edges"], None] if is_number else None
        names = (
            _bin_names(column["edges"]) if is_number else [*column["levels"], "other", "missing"]
        )
        codes = [_code(column, row[column["field"]]) for row in values]
        shares = np.bincount(codes, minlength=len(names)) / len(values)
        other = theirs.get(term["feature"])
        rows = [
            {
                "value": name,
                "from": edges[k] if edges and k < len(edges) - 1 else None,
                "to": edges[k + 1] if edges and k < len(edges) - 1 else None,
                "share": float(shares[k]),
                "points": term["values"][k],
                "other_points": other["values"][k] if other else None,
            }
            for k, name in enumerate(names)
        ]
        shown.append(
            {
                "feature": term["feature"],
                "label": field["label"],
                "family": field["family"],
                "kind": column["kind"],
                "rows": rows,
            }
        )
    return shown


def _bin_names(edges):
    inner = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    return [f"below {edges[0]:g}", *inner, f"{edges[-1]:g} or more", "missing"]


def _sum(lines, fields, values):
    known = {
        field["source"]: (field["label"], value)
        for field, value in zip(fields, values, strict=True)
    }
    rows = [
        [points, known[name][0], "missing" if known[name][1] is None else str(known[name][1])]
        for name, points in lines.items()
    ]
    return sorted(rows, key=lambda row: -abs(row[0]))


def _disagreement(ids, won, judged, fields, values):
    apart = np.array(
        [a["score"] - b["score"] for a, b in zip(judged["model"], judged["rules"], strict=True)]
    )
    order = np.argsort(-apart, kind="stable")
    rows = []
    for at in [*order[:8], *order[-8:]]:
        ours, theirs = judged["model"][at], judged["rules"][at]
        row = {
            "lead_id": ids[at],
            "won": int(won[at]),
            "score": ours["score"],
            "other_score": theirs["score"],
        }
        row |= {"probability": ours["probability"], "other_probability": theirs["probability"]}
        rows.append(
            {
                **row,
                "sum": _sum(ours["lines"], fields, values[at]),
                "other_sum": _sum(theirs["lines"], fields, values[at]),
            }
        )
    return rows


def _lead(lead_id, won, values, judged):
    scores, reasons = {}, {}
    for name, one in judged.items():
        known = name == "model"
        half = 0.4 * one["probability"] * (1 - one["probability"])
        scores[name] = {
            "score": one["score"],
            "probability": one["probability"],
            "band": tables.name_band(one["score"]),
            "lower": one["probability"] - half if known else None,
            "upper": one["probability"] + half if known else None,
        }
        strongest = sorted(one["lines"].items(), key=lambda item: -abs(item[1]))[:4]
        reasons[name] = [f"{points:+.1f} {feature}" for feature, points in strongest if points]
    return {"lead_id": lead_id, "won": won, "scores": scores, "reasons": reasons, "values": values}
