"""Fit the stack for each structure and choose the simplest that is as good as the best."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from leadml.scoring.bag import Bag, BagSettings, fit_bag
from leadml.scoring.calibration import compute_log_losses, fit_stack
from leadml.scoring.columns import Floats
from leadml.scoring.folds import Training
from leadml.scoring.linear import Linear

STRUCTURES = ("additive", "pairwise", "full")
WIDE_LEAVES = (31, 63)  # tried for `full` only, and only from here on
WIDE_FROM = 5_000


@dataclass(frozen=True)
class Candidate:
    """One structure, fitted: bag, stack weights and the honest log loss of every lead."""

    structure: str
    num_leaves: int
    bag: Bag
    weights: tuple[float, float, float]
    losses: Floats


def fit_candidates(
    training: Training, linear: Linear, structure: str, settings: BagSettings
) -> list[Candidate]:
    """Fit the structure asked for, or all three for `auto`.

    `full` trees of more leaves are tried from 5,000 leads on, as long as each step is the best yet.
    """
    candidates = []
    for name in STRUCTURES if structure == "auto" else (structure,):
        shaped = replace(
            settings, additive=name == "additive", max_depth=-1 if name == "full" else 2
        )
        candidates.append(_fit_candidate(training, linear, name, shaped))
    if structure in ("auto", "full") and len(training.won) >= WIDE_FROM:
        for num_leaves in WIDE_LEAVES:
            if _best(candidates) is not candidates[-1]:
                break
            wider = replace(shaped, num_leaves=num_leaves)
            candidates.append(_fit_candidate(training, linear, "full", wider))
    return candidates


def choose(candidates: Sequence[Candidate]) -> Candidate:
    """Return the simplest candidate within one standard error of the best, paired by lead.

    The one-standard-error rule of Breiman et al. (1984), on the difference of log losses.
    """
    best = _best(candidates)
    for candidate in sorted(candidates, key=lambda one: STRUCTURES.index(one.structure)):
        gap = candidate.losses - best.losses
        if gap.mean() <= gap.std() / np.sqrt(len(gap)):
            break
    return best if candidate.structure == best.structure else candidate


def compute_structures(candidates: Sequence[Candidate]) -> pd.DataFrame:
    """Return what was tried: `structure`, `num_leaves`, `log_loss`, `gap`, `gap_se`, `chosen`."""
    best = _best(candidates)
    chosen = choose(candidates)
    return pd.DataFrame(
        [
            {
                "structure": one.structure,
                "num_leaves": one.num_leaves,
                "log_loss": one.losses.mean(),
                "gap": (one.losses - best.losses).mean(),
                "gap_se": (one.losses - best.losses).std() / np.sqrt(len(one.losses)),
                "chosen": one is chosen,
            }
            for one in candidates
        ]
    )


def _best(candidates: Sequence[Candidate]) -> Candidate:
    return min(candidates, key=lambda candidate: candidate.losses.mean())


def _fit_candidate(
    training: Training, linear: Linear, structure: str, settings: BagSettings
) -> Candidate:
    bag = fit_bag(training, settings)
    weights = fit_stack(training.won, bag.out_of_fold, linear.out_of_fold)
    a, b, c = weights
    scores = a * bag.out_of_fold + b * linear.out_of_fold + c
    losses = compute_log_losses(training.won, scores)
    return Candidate(structure, settings.num_leaves, bag, weights, losses)
