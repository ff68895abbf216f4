"""A Bayesian logistic regression on coarse codes and pairs of them: what chance may have done."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import expit, ndtri

from leadml.scoring.columns import CategoryColumn, Codes, Column, Floats

BINS = 16  # of a number, equally wide on the normal scale: finer where leads are few
FARTHEST = 2.2  # standard deviations: where the outer bins begin
FEWEST = 5  # leads of a bin or a level with a coefficient of its own
FEWEST_SHARE = 0.005  # of the leads, that a bin has
MOST_LEVELS = 30  # of a column with a coefficient of their own
PAIRED = 6  # columns that say most; any two of them may act together
PAIR_BINS = 4  # of each of the two
FIRST_VARIANCE, LEAST_VARIANCE, MOST_VARIANCE = 0.3, 1e-4, 9.0  # of a family of coefficients
ROUNDS = 12
BLOCK = 4_096  # leads at a time
LARGEST = 12.0  # log-odds: beyond them a lead says nothing

Places = NDArray[np.intp]


@dataclass(frozen=True)
class Pair:
    """Cells of two columns: `first[code_i] * width + second[code_j]`."""

    columns: tuple[int, int]
    first: Places
    second: Places

    @property
    def width(self) -> int:
        """Number of parts of the second column."""
        return int(self.second.max()) + 1

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return (int(self.first.max()) + 1) * self.width


@dataclass(frozen=True)
class Design:
    """How codes become the columns of a linear model.

    Parameters
    ----------
    groups : list of array of int
        The group of each code of each column; -1 where no lead has it.
    is_pooled : list of array of bool
        Codes without a group of their own.
    tables : list of array of shape (n_codes, n_coefficients)
        What each code of a column gives to its coefficients.
    pairs : list of Pair
    family : array of int, shape (n_coefficients,)
        Coefficients of a family have one variance; the intercept, the last one, has no family.
    """

    groups: list[Places]
    is_pooled: list[NDArray[np.bool_]]
    tables: list[NDArray[np.float32]]
    pairs: list[Pair]
    family: Places

    @property
    def starts(self) -> Places:
        """Where the groups of each column but the first begin, and where all groups end."""
        return np.cumsum([int(groups.max()) + 1 for groups in self.groups])

    def rows(self, codes: Sequence[Codes]) -> NDArray[np.float32]:
        """Return the rows of some leads, shape (n_leads, n_coefficients + 1)."""
        n = len(codes[0])
        parts = [table[values] for table, values in zip(self.tables, codes, strict=True)]
        for pair in self.pairs:
            i, j = pair.columns
            part = np.zeros((n, pair.n_cells), dtype=np.float32)
            part[np.arange(n), pair.first[codes[i]] * pair.width + pair.second[codes[j]]] = 1.0
            parts.append(part)
        return np.column_stack([*parts, np.ones(n, dtype=np.float32)])

    def flags(self, codes: Sequence[Codes]) -> csr_array:
        """Return a one for the group of each column and a last one, shape (n_leads, n_groups)."""
        n, starts = len(codes[0]), self.starts
        first = np.append(0, starts[:-1])
        own = zip(first, self.groups, codes, strict=True)
        places = [start + groups[values] for start, groups, values in own]
        columns = np.column_stack([*places, np.full(n, starts[-1])])
        ends = np.arange(n + 1) * columns.shape[1]
        shape = (n, int(starts[-1]) + 1)
        return csr_array((np.ones(columns.size), columns.reshape(-1), ends), shape=shape)


@dataclass(frozen=True)
class Posterior:
    """Mean and covariance of the coefficients, and the variance of each family."""

    mean: Floats
    covariance: Floats
    variances: Floats

    def measure_column(self, design: Design, place: int, codes: Codes) -> float:
        """Return the variance of what a column says of leads: the guess for a value never seen."""
        first = sum(table.shape[1] for table in design.tables[:place])
        width = design.tables[place].shape[1]
        if not width:
            return 0.0
        said = design.tables[place][codes] @ self.mean[first : first + width]
        return float(said.var())


def build_design(columns: Sequence[Column], codes: Sequence[Codes], log_odds: Floats) -> Design:
    """Return the design for some leads, pairs of the columns that say most of the log-odds."""
    tables: list[NDArray[np.float32]] = []
    groups, is_pooled, family = [], [], []
    n_families = 0
    for column, values in zip(columns, codes, strict=True):
        counts = np.bincount(values, minlength=column.n_codes)
        if isinstance(column, CategoryColumn):
            own, pooled = _group_levels(counts)
            parts = [_flags(own)] if own.max() > 0 else []
        else:
            own, pooled = _group_bins(counts)
            parts = _number_parts(own, counts)
        groups.append(own)
        is_pooled.append(pooled)
        for part in parts:
            family += [n_families] * part.shape[1]
            n_families += 1
        tables.append(np.column_stack([np.zeros((column.n_codes, 0)), *parts]).astype(np.float32))
    pairs = _build_pairs(columns, codes, log_odds)
    # one variance for all cells: a pair by itself has too few leads to tell
    family += [n_families] * sum(pair.n_cells for pair in pairs)
    return Design(groups, is_pooled, tables, pairs, np.asarray(family, dtype=np.intp))


def fit_posterior(
    design: Design,
    codes: Sequence[Codes],
    won: NDArray[np.bool_],
    log_odds: Floats,
    weight: Floats,
    variances: Floats | None = None,
    n_rounds: int = ROUNDS,
) -> Posterior:
    """Return the normal approximation of the coefficients' posterior, from `log_odds` on.

    Where `variances` are not given, they are learned from the leads with the coefficients (MacKay
    1992, "The evidence framework applied to classification networks").
    """
    sizes = np.bincount(design.family)
    learned = np.full(len(sizes), FIRST_VARIANCE) if variances is None else variances
    for _ in range(n_rounds):
        prior = np.append(1 / learned[design.family], LEAST_VARIANCE)
        precision, target = np.diag(prior), np.zeros(len(prior))
        for first in range(0, len(won), BLOCK):
            rows = slice(first, first + BLOCK)
            X = design.rows([values[rows] for values in codes])
            z = np.clip(log_odds[rows], -LARGEST, LARGEST)
            chance = expit(z)
            information = weight[rows] * chance * (1 - chance)
            precision += X.T @ (X * information[:, None].astype(np.float32))
            target += X.T @ (information * z + weight[rows] * (won[rows] - chance))
        covariance = np.linalg.inv(precision)
        mean = covariance @ target
        log_odds = _multiply(design, mean, codes)
        if variances is None:
            squares = np.bincount(design.family, weights=mean[:-1] ** 2)
            unsure = np.bincount(design.family, weights=np.diag(covariance)[:-1])
            n_known = np.maximum(sizes - unsure / learned, 1e-3)
            learned = np.clip(squares / n_known, LEAST_VARIANCE, MOST_VARIANCE)
    return Posterior(mean, covariance, learned)


def predict_posterior(
    design: Design, posterior: Posterior, codes: Sequence[Codes]
) -> tuple[Floats, Floats]:
    """Return mean and variance of the log-odds of some leads, both of shape (n_leads,)."""
    mean = _multiply(design, posterior.mean, codes)
    covariance = posterior.covariance.astype(np.float32)
    variance = np.empty(len(mean))
    for first in range(0, len(mean), BLOCK):
        rows = slice(first, first + BLOCK)
        X = design.rows([values[rows] for values in codes])
        variance[rows] = np.einsum("ij,ij->i", X @ covariance, X)
    return mean, np.maximum(variance, 0.0)


def _multiply(design: Design, coefficients: Floats, codes: Sequence[Codes]) -> Floats:
    n = len(codes[0])
    blocks = [slice(first, first + BLOCK) for first in range(0, n, BLOCK)]
    return np.concatenate(
        [design.rows([values[rows] for values in codes]) @ coefficients for rows in blocks]
    )


def _group_levels(counts: NDArray[np.intp]) -> tuple[Places, NDArray[np.bool_]]:
    """Return a group for each frequent level, and one for all others that were seen."""
    order = np.argsort(-counts, kind="stable")[:MOST_LEVELS]
    order = order[counts[order] >= FEWEST]
    places = np.full(len(counts), -1)
    places[order] = np.arange(len(order))
    is_pooled = places < 0
    places[is_pooled & (counts > 0)] = len(order)
    return places, is_pooled


def _group_bins(counts: NDArray[np.intp]) -> tuple[Places, NDArray[np.bool_]]:
    """Return coarser bins of a number's codes, each of enough leads, and one for missing."""
    present = counts[:-1]
    edges = np.linspace(-FARTHEST, FARTHEST, BINS - 1)
    wanted = np.searchsorted(edges, _normal_scores(present))
    fewest = max(FEWEST, FEWEST_SHARE * present.sum())
    sizes = np.bincount(wanted, weights=present, minlength=BINS)
    merged, place, held = np.zeros(BINS, dtype=np.intp), 0, 0.0
    for old, size in enumerate(sizes):
        merged[old] = place
        held += size
        if held >= fewest:
            place, held = place + 1, 0.0
    if held < fewest and place:  # too few are left over at the end
        merged[merged == place] = place - 1
    bins = np.unique(merged[wanted], return_inverse=True)[1]
    n_missing = counts[-1]
    missing = int(bins.max()) + 1 if n_missing else -1
    is_pooled = np.append(np.zeros(len(bins), dtype=bool), n_missing < FEWEST)
    return np.append(bins, missing), is_pooled


