"""Judge and compare models on leads whose outcome is known."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import leadml
from leadml.batch import load_scorer
from leadml.config import Config
from leadml.data.lead_table import LeadTable, compute_fingerprint
from leadml.errors import DataError, ModelFolderError
from leadml.evaluation.comparison import Comparison
from leadml.evaluation.report import Report, write_report
from leadml.evaluation.summary import Evaluation
from leadml.judged import Judged, describe_response, warn_of_accounts
from leadml.pipelines import MODEL, RULES
from leadml.registry.bundle import LeadModel, check_folder
from leadml.reporting.build import make_report
from leadml.rows import read_judged_rows
from leadml.scoring.scorer import LeadScorer


@dataclass(frozen=True, eq=False)
class Assessment:
    """What models are worth on leads whose outcome is known.

    Attributes
    ----------
    judged : Judged
        The leads, and what each model said of them.
    models : dict of str to LeadModel
        The folder of each.
    evaluations : dict of str to Evaluation
    comparison : Comparison or None
        None of a single model.
    warnings : tuple of str
    """

    judged: Judged
    models: Mapping[str, LeadModel]
    evaluations: Mapping[str, Evaluation]
    comparison: Comparison | None
    warnings: tuple[str, ...]

    @property
    def compared(self) -> Comparison:
        """The comparison; raises where there is a single model."""
        if self.comparison is None:
            message = "A single model was judged: there is nothing to compare."
            raise DataError(message)
        return self.comparison


def evaluate_leads(
    source: str | Path,
    leads: str | Path | pd.DataFrame,
    *,
    by: str = MODEL,
    history: str | Path | None = None,
) -> Assessment:
    """Return a model's figures on closed leads.

    Parameters
    ----------
    source : str or Path
        A model folder.
    leads : str, Path or DataFrame
        With the outcome column, or the `leadml.toml` of a history; open leads are left out.
    by : {"model", "rules"}, default="model"
    history : str or Path, default=None
        The `leadml.toml` that names the activities, where `leads` is a table.

    Raises
    ------
    LeadmlError
        Where the leads do not fit the model or hold no wins or no losses.
    """
    if Path(source).suffix == ".toml":
        message = (
            f"{source} is a rule book that has seen no outcomes: its points are no probability, so "
            "there is nothing to judge. Train with it, then evaluate the model folder --by rules."
        )
        raise DataError(message)
    scorer, model = load_scorer(source, by=by)
    closed = _read_closed(model.config, leads, history)
    judged = Judged.score(closed, [(np.arange(len(closed.y)), {by: scorer})])
    return Assessment(
        judged, {by: model}, judged.evaluate(), None, _find_warnings({source: closed})
    )


def compare_leads(
    a: str | Path,
    b: str | Path,
    leads: str | Path | pd.DataFrame,
    *,
    history: str | Path | None = None,
    capacity: float | None = None,
    weeks: float | None = None,
    segments: Iterable[str] | None = None,
) -> Assessment:
    """Return the figures of two models on the same closed leads, and their comparison.

    Parameters
    ----------
    a : str or Path
        A model folder.
    b : str or Path
        Another one, or "rules" for the rule book of `a`.
    leads, history
        As in `evaluate_leads`.
    capacity, weeks, segments : optional
        As in `Judged.compare`: how many leads can be called, in how many weeks these leads came
        in, and within which features to compare.

    Raises
    ------
    LeadmlError
        As `evaluate_leads`; and where the two are the same or read the leads differently.
    """
    first, model = load_scorer(a)
    second, other_model = load_scorer(a, by=RULES) if str(b) == RULES else load_scorer(b)
    names = (MODEL, RULES) if str(b) == RULES else _names(first, second)
    if names[0] == names[1]:
        message = f"{a} and {b} are the same model, {names[0]}. Pass two different ones."
        raise DataError(message)
    closed = _read_closed(model.config, leads, history)
    other = closed
    if str(b) != RULES:
        other = _read_closed(other_model.config, leads, history)
    _check_same(closed, other)
    rows = np.arange(len(closed.y))
    judged = Judged.score(
        closed,
        [(rows, dict(zip(names, (first, second), strict=True)))],
        inputs=dict(zip(names, (closed.X, other.X), strict=True)),
    )
    return Assessment(
        judged,
        dict(zip(names, (model, other_model), strict=True)),
        judged.evaluate(),
        judged.compare(capacity=capacity, weeks=weeks, segments=segments),
        _find_warnings({a: closed} if str(b) == RULES else {a: closed, b: other}),
    )


def _find_warnings(tables: Mapping[str | Path, LeadTable]) -> tuple[str, ...]:
    seen = [warning for source, table in tables.items() for warning in _seen_before(source, table)]
    return (*seen, *warn_of_accounts(next(iter(tables.values()))))


def write_assessment(found: Assessment, path: str | Path) -> Path:
    """Write a report of judged leads: single leads are shown, by their ids.

    Raises
    ------
    DataError
        Where the file cannot be written.
    """
    return write_report(describe_assessment(found), path)


def describe_assessment(found: Assessment) -> Report:
    """Return the report of judged leads."""
    judged = found.judged
    scorers = judged.parts[0][1]
    facts = {name: _describe_model(one, scorers[name]) for name, one in found.models.items()}
    n_leads = judged.leads.lead_ids.nunique()
    facts["Closed leads"] = f"{n_leads:,}, {int(judged.leads.outcomes_by_lead().sum()):,} won"
    weeks = judged.find_weeks() if found.comparison is None else found.comparison.weeks
    if weeks is not None:
        facts["Came in within"] = f"{weeks:,.1f} weeks"
    facts["leadml"] = leadml.__version__
    return make_report(
        judged,
        found.evaluations,
        found.comparison,
        scorers,
        judged.inputs,
        title=" against ".join(judged.models).capitalize(),
        facts=facts,
        warnings=found.warnings,
        response=describe_response(judged.leads),
        unsure={
            name: one.uncertainty
            for name, one in found.models.items()
            if one.uncertainty is not None and name != RULES
        },
        show_leads=True,
    )


def _describe_model(model: LeadModel, scorer: LeadScorer) -> str:
    day = str(model.info.get("trained_at", ""))[:10]
    return f"{scorer.name}, version {scorer.version}, trained {day}"


def stored_evaluations(source: str | Path) -> dict[str, Evaluation]:
    """Return the figures of a model's training: of the model, its rules and its peer."""
    models = _stored(source)["models"]
    return {name: Evaluation.from_dict(values) for name, values in models.items()}


