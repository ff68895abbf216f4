"""Fit the stack for each structure and choose the simplest that is as good as the best."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadml.scoring.bag import Bag, BagSettings, fit_bag, merge_bags
from leadml.scoring.calibration import compute_log_losses, fit_stack
from leadml.scoring.collapse import collapse_bag
from leadml.scoring.columns import Floats
from leadml.scoring.folds import Training
from leadml.scoring.linear import Linear

STRUCTURES = ("additive", "pairwise", "full")
# a depth of 6 costs `full` no accuracy, and TreeSHAP takes the square of it
MAX_DEPTH = {"additive": -1, "pairwise": 2, "full": 6}
FEWEST_LEAVES = 3  # of an additive tree
FEW_COLUMNS = 0.35  # share that a tree of the other deals may choose from
MANY = 5_000  # leads: from here on finer trees won on every set, and the check would err more often
FAR = 5.0  # standard errors behind the best: more leaves will not make up for it
# leaves of a `full` tree, and from how many leads on they are tried: TreeSHAP's cost grows too
WIDE_FROM = {31: 5_000, 63: 10_000}


@dataclass(frozen=True)
class Candidate:
    """One structure, fitted: bag, stack weights, each lead's honest log loss and their mean."""

    structure: str
    settings: BagSettings
    bag: Bag
    weights: tuple[float, float, float]
    losses: Floats
    log_loss: float


def fit_candidates(
    training: Training, linear: Linear, structure: str, settings: BagSettings
) -> list[Candidate]:
    """Fit the structure asked for, or all three for `auto`, on the first deal of the folds.

    `additive` is tried with the smallest trees too: 15 leaves on one column overfit where effects
    are smooth, 3 are too few where a column has many levels. `full` is tried with more leaves from
    5,000 leads on, as long as each step is the best yet.
    """
    candidates: list[Candidate] = []
    first = replace(training, folds=training.folds[:1])

    def fit(name: str, num_leaves: int) -> None:
        shaped = replace(
            settings,
            additive=name == "additive",
            max_depth=MAX_DEPTH[name],
            num_leaves=num_leaves,
        )
        candidates.append(_fit_candidate(first, linear, name, shaped))

    for name in STRUCTURES if structure == "auto" else (structure,):
        fit(name, FEWEST_LEAVES if name == "additive" else settings.num_leaves)
    if structure in ("auto", "full"):
        for num_leaves, n_leads in WIDE_FROM.items():
            if len(training.won) < n_leads or _best(candidates) is not candidates[-1]:
                break
            fit("full", num_leaves)
    gap, error = _compare(training, candidates[0], _best(candidates))
    if structure in ("auto", "additive") and gap <= FAR * error:
        fit("additive", settings.num_leaves)
    return candidates


def compute_gap(
    gap: Floats, weight: Floats, clusters: NDArray[np.int64] | None
) -> tuple[float, float]:
    """Return the mean of a difference of losses by lead, and its standard error.

    Leads of a cluster are not independent: their differences are summed before they are squared
    (the linearised error of a weighted mean, Cochran 1977, chapter 6).
    """
    mean = float((weight * gap).mean())
    off: Floats = weight * (gap - mean)
    if clusters is not None:
        off = np.bincount(clusters, weights=off).astype(np.float64)
    return mean, float(np.sqrt((off**2).sum() / len(gap)) / np.sqrt(len(gap)))


def _compare(training: Training, one: Candidate, other: Candidate) -> tuple[float, float]:
    return compute_gap(one.losses - other.losses, training.weight, training.clusters)


def extend(training: Training, linear: Linear, chosen: Candidate) -> Candidate:
    """Return the chosen tables with boosters for the other deals of the folds too.

    Those see less of the columns at a time and split single levels off, and trees of a pair grow
    beyond depth 2, on the pairs that the first deal found: still grids. They err differently, so
    the mean of both kinds is better than more of one. Of few leads a signal may be too weak for
    them: where they do worse than the first deal's, the others are grown like the first.
    `full` keeps to the first deal: there every booster costs its TreeSHAP values at each scoring.
    """
    if len(training.folds) == 1 or chosen.structure == "full":
        return chosen
    others = replace(training, folds=training.folds[1:])
    finer = replace(chosen.settings, feature_fraction=FEW_COLUMNS, one_hot=True)
    if chosen.structure == "pairwise":
        pairs = tuple(sorted(collapse_bag(chosen.bag)[2]))
        finer = replace(finer, max_depth=MAX_DEPTH["full"], pairs=pairs)
    more = fit_bag(others, finer, n_rounds=chosen.bag.n_rounds)
    if len(training.won) < MANY:
        alone = _stack(training, linear, chosen.structure, finer, more)
        if alone.log_loss > chosen.log_loss:
            more = fit_bag(others, chosen.settings, n_rounds=chosen.bag.n_rounds)
    bag = merge_bags(chosen.bag, more, len(others.folds))
    return _stack(training, linear, chosen.structure, chosen.settings, bag)


def choose(training: Training, candidates: Sequence[Candidate]) -> Candidate:
    """Return the best of the simplest structure within one standard error of the best of all.

    The one-standard-error rule of Breiman et al. (1984), on the difference of log losses by lead.
    """
    best = _best(candidates)
    for structure in STRUCTURES:
        own = [candidate for candidate in candidates if candidate.structure == structure]
        if own:
            gap, error = _compare(training, _best(own), best)
            if gap <= error:
                return _best(own)
    return best


def compute_structures(training: Training, candidates: Sequence[Candidate]) -> pd.DataFrame:
    """Return what was tried: `structure`, `num_leaves`, `log_loss`, `gap`, `gap_se`, `chosen`."""
    best = _best(candidates)
    chosen = choose(training, candidates)
    rows = []
    for one in candidates:
        gap, error = _compare(training, one, best)
        rows.append(
            {
                "structure": one.structure,
                "num_leaves": one.settings.num_leaves,
                "log_loss": one.log_loss,
                "gap": gap,
                "gap_se": error,
                "chosen": one is chosen,
            }
        )
    return pd.DataFrame(rows)


def _best(candidates: Sequence[Candidate]) -> Candidate:
    return min(candidates, key=lambda candidate: candidate.log_loss)


def _fit_candidate(
    training: Training, linear: Linear, structure: str, settings: BagSettings
) -> Candidate:
    return _stack(training, linear, structure, settings, fit_bag(training, settings))


def _stack(
    training: Training, linear: Linear, structure: str, settings: BagSettings, bag: Bag
) -> Candidate:
    boosted, won, weight = bag.out_of_fold, training.won, training.weight
    a, b, c = fit_stack(won, boosted, linear.out_of_fold, weight, training.newest)
    losses = compute_log_losses(won, a * boosted + b * linear.out_of_fold + c)
    return Candidate(structure, settings, bag, (a, b, c), losses, float((weight * losses).mean()))
