"""`leadml init`: look at a table of leads and write `leadml.toml` and `rules.toml`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from leadml.cli import show
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
    missing: Annotated[Texts, typer.Option(help="Text that means empty; may repeat.")] = [],  # noqa: B006
    exclude: Annotated[Texts, typer.Option(help="Column not to use; may repeat.")] = [],  # noqa: B006
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
    from leadml.data.schema import infer_config
    from leadml.data.sources import read_leads
    from leadml.data.starter import config_toml, starter_rules_toml

    rules = rules or out.with_name("rules.toml")
    there = [str(path) for path in (out, rules) if path.exists()]
    if there and not overwrite:
        message = f"{' and '.join(there)} exist already. Pass --overwrite, or other names."
        raise ConfigError(message)
    if not out.parent.is_dir():
        message = f"The folder {out.parent} does not exist. Create it, or write elsewhere."
        raise ConfigError(message)
    frame = read_leads(leads)
    where = os.path.relpath(leads, out.parent)
    proposal = infer_config(
        frame,
        Path(where).as_posix(),
        id=id,
        outcome=outcome,
        won=won,
        lost=lost,
        created=created,
        closed=closed,
        account=account,
        value=value,
        missing=missing,
        exclude=exclude,
        horizon=horizon,
    )
    out.write_text(config_toml(proposal), encoding="utf-8")
    rules.write_text(starter_rules_toml(frame, proposal), encoding="utf-8")
    used = proposal.config.features.families()
    excluded = proposal.config.features.exclude
    show.say(
        f"{len(frame):,} leads, {len(frame.columns)} columns: {len(used)} used, "
        f"{len(excluded)} excluded, {len(proposal.config.features.protected)} protected"
    )
    looks = [f"{name}: {note}" for name, note in proposal.notes.items() if "LOOK" in note]
    show.warn(looks)
    show.say(f"wrote {out} and {rules}: read and correct them before you train")
