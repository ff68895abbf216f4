"""Run the benchmarks: `python -m benchmarks [NAME] [--quick] [--only PART]`."""

import os

# LightGBM's threads spin while they wait; read once, when the library loads
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import argparse
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks import (
    coverage,
    history,
    pages,
    quality,
    scoring,
    spark,
    speed,
    temporal,
    treeshap,
)
from benchmarks.report import Report

RESULTS = Path(__file__).parent / "results"
LEARNERS = (
    "numpy", "pandas", "scikit-learn", "scipy", "lightgbm", "catboost", "interpret-core",
)  # fmt: skip
LIBRARIES = {
    "quality": LEARNERS,
    "speed": LEARNERS,
    "history": ("pandas", "pyarrow", "duckdb", "ibis-framework", "polars"),
    "scoring": ("numpy", "pandas", "pyarrow", "lightgbm", "mlflow"),
    "treeshap": ("numpy", "lightgbm"),
    "spark": ("numpy", "pyarrow"),
    "pages": ("numpy", "pandas", "scikit-learn"),
    "coverage": ("numpy", "pandas", "scikit-learn", "scipy", "lightgbm"),
}
BENCHMARKS = {
    "quality": quality,
    "speed": speed,
    "history": history,
    "temporal": temporal,
    "scoring": scoring,
    "treeshap": treeshap,
    "spark": spark,
    "pages": pages,
    "coverage": coverage,
}
PARTS = {
    "quality": quality.PARTS,
    "history": history.PARTS,
    "scoring": scoring.PARTS,
    "coverage": coverage.PARTS,
}


def main() -> None:
    """Run the benchmarks asked for, and print the ratios of all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("benchmark", nargs="?", choices=list(BENCHMARKS), help="all when left out")
    parser.add_argument("--quick", action="store_true", help="little of everything; writes no file")
    parser.add_argument(
        "--slow", action="store_true", help="with EBM; 100,000,000 activities; 10,000,000 leads"
    )
    parser.add_argument("--repeats", type=int, default=1, help="of the 5 folds")
    parser.add_argument(
        "--only", choices=[part for parts in PARTS.values() for part in parts], help="one part"
    )
    given = parser.parse_args()
    options = quality.Options(given.quick, given.slow, given.repeats)
    ratios = []
    for name, module in BENCHMARKS.items():
        parts = PARTS.get(name, {})
        if given.benchmark not in (None, name) or (given.only and given.only not in parts):
            continue
        report = Report()
        report.add(f"# {name.title()}")
        report.add()
        report.add(_setting(options, name))
        report.add()
        only = {"only": given.only} if parts else {}
        ratios += module.run(report, options, **only)
        if not given.quick:
            suffix = f"_{given.only}" if given.only else ""
            report.write(RESULTS / f"{name}{suffix}.md")
    if not ratios:
        return
    summary = Report()
    summary.add("## Ratios: ours over the other's, below 1 is better")
    summary.add()
    summary.add_table([ratio.as_row() for ratio in ratios])


def _setting(options: quality.Options, name: str) -> str:
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    libraries = [f"{one} {version(one)}" for one in LIBRARIES.get(name, ())]
    setting = f"{', '.join([python, *libraries])}; 2 threads."
    if LIBRARIES.get(name) is not LEARNERS:
        return setting
    return f"{setting} Seed 0 everywhere; {options.repeats} repeat(s) of 5 stratified folds."


if __name__ == "__main__":
    main()
