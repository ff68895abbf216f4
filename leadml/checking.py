"""Check a history before any training: is it enough, and does a column know the outcome."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from leadml.config import Config
from leadml.data.engines import read_source
from leadml.data.history import open_history
from leadml.data.lead_table import LeadTable, read_dates, read_outcomes
from leadml.data.schema import Proposal
from leadml.data.sources import clean_cells
from leadml.data.words import family_of
from leadml.errors import ConfigError, did_you_mean
from leadml.features.activity_plan import make_plan
from leadml.features.leakage import compute_leaks
from leadml.features.readiness import compute_readiness
from leadml.rows import read_rows

FEWEST = 10  # wins, and losses, without which no column can be tested


@dataclass(frozen=True)
class Check:
    """What `check_leads` found.

    Attributes
    ----------
    readiness : DataFrame
        Columns `check`, `value`, `verdict` (`ok`, `warn`, `stop`) and `advice`.
    leaks : DataFrame
        As `compute_leaks` gives it, with a column `use`: `feature`, `excluded`, `protected`,
        `not used`, or the role of the column. Empty below 10 wins or losses. Of a kind of activity
        that gives the outcome away every feature is found (test `kind`).
    """

    readiness: pd.DataFrame
    leaks: pd.DataFrame

    @property
    def leaking(self) -> pd.DataFrame:
        """Return the features that give the outcome away."""
        return self.leaks[(self.leaks["severity"] == "drop") & (self.leaks["use"] == "feature")]

    @property
    def passed(self) -> bool:
        """Whether there is enough to learn from, and no feature gives the outcome away."""
        return self.leaking.empty and not (self.readiness["verdict"] == "stop").any()


@dataclass(frozen=True)
class _Sheet:
    """One row a lead: every column, and what came of it."""

    leads: pd.DataFrame
    y: pd.Series
    created: pd.Series | None = None
    closed: pd.Series | None = None
    account: pd.Series | None = None


def check_leads(
    config: Config,
    leads: str | Path | pd.DataFrame | None = None,
    *,
    tables: Any = None,
    engine: Any = None,
    rows: LeadTable | None = None,
    random_state: int = 0,
) -> Check:
    """Check the leads that a config describes: all their columns, used or not.

    Of a history the activity features are checked too, as the leads looked when last open.

    Parameters
    ----------
    config : Config
    leads : str, Path or DataFrame, default=None
        None reads `config.leads.path`.
    tables : dict of str to DataFrame, path or address, default=None
        The other tables of a history; see `open_history`.
    engine : Spark session or Ibis backend, default=None
        Where the activities are counted; see `open_history`.
    rows : LeadTable, default=None
        The rows to learn from, where they are read already and `config` names their features.
    random_state : int, default=0

    Raises
    ------
    DataError
        Where the tables do not fit the config.

    Examples
    --------
    >>> config = Config.model_validate(
    ...     {
    ...         "leads": {"path": "leads.csv", "id": "id"},
    ...         "outcome": {"column": "won", "won": ["yes"], "lost": ["no"]},
    ...         "features": {"behavioral": ["visits"]},
    ...     }
    ... )
    >>> frame = pd.DataFrame({"id": range(200), "won": ["yes", "no"] * 100})
    >>> check = check_leads(config, frame.assign(visits=frame["won"].map({"yes": 5, "no": 1})))
    >>> check.passed, check.leaking[["column", "severity", "use"]].values.tolist()
    (False, [['visits', 'drop', 'feature']])
    """
    sheet = _read_sheet(config, leads, tables)
    if rows is None and config.activities:
        rows, config = read_rows(config, leads, tables, engine)
    used = [name for name in config.features.families() if name in sheet.leads]
    readiness = compute_readiness(
        sheet.leads[used],
        sheet.y,
        created=sheet.created,
        closed=sheet.closed,
        account=sheet.account,
        horizon=config.outcome.horizon,
    )
    leaks = _find_leaks(sheet, config, random_state)
    if rows is not None and config.activities:
        leaks = pd.concat(
            [leaks, _find_activity_leaks(rows, config, random_state)], ignore_index=True
        )
    uses = [_use_of(str(name), config) for name in leaks["column"]]
    return Check(readiness, leaks.assign(use=pd.Series(uses, index=leaks.index, dtype="str")))


def drop_leaks(config: Config, leaks: pd.DataFrame) -> Config:
    """Return a config that excludes the features that give the outcome away, with the reason.

    Columns in `[features] keep` stay.
    """
    features = config.features
    leaking = leaks[(leaks["severity"] == "drop") & (leaks["use"] == "feature")]
    found = {str(row.column): str(row.evidence) for row in leaking.itertuples()}
    found = {name: why for name, why in found.items() if name not in features.keep}
    if not found:
        return config
    state = features.model_dump()
    for key, listed in state.items():
        if isinstance(listed, list):
            state[key] = [name for name in listed if name not in found]
        elif key in ("monotone", "kinds"):
            state[key] = {name: value for name, value in listed.items() if name not in found}
    state["bant"] = {key: name for key, name in state["bant"].items() if name not in found}
    state["exclude"] = {**state["exclude"], **{name: f"LEAK: {why}" for name, why in found.items()}}
    handoff = config.handoff.model_dump()
    for key in ("required", "sales_ready"):
        handoff[key] = [name for name in handoff[key] if name not in found]
    return Config.model_validate({**config.model_dump(), "features": state, "handoff": handoff})


def check_proposal(
    proposal: Proposal, leads: pd.DataFrame, keep: Sequence[str] = (), *, tables: Any = None
) -> Proposal:
    """Return a proposed config without the columns that give the outcome away.

    Parameters
    ----------
    proposal : Proposal
    leads : DataFrame
        What it was inferred from.
    keep : sequence of str, default=()
        Columns to use whatever the check says.
    tables : dict of str to DataFrame, path or address, default=None
        The other tables of a history.

    Raises
    ------
    ConfigError
        Where `keep` names no column.
    """
    known = {*leads.columns, *proposal.notes}
    unknown = [name for name in keep if name not in known]
    if unknown:
        message = f"`keep` names {unknown[0]!r}, which is no column."
        raise ConfigError(message + did_you_mean(unknown[0], map(str, known)))
    config = _keep_columns(proposal.config, keep)
    leaks = check_leads(config, leads, tables=tables).leaks
    checked = drop_leaks(config, leaks)
    notes = dict(proposal.notes)
    for row in leaks[leaks["use"] == "feature"].itertuples():
        name = str(row.column)
        if name in checked.features.exclude:
            notes[name] = checked.features.exclude[name]
        elif row.severity != "fine":
            mark = "" if "LOOK" in notes.get(name, "") else "LOOK: "
            notes[name] = f"{notes.get(name, '')} {mark}{row.evidence}".strip()
    return replace(proposal, config=checked, notes=notes)


def _keep_columns(config: Config, keep: Sequence[str]) -> Config:
    """Return a config that uses columns though their names speak of the time after the outcome."""
    features = config.features.model_dump()
    features["keep"] = list(keep)
    for name in keep:
        if features["exclude"].pop(name, None) is not None:
            features[family_of(name) or "context"].append(name)
    return Config.model_validate({**config.model_dump(), "features": features})


def _read_sheet(config: Config, leads: Any, tables: Any) -> _Sheet:
    if config.has_history:
        given = {**(tables or {}), **({} if leads is None else {"leads": leads})}
        # the activities are checked by their features: opening them may cost a pass over them
        events = {table.title for table in config.activities}
        given = {name: source for name, source in given.items() if name not in events}
        history = open_history(config.model_copy(update={"activities": []}), tables=given)
        ids = history.ids
        ends = history.outcomes.drop_duplicates("lead_id").set_index("lead_id").reindex(ids)
        over = history.created + pd.Timedelta(config.outcome.horizon) <= history.as_of
        y = ends["won"].set_axis(ids.index)
        y = y.mask(y.isna() & over, 0.0)
        frame = history.leads
        created: pd.Series | None = history.created
        closed: pd.Series | None = ends["closed"].set_axis(ids.index)
    else:
        source = config.leads.path if leads is None else leads
        frame = read_source(source, config.leads.missing)
        y = read_outcomes(frame, config)
        created = _dates(frame, config.leads.created)
        closed = _dates(frame, config.outcome.closed)
    account = frame.get(config.leads.account)
    # the outcome names itself; the day of creation is what the others are measured by
    columns = frame.drop(columns=[config.outcome.column, config.leads.created], errors="ignore")
    return _Sheet(columns, y, created, closed, account)


def _dates(frame: pd.DataFrame, name: str | None) -> pd.Series | None:
    if name is None or name not in frame:
        return None
    dates, bad = read_dates(frame[name])
    return None if bad else dates


def _find_leaks(sheet: _Sheet, config: Config, random_state: int) -> pd.DataFrame:
    if min((sheet.y == 1).sum(), (sheet.y == 0).sum()) < FEWEST:
        names = ["column", "severity", "evidence", "test", "auc", "auc_lower", "auc_upper"]
        return pd.DataFrame(columns=names)
    ids = [name for name in (config.leads.id, config.leads.contact) if name in sheet.leads]
    return compute_leaks(
        clean_cells(sheet.leads, config.leads.missing),
        sheet.y,
        created=sheet.created,
        closed=sheet.closed,
        ids=[name for name in ids if name],
        horizon=config.outcome.horizon,
        random_state=random_state,
    )


def _find_activity_leaks(rows: LeadTable, config: Config, random_state: int) -> pd.DataFrame:
    """Return the findings on activity features; their dates are in order by how they are built.

    Where one feature of a kind is nearly the outcome, the kind is written after it, and none of
    its features is to be trusted: a shorter window hides the same, and shows it a little less.
    """
    known = rows.closed()
    last = known.take(~known.lead_ids.duplicated(keep="last"))
    plan = make_plan(config)
    # the age when last open says when a lead was closed
    names = [name for name in plan.names() if name in last.X and name != "days_since_created"]
    sheet = _Sheet(last.X[names].reset_index(drop=True), last.y.reset_index(drop=True))
    leaks = _find_leaks(sheet, config, random_state)
    is_drop = leaks["severity"] == "drop"
    for kind in plan.kinds:
        mine = leaks["column"].isin(kind.names(plan.windows))
        proof = leaks.loc[mine & is_drop & (leaks["test"] == "power"), "column"]
        if len(proof):
            told = f"`{proof.iloc[0]}`, of the same activities, gives the outcome away."
            leaks.loc[mine & ~is_drop, ["severity", "test", "evidence"]] = ["drop", "kind", told]
    # what else looks like a leak in a table is honest where every row is dated: a customer who
    # answers sooner wins more often, and a longer window holds the shorter one
    leaks.loc[~leaks["test"].isin(["power", "kind"]), "severity"] = "fine"
    return leaks


def _use_of(name: str, config: Config) -> str:
    roles = {
        config.leads.value: "value",
        config.leads.contacted: "first contact",
        config.outcome.closed: "closed",
        config.leads.account: "account",
        config.leads.contact: "contact",
        config.leads.id: "id",
    }
    if name in roles:
        return roles[name]
    if name in config.features.families():
        return "feature"
    if name in config.features.exclude:
        return "excluded"
    return "protected" if name in config.features.protected else "not used"
