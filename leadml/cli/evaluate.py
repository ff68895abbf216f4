"""`leadml evaluate`: what a model is worth."""

from pathlib import Path
from typing import Annotated

import typer

from leadml.cli import show
from leadml.cli.options import By, History, Json, ReportOut


def evaluate(
    model: Annotated[Path, typer.Argument(help="A model folder.")],
    leads: Annotated[
        Path | None,
        typer.Option(help="Leads with outcomes, or a leadml.toml; else the training figures."),
    ] = None,
    by: By = "model",
    history: History = None,
    report: ReportOut = None,
    json: Json = False,
) -> None:
    """Print a model's figures: on LEADS, or on the leads its training kept aside."""
    from leadml.assessment import (
        evaluate_leads,
        stored_evaluations,
        stored_rows,
        write_assessment,
    )

    if leads is None:
        if report is not None:
            message = f"Pass --leads: the report of the training is {model / 'report.html'}."
            raise typer.BadParameter(message)
        evaluations, rows = stored_evaluations(model), stored_rows(model)
    else:
        found = evaluate_leads(model, leads, by=by, history=history)
        evaluations, rows = dict(found.evaluations), found.judged.unit
        show.warn(found.warnings)
        if report is not None:
            write_assessment(found, report)
            show.say(f"wrote {report}, which shows single leads: share it with care")
    if json:
        show.print_json({name: one.to_dict() for name, one in evaluations.items()})
    else:
        show.print_evaluations(evaluations, rows)
