"""`leadml score`: batch scores."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from leadml.cli import show
from leadml.cli.options import At, By, History, LeadsOrHistory, Model

Out = Annotated[Path | None, typer.Option("-o", "--out", help=".csv, .csv.gz, .parquet or .jsonl")]


def score(
    model: Model,
    leads: LeadsOrHistory,
    out: Out = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", help="Table to update by lead id: crm.duckdb#scores, postgresql://..."
        ),
    ] = None,
    by: By = "model",
    history: History = None,
    at: At = None,
    reasons: Annotated[
        int | None, typer.Option(min=0, help="How many reasons a lead; 3 by default.")
    ] = None,
    reasons_for: Annotated[
        Literal["all", "warm", "hot", "none"],
        typer.Option("--reasons-for", help="Leads that get reasons: of this band and above."),
    ] = "all",
    columns: Annotated[
        list[str] | None, typer.Option("--columns", help="Column of LEADS to carry through.")
    ] = None,
    extras: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help="More columns: value (deal_value, expected_value), interval (of the probability, "
            "and whether to abstain); may repeat.",
        ),
    ] = None,
    on_error: Annotated[
        Literal["stop", "reject"],
        typer.Option("--on-error", help="reject: rows that cannot be read go to OUT.rejected.csv."),
    ] = "stop",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what a killed run left of OUT.")
    ] = False,
) -> None:
    """Score LEADS with MODEL and write the scored table, whatever its size."""
    if out is None and to is None:
        message = "Say where the scores go: -o FILE, --to TABLE, or both."
        raise typer.BadParameter(message)
    from leadml.bulk.run import score_file

    with show.progress("leads") as advance:
        done = score_file(
            model,
            leads,
            out,
            to=to,
            by=by,
            n_reasons=reasons,
            reasons_for=reasons_for,
            keep=columns or (),
            on_error=on_error,
            history=history,
            at=at,
            resume=resume,
            extras=extras or (),
            tell=show.say,
            progress=lambda step: advance(step.rows, step.done),
        )
    bands = ", ".join(f"{done.bands.get(band, 0):,} {band}" for band in ("hot", "warm", "cold"))
    places = [*([str(out)] if out else []), *([f"table {to.rpartition('#')[2]}"] if to else [])]
    show.say(f"{done.n_rows:,} leads scored: {bands}; wrote {' and '.join(places)}")
    if done.rejected is not None:
        show.say(f"{done.n_rejected:,} rows could not be read; they are in {done.rejected}")
    elif done.n_rejected:
        lost = f"{done.n_rejected:,} rows could not be read and are left out"
        show.warn([f"{lost}; with -o FILE they are kept in FILE.rejected.csv"])
