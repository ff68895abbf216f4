"""The contenders of `benchmarks.scoring`, each run in a process of its own.

`python -m benchmarks._scoring_peers NAME FOLDER` prints its cost as JSON: seconds until it was
ready (imports, the model, 1,000 leads to warm up), seconds and CPU seconds of the scoring itself,
and the most memory.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

REASONS = 3
SAMPLE = 2_000  # leads that get reasons from TreeSHAP
SUFFIXES = {"Parquet": ".parquet", "CSV": ".csv"}

Run = Callable[[], dict]


def predict_matrix(folder: Path) -> Run:
    """Predict probabilities of a float matrix that is ready, with LightGBM."""
    import joblib
    import numpy as np

    from benchmarks._scoring_data import N_THREADS

    booster = joblib.load(folder / "model.joblib").booster_
    matrix = np.load(folder / "matrix.npy")
    booster.predict(matrix[:1_000], num_threads=N_THREADS)
    return lambda: {"rows": len(booster.predict(matrix, num_threads=N_THREADS))}


def score_file(structure: str, source: str, target: str, folder: Path) -> Run:
    """Score a file as `leadml score` does, within a process that runs already."""
    from leadml.bulk.run import score_file as score

    def run(name: str) -> dict:
        leads = folder / f"{name}{SUFFIXES[source]}"
        out = folder / f"{structure} {source} {target}{SUFFIXES[target]}"
        return {"rows": score(folder / structure, leads, out, n_reasons=REASONS).n_rows}

    run("few")
    return partial(run, "leads")


def run_command(structure: str, folder: Path) -> Run:
    """Run `leadml score` from Parquet to Parquet, its start and imports included."""
    files = [str(folder / "leads.parquet"), "-o", str(folder / "command.parquet")]
    code = "from leadml.cli.app import main; main()"
    command = [sys.executable, "-c", code, "score", str(folder / structure), *files]

    def run() -> dict:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603
        return {}

    return run


def run_today(folder: Path) -> Run:
    """Score as most people would: pandas, LGBMClassifier, TreeSHAP of a sample, Parquet."""
    import joblib
    import numpy as np
    import pandas as pd

    from benchmarks._scoring_data import CATEGORIES, FEATURES, N_THREADS

    model = joblib.load(folder / "model.joblib").set_params(n_jobs=N_THREADS)
    levels = model.booster_.pandas_categorical
    kinds = {
        name: pd.CategoricalDtype(those) for name, those in zip(CATEGORIES, levels, strict=True)
    }
    try:
        from shap import TreeExplainer

        explain, explainer = TreeExplainer(model).shap_values, "shap.TreeExplainer"
    except ModuleNotFoundError:
        explainer = "pred_contrib"

        def explain(X: pd.DataFrame) -> np.ndarray:
            return model.booster_.predict(X, pred_contrib=True, num_threads=N_THREADS)[:, :-1]

    def run(name: str = "leads") -> dict:
        leads = pd.read_parquet(folder / f"{name}.parquet", columns=["lead_id", *FEATURES])
        X = leads[FEATURES].astype(kinds)
        scored = leads[["lead_id"]].assign(probability=model.predict_proba(X)[:, 1])
        start = time.perf_counter()
        few = X.head(SAMPLE)
        values = explain(few)
        best = np.argsort(-np.abs(values), axis=1)[:, :REASONS]
        shown = few.astype(str).to_numpy()
        reasons = [
            [f"{values[row, place]:+.2f} {FEATURES[place]}: {shown[row, place]}" for place in mine]
            for row, mine in enumerate(best)
        ]
        explaining = time.perf_counter() - start
        names = [f"reason_{rank + 1}" for rank in range(REASONS)]
        scored.join(pd.DataFrame(reasons, columns=names)).to_parquet(folder / "today.parquet")
        cost = {"explaining": explaining, "explained": len(few), "explainer": explainer}
        return {"rows": len(leads), **cost}

    run("few")
    return run


def score_single(folder: Path) -> Run:
    """Score one lead, again and again, in the three ways there are, in turns."""
    import warnings

    import mlflow  # noqa: TID251 - what others do is timed here
    import numpy as np
    import pyarrow.parquet as pq

    from leadml.registry import tracking
    from leadml.registry.bundle import load_model

    leads = pq.read_table(folder / "few.parquet")
    model = load_model(folder / "additive")
    served = Path(tracking.__file__).with_name("served.py")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's words about its own type hints
        mlflow.pyfunc.save_model(
            folder / f"pyfunc {os.getpid()}",
            python_model=str(served),
            artifacts={"folder": str(folder / "additive")},
            pip_requirements=[],
        )
        pyfunc = mlflow.pyfunc.load_model(str(folder / f"pyfunc {os.getpid()}"))
    frame = leads.to_pandas()
    frames = [frame.iloc[[place]].reset_index(drop=True) for place in range(len(frame))]
    single = {
        "`LeadModel.score_one`, a dict": (model.score_one, leads.to_pylist()),
        "`LeadScorer.score_leads`, a frame of a row": (model.scorer.score_leads, frames),
        "`LeadModel.score_leads`, which reads the frame first": (model.score_leads, frames),
        "`predict` of the MLflow pyfunc, a frame of a row": (pyfunc.predict, frames),
    }

    def run() -> dict:
        milliseconds: dict[str, list[float]] = {name: [] for name in single}
        for place in range(leads.num_rows):
            for name, (score, each) in [*single.items()][: None if place % 20 == 0 else 1]:
                start = time.perf_counter()
                score(each[place])
                milliseconds[name].append(1_000 * (time.perf_counter() - start))
        shares = {"median": 50, "99 %": 99}
        return {
            "milliseconds": {
                name: {share: float(np.percentile(times, q)) for share, q in shares.items()}
                for name, times in milliseconds.items()
            }
        }

    return run


def run_engine(folder: Path) -> Run:
    """Score columns in memory with one thread: the points alone, then with score and reasons."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from benchmarks._scoring_data import CATEGORIES, FEATURES
    from leadml.data.blocks import ROWS
    from leadml.registry.bundle import load_model
    from leadml.scoring.attribution import split_pipeline
    from leadml.scoring.points import CACHED, add_up
    from leadml.scoring.raw_columns import RawColumn

    pa.set_cpu_count(1)
    scorer = load_model(folder / "additive").scorer
    engine = scorer.compile()
    table = split_pipeline(scorer.estimator_)[1].table_
    with pq.ParquetFile(folder / "leads.parquet", read_dictionary=CATEGORIES) as file:
        columns = ["lead_id", *FEATURES]
        blocks = [pa.table(batch) for batch in file.iter_batches(ROWS, columns=columns)][:4]
    plain = [{name: block[name].combine_chunks() for name in columns} for block in blocks]
    coded = [_codes(block.to_pandas(), table) for block in blocks]
    space = np.empty((len(table.features), CACHED))

    def add(place: int) -> None:
        codes, numbers = coded[place]
        n_leads = blocks[place].num_rows
        for start in range(0, n_leads, CACHED):
            rows = slice(start, start + CACHED)
            points = space[:, : min(CACHED, n_leads - start)]
            mine = {name: values[rows] for name, values in numbers.items()}
            table.fill_points(points, {k: v[rows] for k, v in codes.items()}, mine)
            add_up(points.T, table.intercept)

    def score(n_reasons: int, place: int) -> None:
        mine = plain[place]
        raw = {name: RawColumn(mine[name]) for name in engine.sources}
        engine.score(raw, len(mine["lead_id"]), n_reasons=n_reasons)

    def write(place: int) -> None:
        mine = plain[place]
        scorer.score_columns(mine, mine["lead_id"], n_reasons=REASONS)

    steps = {
        "codes to points and their sum": add,
        "columns to score, probability, fit, engagement": partial(score, 0),
        "the same and the texts of the top 3 reasons": partial(score, REASONS),
        "columns to the scored table in Arrow": write,
    }

    def run() -> dict:
        best = dict.fromkeys(steps, float("inf"))
        for _ in range(3):
            for name, step in steps.items():
                for place, block in enumerate(blocks):
                    start = time.thread_time()  # what it costs, whoever else is busy
                    step(place)
                    cost = (time.thread_time() - start) / block.num_rows
                    best[name] = min(best[name], cost)
        return {"rates": {name: 1 / cost for name, cost in best.items()}}

    run()
    return run


