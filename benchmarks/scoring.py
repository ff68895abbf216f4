"""How fast leads are scored with reasons, beside LightGBM's own prediction, and at what memory.

Every run is a process of its own, so that its peak memory is its own; runs take turns, so that a
busy minute of the machine hits all of them.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks import _scoring_data as data
from benchmarks import _scoring_peers as peers
from benchmarks._scoring_peers import (
    COMMAND,
    ENGINE,
    FILES,
    MATRIX,
    REASONS,
    SAMPLE,
    SINGLE,
    TODAY,
)
from benchmarks.quality import Options
from benchmarks.report import Ratio, Report

MILLION = 1_000_000
BARS = {"Parquet": 5, "CSV": 2}  # times as fast as LightGBM's prediction, by what is read
BYTES_BAR = 1e9
SCORED = "additive, Parquet to Parquet"
TOLERANCE = 1e-9


def compare_throughput(report: Report, options: Options, folder: Path) -> list[Ratio]:
    """Compare scores with reasons, from file to file, with LightGBM's prediction alone."""
    names = [MATRIX, *FILES, COMMAND]
    best = _run_in_turns(names, folder, 1 if options.quick else 3)
    _check_equal(folder)
    n = best[MATRIX]["rows"]
    report.add(
        f"{n:,} leads, 20 numbers, 20 categories of {data.LEVELS[0]} to {data.LEVELS[-1]} levels, "
        f"{data.MISSING:.0%} missing. `{MATRIX}` predicts probabilities of a float matrix that is "
        f"in memory, with {data.N_TREES} trees of {data.N_LEAVES} leaves; the others read a file "
        f"and write the scored table with {REASONS} reasons a lead. The pairwise model has "
        f"{_count_pairs(folder)} pairs of columns. *Ready* is what a "
        "process takes before: imports, the model, 1,000 leads to warm up. The command's seconds "
        "hold all of that. Best of the turns."
    )
    report.add()
    rows = []
    for name, cost in best.items():
        rows.append({"contender": name, **_as_row(cost, n)})
        rows[-1]["times as fast"] = f"{best[MATRIX]['seconds'] / cost['seconds']:.1f}"
        rows[-1]["times, CPU"] = f"{best[MATRIX]['cpu'] / cost['cpu']:.1f}"
        rows[-1]["bar"] = next((bar for kind, bar in BARS.items() if f", {kind} to" in name), "")
    report.add_table(rows)
    return [
        Ratio(f"{n:,} leads, {figure}", name, best[name][figure], MATRIX, best[MATRIX][figure])
        for figure in ("seconds", "cpu")
        for name in names[1:]
    ]


