"""Options that several verbs share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Model = Annotated[
    Path, typer.Argument(help="A model folder; or a rules.toml with its leadml.toml beside it.")
]
Leads = Annotated[Path, typer.Argument(help="CSV or Parquet file, or a folder of Parquet files.")]
LeadsOrHistory = Annotated[
    Path,
    typer.Argument(help="A table of leads; or the leadml.toml of a history: its open leads."),
]
History = Annotated[
    Path | None,
    typer.Option("--history", help="The leadml.toml that names the activities of the LEADS."),
]
At = Annotated[
    str | None,
    typer.Option("--at", help="Day to look at the leads; as_of of leadml.toml, or now."),
]
By = Annotated[
    Literal["model", "rules"], typer.Option("--by", help="Which of the two of a model folder.")
]
ReportOut = Annotated[
    Path | None,
    typer.Option("--report", help="Write a report of these leads; it shows single leads by id."),
]
Capacity = Annotated[
    float | None,
    typer.Option(
        "--capacity", help="Leads that sales can call: a week where weeks are known, else of these."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Take the place of what is there.")]
Seed = Annotated[int, typer.Option("--seed", help="Equal seeds give equal models.")]
NoMlflow = Annotated[bool, typer.Option("--no-mlflow", help="Do not log an MLflow run.")]
