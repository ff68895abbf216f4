"""`leadml VERB`: every verb is a few typed lines over one function of the library."""

import sys
from typing import Annotated

import typer

import leadml
from leadml.cli import (
    check,
    compare,
    demo,
    evaluate,
    explain,
    export,
    init,
    rules,
    score,
    train,
)
from leadml.errors import LeadmlError

app = typer.Typer(
    help="Lead scoring that adds up: a calibrated model and a rule book on one scale.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for verb in (
    demo.demo,
    init.init,
    check.check,
    train.train,
    evaluate.evaluate,
    compare.compare,
    score.score,
    explain.explain,
    export.export,
):
    app.command()(verb)
app.add_typer(rules.app, name="rules")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(leadml.__version__)
        raise typer.Exit


@app.callback()
def _app(
    # eager: it needs no verb
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; an error of ours is a message and exit code 1, never a traceback."""
    try:
        app()
    except LeadmlError as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        sys.exit(1)
