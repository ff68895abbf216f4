"""Learn a rule book from the tables of a model, and show what its simplicity costs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd

from leadml.checking import check_leads, drop_leaks
from leadml.config import Config
from leadml.data.lead_table import LeadTable, feature_columns
from leadml.data.toml_text import array_table, comment
from leadml.data.words import says
from leadml.errors import DataError
from leadml.evaluation.comparison import Comparison, compare
from leadml.evaluation.display import jsonable
from leadml.features.splits import Split, split_leads
from leadml.judged import find_groups
from leadml.judging import fit_scorer
from leadml.pipelines import MODEL, RULES, make_model, make_rules, make_scorer
from leadml.rows import read_rows
from leadml.scoring.folds import assign_folds, number_accounts
from leadml.scoring.rule_fitting import fit_rules
from leadml.scoring.rule_steps import find_steps
from leadml.scoring.rulebook import Rule, RuleBook
from leadml.scoring.scale import Scale
from leadml.scoring.scorer import LeadScorer

COUNT = 20
SMALLER = (10, 5)  # rules of the books that are judged beside it
BASE_RATE = "base rate"
N_FOLDS = 5
FEWEST = 40  # wins, and losses, as training asks for
# nobody should give points to a colleague's leads
COLLEAGUES = r"\b(sales ?person|agent|owner|rep|manager)\b"
FIGURES = ("log_loss", "roc_auc", "gain_20")

Progress = Callable[[str], None]


@dataclass(frozen=True, repr=False)
class LearnedRules:
    """A learned rule book, and its figures beside the model's.

    Attributes
    ----------
    book : RuleBook
    text : str
        The `rules.toml`, with a comment on what each rule did in the past.
    figures : DataFrame
        Of `model`, `rules`, smaller books and `base rate`, on leads that none of them saw:
        columns recipe, metric (`log_loss`, `roc_auc`, `gain_20`), value, and difference, lower,
        upper: what the recipe has more than the model, with its paired 95 % interval.
    comparison : Comparison
    method : str
        Which leads the figures are from.
    warnings : tuple of str
    """

    book: RuleBook
    text: str
    figures: pd.DataFrame
    comparison: Comparison
    method: str
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<LearnedRules: {len(self.book.rules)} rules, judged on {self.method}>"

    def _repr_html_(self) -> str:
        from leadml.evaluation.reprs import show_learned_rules

        return show_learned_rules(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the rules and every figure as JSON-able values."""
        told = {
            "rules": [_rule_values(rule) for rule in self.book.rules],
            "judged_on": self.method,
            "figures": self.figures,
            "comparison": self.comparison.to_dict(),
            "warnings": self.warnings,
        }
        return dict(jsonable(told))


def learn_rules(
    config: Config,
    leads: str | Path | pd.DataFrame | None = None,
    *,
    tables: Mapping[str, Any] | None = None,
    engine: Any = None,
    count: int = COUNT,
    random_state: int = 0,
    progress: Progress = lambda message: None,  # noqa: ARG005
) -> LearnedRules:
    """Learn a rule book of whole points from won and lost leads.

    An additive model is fitted, and the rules that say most of its tables are chosen. For the
    figures all of this is done anew without the leads judged: the newest 20 % where dates are
    known, else each of five folds in turn.

    Parameters
    ----------
    config : Config
    leads : str, Path or DataFrame, default=None
        None reads `config.leads.path`.
    tables, engine : optional
        For a history, as `leadml.training.train` takes them.
    count : int, default=20
        Most rules.
    random_state : int, default=0
    progress : callable, default does nothing
        Called with a line before each step.

    Raises
    ------
    DataError
        Below 40 wins or 40 losses, for leads that do not fit the config, and where no rule earns a
        point.
    """
    progress("reading leads")
    table, config = read_rows(config, leads, tables, engine)
    progress("looking for columns that know the outcome")
    found = check_leads(
        config, leads, tables=tables, engine=engine, rows=table, random_state=random_state
    )
    dropped = found.leaking[~found.leaking["column"].isin(config.features.keep)]
    config = drop_leaks(config, found.leaks)
    closed = replace(table, X=table.X[feature_columns(config)]).closed()
    _check_enough(closed)
    progress("learning the rules from all closed leads")
    teacher = _fit_model(config, closed, "additive", random_state)
    (book,) = _learn_books(config, closed, teacher, [count])
    if not book.rules:
        message = (
            "No rule earns a point: nothing in the columns in use tells won from lost leads better "
            "than chance would. Put more columns into [features], or keep the rules of leadml init."
        )
        raise DataError(message)
    split = _split(closed, config, random_state)
    comparison = _judge(config, closed, split, count, random_state, progress)
    figures = _collect_figures(comparison)
    return LearnedRules(
        book,
        _write_toml(config, closed, teacher, book, figures, split.method),
        figures,
        comparison,
        split.method,
        (
            *(f"LEAK: {row.column} is not used. {row.evidence}" for row in dropped.itertuples()),
            *_warn_of_no_signal(comparison),
            *split.warnings,
        ),
    )