def _codes(leads: "pd.DataFrame", table: "PointsTable") -> tuple:  # noqa: F821 - as above
    from leadml.scoring.columns import as_numbers, source_of

    codes = {each.name: each.codes(leads[source_of(each)]) for each in table.columns}
    sloped = {term.column for term in table.terms if term.slope}
    return codes, {name: as_numbers(leads[name]) for name in sloped}


FILES = {
    f"{structure}, {source} to {target}": partial(score_file, structure, source, target)
    for source, target in (("Parquet", "Parquet"), ("CSV", "Parquet"), ("CSV", "CSV"))
    for structure in ("additive", "pairwise")
}
MATRIX, COMMAND, TODAY = "Booster.predict", "leadml score, additive", "pandas and TreeSHAP"
SINGLE, ENGINE = "one lead", "engine"
CONTENDERS: dict[str, Callable[[Path], Run]] = {
    MATRIX: predict_matrix,
    **FILES,
    COMMAND: partial(run_command, "additive"),
    TODAY: run_today,
    SINGLE: score_single,
    ENGINE: run_engine,
}


def main(name: str, folder: str) -> None:
    """Run a contender and print what it cost."""
    start = time.perf_counter()
    run = CONTENDERS[name](Path(folder))
    ready, wall, cpu = time.perf_counter() - start, time.perf_counter(), _cpu_seconds()
    outcome = run()
    seconds = time.perf_counter() - wall
    cost = {"ready": ready, "seconds": seconds, "cpu": _cpu_seconds() - cpu}
    print(json.dumps({**cost, "bytes": _peak_memory(), **outcome}))


def _cpu_seconds() -> float:
    times = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in times)


def _peak_memory() -> int:
    """Return the most bytes that this process took, or the largest one it started."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    own = 1024 * int(text.partition("VmHWM:")[2].split()[0])
    return max(own, 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


if __name__ == "__main__":
    main(*sys.argv[1:])