def stored_rows(source: str | Path) -> str:
    """Return what a row of a training's figures is: "leads" or "snapshots"."""
    return str(_stored(source).get("rows", "leads"))


def stored_comparison(source: str | Path) -> Comparison:
    """Return the comparison of a model's training."""
    return Comparison.from_dict(_stored(source)["comparison"])


def _stored(source: str | Path) -> Mapping[str, Any]:
    check_folder(source)
    path = Path(source) / "metrics.json"
    if not path.is_file():
        message = f"{source} holds no figures of a training. Pass leads to judge it by."
        raise ModelFolderError(message)
    stored: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if "auc" not in stored["comparison"]:
        message = (
            f"{source} was written by an older leadml, which compared less. Train the model again, "
            "or pass leads to compare by."
        )
        raise ModelFolderError(message)
    return stored


def _read_closed(config: Config, leads: Any, history: str | Path | None) -> LeadTable:
    closed = read_judged_rows(config, leads, history=history)
    if closed.y.nunique() < 2:
        won, lost = int((closed.y == 1).sum()), int((closed.y == 0).sum())
        message = (
            f"Among these leads {won} are won and {lost} lost; both are needed to judge a model. "
            "Pass leads with their outcome column."
        )
        raise DataError(message)
    return closed


def _check_same(a: LeadTable, b: LeadTable) -> None:
    ids = [table.X.index.get_level_values("lead_id") for table in (a, b)]
    if not ids[0].equals(ids[1]) or not np.array_equal(a.y, b.y):
        message = "The two models read other ids or outcomes from these leads: nothing to compare."
        raise DataError(message)


def _names(first: LeadScorer, second: LeadScorer) -> tuple[str, str]:
    if first.name != second.name:
        return f"model {first.name}", f"model {second.name}"
    return f"model {first.name} {first.version}", f"model {second.name} {second.version}"


def _seen_before(source: str | Path, closed: LeadTable) -> tuple[str, ...]:
    info = check_folder(source)["info"]
    newest = info["newest_lead"]
    same = compute_fingerprint(closed) == info["fingerprint"]
    older = (
        closed.created is not None
        and newest is not None
        and (closed.created <= pd.Timestamp(newest)).any()
    )
    if not same and not older:
        return ()
    learned = (
        "has learned from these leads" if same else "may have learned from some of these leads"
    )
    return (
        f"{source} {learned}, so the figures promise too much. Without --leads you get those of "
        "the leads its training kept aside.",
    )
