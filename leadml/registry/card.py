"""The model card: what the model is, what it is worth, and what to know before using it."""

from collections.abc import Mapping, Sequence
from typing import Any

from leadml.config import Config
from leadml.evaluation.comparison import Comparison
from leadml.evaluation.summary import Evaluation

FIGURES = {
    "roc_auc": "AUC",
    "log_loss": "log loss",
    "log_loss_gain": "gain over the base rate",
    "calibration_slope": "calibration slope",
    "lift_10": "lift in the top 10 %",
}


def make_card(
    name: str,
    version: str,
    config: Config,
    info: Mapping[str, Any],
    evaluations: Mapping[str, Evaluation],
    comparison: Comparison,
    sentences: Sequence[str] = (),
) -> str:
    """Return the card as Markdown; `sentences` stand below what the comparison says."""
    features = config.features
    used = features.families()
    protected = [column for column in features.protected if column in used]
    lines = [
        f"# Model card: {name}",
        "",
        f"Version `{version}`, trained {info['trained_at']}, structure `{info['structure']}`.",
        "",
        *[f"> **{warning}**" for warning in info["warnings"]],
        "",
        "## What it does",
        "",
        f"It gives each lead the chance of ending as {_listed(config.outcome.won)} rather than "
        f"{_listed(config.outcome.lost)} (column `{config.outcome.column}`, horizon "
        f"{config.outcome.horizon}), as a score from 0 to 100 with reasons that add up to it.",
        "",
        "## What it learned from",
        "",
        f"{info['n_closed']:,} closed leads, {info['n_won']:,} of them won; {info['n_open']:,} "
        "open leads were not learned from.",
        "",
        "| family | columns |",
        "| --- | --- |",
        *[f"| {family} | {_listed(columns)} |" for family, columns in _by_family(used).items()],
        "",
        f"Left out: {_listed(features.exclude) or 'nothing'}.",
        f"Protected attributes used: {_listed(protected) or 'none'}.",
        "",
        "## What it is worth",
        "",
        f"Judged on {info['split']}, which the recipe had not seen; 95 % intervals.",
        "",
        "| figure | " + " | ".join(evaluations) + " |",
        "| --- |" + " --- |" * len(evaluations),
        *[
            f"| {label} | " + " | ".join(_figure(one, key) for one in evaluations.values()) + " |"
            for key, label in FIGURES.items()
        ],
        "",
        *[f"- {sentence}" for sentence in (*comparison.verdict, *sentences)],
        "",
        "## Before you use it",
        "",
        "- A score orders leads; it does not say why people buy. Do not change prices by it.",
        "- It holds for leads like those it learned from. Retrain each quarter, and compare first.",
        "- Do not use it to decide about persons in credit, housing, insurance or employment.",
    ]
    return "\n".join(lines) + "\n"


def _by_family(used: Mapping[str, Any]) -> dict[str, list[str]]:
    families: dict[str, list[str]] = {}
    for column, family in used.items():
        families.setdefault(str(family), []).append(column)
    return families


def _listed(names: Any) -> str:
    return ", ".join(f"`{str(name).replace('|', '/')}`" for name in names)


def _figure(evaluation: Evaluation, key: str) -> str:
    row = evaluation.metrics.loc[key]
    return f"{row['value']:.3f} ({row['lower']:.3f} to {row['upper']:.3f})"
