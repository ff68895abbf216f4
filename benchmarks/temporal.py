"""Forward in time on simulated CRMs: does a training's estimate hold, what do activities add.

Five worlds of leadforge (`intermediate`, seeds 1-5), 5,000 leads over 15 months each. The test is
the newest 20 % of snapshots; everything is learned from an export made on the test's first day.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss

from benchmarks.quality import Options
from benchmarks.report import Ratio, Report
from leadml.config import Config
from leadml.data import demo_tables as crm
from leadml.data.demo import BANT, LOST, WON
from leadml.data.history import open_history
from leadml.data.lead_table import LeadTable
from leadml.features.snapshots import read_snapshots
from leadml.features.splits import split_by_date
from leadml.judging import fit_scorer
from leadml.pipelines import LOGISTIC, MODEL, make_logistic, make_scorer
from leadml.training import train

N_LEADS, SEEDS = 5_000, (1, 2, 3, 4, 5)
#: The flat table that a CRM exports: who the lead is, and what it did in its first 30 days.
FLAT_AGE, FLAT_WINDOW = 30, "_30d"


def run(report: Report, options: Options) -> list[Ratio]:
    """Train on the past, judge by the future, five times."""
    seeds = SEEDS[:1] if options.quick else SEEDS
    worlds = [_judge_world(seed, 1_500 if options.quick else N_LEADS) for seed in seeds]
    table = pd.DataFrame([world["row"] for world in worlds])
    report.add(
        f"{len(seeds)} worlds of leadforge, `intermediate`, {N_LEADS:,} leads over 15 months; the "
        "test is the newest 20 % of snapshots, learned for from an export made on its first day. "
        "`own` is the log loss that the training reported, with its 95 % interval; `next period` "
        "the range it gave for as many leads of a next period; `test` what came. The logistic "
        "regression learns from a flat table: the columns of the lead, and its counts over 30 days "
        "at the age of 30 days, and is compared on such snapshots."
    )
    report.add()
    report.add_table(table.to_dict("records"))
    held, expected = (
        int(table[name].eq("yes").sum()) for name in ("in its interval", "in that range")
    )
    gaps = np.concatenate([world["gaps"] for world in worlds])
    accounts = np.concatenate([world["accounts"] for world in worlds])
    low, high = _cluster_interval(gaps, accounts)
    report.add(
        f"The range that the training gave for a next period holds the test's log loss in "
        f"{expected} of {len(seeds)} worlds (the bar is 4 of 5); the interval of its own figure, "
        f"which leaves out the test's own chance, in {held}."
    )
    report.add(
        f"leadml less logistic regression, log loss by lead: {gaps.mean():+.4f}, 95 % interval "
        f"{low:+.4f} to {high:+.4f} (accounts resampled)."
    )
    report.add()
    mine, flat = (float(np.mean([world[name] for world in worlds])) for name in ("mine", "flat"))
    return [Ratio("log loss, leadforge in time", "leadml", mine, "logistic, flat table", flat)]


def _judge_world(seed: int, n_leads: int) -> dict[str, Any]:
    tables = crm.simulate_tables(n_leads, random_state=seed, difficulty="intermediate", world=None)
    config = make_config(crm.export_date())
    everything, _ = read_snapshots(open_history(config, tables=tables))
    known = everything.closed()
    _, newest = split_by_date(known.X.index)
    start = known.created.iloc[newest].min()
    training = train(make_config(start), tables=tables)
    own = training.evaluations[MODEL].metrics.loc["log_loss"]
    coming = training.evaluations[MODEL].expect_next().loc["log_loss"]
    scorer = training.model.scorer
    test = _columns_of(known.take(newest), tables, training.model.config)
    chances = scorer.predict_proba(test.X)[:, 1]
    loss = log_loss(test.y, chances)
    held = bool(own["lower"] <= loss <= own["upper"])
    expected = bool(coming["lower"] <= loss <= coming["upper"])
    flat_test, flat_chances = _fit_flat(training.leads, training.model.config, test)
    ours = scorer.predict_proba(flat_test.X)[:, 1]
    y = flat_test.y.to_numpy()
    gaps = _losses(y, ours) - _losses(y, flat_chances)
    row = {
        "seed": seed,
        "structure": training.model.info["structure"],
        "rows learned from": len(training.leads.y),
        "base rate, test": f"{log_loss(test.y, np.full(len(test.y), training.leads.y.mean())):.4f}",
        "own": f"{own['value']:.4f} ({own['lower']:.4f} to {own['upper']:.4f})",
        "test": f"{loss:.4f}",
        "in its interval": "yes" if held else "no",
        "next period": f"{coming['lower']:.4f} to {coming['upper']:.4f}",
        "in that range": "yes" if expected else "no",
        "leadml, age 30": f"{_losses(y, ours).mean():.4f}",
        "logistic, flat": f"{_losses(y, flat_chances).mean():.4f}",
        "gap": f"{gaps.mean():+.4f}",
    }
    accounts = np.array([f"{seed} {account}" for account in flat_test.account])
    return {
        "row": row,
        "gaps": gaps,
        "accounts": accounts,
        "mine": _losses(y, ours).mean(),
        "flat": _losses(y, flat_chances).mean(),
    }


def make_config(as_of: pd.Timestamp) -> Config:
    """Return the settings of the simulated CRM, exported on a day."""
    return Config.model_validate(
        {
            "leads": {
                "path": "leads.csv",
                "id": crm.ID_COLUMN,
                "created": crm.CREATED_COLUMN,
                "account": crm.ACCOUNT_COLUMN,
                "contact": crm.CONTACT_COLUMN,
            },
            "accounts": {"path": "accounts.csv", "id": crm.ACCOUNT_COLUMN},
            "contacts": {"path": "contacts.csv", "id": crm.CONTACT_COLUMN},
            "outcome": {
                "path": "outcomes.csv",
                "lead": crm.ID_COLUMN,
                "column": crm.OUTCOME_COLUMN,
                "won": [WON],
                "lost": [LOST],
                "closed": crm.CLOSED_COLUMN,
            },
            "activities": [
                {"path": f"{name}.parquet", "lead": crm.ID_COLUMN, **columns}
                for name, columns in crm.ACTIVITIES.items()
            ],
            "features": {**crm.TABLE_FEATURES, "bant": BANT},
            "snapshots": {"as_of": str(as_of.date())},
        }
    )


def _columns_of(test: LeadTable, tables: Any, config: Config) -> LeadTable:
    """Return the test's snapshots with the columns that a training's config names."""
    snapshots = config.snapshots.model_copy(update={"as_of": str(crm.export_date().date())})
    later = config.model_copy(update={"snapshots": snapshots})
    history = open_history(later, tables=tables)
    table, _ = read_snapshots(history)
    places = table.X.index.get_indexer(test.X.index)
    return replace(test, X=table.X[list(config.features.families())].iloc[places])


def _fit_flat(learned: LeadTable, config: Config, test: LeadTable) -> tuple[LeadTable, np.ndarray]:
    """Return the test's snapshots of the flat table's age, and the logistic's chances for them."""
    features = config.features
    counted = [
        name
        for name in [*features.behavioral, *features.email]
        if not name.endswith(FLAT_WINDOW) and name in learned.X and name != "email"
    ]
    update = {
        family: [name for name in getattr(features, family) if name not in counted]
        for family in ("behavioral", "email")
    }
    update["monotone"] = {}
    flat = config.model_copy(update={"features": features.model_copy(update=update)})
    at_age = [_is_of_age(rows.X) for rows in (learned, test)]
    train_rows, test_rows = learned.take(at_age[0]), test.take(at_age[1])
    names = list(flat.features.families())
    scorer = make_scorer(flat, make_logistic(flat), name=LOGISTIC)
    train_rows = replace(train_rows, X=train_rows.X[names], weight=None)
    fitted = fit_scorer(scorer, train_rows)
    return test_rows, fitted.predict_proba(test_rows.X[names])[:, 1]


def _is_of_age(X: pd.DataFrame) -> np.ndarray:
    return np.asarray(X["days_since_created"].round() == FLAT_AGE)


def _losses(y: np.ndarray, chances: np.ndarray) -> np.ndarray:
    chances = np.clip(chances, 1e-15, 1 - 1e-15)
    return -np.where(y == 1, np.log(chances), np.log1p(-chances))


def _cluster_interval(
    gaps: np.ndarray, clusters: np.ndarray, n: int = 2_000
) -> tuple[float, float]:
    codes, names = pd.factorize(clusters)
    sums, sizes = np.bincount(codes, weights=gaps), np.bincount(codes)
    rng = np.random.default_rng(0)
    draws = rng.integers(len(names), size=(n, len(names)))
    means = sums[draws].sum(axis=1) / sizes[draws].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
