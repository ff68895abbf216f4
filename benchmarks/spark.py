"""Rows a second on a local Spark, beside a `mapInArrow` that does nothing with the same rows."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa

import leadml.spark
from benchmarks._scoring_data import FEATURES, STRUCTURES, write_leads, write_models
from benchmarks.quality import Options
from benchmarks.report import Ratio, Report

N_WORKERS = 2


def run(report: Report, options: Options) -> list[Ratio]:
    """Score the same Parquet file with each structure, and with nothing."""
    missing = _find_missing()
    if missing:
        report.add(f"Skipped: {missing}")
        return []
    n_leads = 100_000 if options.quick else 1_000_000
    report.add(
        f"PySpark {version('pyspark')}, local[{N_WORKERS}]: {n_leads:,} leads x "
        f"{len(FEATURES)} columns from Parquet, best of "
        f"{1 if options.quick else 3} runs that take turns; the rows that come are thrown away."
    )
    report.add()
    with tempfile.TemporaryDirectory() as text, _open_spark(text) as spark:
        folder = Path(text)
        write_leads(folder, n_leads)
        write_models(folder)
        leads = spark.read.parquet(str(folder / "leads.parquet")).drop("won")
        jobs: dict[str, Callable[[], Any]] = {
            "nothing, the id comes back": lambda: leads.mapInArrow(_give_ids, "lead_id string"),
            "nothing, all comes back": lambda: leads.mapInArrow(_give_all, leads.schema),
        }
        for structure in STRUCTURES:
            jobs[f"leadml, {structure}"] = lambda model=folder / structure: leadml.spark.score(
                leads, model
            )
        seconds = _time(jobs, 1 if options.quick else 3)
    report.add_table(
        [
            {"in each worker": name, "seconds": value, "rows/s": f"{n_leads / value:,.0f}"}
            for name, value in seconds.items()
        ]
    )
    empty = {name: seconds.pop(name) for name in [*seconds][:2]}
    return [
        Ratio("Spark, s", ours, value, other, other_value)
        for ours, value in seconds.items()
        for other, other_value in empty.items()
    ]


def _find_missing() -> str:
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        return "Java is not installed. Spark needs Java 17."
    if find_spec("pyspark") is None:
        return "PySpark is not installed. pip install 'leadml[spark]'"
    return ""


def _time(jobs: dict[str, Callable[[], Any]], n_times: int) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(n_times + 1):  # the first run starts the workers and loads what they need
        for name, make in jobs.items():
            start = time.perf_counter()
            make().write.format("noop").mode("overwrite").save()
            times[name].append(time.perf_counter() - start)
    return {name: min(values[1:]) for name, values in times.items()}


def _give_ids(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch.select(["lead_id"])


def _give_all(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield from batches


@contextmanager
def _open_spark(folder: str) -> Iterator[Any]:
    from pyspark.sql import SparkSession

    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "2g",
        "spark.sql.warehouse.dir": folder,
    }
    builder = SparkSession.builder.master(f"local[{N_WORKERS}]").appName("leadml-benchmarks")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    try:
        yield session
    finally:
        session.stop()
