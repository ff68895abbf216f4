"""The tables of the page's sample payload: plausible figures, few of them exact."""

import math

import numpy as np

from leadml.evaluation.tables import wilson_interval

MODELS = ["model", "rules"]
BAND_EDGES = {"hot": 60, "warm": 45}
FRACTIONS = [0.0, *(k / 1000 for k in range(1, 10)), *(k / 100 for k in range(1, 101))]


def name_band(score):
    return (
        "hot" if score >= BAND_EDGES["hot"] else "warm" if score >= BAND_EDGES["warm"] else "cold"
    )


def compute_conversion(won):
    n_leads, n_won = len(won), int(np.sum(won))
    lower, upper = (float(one) if n_leads else None for one in wilson_interval(n_won, n_leads))
    share = n_won / n_leads if n_leads else None
    cell = {"n_leads": n_leads, "n_won": n_won, "conversion": share}
    return {**cell, "lower": lower, "upper": upper}


def compute_auc(won, prob):
    order = np.argsort(np.argsort(prob, kind="stable")) + 1
    n_won = won.sum()
    return float((order[won == 1].sum() - n_won * (n_won + 1) / 2) / (n_won * (len(won) - n_won)))


def compute_metrics(won, prob):
    names = {
        "base_log_loss": 0.48,
        "uncertainty": 0.151,
        "calibration_intercept": 0.04,
        "average_precision": 0.52,
    }
    base = won.mean()

    def values(p):
        order = np.argsort(-p, kind="stable")
        found = {}
        for share in (5, 10, 20):
            gain = won[order][: len(won) * share // 100].sum() / won.sum()
            found |= {f"gain_{share:02d}": gain, f"lift_{share:02d}": gain * 100 / share}
        loss = -np.mean(np.where(won, np.log(p), np.log(1 - p)))
        brier = float(np.mean((won - p) ** 2))
        found |= {
            "roc_auc": compute_auc(won, p),
            "log_loss": loss,
            "brier": brier,
            "log_loss_gain": 0.48 - loss,
        }
        return (
            found
            | names
            | {
                "ece": abs(p.mean() - base),
                "reliability": 0.0012,
                "resolution": 0.151 - brier,
                "calibration_slope": 1.04,
            }
        )

    both = {name: values(prob[name]) for name in MODELS}
    metrics = [
        {
            "metric": key,
            "model": name,
            "value": float(value),
            "lower": float(value) - 0.02,
            "upper": float(value) + 0.02,
        }
        for name in MODELS
        for key, value in both[name].items()
    ]
    differences = []
    for key in both["model"]:
        difference = float(both["model"][key] - both["rules"][key])
        higher = key not in {"log_loss", "brier", "ece", "reliability"}
        shown = abs(difference) > 0.02
        better = ("model" if (difference > 0) == higher else "rules") if shown else None
        row = {"metric": key, "model": "model", "other": "rules", "difference": difference}
        differences.append(
            {
                **row,
                "lower": difference - 0.02,
                "upper": difference + 0.02,
                "higher_is_better": higher,
                "better": better,
            }
        )
    return {"metrics": metrics, "differences": differences}


def compute_top(won, prob, n):
    first, second = (set(np.argsort(-prob[name], kind="stable")[:n]) for name in MODELS)
    wins = set(np.flatnonzero(won))
    both, ours, theirs = first & second & wins, (first - second) & wins, (second - first) & wins
    counts = {"both": len(both), "model_only": len(ours), "other_only": len(theirs)}
    row = {"model": "model", "other": "rules", "n_leads": n, **counts}
    return {**row, "neither": len(wins - first - second), "p_value": 0.0004}


def compute_reliability(won, prob):
    tenths = np.array_split(np.argsort(prob, kind="stable"), 10)
    return [
        {"y_prob_mean": float(prob[places].mean()), **compute_conversion(won[places])}
        for places in tenths
    ]


def compute_capacity(won, prob, weeks):
    total = int(won.sum())
    found = {
        name: np.concatenate([[0], np.cumsum(won[np.argsort(-prob[name], kind="stable")])])
        for name in MODELS
    }
    rows, differences = [], []
    for fraction in FRACTIONS:
        n = round(fraction * len(won))
        for name in MODELS:
            lower, upper = wilson_interval(found[name][n], total)
            row = {
                "model": name,
                "fraction": fraction,
                "n_leads": n,
                "n_won": float(found[name][n]),
            }
            gains = {"gain_lower": float(lower), "gain_upper": float(upper)}
            row |= {"gain": float(found[name][n] / total), **gains}
            rows.append({**row, "lower": float(lower) * total, "upper": float(upper) * total})
        difference = float(found["model"][n] - found["rules"][n])
        half = 1.1 * math.sqrt(n * (1 - fraction) * 0.3)
        row = {"model": "model", "other": "rules", "fraction": fraction, "n_leads": n}
        differences.append(
            {
                **row,
                "difference": difference,
                "lower": difference - half,
                "upper": difference + half,
            }
        )
    return {"weeks": weeks, "chosen": 0.1, "rows": rows, "differences": differences}


def compute_net_benefit(won, prob):
    rows = []
    for threshold in np.linspace(0.02, 0.7, 35).round(3).tolist():
        odds = threshold / (1 - threshold)
        for name in [*MODELS, "call all", "call none"]:
            called = (
                prob[name] >= threshold if name in MODELS else np.full(len(won), name == "call all")
            )
            value = float((called * won).mean() - odds * (called * (1 - won)).mean())
            half = 0.006 if name in MODELS else 0.0
            rows.append(
                {
                    "model": name,
                    "threshold": threshold,
                    "net_benefit": value,
                    "lower": value - half,
                    "upper": value + half,
                }
            )
    return rows


def compute_scores(won, score):
    rows = []
    for start in range(0, 100, 5):
        inside = (score >= start) & ((score < start + 5) | (start == 95))
        row = {"score_from": start, "score_to": start + 5, **compute_conversion(won[inside])}
        rows.append(
            {
                **row,
                "share_won": float((inside & (won == 1)).sum() / won.sum()),
                "share_lost": float((inside & (won == 0)).sum() / (won == 0).sum()),
            }
        )
    return rows


def compute_quarter(values, from_best):
    edges = np.quantile(values, [0.25, 0.5, 0.75])
    places = np.searchsorted(edges, values, side="right")
    bounds = [None, *edges.round(1).tolist(), None]
    return (3 - places if from_best else places), [(bounds[3 - k], bounds[4 - k]) for k in range(4)]


def compute_grid(won, fit, engagement):
    (fits, fit_bounds), (acts, act_bounds) = (
        compute_quarter(fit, True),
        compute_quarter(engagement, True),
    )
    rows = []
    for i, letter in enumerate("ABCD"):
        for j in range(4):
            cell = {"cell": f"{letter}{j + 1}", "fit": letter, "engagement": j + 1}
            cell |= {"fit_from": fit_bounds[i][0], "fit_to": fit_bounds[i][1]}
            cell |= {"engagement_from": act_bounds[j][0], "engagement_to": act_bounds[j][1]}
            rows.append({**cell, **compute_conversion(won[(fits == i) & (acts == j)])})
    return rows


def compute_segments(won, prob, values):
    columns = {
        "Source": np.array([row[1] or "missing" for row in values]),
        "Country": np.array([row[3] or "missing" for row in values]),
        "Visits (30 days)": np.array(
            [
                "missing"
                if row[0] is None
                else "below 2"
                if row[0] < 2
                else "2 to 5"
                if row[0] < 5
                else "5 or more"
                for row in values
            ]
        ),
    }
    rows = []
    for column, segments in columns.items():
        for segment in dict.fromkeys(segments.tolist()):
            inside = segments == segment
            for name in MODELS:
                counted = compute_conversion(won[inside])
                promised = float(prob[name][inside].mean())
                row = {
                    "column": column,
                    "segment": segment,
                    "model": name,
                    **counted,
                    "y_prob_mean": promised,
                }
                rows.append(
                    {
                        **row,
                        "gap": promised - counted["conversion"],
                        "roc_auc": 0.71,
                        "auc_lower": 0.66,
                        "auc_upper": 0.76,
                        "is_small": counted["n_won"] < 40,
                    }
                )
    return rows


def compute_definitions(won, score, weeks):
    rows = []
    for edge in range(0, 101, 5):
        inside = score >= edge
        n_leads = int(inside.sum())
        row = {
            "edge": edge,
            "leads_a_week": n_leads / weeks if weeks else None,
            **compute_conversion(won[inside]),
        }
        rows.append({**row, "share_of_wins": float(won[inside].sum() / won.sum())})
    return rows


def compute_forecast(band, weeks, rng):
    rows = []
    for group in ("hot", "warm", "cold", "all"):
        n_leads = len(band) if group == "all" else int((band == group).sum())
        mean = n_leads / (weeks or 26)
        lower, upper = np.quantile(rng.poisson(mean, 4000), [0.025, 0.975])
        row = {
            "group": group,
            "n_weeks": int(weeks or 26),
            "mean": mean,
            "lower": float(lower),
            "upper": float(upper),
        }
        row |= {
            "total_lower": 12 * mean * 0.9,
            "total_upper": 12 * mean * 1.1,
            "needed": 20,
            "chance": float(np.clip((mean - 8) / 20, 0, 1)),
        }
        rows.append(row)
    return rows


def compute_value(won, prob, rng):
    worth = won * rng.lognormal(9, 0.8, len(won))
    rankings = {
        "model": prob["model"],
        "expected value": prob["model"] * rng.lognormal(0, 0.3, len(won)) * (1 + worth / 2e4),
    }
    rows = []
    for name, ranking in rankings.items():
        best = np.argsort(-ranking, kind="stable")
        for percent in range(0, 101, 2):
            chosen = best[: len(won) * percent // 100]
            value = float(worth[chosen].sum())
            row = {
                "ranking": name,
                "fraction": percent / 100,
                "n_leads": len(chosen),
                "n_won": int(won[chosen].sum()),
            }
            rows.append({**row, "value": value, "lower": value * 0.93, "upper": value * 1.07})
    return rows
