"""Judge recipes on leads that they have not seen, and choose among them by time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leadml.config import Config
from leadml.data.lead_table import LeadTable
from leadml.errors import DataError
from leadml.evaluation.capacity import Capacity
from leadml.evaluation.summary import Evaluation, evaluate
from leadml.features.snapshot_split import SnapshotSplit
from leadml.features.splits import Split, split_at_random
from leadml.judged import Judged, Part, find_groups
from leadml.pipelines import MODEL, make_model, make_scorer
from leadml.scoring.boosting import LeadBoostingClassifier
from leadml.scoring.calibration import compute_log_losses
from leadml.scoring.rulepoints import RulePointsClassifier
from leadml.scoring.scale import Scale
from leadml.scoring.scorer import LeadScorer
from leadml.scoring.structures import STRUCTURES, compute_gap

N_ORIGINS = 3
NEWEST = 0.3  # of the rows, judged by what came before
FEWEST = 40  # wins, and losses, to learn from; judged are twice as many
LEAST_SHARE = (
    0.2  # of the rows to learn from: a model of the first weeks says nothing of later ones
)


def fit_scorer(scorer: LeadScorer, leads: LeadTable) -> LeadScorer:
    """Fit with everything that a table knows of its rows: accounts, weights and dates."""
    last = scorer.estimator[-1]
    extra: dict[str, Any] = {}
    if isinstance(last, LeadBoostingClassifier):
        extra["model__groups"] = find_groups(leads)
        if leads.created is not None:
            extra["model__dates"] = leads.created.to_numpy()
    if leads.weight is not None:
        ours = isinstance(last, LeadBoostingClassifier | RulePointsClassifier)
        extra["model__row_weight" if ours else "model__sample_weight"] = leads.weight.to_numpy()
    return scorer.fit(leads.X, leads.y.to_numpy(), **extra)


def check_capacity(leads: LeadTable, split: Split, capacity: float | None) -> None:
    """Raise where more leads can be called than will be judged, before anything is learned.

    Raises
    ------
    DataError
    """
    rows = np.concatenate([newer for _, newer in split.parts])
    is_new = ~leads.lead_ids.duplicated()
    judged = Judged(leads.take(rows), {}, (), None, {}, is_new[rows])
    Capacity.choose(len(judged.first_rows()), capacity, judged.find_weeks())


def judge(
    config: Config,
    recipes: Mapping[str, Any],
    leads: LeadTable,
    split: Split,
    scale: Scale | None,
) -> Judged:
    """Fit each recipe on the older leads of each part of a split, and score the newer ones."""
    parts: list[Part] = []
    rates, start = [], 0
    for older, newer in split.parts:
        train_part = leads.take(older)
        fitted: dict[str, LeadScorer] = {}
        shared = scale
        for recipe, classifier in recipes.items():
            scorer = make_scorer(config, classifier, name=recipe, scale=shared)
            fitted[recipe] = fit_scorer(scorer, train_part)
            shared = fitted[recipe].scale_
        parts.append((np.arange(start, start + len(newer)), fitted))
        start += len(newer)
        rates.append((len(newer), np.average(train_part.y, weights=train_part.weight)))
    rows = np.concatenate([newer for _, newer in split.parts])
    n_rows, by_part = zip(*rates, strict=True)
    base_rate = float(np.average(by_part, weights=n_rows))
    is_new = ~leads.lead_ids.duplicated()
    return Judged.score(leads.take(rows), parts, base_rate, is_new=is_new[rows])


@dataclass(frozen=True)
class Optimism:
    """What a random split of the same leads would have promised, beside what time shows."""

    random: Evaluation
    method: str

    def describe(self, honest: Evaluation) -> str:
        """Return the two AUCs in a sentence."""
        promised, held = (float(one.metrics["value"]["roc_auc"]) for one in (self.random, honest))
        lift, kept = (float(one.metrics["value"]["lift_10"]) for one in (self.random, honest))
        return (
            f"Optimism: {self.method} would have promised AUC {promised:.3f} and a lift of "
            f"{lift:.2f} in the best 10 %; the next period gave {held:.3f} and {kept:.2f}."
        )


def describe_next(evaluation: Evaluation) -> str:
    """Return in a sentence what to expect of as many leads of a next period."""
    ranges = evaluation.expect_next()
    lower, upper = ranges["lower"].to_dict(), ranges["upper"].to_dict()
    auc, loss = (f"{lower[name]:.2f} to {upper[name]:.2f}" for name in ("roc_auc", "log_loss"))
    return (
        f"In a next period of as many leads expect AUC {auc} and log loss {loss}, in 19 of 20 "
        "periods, while the market stays as it is."
    )


def judge_at_random(
    config: Config, classifier: Any, leads: LeadTable, random_state: int
) -> Optimism:
    """Judge a recipe on a random part of the leads, as most tools do."""
    ids = leads.lead_ids
    split = split_at_random(
        leads.y, random_state=random_state, lead=ids if ids.has_duplicates else None
    )
    one = Split(split.parts[:1], split.method)
    judged = judge(config, {MODEL: classifier}, leads, one, None)
    chances = judged.scored[MODEL]["probability"].to_numpy()
    evaluation = evaluate(judged.leads.y.to_numpy(), chances, n_resamples=100)
    return Optimism(evaluation, "a random split")


def choose_structure(
    config: Config, leads: LeadTable, random_state: int, progress: Callable[[str], None]
) -> pd.DataFrame | None:
    """Compare the structures by rolling origin; None where the history is too short for it.

    Each of three blocks of the newest 30 % is judged by models that learned from rows at least one
    horizon older. The simplest structure within one standard error of the best is chosen (Breiman
    et al. 1984), as `LeadBoostingClassifier` does on random folds.

    Returns
    -------
    DataFrame or None
        Columns `structure`, `log_loss`, `gap`, `gap_se` and `chosen`.
    """
    parts = _find_origins(config, leads)
    if parts is None:
        return None
    places = np.concatenate([newer for _, newer in parts])
    losses: dict[str, np.ndarray] = {}
    for structure in STRUCTURES:
        progress(f"{structure}: {len(parts)} periods, each judged by what came before it")
        by_part = []
        for older, newer in parts:
            classifier = make_model(config, structure, random_state)
            classifier.set_params(model__n_repeats=1)
            scorer = make_scorer(config, classifier, name=MODEL)
            z = fit_scorer(scorer, leads.take(older)).decision_function(leads.X.iloc[newer])
            by_part.append(compute_log_losses(leads.y.to_numpy()[newer] == 1, z))
        losses[structure] = np.concatenate(by_part)
    return _compare_structures(losses, leads.take(places))


def _compare_structures(losses: Mapping[str, np.ndarray], leads: LeadTable) -> pd.DataFrame:
    weight = np.ones(len(leads.y)) if leads.weight is None else leads.weight.to_numpy()
    weight = weight / weight.mean()
    groups = find_groups(leads)
    clusters = None if groups is None else pd.factorize(groups)[0]
    best = min(losses, key=lambda name: float((weight * losses[name]).mean()))
    rows = []
    for name, own in losses.items():
        gap, error = compute_gap(own - losses[best], weight, clusters)
        log_loss = float((weight * own).mean())
        rows.append({"structure": name, "log_loss": log_loss, "gap": gap, "gap_se": error})
    table = pd.DataFrame(rows)
    table["chosen"] = table.index == (table["gap"] <= table["gap_se"]).idxmax()
    return table


def _find_origins(
    config: Config, leads: LeadTable
) -> Sequence[tuple[np.ndarray, np.ndarray]] | None:
    """Return the folds, accounts apart where that leaves enough to learn from."""
    if leads.created is None:
        return None
    splitter = SnapshotSplit(N_ORIGINS, config.outcome.horizon, NEWEST)
    for groups in ([] if leads.account is None else [leads.account.to_numpy()]) + [None]:
        try:
            parts = list(splitter.split(leads.X, groups=groups))
        except DataError:  # the span is too short
            continue
        if all(_can_judge(leads.y, *part) for part in parts):
            return parts
    return None


def _can_judge(y: pd.Series, older: np.ndarray, newer: np.ndarray) -> bool:
    outcomes = np.bincount(y.to_numpy()[older].astype(int), minlength=2)
    enough = min(*outcomes, len(newer) / 2) >= FEWEST
    return bool(enough and len(older) >= LEAST_SHARE * len(y))
