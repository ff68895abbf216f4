"""`leadml explain`: one lead's sum, line by line."""

from typing import Annotated

import typer

from leadml.cli import show
from leadml.cli.options import At, By, History, Json, LeadsOrHistory, Model


def explain(
    model: Model,
    leads: LeadsOrHistory,
    id: Annotated[str, typer.Option("--id", help="The lead's id.")],  # noqa: A002
    by: By = "model",
    history: History = None,
    at: At = None,
    json: Json = False,
) -> None:
    """Print the whole sum behind one lead's score."""
    from leadml.batch import explain_leads
    from leadml.evaluation.display import jsonable

    [(row, lines)] = explain_leads(model, leads, [id], by=by, history=history, at=at)
    if json:
        show.print_json(jsonable({"lead": row.to_dict(), "sum": lines}))
    else:
        show.print_explanation(row, lines)
