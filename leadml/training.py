"""Train a model beside its rule book, judge both honestly, and write the model folder."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from leadml.checking import check_leads, drop_leaks
from leadml.config import Config
from leadml.data.lead_table import LeadTable, compute_fingerprint, feature_columns
from leadml.errors import DataError
from leadml.evaluation.comparison import Comparison
from leadml.evaluation.summary import Evaluation
from leadml.features.splits import Split, split_leads
from leadml.judged import (
    Judged,
    describe_response,
    find_groups,
    forecast_bands,
    warn_of_accounts,
)
from leadml.judging import (
    Optimism,
    check_capacity,
    choose_structure,
    fit_scorer,
    judge,
    judge_at_random,
)
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
from leadml.rows import read_rows
from leadml.scoring.boosting import LeadBoostingClassifier
from leadml.scoring.rulebook import RuleBook
from leadml.scoring.scale import Scale
from leadml.scoring.uncertainty import fit_uncertainty
from leadml.valuing import Valuing, learn_values

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
        The closed leads, or the snapshots of leads, that were learned from.
    notes : tuple of str
        How many leads were looked at when, and whose horizon is not over.
    judged : Judged
        The leads that the figures are from, and what each recipe said of them.
    optimism : Optimism or None
        What a random split would have promised, where the figures are from a split by time.
    valuing : Valuing or None
        What deals are worth, where the leads have values.
    forecast : DataFrame or None
        How many leads of each band a coming week brings, as `forecast_weeks` gives it; None
        without dates, or with fewer than four weeks of them. Of a history, the best band that a
        lead reaches at its snapshots.
    response : DataFrame or None
        Conversion by days to the first contact, as `compute_response_times` gives it.
    """

    model: LeadModel
    evaluations: Mapping[str, Evaluation]
    comparison: Comparison
    structures: pd.DataFrame
    warnings: tuple[str, ...]
    leads: LeadTable
    judged: Judged
    notes: tuple[str, ...] = ()
    optimism: Optimism | None = None
    valuing: Valuing | None = None
    forecast: pd.DataFrame | None = None
    response: pd.DataFrame | None = None

    def __repr__(self) -> str:
        scorer, info = self.model.scorer, self.model.info
        signal = ", no signal" if self.no_signal else ""
        return f"<Training: {scorer.name} {scorer.version}, {info['structure']}{signal}>"

    def _repr_html_(self) -> str:
        from leadml.evaluation.reprs import show_training

        return show_training(self)

    @property
    def no_signal(self) -> bool:
        """Whether the model could not be shown to beat the base rate."""
        return bool(self.model.info["no_signal"])


