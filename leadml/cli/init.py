"""`leadml init`: look at a table of leads and write `leadml.toml` and `rules.toml`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from leadml.cli import show
from leadml.cli.files import write_text
from leadml.cli.options import Leads, Overwrite
from leadml.errors import ConfigError

Texts = list[str]


def init(
    leads: Leads,
    id: Annotated[str | None, typer.Option(help="Column with the lead's id.")] = None,  # noqa: A002
    outcome: Annotated[str | None, typer.Option(help="Column with the outcome.")] = None,
    won: Annotated[Texts, typer.Option(help="Value that means won; may repeat.")] = [],  # noqa: B006
    lost: Annotated[Texts, typer.Option(help="Value that means lost; may repeat.")] = [],  # noqa: B006
    created: Annotated[str | None, typer.Option(help="Column with the date created.")] = None,
    closed: Annotated[str | None, typer.Option(help="Column with the date closed.")] = None,
    account: Annotated[str | None, typer.Option(help="Column with the account's id.")] = None,
    value: Annotated[str | None, typer.Option(help="Column with the deal's value.")] = None,
    contacted: Annotated[
        str | None, typer.Option(help="Column with the date of the first contact.")
    ] = None,
    missing: Annotated[Texts, typer.Option(help="Text that means empty; may repeat.")] = [],  # noqa: B006
    exclude: Annotated[Texts, typer.Option(help="Column not to use; may repeat.")] = [],  # noqa: B006
    keep: Annotated[
        Texts, typer.Option(help="Column to use whatever the leak check says; may repeat.")
    ] = [],  # noqa: B006
    accounts: Annotated[
        str | None, typer.Option(help="Table of companies: a file or database#table.")
    ] = None,
    contacts: Annotated[str | None, typer.Option(help="Table of people.")] = None,
    outcomes: Annotated[
        str | None, typer.Option(help="Table of outcomes, where the leads do not hold them.")
    ] = None,
    activities: Annotated[
        Texts, typer.Option(help="Table with one row an event of a lead; may repeat.")
    ] = [],  # noqa: B006
    horizon: Annotated[str, typer.Option(help="Time a lead has to be won.")] = "90D",
    out: Annotated[Path, typer.Option("--out", help="Where to write the settings.")] = Path(
        "leadml.toml"
    ),
    rules: Annotated[
        Path | None, typer.Option(help="Where to write the rules; rules.toml beside --out.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Infer roles and families from LEADS; write leadml.toml and a starter rules.toml."""
    from leadml.config_values import is_url
    from leadml.data.engines import read_source
    from leadml.starting import propose

    rules = rules or out.with_name("rules.toml")
    there = [str(path) for path in (out, rules) if path.exists()]
    if there and not overwrite:
        message = f"{' and '.join(there)} exist already. Pass --overwrite, or other names."
        raise ConfigError(message)
    if not out.parent.is_dir():
        message = f"The folder {out.parent} does not exist. Create it, or write elsewhere."
        raise ConfigError(message)

    def seen(path: str) -> str:
        return path if is_url(path) else Path(os.path.relpath(path, out.parent)).as_posix()

    frame = read_source(str(leads))
    linked = {name: path for name, path in (("accounts", accounts), ("contacts", contacts)) if path}
    others = [*linked.values(), *activities, *([outcomes] if outcomes else [])]
    start = propose(
        frame,
        linked=linked,
        outcomes=outcomes,
        activities=activities,
        keep=keep,
        path=seen(str(leads)),
        paths={path: seen(path) for path in others},
        id=id,
        outcome=outcome,
        won=won,
        lost=lost,
        created=created,
        closed=closed,
        account=account,
        value=value,
        contacted=contacted,
        missing=missing,
        exclude=exclude,
        horizon=horizon,
    )
    write_text(out, start.config_toml)
    write_text(rules, start.rules_toml)
    config = start.proposal.config
    used, excluded = config.features.families(), config.features.exclude
    count = len(config.activities)
    events = f", {count} table{'s' if count > 1 else ''} of activities" if count else ""
    show.say(
        f"{len(frame):,} leads, {len(start.proposal.notes)} columns: {len(used)} used, "
        f"{len(excluded)} excluded, {len(config.features.protected)} protected{events}"
    )
    notes = start.proposal.notes.items()
    show.warn(f"{name}: {note}" for name, note in notes if "LOOK" in note or "LEAK" in note)
    show.say(f"wrote {out} and {rules}: read and correct them before you train")
