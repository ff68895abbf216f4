"""What reasons of a `full` model cost: our tables beside LightGBM's `pred_contrib`, in one run."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality import Options
from benchmarks.report import Ratio, Report
from leadml.scoring.bag import Bag, BagSettings, fit_bag, make_matrix
from leadml.scoring.columns import CategoryColumn, Codes, Column, NumberColumn
from leadml.scoring.folds import Training
from leadml.scoring.treeshap import build_tables

OURS, THEIRS = "tables", "pred_contrib"
N_LEADS = 10_000
SETTINGS = BagSettings(
    learning_rate=0.05,
    num_leaves=31,
    max_depth=6,
    min_data_in_leaf=20,
    additive=False,
    max_rounds=300,
    patience=60,
    seed=0,
    n_threads=2,
)
SIZES = (1, 7, 100, 1_000, N_LEADS)


def run(report: Report, options: Options) -> list[Ratio]:
    """Time the contributions of 300 rounds of 31 leaves, by boosters and by leads."""
    report.add(
        f"TreeSHAP values of {SETTINGS.max_rounds} rounds of {SETTINGS.num_leaves} leaves, depth "
        f"{SETTINGS.max_depth}, on 20 numbers and 20 categories of 5 to 200 levels. Both take "
        "turns; best of the turns; CPU seconds are those of both threads."
    )
    report.add()
    columns, codes, won = _make_leads()
    folds = (np.arange(N_LEADS) % 5,)
    training = Training(codes, columns, won, folds, [0] * len(columns), np.ones(N_LEADS))
    bag = fit_bag(training, SETTINGS, n_rounds=SETTINGS.max_rounds)
    ratios, rows = [], []
    for n_boosters in (1, 5):
        part = Bag(bag.columns, bag.boosters[:n_boosters], bag.n_rounds, bag.out_of_fold)
        start = time.process_time()
        tables = build_tables(part.boosters, part.columns, part.n_rounds)
        built = time.process_time() - start
        assert tables is not None
        n_bytes = tables.by_code.nbytes + tables.by_pattern.nbytes
        report.add(
            f"{n_boosters} boosters: tables built in {built:.2f} CPU s, {n_bytes / 1e6:.0f} MB."
        )
        for size in (N_LEADS,) if n_boosters == 1 or options.quick else SIZES:
            row, ratio = _compare(part, codes, size, 2 if options.quick else 4)
            rows.append({"boosters": n_boosters, **row})
            ratios.append(ratio)
    report.add()
    report.add_table(rows)
    return ratios


def _compare(bag: Bag, codes: list[Codes], size: int, n_turns: int) -> tuple[dict, Ratio]:
    """Time both on `size` leads; the slow one on fewer, where there are many."""
    few = min(size, 1_000)
    mine, its = [[values[:count] for values in codes] for count in (size, few)]
    bag.contributions(mine)  # builds the tables
    matrix = make_matrix(its, bag.columns)

    def explain() -> NDArray:
        return np.sum(
            [
                booster.predict(matrix, pred_contrib=True, num_iteration=bag.n_rounds)
                for booster in bag.boosters
            ],
            axis=0,
        )

    contenders: dict[str, tuple[int, Callable]] = {
        OURS: (size, lambda: bag.contributions(mine)[0] * len(bag.boosters)),
        THEIRS: (few, explain),
    }
    wall: dict[str, list[float]] = {OURS: [], THEIRS: []}
    cpu: dict[str, list[float]] = {OURS: [], THEIRS: []}
    values = {}
    for _ in range(n_turns):
        for name, (count, call) in contenders.items():
            before, cpu_before = time.perf_counter(), time.process_time()
            values[name] = call()
            wall[name].append((time.perf_counter() - before) / count)
            cpu[name].append((time.process_time() - cpu_before) / count)
    row: dict = {"leads": size}
    for name in contenders:
        row[f"{name}, leads/s"] = f"{1 / min(wall[name]):,.0f}"
        row[f"{name}, leads/CPU s"] = f"{1 / min(cpu[name]):,.0f}"
    row["times"] = f"{min(wall[THEIRS]) / min(wall[OURS]):.1f}"
    row["times, CPU"] = f"{min(cpu[THEIRS]) / min(cpu[OURS]):.1f}"
    row["largest difference"] = f"{np.abs(values[OURS][:few] - values[THEIRS][:, :-1]).max():.0e}"
    what = f"reasons, {len(bag.boosters)} boosters, {size:,} leads, ms a lead"
    return row, Ratio(what, OURS, 1e3 * min(wall[OURS]), THEIRS, 1e3 * min(wall[THEIRS]))


def _make_leads() -> tuple[list[Column], list[Codes], NDArray[np.bool_]]:
    """Draw codes of 40 columns with missing values, and wins that joint effects decide."""
    random = np.random.default_rng(0)
    numbers = [NumberColumn(f"n{place}", tuple(range(100))) for place in range(20)]
    counts = np.geomspace(5, 200, 20).astype(int)
    levels = [CategoryColumn(f"c{count}", tuple(map(str, range(count)))) for count in counts]
    columns: list[Column] = [*numbers, *levels]
    codes, effects = [], []
    for place, column in enumerate(columns):
        values = random.integers(0, column.n_codes - 1, N_LEADS)
        values[random.random(N_LEADS) < 0.1 * (place % 2)] = column.n_codes - 1
        codes.append(values.astype(np.int32))
        effects.append(random.normal(0, 0.4, column.n_codes)[values])
    smooth = [np.sin(values / 40) * random.normal() for values in codes[:20]]
    pairs = [one * np.roll(smooth, 1, axis=0)[place] for place, one in enumerate(smooth)]
    z = np.sum(pairs, axis=0) + np.sum(effects[20:], axis=0) - 1
    return columns, codes, random.random(N_LEADS) < 1 / (1 + np.exp(-z))
