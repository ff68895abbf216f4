"""`leadml check`: is the history enough to learn from, and does a column know the outcome."""

from pathlib import Path
from typing import Annotated, Any

import typer

from leadml.cli import show
from leadml.cli.options import Json


def check(
    source: Annotated[
        Path, typer.Argument(help="A leadml.toml; or a table of leads, whose columns are guessed.")
    ],
    leads: Annotated[Path | None, typer.Option(help="Leads other than leadml.toml names.")] = None,
    outcome: Annotated[str | None, typer.Option(help="For a table: the outcome's column.")] = None,
    won: Annotated[list[str], typer.Option(help="Value that means won; may repeat.")] = [],  # noqa: B006
    lost: Annotated[list[str], typer.Option(help="Value that means lost; may repeat.")] = [],  # noqa: B006
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 3 where training should not start.")
    ] = False,
    json: Json = False,
) -> None:
    """Tell whether the leads are enough to learn from, and which columns give the outcome away."""
    from leadml.checking import check_leads
    from leadml.config import load_config
    from leadml.data.engines import read_source
    from leadml.data.roles import find_id
    from leadml.data.schema import infer_config
    from leadml.evaluation.display import jsonable

    table: Any
    if source.suffix == ".toml":
        settings, table = load_config(source), leads
    else:
        frame = read_source(str(source))
        if find_id(frame) is None:  # an id is of no use to a check
            frame = frame.assign(lead_id=range(len(frame)))
        table = frame if leads is None else leads
        settings = infer_config(frame, str(source), outcome=outcome, won=won, lost=lost).config
    found = check_leads(settings, table)
    if json:
        show.print_json(
            jsonable(
                {
                    "passed": found.passed,
                    "readiness": found.readiness.to_dict("records"),
                    "leaks": found.leaks.to_dict("records"),
                }
            )
        )
    else:
        show.print_check(found)
    if strict and not found.passed:
        raise typer.Exit(3)