def _number_parts(groups: Places, counts: NDArray[np.intp]) -> list[Floats]:
    """Return a slope, a step at each edge of a bin, and a flag for missing.

    Steps with one variance are a random walk from bin to bin: neighbours are alike.
    """
    parts = []
    bins, present = groups[:-1], counts[:-1]
    n_bins = int(bins.max()) + 1
    if n_bins > 1:
        steps = (bins[:, None] >= np.arange(1, n_bins)).astype(np.float64)
        steps -= np.average(steps, axis=0, weights=present)
        parts += [np.append(_normal_scores(present), 0.0)[:, None]]
        parts += [np.vstack([steps, np.zeros(n_bins - 1)])]
    if counts[-1] >= FEWEST:
        parts.append(np.append(np.zeros(len(bins)), 1.0)[:, None])
    return parts


def _flags(places: Places) -> Floats:
    flags = np.zeros((len(places), int(places.max()) + 1))
    known = np.flatnonzero(places >= 0)
    flags[known, places[known]] = 1.0
    return flags


def _normal_scores(counts: NDArray[np.intp]) -> Floats:
    """Return the standardised normal score of each code's mean rank."""
    total = counts.sum()
    if not total:
        return np.zeros(len(counts))
    middle = (np.cumsum(counts) - counts / 2) / total
    scores = ndtri(np.clip(middle, 0.5 / total, 1 - 0.5 / total))
    scores -= np.average(scores, weights=counts)
    return scores / (np.sqrt(np.average(scores**2, weights=counts)) or 1.0)