def measure_size(report: Report, options: Options, folder: Path) -> list[Ratio]:
    """Measure how cost and memory grow with the leads."""
    sizes = [1, 3, 10] if options.slow else [1, 3]
    rows = []
    for size in sizes:
        n = size * (MILLION // 10 if options.quick else MILLION)
        _run_python(data.__name__, "large", str(folder), str(n))
        cost = _run(SCORED, folder / "large")
        each = {f"{figure} a million": cost[figure] / n * MILLION for figure in ("seconds", "cpu")}
        rows.append({"leads": f"{n:,}", **_as_row(cost, n), **each})
    shutil.rmtree(folder / "large")
    report.add(f"{SCORED}, {REASONS} reasons, one run each; the bar is {BYTES_BAR / 1e9:.0f} GB.")
    report.add()
    report.add_table(rows)
    return []


def compare_today(report: Report, options: Options, folder: Path) -> list[Ratio]:
    """Compare scores and reasons with what most people would run today."""
    best = _run_in_turns([TODAY, SCORED], folder, 1 if options.quick else 2)
    theirs, ours = best[TODAY], best[SCORED]
    n = theirs["rows"]
    plain = theirs["seconds"] - theirs["explaining"]
    explaining = theirs["explaining"] / theirs["explained"] * n
    explainer = theirs["explainer"]
    report.add(
        f"Today: `pandas.read_parquet`, `LGBMClassifier.predict_proba` with pandas categories, "
        f"{REASONS} reasons a lead from `{explainer}`, `to_parquet`. Its reasons are timed on "
        f"{SAMPLE:,} leads and scaled to {n:,}. (For LightGBM, `shap.TreeExplainer` calls "
        "`pred_contrib`.)"
    )
    report.add()
    times = (plain + explaining) / ours["seconds"]
    report.add_table(
        [
            {"step": "today, read, predict and write", "seconds": f"{plain:.1f}"},
            {"step": f"today, {REASONS} reasons", "seconds": f"{explaining:.0f}"},
            {"step": SCORED, "seconds": f"{ours['seconds']:.1f}"},
            {"step": "times as fast, with reasons", "seconds": f"{times:.0f}"},
            {"step": "times as fast, theirs without", "seconds": f"{plain / ours['seconds']:.1f}"},
        ]
    )
    rival = f"pandas, LightGBM, {explainer}"
    what = f"{n:,} leads with reasons, s"
    return [Ratio(what, SCORED, ours["seconds"], rival, plain + explaining)]


def compare_single(report: Report, options: Options, folder: Path) -> list[Ratio]:
    """Compare the ways to score one lead within a process that runs."""
    del options
    milliseconds = _run(SINGLE, folder)["milliseconds"]
    report.add("The additive model, milliseconds a lead: 1,000 leads the first way, 50 the others.")
    report.add()
    report.add_table([{"way": name, **figures} for name, figures in milliseconds.items()])
    ours, *others = milliseconds
    return [
        Ratio("one lead, ms", ours, milliseconds[ours]["median"], name, figures["median"])
        for name, figures in milliseconds.items()
        if name in others
    ]


def measure_engine(report: Report, options: Options, folder: Path) -> list[Ratio]:
    """Measure the engine alone, on columns in memory, with one thread."""
    del options
    rates = _run(ENGINE, folder)["rates"]
    report.add("The additive model, blocks of 65,536 leads, categories as dictionaries.")
    report.add()
    report.add_table(
        [{"step": name, "leads a CPU second": f"{rate:,.0f}"} for name, rate in rates.items()]
    )
    return []


PARTS: dict[str, Callable[[Report, Options, Path], list[Ratio]]] = {
    "throughput": compare_throughput,
    "size": measure_size,
    "today": compare_today,
    "single": compare_single,
    "engine": measure_engine,
}


def run(report: Report, options: Options, only: str | None = None) -> list[Ratio]:
    """Run every part, or only one, and return the ratios."""
    ratios = []
    with tempfile.TemporaryDirectory(prefix="leadml-bench-") as place:
        folder = Path(place)
        n = MILLION // 10 if options.quick else MILLION
        # in a process of its own, to keep this one small
        _run_python(data.__name__, "all", place, str(n))
        for name, part in PARTS.items():
            if only in (None, name):
                report.add(f"## {(part.__doc__ or '').strip()}")
                report.add()
                ratios += part(report, options, folder)
    return ratios


def _run_in_turns(names: list[str], folder: Path, n_turns: int) -> dict[str, dict]:
    """Return each contender's cheapest run, by seconds; CPU seconds and bytes by themselves."""
    runs: dict[str, list[dict]] = {name: [] for name in names}
    for _ in range(n_turns):
        for name in names:
            runs[name].append(_run(name, folder))
    best = {name: min(costs, key=lambda cost: cost["seconds"]) for name, costs in runs.items()}
    for name, costs in runs.items():
        best[name]["cpu"] = min(cost["cpu"] for cost in costs)
        best[name]["bytes"] = max(cost["bytes"] for cost in costs)
    return best


def _run(name: str, folder: Path) -> dict:
    """Return what a contender's run cost: ready, seconds, cpu, bytes and what it told."""
    return json.loads(_run_python(peers.__name__, name, str(folder)).splitlines()[-1])


def _run_python(module: str, *arguments: str) -> str:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT"), str(data.N_THREADS))
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", module, *arguments],
        env=os.environ | threads,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return done.stdout


def _check_equal(folder: Path) -> None:
    """Raise unless a model gives the same scored table whatever the formats of its files."""
    for structure in data.STRUCTURES:
        from_parquet, from_csv = (
            pq.read_table(folder / f"{structure} {source} Parquet.parquet").drop_columns("lead_id")
            for source in ("Parquet", "CSV")
        )
        for name in from_parquet.column_names:
            one, other = (table[name].to_pandas() for table in (from_parquet, from_csv))
            if one.dtype == float:
                same = np.allclose(one, other, rtol=0, atol=TOLERANCE, equal_nan=True)
            else:
                same = one.equals(other)
            if not same:
                message = f"{structure}: {name} from CSV is not that from Parquet."
                raise AssertionError(message)


def _count_pairs(folder: Path) -> int:
    model = json.loads((folder / "pairwise" / "model.json").read_text(encoding="utf-8"))
    return len(model["model"]["classifier"]["table"]["pairs"])


def _as_row(cost: dict, n: int) -> dict:
    return {
        "ready, s": f"{cost['ready']:.1f}",
        "seconds": f"{cost['seconds']:.2f}",
        "CPU seconds": f"{cost['cpu']:.2f}",
        "leads/s": f"{n / cost['seconds']:,.0f}",
        "peak memory, GB": f"{cost['bytes'] / 1e9:.2f}",
    }
