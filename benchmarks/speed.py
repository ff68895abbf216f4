"""How long things take, beside others in the same run."""

import subprocess
import sys
import time

import numpy as np

from benchmarks import datasets
from benchmarks.peers import PEERS, fit_and_predict
from benchmarks.quality import OURS, Options
from benchmarks.report import Ratio, Report

START_BAR = 0.15  # seconds over a bare interpreter


def run(report: Report, options: Options) -> list[Ratio]:
    """Time the start of the package and the fit of the learner."""
    return [*_time_start(report), *_time_fit(report, options)]


def _time_start(report: Report) -> list[Ratio]:
    commands = {
        "python -c pass": ["-c", "pass"],
        "import leadml": ["-c", "import leadml"],
        "leadml --help": ["-c", "from leadml.cli.app import main; main()", "--help"],
    }
    seconds = {name: _time_command(arguments) for name, arguments in commands.items()}
    bare = seconds.pop("python -c pass")
    report.add(f"Start, seconds over the bare interpreter ({bare:.3f}); the bar is {START_BAR}.")
    report.add()
    rows = []
    for name, value in seconds.items():
        over = "does not run" if value is None else f"{value - bare:.3f}"
        rows.append({"command": name, "seconds over": over})
    report.add_table(rows)
    return [
        Ratio("start, s", name, value, "python -c pass", bare)
        for name, value in seconds.items()
        if value is not None
    ]


def _time_command(arguments: list[str], n_times: int = 7) -> float | None:
    """Return the median seconds of a Python command, or None where it fails."""
    seconds = []
    for _ in range(n_times):
        start = time.perf_counter()
        done = subprocess.run([sys.executable, *arguments], capture_output=True, check=False)  # noqa: S603
        seconds.append(time.perf_counter() - start)
        if done.returncode:
            return None
    return float(np.median(seconds))


def _time_fit(report: Report, options: Options) -> list[Ratio]:
    try:
        leads = datasets.load_x_education()
    except FileNotFoundError as error:
        report.add(f"Skipped, not found: {error.filename}. Set LEADML_DATA to its folder.")
        return []
    everyone = np.arange(len(leads.y))
    seconds = {}
    for name in (OURS, "LightGBM default", "CatBoost default"):
        times = []
        for _ in range(1 if options.quick else 3):
            start = time.perf_counter()
            fit_and_predict(PEERS[name], leads, everyone, everyone[:1])
            times.append(time.perf_counter() - start)
        seconds[name] = min(times)
    report.add(f"Fit on {leads.name}, {len(everyone):,} leads, best of the runs.")
    report.add()
    report.add_table([{"model": name, "seconds": value} for name, value in seconds.items()])
    ours = seconds.pop(OURS)
    return [Ratio("fit, s", OURS, ours, name, value) for name, value in seconds.items()]
