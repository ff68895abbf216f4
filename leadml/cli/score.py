"""`leadml score`: batch scores."""

from pathlib import Path
from typing import Annotated

import typer

from leadml.cli import show
from leadml.cli.options import At, By, History, LeadsOrHistory, Model


def score(
    model: Model,
    leads: LeadsOrHistory,
    out: Annotated[Path, typer.Option("-o", "--out", help=".csv, .csv.gz, .parquet or .jsonl")],
    by: By = "model",
    history: History = None,
    at: At = None,
    reasons: Annotated[int, typer.Option(min=0, help="How many reasons a lead.")] = 3,
) -> None:
    """Score LEADS with MODEL and write the scored table."""
    from leadml.batch import score_leads

    scored = score_leads(
        model, leads, out, by=by, n_reasons=reasons, history=history, at=at, tell=show.say
    )
    counts = scored["band"].value_counts()
    bands = ", ".join(f"{counts.get(band, 0):,} {band}" for band in ("hot", "warm", "cold"))
    show.say(f"{len(scored):,} leads scored: {bands}; wrote {out}")
