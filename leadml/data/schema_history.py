"""Infer what the tables of a history mean: which column names the lead, the time, the kind."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api import types

from leadml.config_history import ActivityTable
from leadml.data.engines import as_frame, open_engine, open_table, read_source
from leadml.data.kinds import is_date
from leadml.data.roles import find_account, find_id, outcome_texts
from leadml.data.words import CREATED_NAMES, ID_NAMES, VALUE_NAMES, rank, says
from leadml.errors import DataError

_SAMPLE = 10_000  # rows of an activity table that are looked at
_MOST_KINDS = 50
_LEAST_SHARED = 0.5  # of the ids in a column that must be leads'
_KIND_NAMES = r"\b(type|kind|event|activity|action|name|category|page|channel)\b"
#: What is overwritten later on says more than was known at the time of the event.
_STATES = r"\b(stage|status|state|outcome|result|disposition|probability)\b"
_TIME_NAMES = r"\b(timestamp|time|at|date|when|day|occurred|happened)\b"


def infer_links(leads: pd.DataFrame, linked: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return by table (`accounts`, `contacts`) its id and the leads' column that names it.

    Parameters
    ----------
    leads : DataFrame of shape (n_leads, n_columns)
    linked : dict of str to path, address or DataFrame

    Returns
    -------
    dict of str to dict
        `{"accounts": {"id": "account_id", "key": "account_id"}}`.

    Raises
    ------
    DataError
        Where no column of a table is an id that the leads name.
    """
    links = {}
    for name, source in linked.items():
        table = read_source(source)
        own = [str(c) for c in table if table[c].notna().all() and table[c].is_unique]
        first = find_id(table) if name == "contacts" else find_account(table[own]) or find_id(table)
        found = None
        for column in dict.fromkeys([*([first] if first else []), *own]):
            values = set(outcome_texts(table[column]))
            keys = [column, *(str(key) for key in leads.columns if key != column)]
            found = next((key for key in keys if _shared(leads, key, values)), None)
            if found:
                links[name] = {"id": column, "key": found}
                break
        if not found:
            message = (
                f"No column of the leads names a row of the table of {name}. Accepted is a column "
                "with the ids of that table, such as 'account_id'. Write leadml.toml by hand "
                "where the ids are written differently."
            )
            raise DataError(message)
    return links


def infer_activities(source: Any, ids: pd.Series, name: str = "") -> ActivityTable:
    """Return what an activity table's columns mean, from a sample of its rows.

    Parameters
    ----------
    source : path, address or DataFrame
    ids : Series
        Ids of the leads.
    name : str, default=""
        For a frame, which has no path.

    Raises
    ------
    DataError
        Where no column names the leads, or none holds the time of the event.

    Examples
    --------
    >>> touches = pd.DataFrame({"lead_id": [1, 1, 2], "at": ["2026-01-01"] * 3})
    >>> touches = touches.assign(type=["visit", "email", "visit"], seconds=[5, 0, 9])
    >>> table = infer_activities(touches, pd.Series([1, 2, 3]), "touches")
    >>> table.lead, table.at, table.kind, table.measures
    ('lead_id', 'at', 'type', ['seconds'])
    """
    title = name or str(source)
    engine = open_engine([source])
    sample = as_frame(engine, open_table(engine, source).limit(_SAMPLE))
    leads = set(outcome_texts(ids))
    names = [str(column) for column in sample.columns]
    lead = next((c for c in _by_name(names, ID_NAMES) if _shared(sample, c, leads)), None)
    times = [c for c in names if c != lead and _holds_times(sample[c])]
    at = next((c for c in [*_saying(times, _TIME_NAMES), *times]), None)
    problems = [
        f"no column {what}"
        for what, column in (("names the leads by their ids", lead), ("holds the time", at))
        if column is None
    ]
    if problems:
        message = (
            f"In the activities {title} {' and '.join(problems)}. It has: {', '.join(names)}. "
            "Write [[activities]] into leadml.toml by hand: path, lead, at, and kind or kind_value."
        )
        raise DataError(message)
    free = [c for c in names if c not in (lead, *times) and rank(ID_NAMES[:2], c) is None]
    free = [c for c in free if not says(_STATES, c) and rank(VALUE_NAMES, c) is None]
    kinds = [c for c in free if _is_kind(sample[c])]
    kind = next(iter(_saying(kinds, _KIND_NAMES)), None)
    measures = [c for c in free if types.is_numeric_dtype(sample[c]) and c != kind]
    stem = Path(title.partition("#")[2] or title).name.partition(".")[0]
    return ActivityTable(
        path=str(source) if not isinstance(source, pd.DataFrame) else name,
        name=name,
        lead=str(lead),
        at=str(at),
        kind=kind,
        kind_value=None if kind else _singular(stem),
        measures=measures,
    )


def join_tables(
    leads: pd.DataFrame, linked: Mapping[str, Any], links: Mapping[str, Mapping[str, str]]
) -> pd.DataFrame:
    """Return the leads with the columns of their companies and people, to infer families of."""
    for name in sorted(linked, reverse=True):  # people before companies, as a history joins them
        table = read_source(linked[name]).drop_duplicates(links[name]["id"])
        prefix = name.removesuffix("s") + "_"
        keys = outcome_texts(table[links[name]["id"]])
        table = table.drop(columns=links[name]["id"]).set_axis(keys)
        # a person's company is the lead's
        table = table.drop(columns=[link["key"] for link in links.values()], errors="ignore")
        table = table.rename(columns={c: f"{prefix}{c}" for c in table if c in leads.columns})
        found = table.reindex(outcome_texts(leads[links[name]["key"]])).set_axis(leads.index)
        leads = pd.concat([leads, found], axis="columns")
    return leads


def _shared(frame: pd.DataFrame, column: str, values: set[str]) -> bool:
    if column not in frame:
        return False
    own = outcome_texts(frame[column].dropna()).unique()
    return len(own) > 1 and sum(value in values for value in own) >= _LEAST_SHARED * len(own)


def _by_name(names: Sequence[str], patterns: tuple[str, ...]) -> list[str]:
    return sorted(names, key=lambda name: (rank(patterns, name) is None, rank(patterns, name) or 0))


def _saying(names: Sequence[str], words: str) -> list[str]:
    return [name for name in names if says(words, name)]


def _holds_times(column: pd.Series) -> bool:
    if types.is_datetime64_any_dtype(column):
        return True
    named = says(_TIME_NAMES, str(column.name)) or rank(CREATED_NAMES, str(column.name)) is not None
    return named and not types.is_numeric_dtype(column) and is_date(column)


def _is_kind(column: pd.Series) -> bool:
    return not types.is_numeric_dtype(column) and 0 < column.nunique() <= _MOST_KINDS


def _singular(name: str) -> str:
    if name.endswith("ies"):
        return name[:-3] + "y"
    return name[:-2] if name.endswith(("ches", "shes", "sses", "xes")) else name.removesuffix("s")
