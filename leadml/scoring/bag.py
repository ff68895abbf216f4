"""The boosted part: one LightGBM booster a fold, grown in step, on integer codes."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadml.scoring.columns import CategoryColumn, Codes, Column, Floats
from leadml.scoring.folds import Training
from leadml.scoring.treeshap import TreeTables, build_tables

LEAST_GAIN = 2e-5  # of log loss, that `patience` more rounds must bring
FEWEST_COLUMNS = 4  # that a tree may choose from
MOST_LEVELS = 2**30  # more than any column has
STEP = 20  # rounds between two looks at the mean fold loss
BLOCK = 65_536  # leads predicted at a time
FEW = 64  # leads: fewer are predicted before a second thread wakes up


@dataclass(frozen=True)
class BagSettings:
    """How the boosters are grown; see LightGBM's parameters of the same names."""

    learning_rate: float
    num_leaves: int
    max_depth: int
    min_data_in_leaf: int
    additive: bool
    max_rounds: int
    patience: int
    seed: int
    n_threads: int
    feature_fraction: float = 0.5
    one_hot: bool = False  # split single levels off, instead of cutting all levels in two groups
    pairs: tuple[tuple[int, int], ...] | None = None  # columns that may share a path; None: any


@dataclass(frozen=True)
class Bag:
    """Boosters whose mean log-odds is the prediction; `out_of_fold` is each training lead's."""

    columns: tuple[Column, ...]
    boosters: tuple[Any, ...]
    n_rounds: int
    out_of_fold: Floats

    def predict(self, codes: list[Codes]) -> Floats:
        """Return the mean log-odds, shape (n_leads,)."""
        total = np.zeros(len(codes[0]))
        for first in range(0, len(total), BLOCK):
            block = slice(first, first + BLOCK)
            matrix = make_matrix([column[block] for column in codes], self.columns)
            for booster in self.boosters:
                total[block] += _raw_scores(booster, matrix, self.n_rounds)
        return total / max(len(self.boosters), 1)

    def contributions(self, codes: list[Codes]) -> tuple[Floats, float]:
        """Return exact TreeSHAP values by column (n_leads, n_columns), and their start."""
        # leads that look alike have equal values: each look is explained once
        rows = np.column_stack(codes)
        _, first, places = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        values, start = self._explain([column[first] for column in codes])
        count = max(len(self.boosters), 1)
        return values[places.reshape(-1)] / count, start / count

    def _explain(self, codes: list[Codes]) -> tuple[Floats, float]:
        """Return the TreeSHAP values of the boosters' sum, and their start."""
        if self._tables is not None:
            return self._tables.contributions(codes), self._tables.start
        matrix = make_matrix(codes, self.columns)
        total = np.zeros((len(matrix), len(self.columns) + 1))
        for booster in self.boosters:
            total += booster.predict(matrix, pred_contrib=True, num_iteration=self.n_rounds)
        return total[:, :-1], float(total[0, -1])

    @cached_property
    def _tables(self) -> TreeTables | None:
        return build_tables(self.boosters, self.columns, self.n_rounds)

    def __getstate__(self) -> dict[str, Any]:
        # the tables are made anew where they are needed
        return {name: value for name, value in vars(self).items() if name != "_tables"}


def make_matrix(codes: list[Codes], columns: Sequence[Column]) -> NDArray[np.float32]:
    """Return what a booster sees: codes, missing numbers as NaN."""
    matrix = np.empty((len(codes[0]), len(columns)), dtype=np.float32, order="F")
    for place, column in enumerate(columns):
        matrix[:, place] = codes[place]
        if not isinstance(column, CategoryColumn):
            matrix[codes[place] == column.n_codes - 1, place] = np.nan
    return matrix


def fit_bag(training: Training, settings: BagSettings, n_rounds: int | None = None) -> Bag:
    """Train one booster a fold; stop all of them at the best mean loss on the leads left out.

    Where `n_rounds` is given, they are grown by so many rounds instead.
    """
    matrix = make_matrix(training.codes, training.columns)
    if not _varies(matrix, training.folds):
        return Bag(tuple(training.columns), (), 0, np.zeros(len(matrix)))
    parameters = _parameters(training, settings)
    boosters, held_out = [], []
    for folds in training.folds:
        for fold in np.unique(folds):
            valid = np.flatnonzero(folds == fold)
            boosters.append(_start_booster(matrix, training, folds == fold, parameters))
            held_out.append(valid)
    with ThreadPoolExecutor(settings.n_threads) as pool:
        if n_rounds is None:
            n_rounds = _grow_in_step(boosters, settings, pool)
        else:
            list(pool.map(_grow, boosters, [n_rounds] * len(boosters)))
    out_of_fold = np.zeros(len(matrix))
    for booster, valid in zip(boosters, held_out, strict=True):
        out_of_fold[valid] += _raw_scores(booster, matrix[valid], n_rounds)
        booster.free_dataset()
    out_of_fold /= len(training.folds)
    return Bag(tuple(training.columns), tuple(boosters), n_rounds, out_of_fold)