def _check_enough(closed: LeadTable) -> None:
    outcomes = closed.outcomes_by_lead()
    won, lost = int((outcomes == 1).sum()), int((outcomes == 0).sum())
    if min(won, lost) < FEWEST:
        message = (
            f"There are {won} won and {lost} lost leads; at least {FEWEST} of each are needed to "
            "learn rules from. Until then start with those that leadml init writes."
        )
        raise DataError(message)


def _fit_model(config: Config, leads: LeadTable, structure: str, seed: int) -> LeadScorer:
    model = make_model(config, structure, seed)
    return fit_scorer(make_scorer(config, model, name=MODEL), leads)


def _learn_books(
    config: Config, leads: LeadTable, teacher: LeadScorer, counts: Iterable[int]
) -> list[RuleBook]:
    """Return for each count the book of so many rules that comes nearest to an additive model."""
    profile, model = teacher.estimator_[0], teacher.estimator_[-1]
    features = profile.transform(profile.select(leads.X))
    colleagues = {
        feature
        for feature, raw in profile.source_.items()
        if profile.kinds_[raw] == "category" and says(COLLEAGUES, raw)
    }
    features = features.drop(columns=list(colleagues))
    weight = np.ones(len(features)) if leads.weight is None else leads.weight.to_numpy()
    families = config.features.families()
    steps = find_steps(features, model.table_, weight=weight, monotone=config.features.monotone)
    chance = teacher.predict_proba(leads.X)[:, 1]
    return [
        fit_rules(
            steps,
            leads.y.to_numpy() == 1,
            chance,
            weight=weight,
            families={feature: families[raw] for feature, raw in profile.source_.items()},
            points_per_logit=_scale(teacher).points_per_logit,
            count=count,
        )
        for count in counts
    ]


def _scale(scorer: LeadScorer) -> Scale:
    assert scorer.scale_ is not None  # noqa: S101 - it was fitted with outcomes
    return scorer.scale_


def _fit_book(config: Config, leads: LeadTable, book: RuleBook) -> LeadScorer:
    return fit_scorer(make_scorer(config, make_rules(config, book), name=RULES), leads)


def _split(closed: LeadTable, config: Config, seed: int) -> Split:
    """Split by time where dates are known, else into folds, what belongs together in one."""
    if closed.created is not None:
        lead = closed.lead_ids if closed.lead_ids.has_duplicates else None
        split = split_leads(
            closed.y,
            closed.created,
            closed.account,
            seed,
            horizon=config.outcome.horizon,
            lead=lead,
        )
        if split.by_time:
            return split
    groups = find_groups(closed)
    together = np.arange(len(closed.y)) if groups is None else number_accounts(groups)
    random = np.random.RandomState(seed)
    folds = assign_folds(closed.y.to_numpy() == 1, together, N_FOLDS, random)
    kept = "" if closed.account is None else ", accounts kept together"
    parts = [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in set(folds)]
    return Split(tuple(parts), f"{len(parts)} random folds{kept}")


def _judge(
    config: Config, closed: LeadTable, split: Split, count: int, seed: int, progress: Progress
) -> Comparison:
    """Learn model and rules from each part's older leads, and compare them on its newer ones."""
    counts = {RULES: count, **{f"{n} rules": n for n in SMALLER if n < count}}
    judged = []
    for number, (older, newer) in enumerate(split.parts, start=1):
        part = f", {number} of {len(split.parts)}" if len(split.parts) > 1 else ""
        progress(f"judging model and rules on {split.method}{part}")
        train, test = closed.take(older), closed.take(newer)
        model = _fit_model(config, train, "auto", seed)
        is_additive = model.estimator_[-1].structure_ == "additive"
        teacher = model if is_additive else _fit_model(config, train, "additive", seed)
        chances = {MODEL: model.predict_proba(test.X)[:, 1]}
        books = _learn_books(config, train, teacher, counts.values())
        for name, book in zip(counts, books, strict=True):
            chances[name] = _fit_book(config, train, book).predict_proba(test.X)[:, 1]
        base_rate = np.average(train.y, weights=train.weight)
        judged.append(pd.DataFrame({**chances, BASE_RATE: base_rate}, index=newer))
    table = pd.concat(judged)
    # one rate for all folds: those that differ would rank the folds
    table[BASE_RATE] = table[BASE_RATE].mean()
    test = closed.take(table.index.to_numpy())
    chances = {str(name): table[name].to_numpy() for name in table}
    base_rate = float(table[BASE_RATE].iloc[0])
    return compare(test.y.to_numpy(), chances, groups=find_groups(test), base_rate=base_rate)


