"""Rows to learn from or to score: one flat table, or a history looked at on some days."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from leadml.config import Config, load_config
from leadml.data.history import ACCOUNTS, CONTACTS, LEADS, OUTCOMES, History, open_history
from leadml.data.lead_table import LeadTable, read_table
from leadml.errors import DataError
from leadml.features.snapshots import read_leads_at, read_snapshots

STALE = pd.Timedelta(days=60)  # without a new lead: more likely an old export than a quiet season


def read_rows(
    config: Config,
    leads: Any = None,
    tables: Mapping[str, Any] | None = None,
    engine: Any = None,
) -> tuple[LeadTable, Config]:
    """Return the rows to learn from, and the config that names all of their features.

    Parameters
    ----------
    config : Config
    leads : str, Path or DataFrame, default=None
        None reads `config.leads.path`.
    tables : dict of str to DataFrame, path or address, default=None
        The other tables of a history; see `open_history`.
    engine : Spark session or Ibis backend, default=None

    Raises
    ------
    DataError
        Where the tables do not fit the config.
    """
    if config.has_history:
        given = {**(tables or {}), **({} if leads is None else {LEADS: leads})}
        return read_snapshots(open_history(config, tables=given, engine=engine))
    table = read_table(config.leads.path if leads is None else leads, config)
    if config.leads.account and table.account is None:
        message = f"The leads have no column {config.leads.account!r}, the [leads] account."
        raise DataError(message)
    return table, config


def read_rows_at(
    config: Config,
    leads: str | Path | pd.DataFrame,
    *,
    history: str | Path | None = None,
    at: str | pd.Timestamp | None = None,
) -> tuple[LeadTable, tuple[str, ...]]:
    """Return the rows to score as a model's config reads them, and what to know of them.

    Parameters
    ----------
    config : Config
        Of the model: it names the features.
    leads : str, Path or DataFrame
        A table of leads, each of which is scored; or a `leadml.toml`, whose open leads are.
    history : str or Path, default=None
        The `leadml.toml` that names the activities, where `leads` is a table.
    at : str or Timestamp, default=None
        The day to look at the leads, in UTC. None takes `as_of` of the `leadml.toml`, or now.

    Raises
    ------
    DataError
        Where the model counts activities and no `leadml.toml` names their tables.
    """
    is_settings = not isinstance(leads, pd.DataFrame) and Path(leads).suffix == ".toml"
    if not config.has_history:
        if at is not None:
            message = (
                "`at` is of use where a model counts activities; this one takes the leads as they "
                "stand in their table. Leave it out."
            )
            raise DataError(message)
        return read_table(load_config(leads).leads.path if is_settings else leads, config), ()  # type: ignore[arg-type]
    opened, told = open_model_history(config, leads, history)
    asked = told.snapshots_or_default().as_of
    day = pd.Timestamp.now("UTC") if at is None and asked is None else at or asked
    table = read_leads_at(opened, str(day), only_open=is_settings)
    return table, tuple(_describe_day(opened, table))


def read_judged_rows(
    config: Config, leads: str | Path | pd.DataFrame, *, history: str | Path | None = None
) -> LeadTable:
    """Return the closed rows that a model is judged by, as its config reads them.

    Parameters
    ----------
    config : Config
        Of the model.
    leads, history
        As in `read_rows_at`; of a history every snapshot whose outcome is known.

    Raises
    ------
    DataError
        As `read_rows_at`.
    """
    if not config.has_history:
        return read_rows_at(config, leads)[0].closed()
    opened, _ = open_model_history(config, leads, history)
    return read_snapshots(opened, named=config)[0].closed()


def open_model_history(
    config: Config, leads: str | Path | pd.DataFrame, history: str | Path | None = None
) -> tuple[History, Config]:
    """Open the tables that a `leadml.toml` names as a model's config reads them.

    Returns
    -------
    History
        With the model's config.
    Config
        The `leadml.toml`.

    Raises
    ------
    DataError
        Where there is no `leadml.toml`, or it does not name all that the model counts.
    """
    is_settings = not isinstance(leads, pd.DataFrame) and Path(leads).suffix == ".toml"
    source = leads if is_settings else history
    if source is None:
        message = (
            "This model counts activities: it needs their tables, not the leads alone. Pass the "
            "leadml.toml that names them in place of the leads, or beside them (--history)."
        )
        raise DataError(message)
    told = load_config(source)  # type: ignore[arg-type]
    paths = {table.title: table.path for table in told.activities}
    lacking = [table.title for table in config.activities if table.title not in paths]
    if lacking:
        message = (
            f"The model counts the activities of {', '.join(lacking)}, which {source} does not "
            f"name. It has: {', '.join(paths) or 'none'}."
        )
        raise DataError(message)
    tables: dict[str, Any] = {table.title: paths[table.title] for table in config.activities}
    tables[LEADS] = told.leads.path if is_settings else leads
    for name, mine, theirs in (
        (ACCOUNTS, config.accounts, told.accounts),
        (CONTACTS, config.contacts, told.contacts),
        (OUTCOMES, config.outcome.path, told.outcome),
    ):
        if mine is not None and theirs is not None:
            tables[name] = theirs.path
    # the day of this export, not of the one that was learned from
    as_of = told.snapshots_or_default().as_of
    snapshots = config.snapshots_or_default().model_copy(update={"as_of": as_of})
    return open_history(config.model_copy(update={"snapshots": snapshots}), tables=tables), told


def _describe_day(history: History, table: LeadTable) -> list[str]:
    day = table.X.index.get_level_values("snapshot_date")[0]
    notes = []
    later = int((history.created > day).sum())
    if later:
        notes.append(f"{later:,} leads were created after {day.date()} and are left out.")
    oldest = pd.Timedelta(days=history.config.snapshots_or_default().age_days()[-1])
    ids = table.X.index.get_level_values("lead_id")
    born = history.created.set_axis(pd.Index(history.leads[history.config.leads.id])).loc[ids]
    older = int((day - born > oldest).sum())
    if older:
        notes.append(
            f"{older:,} leads are older than {oldest.days} days, the oldest that the model has "
            "learned from ([snapshots] ages): their scores reach beyond that."
        )
    if day - history.created.max() > STALE:
        notes.append(
            f"The newest lead was created on {history.created.max().date()}, long before "
            f"{day.date()}: days since an activity are counted to then. For an older export pass "
            "its day (--at)."
        )
    return notes
