"""Start from a company's tables: propose a `leadml.toml` and a first `rules.toml`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from leadml.checking import check_proposal
from leadml.config import Config
from leadml.data.engines import read_source
from leadml.data.history import ACCOUNTS, CONTACTS, OUTCOMES, History, open_history
from leadml.data.roles import find_date, find_id, find_outcome, outcome_texts
from leadml.data.schema import Proposal, infer_config
from leadml.data.schema_history import infer_activities, infer_links, join_tables
from leadml.data.starter import config_toml, starter_rules_toml
from leadml.errors import DataError
from leadml.features.activity_plan import make_plan
from leadml.features.snapshots import build_features, name_features, read_snapshots, with_kinds


@dataclass(frozen=True)
class Start:
    """A proposed config, and the two files it is written as."""

    proposal: Proposal
    config_toml: str
    rules_toml: str


def propose(
    leads: str | pd.DataFrame,
    *,
    linked: Mapping[str, Any] | None = None,
    outcomes: Any = None,
    activities: Sequence[Any] = (),
    keep: Sequence[str] = (),
    path: str = "",
    paths: Mapping[str, str] | None = None,
    **options: Any,
) -> Start:
    """Propose settings and rules for a table of leads, or a whole history.

    Parameters
    ----------
    leads : str or DataFrame
    linked : dict of str to path, address or DataFrame, default=None
        `accounts` and `contacts`.
    outcomes : path, address or DataFrame, default=None
        A table of outcomes; None where the leads have a column for it.
    activities : sequence of path or address, default=()
    keep : sequence of str, default=()
        Columns to use whatever the leak check says.
    path : str
        The leads' path, seen from the `leadml.toml`.
    paths : dict of str to str, default=None
        The other tables' paths as given, and as seen from the `leadml.toml`.
    **options
        As `infer_config` takes them.

    Raises
    ------
    LeadmlError
        Where a table, or an option, does not fit.
    """
    seen = paths or {}
    frame = read_source(leads)
    linked = dict(linked or {})
    if not linked and outcomes is None and not activities:
        proposal = check_proposal(infer_config(frame, path, **options), frame, keep)
        return Start(proposal, config_toml(proposal), starter_rules_toml(frame, proposal))
    links = infer_links(frame, linked)
    joined = join_tables(frame, linked, links)
    more: dict[str, Any] = {}
    if outcomes is not None:
        joined, lead, roles = _join_outcomes(joined, outcomes, options)
        options |= roles
        more["outcome"] = {"path": seen.get(str(outcomes), str(outcomes)), "lead": lead}
    if ACCOUNTS in links:
        options["account"] = options.get("account") or links[ACCOUNTS]["key"]
    inferred = infer_config(joined, path, **options)
    config = inferred.config.model_dump()
    for name, link in links.items():
        config[name] = {"path": seen.get(str(linked[name]), str(linked[name])), "id": link["id"]}
        config["leads"][name.removesuffix("s")] = link["key"]
    if CONTACTS in links:
        _take_out(config, links[CONTACTS]["key"])
    ids = frame[inferred.config.leads.id]
    tables = [infer_activities(source, ids) for source in activities]
    config["activities"] = [
        {**table.model_dump(), "path": seen.get(str(source), str(source))}
        for table, source in zip(tables, activities, strict=True)
    ]
    config["outcome"] |= more.get("outcome", {})
    config["snapshots"] = {}
    proposal = Proposal(Config.model_validate(config), inferred.notes)
    sources = {"leads": leads, **linked}
    sources |= {table.title: source for table, source in zip(tables, activities, strict=True)}
    sources |= {} if outcomes is None else {OUTCOMES: outcomes}
    proposal = check_proposal(proposal, frame, keep, tables=sources)
    built, shown = _rule_columns(proposal, open_history(proposal.config, tables=sources))
    return Start(proposal, config_toml(proposal), starter_rules_toml(built, shown))


def _join_outcomes(
    joined: pd.DataFrame, source: Any, options: Mapping[str, Any]
) -> tuple[pd.DataFrame, str, dict[str, str]]:
    """Return the leads with their first outcome, the column of its lead, and its roles."""
    table = read_source(source)
    id_column = options.get("id") or find_id(joined)
    if id_column is None or (id_column not in table and find_id(table) is None):
        message = (
            "The table of outcomes has no column with the leads' ids. Give it the name that it has "
            "in the leads."
        )
        raise DataError(message)
    lead = str(id_column if id_column in table else find_id(table))
    first = table.drop_duplicates(lead)
    keys = outcome_texts(first[lead])
    first = first.drop(columns=lead).set_axis(keys)
    roles = {
        "outcome": options.get("outcome") or find_outcome(first),
        "closed": options.get("closed") or find_date(first, "closed"),
    }
    known = {role: str(name) for role, name in roles.items() if name is not None}
    names = list(known.values())
    found = first[names].reindex(outcome_texts(joined[id_column])).set_axis(joined.index)
    joined = joined.drop(columns=[name for name in names if name in joined])
    return pd.concat([joined, found], axis="columns"), lead, known


def _take_out(config: dict[str, Any], column: str) -> None:
    """Take a column that has a role out of the features."""
    for value in config["features"].values():
        if isinstance(value, list) and column in value:
            value.remove(column)
        elif isinstance(value, dict):
            value.pop(column, None)


def _rule_columns(proposal: Proposal, history: History) -> tuple[pd.DataFrame, Proposal]:
    """Return the leads as they look on the day of the export, and a proposal of fewer features.

    People write rules of the counts of the middle window; a count that a training leaves out, such
    as that of what happens after the outcome alone, would be unknown to it.
    """
    _, learned = read_snapshots(history)
    config = proposal.config.model_copy(update={"activities": learned.activities})
    history = with_kinds(replace(history, config=config))
    plan = make_plan(history.config)
    window = f"_{plan.windows[len(plan.windows) // 2]}d"
    wanted = {name for name in plan.rising_names() if name.endswith(window)}
    wanted &= learned.features.families().keys()
    unwanted = {name: "" for name in plan.names() if name not in wanted}
    named = name_features(history.config, leave_out=unwanted)
    return build_features(history, history.as_of), Proposal(named, proposal.notes)
