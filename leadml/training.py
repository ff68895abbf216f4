"""Train a model beside its rule book, judge both honestly, and write the model folder."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leadml.config import Config
from leadml.data.lead_table import LeadTable, compute_fingerprint, read_table
from leadml.errors import DataError
from leadml.evaluation.comparison import Comparison, compare
from leadml.evaluation.summary import Evaluation, evaluate
from leadml.features.splits import Split, split_leads
from leadml.pipelines import (
    LOGISTIC,
    MODEL,
    RULES,
    make_logistic,
    make_model,
    make_profile,
    make_rules,
    make_scorer,
)
from leadml.registry.bundle import LeadModel
from leadml.scoring.boosting import LeadBoostingClassifier
from leadml.scoring.rulebook import RuleBook
from leadml.scoring.scale import Scale
from leadml.scoring.scorer import LeadScorer

FEWEST = 40  # wins, and losses: below, the rule book is the better model
LEAK_AUC = 0.9  # forward in time 0.59 to 0.67 is normal for honest lead scoring
FEW_WINS, FEW_LEADS = 120, 1_000

Progress = Callable[[str], None]


@dataclass(frozen=True, repr=False)
class Training:
    """What a training gives: the model, and what it is worth.

    Attributes
    ----------
    model : LeadModel
    evaluations : dict of str to Evaluation
        Of the model, the rules and a logistic regression, on leads that none of them saw.
    comparison : Comparison
    structures : DataFrame
        The structures tried and their cross-validated log loss.
    warnings : tuple of str
    leads : LeadTable
        The closed leads that were learned from.
    """

    model: LeadModel
    evaluations: Mapping[str, Evaluation]
    comparison: Comparison
    structures: pd.DataFrame
    warnings: tuple[str, ...]
    leads: LeadTable

    def __repr__(self) -> str:
        scorer, info = self.model.scorer, self.model.info
        signal = ", no signal" if self.no_signal else ""
        return f"<Training: {scorer.name} {scorer.version}, {info['structure']}{signal}>"

    @property
    def no_signal(self) -> bool:
        """Whether the model could not be shown to beat the base rate."""
        return bool(self.model.info["no_signal"])


def train(
    config: Config,
    leads: str | Path | pd.DataFrame | None = None,
    *,
    rules: RuleBook | None = None,
    name: str = "model",
    structure: str = "auto",
    scale: Scale | None = None,
    random_state: int = 0,
    progress: Progress = lambda message: None,  # noqa: ARG005
) -> Training:
    """Train on won and lost leads.

    The figures come from leads that the recipe did not see: the newest 20 % where `created` is
    known. The model that is returned has then learned from all of them.

    Parameters
    ----------
    config : Config
    leads : str, Path or DataFrame, default=None
        None reads `config.leads.path`.
    rules : RuleBook, default=None
        The rule book to compare with.
    name : str, default="model"
    structure : {"auto", "additive", "pairwise", "full"}, default="auto"
    scale : Scale, default=None
        The scale of the first training, for a retrain; None chooses one.
    random_state : int, default=0
    progress : callable, default does nothing
        Called with a line before each step.

    Raises
    ------
    DataError
        Below 40 wins or 40 losses, and for leads that do not fit the config.
    """
    progress("reading leads")
    table = read_table(config.leads.path if leads is None else leads, config)
    if config.leads.account and table.account is None:
        message = f"The leads have no column {config.leads.account!r}, the [leads] account."
        raise DataError(message)
    closed = table.closed()
    _check_enough(closed.y, config)
    _check_features(closed.X, config)
    split = split_leads(closed.y, closed.created, closed.account, random_state)
    recipes: dict[str, Any] = {MODEL: make_model(config, structure, random_state)}
    if rules is not None:
        recipes[RULES] = make_rules(config, rules)
    recipes[LOGISTIC] = make_logistic(config)
    progress(f"judging on {split.method}")
    judged, fitted = _judge(config, recipes, closed, split, scale)
    evaluations, comparison = _evaluate(judged, closed, recipes)
    learned: LeadBoostingClassifier = fitted[MODEL].estimator_[-1]
    if len(split.parts) == 1:
        # the model that goes out has the structure of the one that was judged
        recipes[MODEL] = make_model(config, learned.structure_, random_state)
    progress("learning from all closed leads")
    final = _fit(make_scorer(config, recipes[MODEL], name=name, rules=rules, scale=scale), closed)
    last: LeadBoostingClassifier = final.estimator_[-1]
    final.set_params(version=_version(last))
    rule_scorer = None
    if rules is not None:
        rule_scorer = _fit(
            make_scorer(config, recipes[RULES], name=RULES, rules=rules, scale=final.scale_), closed
        ).set_params(version=final.version)
    no_signal = not float(evaluations[MODEL].metrics["lower"]["log_loss_gain"]) > 0
    warnings = _warnings(closed, table, split, config, evaluations[MODEL], no_signal=no_signal)
    info = _describe(table, closed, split, last, no_signal=no_signal, warnings=warnings)
    model = LeadModel(final, rule_scorer, config, info)
    tried = learned.structures_ if len(split.parts) == 1 else last.structures_
    return Training(model, evaluations, comparison, tried, warnings, closed)


def _fit(scorer: LeadScorer, leads: LeadTable) -> LeadScorer:
    """Fit with accounts as groups where the classifier takes them."""
    is_boosting = isinstance(scorer.estimator[-1], LeadBoostingClassifier)
    extra = {}
    if is_boosting and leads.account is not None:
        # a lead without an account is its own
        alone = "alone " + pd.Series(np.arange(len(leads.y))).astype(str)
        account = leads.account.reset_index(drop=True).astype(str)
        extra["model__groups"] = account.where(leads.account.notna().to_numpy(), alone).to_numpy()
    return scorer.fit(leads.X, leads.y.to_numpy(), **extra)


def _judge(
    config: Config,
    recipes: Mapping[str, Any],
    leads: LeadTable,
    split: Split,
    scale: Scale | None,
) -> tuple[pd.DataFrame, dict[str, LeadScorer]]:
    """Return probability, score and band by recipe for every test lead, and the last scorers."""
    parts = []
    fitted: dict[str, LeadScorer] = {}
    for older, newer in split.parts:
        train_part, test_part = leads.take(older), leads.take(newer)
        columns: dict[tuple[str, str], Any] = {}
        shared = scale
        for recipe, classifier in recipes.items():
            scorer = make_scorer(config, classifier, name=recipe, scale=shared)
            scorer = _fit(scorer, train_part)
            fitted[recipe] = scorer
            shared = scorer.scale_
            scores = scorer.compute_scores(test_part.X)
            columns[recipe, "probability"] = scorer.predict_proba(test_part.X)[:, 1]
            columns[recipe, "score"] = scores
            columns[recipe, "band"] = scorer.assign_bands(scores)
        part = pd.DataFrame(columns, index=newer)
        part["base_rate", ""] = train_part.y.mean()
        parts.append(part)
    return pd.concat(parts), fitted


def _evaluate(
    judged: pd.DataFrame, leads: LeadTable, recipes: Mapping[str, Any]
) -> tuple[dict[str, Evaluation], Comparison]:
    test = leads.take(judged.index.to_numpy())
    groups = None if test.account is None else test.account.to_numpy()
    base_rate = float(judged["base_rate", ""].mean())
    y = test.y.to_numpy()
    evaluations = {
        recipe: evaluate(
            y,
            judged[recipe, "probability"].to_numpy(),
            score=judged[recipe, "score"].to_numpy(),
            band=judged[recipe, "band"].to_numpy(),
            groups=groups,
            base_rate=base_rate,
        )
        for recipe in recipes
    }
    chances = {recipe: judged[recipe, "probability"].to_numpy() for recipe in recipes}
    return evaluations, compare(y, chances, groups=groups, base_rate=base_rate)


def _check_features(X: pd.DataFrame, config: Config) -> None:
    if X.empty or not make_profile(config).fit(X).source_:
        message = (
            "No column of [features] gives a feature to learn from: free texts alone, and dates "
            "without `created`, give none. Put columns into its families."
        )
        raise DataError(message)


def _check_enough(y: pd.Series, config: Config) -> None:
    won, lost = int((y == 1).sum()), int((y == 0).sum())
    if min(won, lost) < FEWEST:
        message = (
            f"There are {won} won and {lost} lost leads (column {config.outcome.column!r}: won "
            f"{config.outcome.won}, lost {config.outcome.lost}); at least {FEWEST} of each are "
            "needed to learn from. Where [outcome] is right, score with the rule book until then: "
            "leadml score rules.toml LEADS -o OUT."
        )
        raise DataError(message)


def _warnings(
    closed: LeadTable,
    table: LeadTable,
    split: Split,
    config: Config,
    evaluation: Evaluation,
    *,
    no_signal: bool,
) -> tuple[str, ...]:
    warnings = [*split.warnings]
    auc = float(evaluation.metrics["value"]["roc_auc"])
    if auc > LEAK_AUC:
        warnings.insert(
            0,
            f"AUC {auc:.2f} is too good for honest lead scoring: look for a column that was "
            "written after the outcome, and exclude it in leadml.toml.",
        )
    won = int(closed.y.sum())
    if no_signal:
        warnings.insert(
            0,
            "NO SIGNAL: on leads it had not seen, the model was no better than the base rate (the "
            "interval of the gain includes 0). Do not sort leads by it.",
        )
    if won < FEW_WINS or len(closed.y) < FEW_LEADS:
        warnings.append(
            f"Little history: {won} wins among {len(closed.y)} closed leads. Intervals are wide."
        )
    if table.unused:
        warnings.append("Columns in no list of leadml.toml, not used: " + ", ".join(table.unused))
    used = config.features.families()
    protected = [column for column in config.features.protected if column in used]
    if protected:
        warnings.append("Protected attributes are used: " + ", ".join(protected))
    return tuple(warnings)


def _describe(
    table: LeadTable,
    closed: LeadTable,
    split: Split,
    classifier: LeadBoostingClassifier,
    *,
    no_signal: bool,
    warnings: tuple[str, ...],
) -> dict[str, Any]:
    newest = None
    if closed.created is not None and closed.created.notna().any():
        newest = closed.created.max().date().isoformat()
    return {
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "n_leads": len(table.y),
        "n_closed": len(closed.y),
        "n_won": int(closed.y.sum()),
        "n_open": int(table.y.isna().sum()),
        "structure": classifier.structure_,
        "split": split.method,
        "no_signal": no_signal,
        "warnings": list(warnings),
        "fingerprint": compute_fingerprint(closed),
        "newest_lead": newest,
    }


def _version(classifier: LeadBoostingClassifier) -> str:
    """Return a name for what was learned: equal tables have equal versions."""
    state = [classifier.table_.to_dict(), classifier.bag_weight_]
    if classifier.bag_ is not None:
        rounds = classifier.bag_.n_rounds
        state += [one.model_to_string(num_iteration=rounds) for one in classifier.bag_.boosters]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:8]
