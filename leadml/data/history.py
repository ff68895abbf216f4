"""History: leads, companies, people, outcomes and activities, as a config describes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from leadml.config import Config
from leadml.config_history import ActivityTable, LinkedTable
from leadml.data.engines import as_frame, open_engine, open_table, read_source
from leadml.data.lead_table import find_bad_ids, read_dates, read_outcomes
from leadml.data.roles import outcome_texts
from leadml.errors import DataError, all_problems, did_you_mean

LEADS, ACCOUNTS, CONTACTS, OUTCOMES = "leads", "accounts", "contacts", "outcomes"


@dataclass(frozen=True, repr=False)
class History:
    """What a company knows of its leads, and when it knew it.

    Leads, companies, people and outcomes are small and held in memory. Activities stay in their
    engine: DuckDB inside this process, a database, or Spark.

    Attributes
    ----------
    config : Config
    leads : DataFrame of shape (n_leads, n_columns)
        Columns of the leads and, joined to them, of their companies and people; of a column that
        several tables have, the leads keep the name, the others are `account_...` or `contact_...`.
    created : Series of datetime, shape (n_leads,)
        In UTC, without a zone, as all dates here.
    outcomes : DataFrame
        Columns `lead_id` (text), `won` (1.0, 0.0) and `closed`, for leads that are won or lost.
    as_of : Timestamp
        The day the data was exported: nothing later is known.
    engine : Ibis backend
    events : tuple of Ibis tables
        One an activity table: `lead` (text), `at` (UTC), `kind` (text) and its measures.

    Examples
    --------
    >>> from leadml.config import Config
    >>> config = Config.model_validate(
    ...     {
    ...         "leads": {"path": "leads.csv", "id": "id", "created": "created"},
    ...         "activities": [{"path": "visits.csv", "lead": "id", "at": "at", "kind": "page"}],
    ...         "outcome": {"column": "status", "won": ["won"], "lost": ["lost"], "closed": "end"},
    ...     }
    ... )
    >>> leads = pd.DataFrame({"id": [1, 2], "created": ["2026-01-01"] * 2})
    >>> leads["status"], leads["end"] = ["won", None], ["2026-02-01", None]
    >>> visits = pd.DataFrame({"id": [1], "at": ["2026-01-02"], "page": ["pricing"]})
    >>> open_history(config, tables={"leads": leads, "visits": visits})
    <History: 2 leads, 1 won, 0 lost, until 2026-02-01; activities visits in duckdb>
    """

    config: Config
    leads: pd.DataFrame
    created: pd.Series
    outcomes: pd.DataFrame
    as_of: pd.Timestamp
    engine: Any
    events: tuple[Any, ...]

    def __repr__(self) -> str:
        won = int((self.outcomes["won"] == 1).sum())
        names = ", ".join(table.title for table in self.config.activities) or "none"
        return (
            f"<History: {len(self.leads):,} leads, {won:,} won, {len(self.outcomes) - won:,} lost, "
            f"until {self.as_of.date()}; activities {names} in {self.engine.name}>"
        )

    @property
    def ids(self) -> pd.Series:
        """Return the leads' ids as text, as activities are joined by them."""
        return outcome_texts(self.leads[self.config.leads.id])


def open_history(
    config: Config, *, tables: Mapping[str, Any] | None = None, engine: Any = None
) -> History:
    """Open the tables that a config names.

    Parameters
    ----------
    config : Config
    tables : dict of str to DataFrame, path or address, default=None
        Sources in place of those that `config` names: `leads`, `accounts`, `contacts`, `outcomes`,
        and activity tables by their name.
    engine : Spark session or Ibis backend, default=None
        None takes the database that the activities lie in, or else DuckDB.

    Raises
    ------
    DataError
        Every column that is missing, ids that are missing or stand twice, dates that are none.
    """
    sources = _sources(config, tables or {})
    leads = read_source(sources[LEADS], config.leads.missing).reset_index(drop=True)
    problems = _find_problems(leads, config)
    if problems:
        raise DataError(all_problems("The table of leads", problems))
    created, bad = read_dates(leads[config.leads.created])
    if bad:
        raise DataError(all_problems("The table of leads", [f"{config.leads.created!r}: {bad}"]))
    outcomes = _read_outcomes(leads, sources, config)
    leads = _join(leads, config.contacts, config.leads.contact, sources, config, "contact_")
    leads = _join(leads, config.accounts, config.leads.account, sources, config, "account_")
    snapshots = config.snapshots
    asked = snapshots.as_of if snapshots is not None else None
    as_of = pd.concat([created, outcomes["closed"]]).max()
    if asked:
        as_of = pd.to_datetime(asked, utc=True).tz_localize(None)
        outcomes = outcomes[~(outcomes["closed"] > as_of)].reset_index(drop=True)
    activities = [sources[table.title] for table in config.activities]
    memory = snapshots.memory if snapshots is not None else None
    backend = open_engine(activities, engine, memory=memory)
    events = tuple(_open_events(backend, sources[t.title], t) for t in config.activities)
    return History(config, leads, created, outcomes, as_of, backend, events)


def _sources(config: Config, given: Mapping[str, Any]) -> dict[str, Any]:
    named = {LEADS: config.leads.path, OUTCOMES: config.outcome.path}
    named |= {ACCOUNTS: config.accounts.path} if config.accounts else {}
    named |= {CONTACTS: config.contacts.path} if config.contacts else {}
    named |= {table.title: table.path for table in config.activities}
    unknown = [
        f"{name!r} is not in leadml.toml.{did_you_mean(name, named)}"
        for name in given
        if name not in named
    ]
    if unknown:
        raise DataError(all_problems("`tables`", [*unknown, f"It has: {', '.join(named)}."]))
    return {**named, **given}