def _warn_of_no_signal(comparison: Comparison) -> tuple[str, ...]:
    metrics = comparison.metrics
    lower = metrics[metrics["model"] == RULES].set_index("metric")["lower"]
    if lower["log_loss_gain"] > 0 and lower["roc_auc"] > 0.5:
        return ()
    return (
        "NO SIGNAL: on leads that were not learned from, the rules were no better than the base "
        "rate (the interval of their gain holds 0, or that of their AUC one half).",
    )


def _collect_figures(comparison: Comparison) -> pd.DataFrame:
    values = comparison.metrics.rename(columns={"model": "recipe"})[["recipe", "metric", "value"]]
    differences = comparison.differences
    more = pd.DataFrame(
        {
            "recipe": differences["other"],
            "metric": differences["metric"],
            "difference": -differences["difference"],
            "lower": -differences["upper"],
            "upper": -differences["lower"],
        }
    )
    order = pd.MultiIndex.from_product([values["recipe"].unique(), FIGURES])
    keys = ["recipe", "metric"]
    table = values.merge(more, how="left", on=keys).set_index(keys)
    return table.loc[order].rename_axis(keys).reset_index()


def _write_toml(
    config: Config,
    closed: LeadTable,
    teacher: LeadScorer,
    book: RuleBook,
    figures: pd.DataFrame,
    method: str,
) -> str:
    """Return the book as a `rules.toml` that tells where it comes from and what it costs."""
    scorer = _fit_book(config, closed, book)
    profile = scorer.estimator_[0]
    features = profile.transform(profile.select(closed.X))
    outcomes = closed.outcomes_by_lead()
    at_zero = 1 / (1 + np.exp(-scorer.estimator_[-1].start_))
    value = figures.set_index(["recipe", "metric"])["value"].to_dict()
    head = [
        f"Learned by leadml on {datetime.now(UTC):%Y-%m-%d} from {len(outcomes):,} closed leads, "
        f"{int(outcomes.sum()):,} of them won.",
        f"{_scale(teacher).points_to_double:g} points double the odds; a lead that no rule fires "
        f"for has a chance of {at_zero:.1%}.",
        f"On leads that were not learned from ({method}): log loss "
        f"{value[RULES, 'log_loss']:.3f}, where the model has {value[MODEL, 'log_loss']:.3f} and "
        f"the base rate {value[BASE_RATE, 'log_loss']:.3f}; AUC {value[RULES, 'roc_auc']:.3f}, "
        f"where the model has {value[MODEL, 'roc_auc']:.3f}.",
        "A rule's points hold beside those of all others; the share of its leads that were won is "
        "what came of everything about them.",
        "Edit me: change points, delete what you do not believe, add what you know. Then leadml "
        "rules check finds slips, and leadml train compares me with the model.",
    ]
    lines = [comment(line) for sentence in head for line in wrap(sentence, 96)]
    weight = np.ones(len(features)) if closed.weight is None else closed.weight.to_numpy()
    won = closed.y.to_numpy() == 1
    for rule in book.rules:
        note = _coverage(rule, features, won, weight)
        lines += ["", *array_table("rules", _rule_values(rule), note)]
    return "\n".join(lines) + "\n"


def _coverage(rule: Rule, features: pd.DataFrame, won: np.ndarray, weight: np.ndarray) -> str:
    fires = weight * rule.fires(features)
    return (
        f"Fires for {fires.sum() / weight.sum():.0%} of leads ({fires.sum():,.0f}); "
        f"{fires @ won / fires.sum():.0%} of them won."
    )


def _rule_values(rule: Rule) -> dict[str, Any]:
    return rule.model_dump(exclude_none=True, exclude={"disqualify"})
