"""How fast activities become features, beside hand-written DuckDB and Polars, and at what memory.

Every run is a process of its own, so that its peak memory is its own; runs take turns, so that a
busy minute of the machine hits all of them.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks._history_peers import make_tables
from benchmarks.quality import Options
from benchmarks.report import Ratio, Report

OURS = "leadml"
RIVALS = ("DuckDB, two stages", "Polars")
MILLION = 1_000_000
RATIO_BAR, BYTES_BAR = 1.5, 2e9
TOLERANCE = 1e-6  # leadml rounds to 6 decimals
# of the embedded engine; the frames and the process come on top. The rivals need not spill.
MEMORY = {OURS: "1GB", "leadml, kinds found": "1GB"}
RIVAL_MEMORY, GROWTH_MEMORY = "4GB", "2GB"


def compare_rivals(report: Report, options: Options) -> list[Ratio]:
    """Compare the seconds and the memory for the same columns."""
    n = MILLION if options.quick else 20 * MILLION
    names = [OURS, *RIVALS, "leadml, kinds found"]
    runs: dict[str, list[dict]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory(prefix="leadml-bench-") as place:
        folder = Path(place)
        _make(folder, n)
        for repeat in range(1 if options.quick else 2):
            for name in names:
                out = folder / f"{name}.features" if repeat == 0 else None
                runs[name].append(_run(name, folder, MEMORY.get(name, RIVAL_MEMORY), out))
        n_columns = _check_equal([folder / f"{name}.features" for name in names])
    best = {name: min(costs, key=lambda cost: cost["seconds"]) for name, costs in runs.items()}
    report.add(
        f"{n:,} activities of {n // 40:,} leads, 10 kinds, a measure, from Parquet to a frame of "
        f"{best[OURS]['rows']:,} rows and {n_columns} columns, which agree within {TOLERANCE:g}. "
        f"The best of {len(runs[OURS])} run(s) each. The engine of leadml may take "
        f"{MEMORY[OURS]}, DuckDB by hand {RIVAL_MEMORY}; Polars knows no limit."
    )
    report.add()
    report.add_table([{"contender": name, **_as_row(cost)} for name, cost in best.items()])
    ours = best[OURS]
    faster = min(RIVALS, key=lambda name: best[name]["seconds"])
    ratio = ours["seconds"] / best[faster]["seconds"]
    report.add(
        f"leadml takes {ratio:.2f} times the seconds of the faster, {faster} (the bar is "
        f"{RATIO_BAR}), and {ours['bytes'] / 1e9:.2f} GB (the bar is {BYTES_BAR / 1e9:.0f})."
    )
    report.add()
    _add_one_pass(report)
    figures = (("seconds", 1), ("cpu", 1), ("bytes", 1e9))
    return [
        Ratio(f"history, {figure}", OURS, ours[figure] / unit, rival, best[rival][figure] / unit)
        for figure, unit in figures
        for rival in RIVALS
    ]


def measure_growth(report: Report, options: Options) -> list[Ratio]:
    """Measure how the cost grows with the activities."""
    sizes = [MILLION // 5, MILLION] if options.quick else [n * MILLION for n in (1, 5, 20)]
    if options.slow:
        sizes.append(100 * MILLION)
    rows = []
    for n in sizes:
        with tempfile.TemporaryDirectory(prefix="leadml-bench-") as place:
            _make(Path(place), n)
            cost = _run(OURS, Path(place), GROWTH_MEMORY)
        row = {"activities": f"{n:,}", "leads": f"{n // 40:,}", **_as_row(cost)}
        rows.append(row | {"seconds a million": cost["seconds"] / n * MILLION})
    report.add(
        f"leadml, the kinds listed, one run each; the engine may take {GROWTH_MEMORY} and spills "
        "beyond. The frame of features comes on top of it."
    )
    report.add()
    report.add_table(rows)
    return []


PARTS: dict[str, Callable[[Report, Options], list[Ratio]]] = {
    "rivals": compare_rivals,
    "growth": measure_growth,
}


def run(report: Report, options: Options, only: str | None = None) -> list[Ratio]:
    """Run every part, or only one, and return the ratios."""
    ratios = []
    for name, part in PARTS.items():
        if only in (None, name):
            report.add(f"## {(part.__doc__ or '').strip()}")
            report.add()
            ratios += part(report, options)
    return ratios


def _add_one_pass(report: Report) -> None:
    """Say why the one-pass form is no rival: it is timed where it ends soon."""
    names = ("DuckDB, two stages", "DuckDB, one pass")
    with tempfile.TemporaryDirectory(prefix="leadml-bench-") as place:
        folder = Path(place)
        _make(folder, MILLION)
        costs = {n: _run(n, folder, RIVAL_MEMORY, folder / f"{n}.features") for n in names}
        _check_equal([folder / f"{name}.features" for name in names])
    stages, one = (costs[name]["seconds"] for name in names)
    report.add(
        f"DuckDB by hand in one pass, an aggregate with a filter for each column, is no rival: on "
        f"{MILLION:,} activities it takes {one:.1f} s, two stages {stages:.1f} s."
    )
    report.add()


def _make(folder: Path, n: int) -> None:
    # in a process of its own, to keep this one small
    code = "import sys; from pathlib import Path; from benchmarks import _history_peers as peers; "
    code += f"peers.{make_tables.__name__}(Path(sys.argv[1]), int(sys.argv[2]))"
    subprocess.run([sys.executable, "-c", code, str(folder), str(n)], check=True)  # noqa: S603


def _run(name: str, folder: Path, memory: str, out: Path | None = None) -> dict:
    """Return what a contender's run cost: seconds, cpu, bytes and the most it spilled."""
    command = [sys.executable, "-m", "benchmarks._history_peers", name, str(folder), memory]
    with tempfile.TemporaryDirectory(dir=folder) as spill:
        process = subprocess.Popen(  # noqa: S603
            command + ([str(out)] if out else []),
            env=os.environ | {"TMPDIR": spill},
            stdout=subprocess.PIPE,
            text=True,
        )
        spilled = 0
        while process.poll() is None:
            spilled = max(spilled, _size(Path(spill)))
            time.sleep(0.2)
        if process.returncode:
            message = f"{name!r} failed on {folder} with {memory}."
            raise RuntimeError(message)
        return json.loads(process.stdout.read()) | {"spilled": spilled}