def train(
    config: Config,
    leads: str | Path | pd.DataFrame | None = None,
    *,
    tables: Mapping[str, Any] | None = None,
    engine: Any = None,
    rules: RuleBook | None = None,
    name: str = "model",
    structure: str = "auto",
    scale: Scale | None = None,
    capacity: float | None = None,
    random_state: int = 0,
    progress: Progress = lambda message: None,  # noqa: ARG005
) -> Training:
    """Train on won and lost leads.

    The figures come from leads that the recipe did not see: the newest 20 % where `created` is
    known, one horizon after the last lead learned from. There the structure is chosen by rolling
    origin too. The model that is returned has then learned from all of them.

    Parameters
    ----------
    config : Config
    leads : str, Path or DataFrame, default=None
        None reads `config.leads.path`.
    tables : dict of str to DataFrame, path or address, default=None
        The other tables of a history in place of those that `config` names; see `open_history`.
    engine : Spark session or Ibis backend, default=None
        Where the activities are counted; see `open_history`.
    rules : RuleBook, default=None
        The rule book to compare with.
    name : str, default="model"
    structure : {"auto", "additive", "pairwise", "full"}, default="auto"
    scale : Scale, default=None
        The scale of the first training, for a retrain; None chooses one.
    capacity : float, default=None
        How many leads sales can call: a week where `created` is known, else of the leads judged.
        The comparison is made for it; None takes the best-scored 10 %.
    random_state : int, default=0
    progress : callable, default does nothing
        Called with a line before each step.

    Raises
    ------
    DataError
        Below 40 wins or 40 losses, and for leads that do not fit the config.
    """
    progress("reading leads")
    table, config = read_rows(config, leads, tables, engine)
    if config.leads.value and table.value is None:
        message = (
            f"The leads have no column {config.leads.value!r}, the [leads] value. Correct its "
            "name, or take it out of leadml.toml."
        )
        raise DataError(message)
    progress("looking for columns that know the outcome")
    found = check_leads(
        config, leads, tables=tables, engine=engine, rows=table, random_state=random_state
    )
    config = drop_leaks(config, found.leaks)
    table = replace(table, X=table.X[feature_columns(config)])
    closed = table.closed()
    _check_enough(closed.outcomes_by_lead(), config)
    _check_features(closed.X, config)
    split = split_leads(
        closed.y,
        closed.created,
        closed.account,
        random_state,
        horizon=None if closed.created is None else config.outcome.horizon,
        lead=closed.lead_ids if closed.lead_ids.has_duplicates else None,
    )
    check_capacity(closed, split, capacity)
    tried = None
    if structure == "auto" and split.by_time:
        tried = choose_structure(config, closed.take(split.parts[0][0]), random_state, progress)
        if tried is not None:
            structure = str(tried.loc[tried["chosen"], "structure"].iloc[0])
    recipes: dict[str, Any] = {MODEL: make_model(config, structure, random_state)}
    if rules is not None:
        recipes[RULES] = make_rules(config, rules)
    recipes[LOGISTIC] = make_logistic(config)
    progress(f"judging on {split.method}")
    judged = judge(config, recipes, closed, split, scale)
    evaluations = judged.evaluate()
    comparison = judged.compare(capacity=capacity)
    learned: LeadBoostingClassifier = judged.parts[-1][1][MODEL].estimator_[-1]
    if len(split.parts) == 1:
        # the model that goes out has the structure of the one that was judged
        recipes[MODEL] = make_model(config, learned.structure_, random_state)
    optimism = None
    if split.by_time:
        progress("judging on a random split, to see what it would have promised")
        optimism = judge_at_random(config, recipes[MODEL], closed, random_state)
    progress("learning from all closed leads")
    final = fit_scorer(
        make_scorer(config, recipes[MODEL], name=name, rules=rules, scale=scale), closed
    )
    last: LeadBoostingClassifier = final.estimator_[-1]
    final.set_params(version=_version(last))
    rule_scorer = None
    if rules is not None:
        rule_scorer = fit_scorer(
            make_scorer(config, recipes[RULES], name=RULES, rules=rules, scale=final.scale_), closed
        ).set_params(version=final.version)
    valuing: Valuing | None = None
    told: tuple[str, ...] = ()
    if closed.value is not None:
        progress("learning what deals are worth")
        valuing, told = learn_values(config, closed, split, judged, final, random_state)
    no_signal = _has_no_signal(evaluations[MODEL])
    warnings = (
        *_describe_leaks(found.leaks, config),
        *_warnings(closed, table, split, config, evaluations[MODEL], no_signal=no_signal),
        *warn_of_accounts(judged.leads),
    )
    info = _describe(table, closed, split, last, no_signal=no_signal, warnings=warnings)
    worth = None if valuing is None else valuing.model
    unsure = fit_uncertainty(
        final,
        closed.X,
        closed.y.to_numpy(),
        groups=find_groups(closed),
        row_weight=None if closed.weight is None else closed.weight.to_numpy(),
        random_state=random_state,
    )
    model = LeadModel(final, rule_scorer, config, info, worth, unsure)
    if tried is None:
        tried = learned.structures_ if len(split.parts) == 1 else last.structures_
    return Training(
        model,
        evaluations,
        comparison,
        tried,
        warnings,
        closed,
        judged,
        notes=(*table.notes, *told),
        optimism=optimism,
        valuing=valuing,
        forecast=forecast_bands(table, final),
        response=describe_response(closed),
    )


def _has_no_signal(evaluation: Evaluation) -> bool:
    """Return whether the gain over the base rate, or the ranking, may be chance.

    Where leads win more or less often than in training, a model can gain by its level alone, so
    the interval of the AUC must lie above one half too.
    """
    lower = evaluation.metrics["lower"]
    return not (float(lower["log_loss_gain"]) > 0 and float(lower["roc_auc"]) > 0.5)


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


def _describe_leaks(leaks: pd.DataFrame, config: Config) -> Iterator[str]:
    """Yield a sentence for each feature that gives the outcome away."""
    leaking = leaks[(leaks["severity"] == "drop") & (leaks["use"] == "feature")]
    for name, evidence in leaking[["column", "evidence"]].astype("str").itertuples(index=False):
        if name in config.features.keep:
            yield f"LEAK: {name} is used, as [features] keep asks. {evidence}"
        else:
            yield (
                f"LEAK: {name} is not used. {evidence} If it was known before the outcome, name it "
                "in [features] keep."
            )


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
    outcomes = closed.outcomes_by_lead()
    won = int(outcomes.sum())
    if no_signal:
        warnings.insert(
            0,
            "NO SIGNAL: on leads it had not seen, the model was no better than the base rate (the "
            "interval of its gain holds 0, or that of its AUC one half). Do not sort leads by it.",
        )
    if won < FEW_WINS or len(outcomes) < FEW_LEADS:
        warnings.append(
            f"Little history: {won} wins among {len(outcomes)} closed leads. Intervals are wide."
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
    outcomes = closed.outcomes_by_lead()
    n_leads = table.lead_ids.nunique()
    return {
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "n_leads": n_leads,
        "n_closed": len(outcomes),
        "n_won": int(outcomes.sum()),
        "n_open": n_leads - len(outcomes),
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