def _find_problems(leads: pd.DataFrame, config: Config) -> list[str]:
    roles = [config.leads.id, config.leads.created, config.leads.account, config.leads.contact]
    there = [str(name) for name in leads.columns]
    problems = [
        f"{name!r} is missing.{did_you_mean(name, there)} It has: {', '.join(there)}."
        for name in roles
        if name and name not in leads
    ]
    return problems or find_bad_ids(leads[config.leads.id])


def _join(
    leads: pd.DataFrame,
    table: LinkedTable | None,
    key: str | None,
    sources: Mapping[str, Any],
    config: Config,
    prefix: str,
) -> pd.DataFrame:
    """Return the leads with the columns of their company or person beside them."""
    if table is None:
        return leads
    name = prefix.removesuffix("_") + "s"
    linked = read_source(sources[name], config.leads.missing)
    if table.id not in linked:
        there = ", ".join(map(str, linked.columns))
        message = f"The table of {name} has no column {table.id!r}. It has: {there}."
        raise DataError(message)
    if linked[table.id].dropna().duplicated().any():
        repeated = int(linked[table.id].dropna().duplicated().sum())
        message = f"The table of {name} repeats {table.id!r} in {repeated} rows. Pass one row each."
        raise DataError(message)
    linked = linked[linked[table.id].notna()]
    keys = outcome_texts(linked[table.id])
    linked = linked.drop(columns=table.id).set_axis(keys)
    # a person's company is the lead's
    roles = [config.leads.id, config.leads.account, config.leads.contact]
    linked = linked.drop(columns=[name for name in roles if name], errors="ignore")
    linked = linked.rename(columns={c: f"{prefix}{c}" for c in linked if c in leads.columns})
    found = linked.reindex(outcome_texts(leads[key])).set_axis(leads.index)
    return pd.concat([leads, found], axis="columns")


def _read_outcomes(leads: pd.DataFrame, sources: Mapping[str, Any], config: Config) -> pd.DataFrame:
    """Return `lead_id`, `won` and `closed` of every outcome that is won or lost."""
    outcome, name = config.outcome, "The table of leads"
    table, key = leads, config.leads.id
    if sources[OUTCOMES] is not None:
        table = read_source(sources[OUTCOMES], config.leads.missing)
        key = outcome.lead or config.leads.id
        name = "The table of outcomes"
    problems = [
        f"{column!r} is missing.{did_you_mean(column, map(str, table.columns))}"
        for column in (key, outcome.column, outcome.closed)
        if column and column not in table and table is not leads
    ]
    closed = pd.Series(pd.NaT, index=table.index, dtype="datetime64[us]")
    if outcome.closed in table:
        closed, bad = read_dates(table[outcome.closed])
        problems += [f"{outcome.closed!r}: {bad}"] if bad else []
    if problems:
        raise DataError(all_problems(name, problems))
    ids = outcome_texts(table[key])
    found = pd.DataFrame({"lead_id": ids, "won": read_outcomes(table, config), "closed": closed})
    return found[found["won"].notna() & found["lead_id"].notna()].reset_index(drop=True)


def _open_events(engine: Any, source: Any, table: ActivityTable) -> Any:
    """Return an activity table as `lead`, `at`, `kind` and its measures."""
    import ibis

    raw = open_table(engine, source)
    lacking = [
        f"{name!r} is missing.{did_you_mean(name, raw.columns)}"
        for name in [table.lead, table.at, table.kind, *table.measures]
        if name and name not in raw.columns
    ]
    if lacking:
        there = f"It has: {', '.join(raw.columns)}."
        raise DataError(all_problems(f"[[activities]] {table.title!r}", [*lacking, there]))
    lead, kind = raw[table.lead], raw[table.kind] if table.kind else ibis.literal(table.kind_value)
    if lead.type().is_floating():  # whole numbers beside empty cells
        lead = lead.cast("int64")
    return raw.select(
        lead=lead.cast("string"),
        at=_read_times(engine, raw[table.at], table),
        kind=kind.cast("string"),
        **{name: _strip(raw[name]).try_cast("float64") for name in table.measures},
    )


def _strip(column: Any) -> Any:
    """Return a column with its texts stripped.

    DuckDB moves the cast of a bare column into the reading of a CSV file, where `try_cast` fails.
    """
    return column.strip() if column.type().is_string() else column


def _read_times(engine: Any, at: Any, table: ActivityTable) -> Any:
    """Return a column as times in UTC; raise where it holds something else."""
    if "TIMESTAMP" in str(at.type()):  # with nanoseconds and a zone: Ibis has no name for it
        at = at.cast("timestamp('UTC')")
    if at.type().is_string():
        times = _strip(at).try_cast("timestamp('UTC')")
        lost = (at.notnull() & times.isnull()).sum().name("lost").as_table()
        wrong = int(as_frame(engine, lost).fillna(0)["lost"].iloc[0])
        problem = f"{wrong:,} values are no date."
    else:
        times, wrong = at, not (at.type().is_timestamp() or at.type().is_date())
        problem = f"{at.type()} is no date."
    if wrong:
        problem = f"{table.at!r}: {problem} Accepted is ISO 8601, such as 2026-01-31T09:30:00Z."
        raise DataError(all_problems(f"[[activities]] {table.title!r}", [problem]))
    return times.cast("timestamp")