def _build_pairs(columns: Sequence[Column], codes: Sequence[Codes], log_odds: Floats) -> list[Pair]:
    """Return each two of the columns that explain most of the log-odds, less what chance does."""
    explained = []
    for column, values in zip(columns, codes, strict=True):
        counts = np.bincount(values, minlength=column.n_codes)
        sums = np.bincount(values, weights=log_odds - log_odds.mean(), minlength=column.n_codes)
        between = (sums**2 / np.maximum(counts, 1)).sum()
        explained.append(between - log_odds.var() * (counts > 0).sum())
    strongest = [int(place) for place in np.argsort(explained, kind="stable")[::-1][:PAIRED]]
    parts = {place: _cut(columns[place], codes[place]) for place in strongest}
    return [
        Pair((i, j), parts[i], parts[j])
        for number, i in enumerate(strongest)
        for j in strongest[number + 1 :]
    ]


def _cut(column: Column, codes: Codes) -> Places:
    """Return the part of each code: quarters of a number, or frequent levels and the rest."""
    counts = np.bincount(codes, minlength=column.n_codes)
    if isinstance(column, CategoryColumn):
        places = np.full(column.n_codes, PAIR_BINS - 1)
        order = np.argsort(-counts, kind="stable")[: PAIR_BINS - 1]
        places[order] = np.arange(len(order))
    else:
        present = counts[:-1]
        middle = (np.cumsum(present) - present / 2) / max(present.sum(), 1)
        parts = np.minimum((middle * PAIR_BINS).astype(np.intp), PAIR_BINS - 1)
        places = np.append(parts, 0)
    return np.unique(places, return_inverse=True)[1]
