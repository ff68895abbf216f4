"""`leadml compare`: two models, or a model and its rules, on the same leads."""

from pathlib import Path
from typing import Annotated

import typer

from leadml.cli import show
from leadml.cli.options import Capacity, History, Json, ReportOut
from leadml.errors import ModelFolderError


def compare(
    a: Annotated[Path, typer.Argument(help="A model folder.")],
    b: Annotated[str, typer.Argument(help="Another one; or 'rules', the rule book of the first.")],
    leads: Annotated[
        Path | None,
        typer.Option(help="Leads with outcomes, or a leadml.toml; else A's training figures."),
    ] = None,
    history: History = None,
    capacity: Capacity = None,
    weeks: Annotated[
        float | None,
        typer.Option(min=0.1, help="In how many weeks LEADS came in, where they have no dates."),
    ] = None,
    segment: Annotated[
        list[str] | None, typer.Option("--segment", help="Feature to compare within; repeats.")
    ] = None,
    report: ReportOut = None,
    json: Json = False,
) -> None:
    """Print two models' figures on the same leads, and what the difference means."""
    from leadml.assessment import (
        compare_leads,
        stored_comparison,
        stored_evaluations,
        stored_rows,
        write_assessment,
    )

    if leads is None:
        given = {"--capacity": capacity, "--weeks": weeks, "--segment": segment, "--report": report}
        asked = [name for name, value in given.items() if value is not None and value != []]
        if b != "rules" or asked:
            why = "two models are compared on leads that neither has seen"
            message = f"Pass --leads: {f'{asked[0]} needs them' if asked else why}."
            raise typer.BadParameter(message)
        evaluations, comparison = stored_evaluations(a), stored_comparison(a)
        rows = stored_rows(a)
        if b not in evaluations:
            message = f"{a} holds no rule book. Train with one: leadml train ... --rules FILE."
            raise ModelFolderError(message)
    else:
        found = compare_leads(
            a, b, leads, history=history, capacity=capacity, weeks=weeks, segments=segment
        )
        show.warn(found.warnings)
        evaluations, comparison = dict(found.evaluations), found.compared
        rows = found.judged.unit
        if report is not None:
            write_assessment(found, report)
            show.say(f"wrote {report}, which shows single leads: share it with care")
    if json:
        show.print_json(comparison.to_dict())
        return
    show.print_evaluations(evaluations, rows)
    show.print_comparison(comparison)
    show.print_verdict(comparison)
