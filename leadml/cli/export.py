"""`leadml export`: the model as SQL."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from leadml.cli import show
from leadml.cli.files import write_text
from leadml.cli.options import By, Model


def export(
    model: Model,
    dialect: Annotated[
        Literal["duckdb", "postgres", "spark", "snowflake", "bigquery"],
        typer.Option(help="The database that is to score."),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write the SELECT to.")],
    table: Annotated[str, typer.Option(help="The table or view of the leads.")] = "leads",
    by: By = "model",
    reasons: Annotated[int, typer.Option(min=0, help="How many reasons a lead.")] = 0,
    features: Annotated[
        list[str] | None,
        typer.Option(help="Column whose features stand in the table, such as a job title."),
    ] = None,
) -> None:
    """Write MODEL as one SELECT that computes the scored table inside a database."""
    from leadml.sql.export import export_sql

    text = export_sql(model, dialect, table=table, by=by, reasons=reasons, features=features or ())
    write_text(out, text)
    show.say(f"wrote {out}: a SELECT over {table!r} for {dialect}")
