"""Write what a training gave: model folder, figures, card, reference and report."""

import json
from pathlib import Path
from typing import Any

import numpy as np

import leadml
from leadml.evaluation.display import jsonable
from leadml.evaluation.report import Report, render_report
from leadml.evaluation.summary import Evaluation
from leadml.judging import describe_next
from leadml.registry.bundle import save_model
from leadml.registry.card import make_card
from leadml.reporting.build import make_report
from leadml.scoring.attribution import split_pipeline
from leadml.scoring.columns import source_of
from leadml.scoring.scorer import LeadScorer
from leadml.training import Training


def write_training(
    training: Training,
    folder: str | Path,
    *,
    rules_text: str | None = None,
    overwrite: bool = False,
    show_leads: bool = False,
) -> Path:
    """Write a training as a model folder and return its path.

    Parameters
    ----------
    training : Training
    folder : str or Path
    rules_text : str, default=None
        The rule book as its owner wrote it, comments included.
    overwrite : bool, default=False
    show_leads : bool, default=False
        Show single leads in the report, by their ids with values and reasons. A model folder holds
        no leads otherwise.

    Raises
    ------
    ModelFolderError
        Where the folder cannot be written.
    """
    files = {
        "metrics.json": _as_json(describe_figures(training)),
        "reference.json": _as_json(_make_reference(training)),
        "card.md": _make_card(training),
        "report.html": render_report(_make_report(training, show_leads=show_leads)),
    }
    if rules_text is not None:
        files["rules.toml"] = rules_text
    return save_model(folder, training.model, files, overwrite=overwrite)


def describe_figures(training: Training) -> dict[str, Any]:
    """Return every figure of a training with its interval, as JSON values."""
    optimism = training.optimism
    return {
        "split": training.model.info["split"],
        "random_split": None if optimism is None else optimism.random.to_dict(),
        "next_period": _ranges(training.evaluations["model"]),
        "fingerprint": training.model.info["fingerprint"],
        "rows": training.judged.unit,
        "no_signal": training.no_signal,
        "models": {name: one.to_dict() for name, one in training.evaluations.items()},
        "comparison": training.comparison.to_dict(),
        "structures": training.structures.to_dict("records"),
        "value": None if training.valuing is None else jsonable(training.valuing.to_dict()),
        "forecast": jsonable(training.forecast),
        "response": jsonable(training.response),
    }


def _ranges(evaluation: Evaluation) -> dict[str, Any]:
    return {str(name): dict(row) for name, row in evaluation.expect_next().iterrows()}


def _make_report(training: Training, *, show_leads: bool) -> Report:
    info, scorer = training.model.info, training.model.scorer
    facts = {
        "Model": f"{scorer.name}, version {scorer.version}",
        "Structure": str(info["structure"]),
        "Scale": describe_scale(scorer),
        "Closed leads": f"{info['n_closed']:,}, {info['n_won']:,} won",
        "Open leads": f"{info['n_open']:,}, not learned from",
        "Judged on": str(info["split"]),
        "Trained": str(info["trained_at"])[:16].replace("T", " ") + " UTC",
        "leadml": leadml.__version__,
    }
    scorers = {"model": scorer}
    if training.model.rules is not None:
        scorers["rules"] = training.model.rules
    return make_report(
        training.judged,
        training.evaluations,
        training.comparison,
        scorers,
        dict.fromkeys(scorers, training.leads.X),
        title=f"Lead scoring: {scorer.name}",
        facts=facts,
        warnings=training.warnings,
        notes=[*training.notes, *_describe_honesty(training), *describe_values(training)],
        structures=training.structures,
        forecast=training.forecast,
        value=None if training.valuing is None else training.valuing.at_capacity,
        response=training.response,
        show_leads=show_leads,
    )


def describe_scale(scorer: LeadScorer) -> str:
    """Return what 50 and a number of points mean."""
    scale = scorer.scale_
    if scale is None:
        return "points of the rules"
    chance = scale.base_odds / (1 + scale.base_odds)
    return (
        f"50 is a chance of {100 * chance:.0f} %, {scale.points_to_double:g} points double the odds"
    )


def _describe_honesty(training: Training) -> list[str]:
    if training.optimism is None:
        return []
    judged = training.evaluations["model"]
    return [training.optimism.describe(judged), describe_next(judged)]


def describe_values(training: Training) -> list[str]:
    """Return what is known of the deals' values, in sentences; none without values."""
    if training.valuing is None:
        return []
    return [training.valuing.verdict, training.valuing.describe_error()]


def _make_reference(training: Training) -> dict[str, Any]:
    """Return how often each code and score occurred in training: counts alone, no rows, no ids."""
    scorer, X = training.model.scorer, training.leads.X
    before, last = split_pipeline(scorer.estimator_)
    values = before.transform(X)
    features = {}
    for column in last.table_.columns:
        codes = column.codes(values[source_of(column)])
        counts = np.bincount(codes, minlength=column.n_codes)
        features[column.name] = {"labels": column.labels(), "counts": counts.tolist()}
    scores = scorer.compute_scores(X)
    return {
        "n_leads": len(X),
        "features": features,
        "scores": np.bincount(scores, minlength=101).tolist(),
    }


def _make_card(training: Training) -> str:
    model = training.model
    return make_card(
        model.scorer.name,
        model.scorer.version,
        model.config,
        model.info,
        training.evaluations,
        training.comparison,
        describe_values(training),
    )


def _as_json(values: dict[str, Any]) -> str:
    return json.dumps(jsonable(values), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
