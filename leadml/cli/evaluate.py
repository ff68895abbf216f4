"""`leadml evaluate`: what a model is worth."""

from pathlib import Path
from typing import Annotated

import typer

from leadml.cli import show
from leadml.cli.options import By, History, Json


def evaluate(
    model: Annotated[Path, typer.Argument(help="A model folder.")],
    leads: Annotated[
        Path | None,
        typer.Option(help="Leads with outcomes, or a leadml.toml; else the training figures."),
    ] = None,
    by: By = "model",
    history: History = None,
    json: Json = False,
) -> None:
    """Print a model's figures: on LEADS, or on the leads its training kept aside."""
    from leadml.assessment import evaluate_leads, stored_evaluations

    if leads is None:
        evaluations = stored_evaluations(model)
    else:
        evaluation, warnings = evaluate_leads(model, leads, by=by, history=history)
        evaluations = {by: evaluation}
        show.warn(warnings)
    if json:
        show.print_json({name: one.to_dict() for name, one in evaluations.items()})
    else:
        show.print_evaluations(evaluations)