def _size(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_blocks * 512  # what it takes on disk
        except FileNotFoundError:
            continue
    return total


def _check_equal(files: list[Path]) -> int:
    """Raise unless the frames are equal in ids, names and values; return how many columns."""
    tables = [pq.ParquetFile(file) for file in files]
    names = [table.schema_arrow.names for table in tables]
    for file, table, there in zip(files, tables, names, strict=True):
        if there != names[0]:
            message = f"{file.stem}: other columns, {sorted({*there} ^ {*names[0]})}."
            raise AssertionError(message)
        for column in names[0]:
            # one column at a time keeps this process small
            ours, theirs = (t.read([column])[column].to_numpy() for t in (tables[0], table))
            if column == "lead_id":
                same = np.array_equal(ours, theirs)
            else:
                same = np.allclose(ours, theirs, rtol=1e-9, atol=TOLERANCE, equal_nan=True)
            if not same:
                message = f"{file.stem}: {column} differs from {files[0].stem}'s."
                raise AssertionError(message)
    return len(names[0]) - 1


def _as_row(cost: dict) -> dict:
    return {
        "seconds": f"{cost['seconds']:.1f}",
        "CPU seconds": f"{cost['cpu']:.1f}",
        "peak memory, GB": f"{cost['bytes'] / 1e9:.2f}",
        "spilled, GB": f"{cost['spilled'] / 1e9:.2f}",
    }
