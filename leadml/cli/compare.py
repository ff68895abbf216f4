"""`leadml compare`: two models, or a model and its rules, on the same leads."""

from pathlib import Path
from typing import Annotated

import typer

from leadml.cli import show
from leadml.cli.options import History, Json
from leadml.errors import ModelFolderError


def compare(
    a: Annotated[Path, typer.Argument(help="A model folder.")],
    b: Annotated[str, typer.Argument(help="Another one; or 'rules', the rule book of the first.")],
    leads: Annotated[
        Path | None,
        typer.Option(help="Leads with outcomes, or a leadml.toml; else A's training figures."),
    ] = None,
    history: History = None,
    json: Json = False,
) -> None:
    """Print two models' figures on the same leads, and what the difference means."""
    from leadml.assessment import compare_leads, stored_comparison, stored_evaluations

    if leads is None:
        if b != "rules":
            message = "Pass --leads: two models are compared on leads that neither has seen."
            raise typer.BadParameter(message)
        evaluations, comparison = stored_evaluations(a), stored_comparison(a)
        if b not in evaluations:
            message = f"{a} holds no rule book. Train with one: leadml train ... --rules FILE."
            raise ModelFolderError(message)
    else:
        evaluations, comparison, warnings = compare_leads(a, b, leads, history=history)
        show.warn(warnings)
    if json:
        show.print_json(comparison.to_dict())
        return
    show.print_evaluations(evaluations)
    show.print_verdict(comparison)
