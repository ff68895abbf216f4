"""The leads and the models of `benchmarks.scoring`, made in a process of their own.

`python -m benchmarks._scoring_data all FOLDER LEADS` writes them into a folder, `large` only many
more leads into the folder `large` in it.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

N_TREES, N_LEAVES, N_THREADS = 300, 31, 2
NUMBERS = [f"number_{place}" for place in range(20)]
CATEGORIES = [f"category_{place}" for place in range(20)]
LEVELS = np.geomspace(5, 200, 20).astype(int)
FEATURES = [*NUMBERS, *CATEGORIES]
MISSING = 0.05
STRUCTURES = ("additive", "pairwise")
N_MODEL, N_POINTS = 40_000, 20_000  # leads that LightGBM and the points are fitted on
FEW = 1_000
BLOCK, ROW_GROUP = 250_000, 125_000
TRAINING = 1_000_000_000  # the first id of the leads that models are fitted on


def make_all(folder: Path, n_leads: int) -> None:
    """Write leads as Parquet, as CSV and as a matrix, 1,000 of them to warm up with, and models."""
    write_leads(folder, n_leads)
    with arrow_csv.CSVWriter(folder / "leads.csv", make_leads(0, 1).schema) as csv:
        for block in _blocks(n_leads):
            csv.write_table(block)
    few = make_leads(0, FEW)
    pq.write_table(few, folder / "few.parquet")
    arrow_csv.write_csv(few, folder / "few.csv")
    write_models(folder)
    write_matrix(folder)


def make_large(folder: Path, n_leads: int) -> None:
    """Write more leads, with links to what else a contender reads."""
    large = folder / "large"
    large.mkdir(exist_ok=True)
    write_leads(large, n_leads)
    for name in ("few.parquet", *STRUCTURES):
        link = large / name
        link.unlink(missing_ok=True)
        link.symlink_to(folder / name)


def make_leads(start: int, n: int) -> pa.Table:
    """Return leads from an id on: 20 numbers, 20 categories, an outcome that both decide."""
    random = np.random.default_rng([start, n])
    columns = {"lead_id": pa.array([f"L{number:09d}" for number in range(start, start + n)])}
    log_odds = np.full(n, -1.5)
    for place, name in enumerate(NUMBERS):
        values, mean, spread = _draw_numbers(random, place, n)
        effect = 0.3 * np.tanh((values - mean) / spread)
        log_odds += effect if place % 3 else -effect
        columns[name] = pa.array(values, mask=random.random(n) < MISSING)
    for place, (name, n_levels) in enumerate(zip(CATEGORIES, LEVELS, strict=True)):
        of_column = np.random.default_rng(place)  # the same in every block
        shares = of_column.dirichlet(np.full(n_levels, 2.0))
        codes = random.choice(n_levels, n, p=shares).astype(np.int32)
        log_odds += of_column.normal(0, 0.3, n_levels)[codes]
        texts = pa.array([f"level {place} {level}" for level in range(n_levels)])
        indices = pa.array(codes, mask=random.random(n) < MISSING)
        columns[name] = pa.DictionaryArray.from_arrays(indices, texts).cast(pa.string())
    won = random.random(n) < 1 / (1 + np.exp(-log_odds))
    columns["won"] = pa.array(np.where(won, "won", "lost"))
    return pa.table(columns)


def _draw_numbers(random: np.random.Generator, place: int, n: int) -> tuple:
    match place % 4:
        case 0:
            return random.normal(size=n), 0.0, 1.0
        case 1:
            return random.lognormal(size=n), 1.6, 2.2
        case 2:
            return random.poisson(3 + place, n).astype(float), 3 + place, np.sqrt(3 + place)
        case _:
            return random.exponential(100, n).round(2), 100.0, 100.0


def write_leads(folder: Path, n_leads: int) -> None:
    """Write `leads.parquet`."""
    with pq.ParquetWriter(folder / "leads.parquet", make_leads(0, 1).schema) as parquet:
        for block in _blocks(n_leads):
            parquet.write_table(block, row_group_size=ROW_GROUP)


def _blocks(n_leads: int) -> Iterator[pa.Table]:
    for start in range(0, n_leads, BLOCK):
        yield make_leads(start, min(BLOCK, n_leads - start))


def write_models(folder: Path) -> None:
    """Write LightGBM's model `model.joblib`, and a model folder for each structure of points."""
    import lightgbm

    from leadml.config import Config
    from leadml.data.lead_table import read_table
    from leadml.pipelines import make_model, make_scorer
    from leadml.registry.bundle import LeadModel, save_model

    leads = make_leads(TRAINING, N_MODEL).to_pandas()
    X = leads[FEATURES].astype(dict.fromkeys(CATEGORIES, "category"))
    model = lightgbm.LGBMClassifier(
        n_estimators=N_TREES, num_leaves=N_LEAVES, n_jobs=N_THREADS, random_state=0, verbose=-1
    )
    joblib.dump(model.fit(X, leads["won"] == "won"), folder / "model.joblib")
    config = Config.model_validate(
        {
            "leads": {"path": "leads.parquet", "id": "lead_id"},
            "outcome": {"column": "won", "won": ["won"], "lost": ["lost"]},
            "features": {"behavioral": NUMBERS, "firmographic": CATEGORIES},
        }
    )
    table = read_table(leads.head(N_POINTS), config).closed()
    for structure in STRUCTURES:
        scorer = make_scorer(config, make_model(config, structure), name=structure)
        points = LeadModel(scorer.fit(table.X, table.y), None, config, {})
        save_model(folder / structure, points)


def write_matrix(folder: Path) -> None:
    """Write `matrix.npy`, the leads as LightGBM's own prediction takes them: floats alone."""
    booster = joblib.load(folder / "model.joblib").booster_
    leads = pd.read_parquet(folder / "leads.parquet", columns=FEATURES)
    for name, levels in zip(CATEGORIES, booster.pandas_categorical, strict=True):
        codes = pd.Categorical(leads[name], categories=levels).codes.astype(float)
        leads[name] = np.where(codes < 0, np.nan, codes)
    np.save(folder / "matrix.npy", np.ascontiguousarray(leads.to_numpy(np.float64)))


if __name__ == "__main__":
    {"all": make_all, "large": make_large}[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