def _varies(matrix: NDArray[np.float32], folds: Sequence[NDArray[np.int64]]) -> bool:
    """Return whether every training part has a column to split on; LightGBM stops otherwise."""
    return all(
        any(len(np.unique(column)) > 1 for column in matrix[deal != fold].T)
        for deal in folds
        for fold in np.unique(deal)
    )


def merge_bags(first: Bag, more: Bag, n_deals: int) -> Bag:
    """Return one bag of the boosters of one deal of the folds and of `n_deals` more."""
    out_of_fold = (first.out_of_fold + n_deals * more.out_of_fold) / (n_deals + 1)
    return Bag(first.columns, first.boosters + more.boosters, first.n_rounds, out_of_fold)


def _parameters(training: Training, settings: BagSettings) -> dict[str, Any]:
    parameters = {
        "objective": "binary",
        "metric": "binary_logloss",
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.num_leaves,
        "max_depth": settings.max_depth,
        "min_data_in_leaf": settings.min_data_in_leaf,
        "lambda_l2": 5.0,
        # of few columns a tree must see enough for those that act together to meet
        "feature_fraction": max(
            settings.feature_fraction, min(1.0, FEWEST_COLUMNS / len(training.columns))
        ),
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "cat_smooth": 20.0,
        "cat_l2": 20.0,
        "max_cat_to_onehot": MOST_LEVELS if settings.one_hot else 4,
        "max_bin": 255,  # numbers are binned already, to 127 at most
        "min_data_in_bin": 1,
        "feature_pre_filter": False,
        "seed": settings.seed,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": 1,
        "verbosity": -1,
        "monotone_constraints": list(training.monotone),
    }
    pairs = () if settings.additive else settings.pairs
    if pairs is not None:
        alone = [[place] for place in range(len(training.columns))]
        parameters["interaction_constraints"] = [*map(list, pairs), *alone]
    return parameters


def _start_booster(
    matrix: NDArray[np.float32],
    training: Training,
    is_valid: NDArray[np.bool_],
    parameters: dict[str, Any],
) -> Any:
    import lightgbm

    columns = enumerate(training.columns)
    categorical = [place for place, column in columns if isinstance(column, CategoryColumn)]

    def make(rows: NDArray[np.bool_], **more: Any) -> Any:
        won, weight = training.won[rows].astype(np.float32), training.weight[rows]
        return lightgbm.Dataset(matrix[rows], won, weight=weight, params=parameters, **more)

    dataset = make(~is_valid, categorical_feature=categorical)
    booster = lightgbm.Booster(parameters, dataset)
    return booster.add_valid(make(is_valid, reference=dataset), "valid")


def _grow_in_step(boosters: Sequence[Any], settings: BagSettings, pool: ThreadPoolExecutor) -> int:
    """Grow all boosters in step and return the round with the least mean loss."""
    losses: list[float] = []
    best = 0
    while len(losses) < settings.max_rounds and len(losses) - best <= settings.patience:
        by_booster = pool.map(_grow, boosters, [STEP] * len(boosters))
        losses.extend(np.mean(list(by_booster), axis=0))
        # rounds that gain next to nothing are not waited for
        if not best or losses[best - 1] - min(losses) > LEAST_GAIN:
            best = int(np.argmin(losses)) + 1
    return int(np.argmin(losses[: settings.max_rounds])) + 1


def _grow(booster: Any, n_rounds: int) -> list[float]:
    """Grow a booster and return its loss after each round on the leads left out."""
    # LightGBM keeps its log level by thread
    booster.reset_parameter({"verbosity": -1})
    losses = []
    for _ in range(n_rounds):
        booster.update()
        losses.append(float(booster.eval_valid()[0][2]))
    return losses


def _raw_scores(booster: Any, matrix: NDArray[np.float32], n_rounds: int) -> Floats:
    n_threads = 1 if len(matrix) < FEW else 0  # all
    return np.asarray(
        booster.predict(matrix, raw_score=True, num_iteration=n_rounds, num_threads=n_threads)
    )
