"""What a report of many scored leads costs, beside a plain bootstrap with scikit-learn."""

import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    roc_auc_score,
)

from benchmarks import _scoring_data as data
from benchmarks.quality import Options
from benchmarks.report import Ratio, Report
from leadml.config import Config
from leadml.data.lead_table import LeadTable, read_table
from leadml.evaluation.report import write_report
from leadml.judged import Judged
from leadml.judging import fit_scorer
from leadml.pipelines import MODEL, RULES, make_model, make_rules, make_scorer
from leadml.reporting.build import make_report
from leadml.scoring.rulebook import Rule, RuleBook
from leadml.scoring.scorer import LeadScorer

N_LEADS, N_LEARNED, N_RESAMPLES = 1_000_000, 20_000, 500
SECONDS_BAR, BYTES_BAR = 20, 3e6
PEER, TIMED = "scikit-learn's metrics", 2  # resamples of the peer that are timed
METRICS = (roc_auc_score, average_precision_score, log_loss, brier_score_loss)
CONFIG = Config.model_validate(
    {
        "leads": {"path": "leads.parquet", "id": "lead_id"},
        "outcome": {"column": "won", "won": ["won"], "lost": ["lost"]},
        "features": {"behavioral": data.NUMBERS, "firmographic": data.CATEGORIES},
    }
)
BOOK = RuleBook(
    rules=[
        Rule(name=f"{name} above 0", family="behavioral", column=name, at_least=0, points=5)
        for name in data.NUMBERS
    ]
)


def run(report: Report, options: Options) -> list[Ratio]:
    """Time evaluation, comparison and page of a model and a rule book on the same leads."""
    n_leads = 100_000 if options.quick else N_LEADS
    learned = _read(data.TRAINING, N_LEARNED)
    scorers = _fit(learned)
    leads = _read(0, n_leads)
    judged = Judged.score(leads, [(np.arange(n_leads), scorers)])
    report.add(
        f"{n_leads:,} leads of {len(data.FEATURES)} columns, scored by a model and a rule book: "
        f"every figure with its interval, comparison, points, sums of single leads, what-if "
        f"tables, and the page. {PEER}: AUC, average precision, log loss and Brier score of both "
        f"on {N_RESAMPLES} resamples, timed on {TIMED} and scaled; no comparison, no page. CPU "
        "seconds are those of both threads."
    )
    report.add()
    with tempfile.TemporaryDirectory() as folder:
        rows, size = _time(judged, scorers, Path(folder) / "report.html")
    theirs = _time_peer(judged)
    rows.append({"step": f"{PEER}, bootstrap", "seconds": theirs, "CPU s": np.nan})
    report.add_table(rows)
    seconds = rows[-2]["seconds"]
    is_held = "held" if seconds < SECONDS_BAR and size < BYTES_BAR else "missed"
    report.add(
        f"The page has {size / 1e6:.2f} MB. Bar at {N_LEADS:,} leads: below {SECONDS_BAR} s and "
        f"{BYTES_BAR / 1e6:.0f} MB: {is_held}."
    )
    return [Ratio(f"report of {n_leads:,} leads, s", "leadml", seconds, PEER, theirs)]


def _read(first: int, n_leads: int) -> LeadTable:
    return read_table(data.make_leads(first, n_leads).to_pandas(), CONFIG).closed()


def _fit(leads: LeadTable) -> dict[str, LeadScorer]:
    model = fit_scorer(make_scorer(CONFIG, make_model(CONFIG, "additive"), name=MODEL), leads)
    rules = make_scorer(CONFIG, make_rules(CONFIG, BOOK), name=RULES, scale=model.scale_)
    return {MODEL: model, RULES: fit_scorer(rules, leads)}


def _time(judged: Judged, scorers: dict[str, LeadScorer], path: Path) -> tuple[list[dict], int]:
    rows = []
    clock = [(time.perf_counter(), time.process_time())]

    def note(step: str, since: int = -1) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        before = clock[since]
        rows.append({"step": step, "seconds": wall - before[0], "CPU s": cpu - before[1]})
        clock.append((wall, cpu))

    evaluations = judged.evaluate()
    note("evaluate both")
    comparison = judged.compare(capacity=500, weeks=52)
    note("compare")
    made = make_report(
        judged,
        evaluations,
        comparison,
        scorers,
        judged.inputs,
        title="Leads",
        facts={},
        show_leads=True,
    )
    note("points, sums, what-if")
    write_report(made, path)
    note("page")
    note("all of it", since=0)
    return rows, path.stat().st_size


def _time_peer(judged: Judged) -> float:
    random = np.random.default_rng(0)
    y = judged.leads.y.to_numpy()
    chances = [table["probability"].to_numpy() for table in judged.scored.values()]
    start = time.perf_counter()
    for _ in range(TIMED):
        rows = random.integers(len(y), size=len(y))
        for chance in chances:
            for metric in METRICS:
                metric(y[rows], chance[rows])
    return (time.perf_counter() - start) * N_RESAMPLES / TIMED
