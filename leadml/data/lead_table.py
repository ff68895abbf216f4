"""LeadTable: the leads a config describes, as features `X` and outcomes `y`."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from leadml.config import Config
from leadml.data.engines import read_source
from leadml.data.roles import outcome_texts
from leadml.errors import DataError, all_problems, did_you_mean

LEAD_ID, SNAPSHOT_LEVEL = "lead_id", "snapshot_date"


@dataclass(frozen=True)
class LeadTable:
    """Leads by id, with what was known of them and what came of them.

    Attributes
    ----------
    X : DataFrame of shape (n_leads, n_columns)
        Index `lead_id`, and `snapshot_date` where the config names a created date.
    y : Series of float, shape (n_leads,)
        1 won, 0 lost, NaN open; all NaN where the table has no outcome column.
    created : Series of datetime or None
        When the lead was looked at; where there is no history, when it was created.
    account : Series or None
    unused : tuple of str
        Columns of the table that stand in no list of the config.
    weight : Series or None
        What each row weighs in training, where a lead has several; 0 for rows not to learn from.
    notes : tuple of str
        What to know of the table.
    value : Series of float or None
        What each deal is worth, by the [leads] value column; NaN where that holds no number. None
        without such a column.
    contacted : Series of datetime or None
        The day of the first contact, by the [leads] contacted column; NaT where there was none.
    """

    X: pd.DataFrame
    y: pd.Series
    created: pd.Series | None
    account: pd.Series | None
    unused: tuple[str, ...]
    weight: pd.Series | None = None
    notes: tuple[str, ...] = ()
    value: pd.Series | None = None
    contacted: pd.Series | None = None

    @property
    def lead_ids(self) -> pd.Index:
        """Return the lead of each row."""
        return self.X.index.get_level_values("lead_id")

    def outcomes_by_lead(self) -> pd.Series:
        """Return for every lead 1 where one of its rows is won, else 0; NaN where none is known."""
        return self.y.groupby(self.lead_ids, sort=False).max()

    def closed(self) -> "LeadTable":
        """Return the leads that are won or lost, and weigh more than nothing."""
        rows = self.y.notna().to_numpy()
        return self.take(rows if self.weight is None else rows & (self.weight > 0).to_numpy())

    def open(self) -> "LeadTable":
        """Return the leads that are neither won nor lost."""
        return self.take(self.y.isna().to_numpy())

    def take(self, rows: np.ndarray) -> "LeadTable":
        """Return the leads at `rows`, a mask or places."""
        mine: dict[str, Any] = {"X": self.X.iloc[rows], "y": self.y.iloc[rows]}
        for name in ("created", "account", "weight", "value", "contacted"):
            values = getattr(self, name)
            mine[name] = None if values is None else values.iloc[rows]
        return replace(self, **mine)


def read_table(path: str | Path | pd.DataFrame, config: Config) -> LeadTable:
    """Read leads from a file or a frame, as `config` describes them.

    Parameters
    ----------
    path : str, Path or DataFrame
    config : Config

    Raises
    ------
    DataError
        Every column that is missing, ids that are missing or stand twice, dates that are none.
    """
    name = "The frame" if isinstance(path, pd.DataFrame) else str(path)
    leads = read_source(path, config.leads.missing)
    problems = [*_find_missing_columns(leads, config)]
    if problems:
        there = ", ".join(leads.columns)
        raise DataError(f"{all_problems(name, problems)}\nIt has: {there}.")
    ids = leads[config.leads.id]
    problems += find_bad_ids(ids)
    created = None
    if config.leads.created:
        created, bad = read_dates(leads[config.leads.created])
        problems += [f"{config.leads.created!r}: {bad}"] if bad else []
    if problems:
        raise DataError(all_problems(name, problems))
    index = pd.Index(ids, name="lead_id")
    if created is not None:
        index = pd.MultiIndex.from_arrays([ids, created], names=["lead_id", SNAPSHOT_LEVEL])
        created = created.set_axis(index)
    X = leads[feature_columns(config)].set_axis(index)
    y = read_outcomes(leads, config).set_axis(index)
    account = leads[config.leads.account].set_axis(index) if config.leads.account in leads else None
    table = LeadTable(X, y, created, account, tuple(find_unused(leads, config)))
    return with_roles(table, leads, config)


def feature_columns(config: Config) -> list[str]:
    """Return the columns that features, BANT and the hand-off read, each once."""
    handoff = [*config.handoff.required, *config.handoff.sales_ready]
    return list(dict.fromkeys([*config.features.families(), *handoff]))


def read_outcomes(leads: pd.DataFrame, config: Config) -> pd.Series:
    """Return 1 for won, 0 for lost and NaN for open, shape (n_leads,)."""
    if config.outcome.column not in leads:
        return pd.Series(np.nan, index=leads.index)
    texts = outcome_texts(leads[config.outcome.column])
    values = [(value, 0.0) for value in config.outcome.lost]
    values += [(value, 1.0) for value in config.outcome.won]
    # in any case: `True` in a CSV file is `true` in a Parquet file
    return texts.str.casefold().map({value.casefold(): y for value, y in values}).astype(float)


def with_roles(table: LeadTable, leads: pd.DataFrame, config: Config) -> LeadTable:
    """Return a table with the deals' values and the days of first contact of its leads, by row."""
    value, contacted = (
        None if each is None else each.set_axis(table.X.index)
        for each in (read_values(leads, config), read_contacts(leads, config))
    )
    return replace(table, value=value, contacted=contacted)


def read_contacts(leads: pd.DataFrame, config: Config) -> pd.Series | None:
    """Return the day of each lead's first contact, NaT where there was none; None where unknown.

    Raises
    ------
    DataError
        Where values are no dates.
    """
    name = config.leads.contacted
    if name is None or name not in leads:
        return None
    dates, bad = read_dates(leads[name])
    if bad:
        message = f"{name!r}: {bad}"
        raise DataError(message)
    return dates


def read_values(leads: pd.DataFrame, config: Config) -> pd.Series | None:
    """Return what each deal is worth, shape (n_leads,); None where the table does not say.

    Examples
    --------
    >>> from leadml.config import Config
    >>> tables = {"leads": {"path": "leads.csv", "id": "id", "value": "amount"}}
    >>> tables["outcome"] = {"column": "status", "won": ["won"], "lost": ["lost"]}
    >>> leads = pd.DataFrame({"amount": ["1200", "n/a", None]})
    >>> read_values(leads, Config.model_validate(tables)).tolist()
    [1200.0, nan, nan]
    """
    if config.leads.value not in leads:
        return None
    numbers = pd.to_numeric(leads[config.leads.value], errors="coerce")
    # a sheet's division by zero is no amount
    return numbers.astype("Float64").astype(float).replace([np.inf, -np.inf], np.nan)


def compute_fingerprint(table: LeadTable) -> str:
    """Return a hash of the leads' ids and outcomes, which tells whether two tables are the same.

    Examples
    --------
    >>> import pandas as pd
    >>> X = pd.DataFrame(index=pd.Index(["a", "b"], name="lead_id"))
    >>> table = LeadTable(X, pd.Series([1.0, 0.0]), None, None, ())
    >>> len(compute_fingerprint(table))
    16
    """
    ids = table.X.index.get_level_values("lead_id").astype(str)
    rows = sorted(f"{lead}={outcome}" for lead, outcome in zip(ids, table.y, strict=True))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]


def _find_missing_columns(leads: pd.DataFrame, config: Config) -> list[str]:
    roles = [config.leads.id, config.leads.created]
    wanted = dict.fromkeys([*(role for role in roles if role), *feature_columns(config)])
    there = [str(name) for name in leads.columns]
    return [
        f"{column!r} is missing.{did_you_mean(column, there)}"
        for column in wanted
        if column not in leads
    ]


def find_bad_ids(ids: pd.Series) -> list[str]:
    """Return what is wrong with a column of ids: empty ones, and those that stand twice."""
    problems = []
    if ids.isna().any():
        rows = ", ".join(str(row + 1) for row in np.flatnonzero(ids.isna())[:5])
        problems.append(
            f"{ids.name!r} is empty in {int(ids.isna().sum())} rows (row {rows}). "
            "Give every lead an id."
        )
    repeated = ids[ids.notna()].duplicated()
    if repeated.any():
        rows = ", ".join(str(row + 1) for row in np.flatnonzero(ids.duplicated() & ids.notna())[:5])
        problems.append(
            f"{ids.name!r} repeats an id in {int(repeated.sum())} rows (row {rows}). "
            "Pass one row a lead."
        )
    return problems


def read_dates(values: pd.Series) -> tuple[pd.Series, str]:
    """Return dates in UTC without a zone, and what is wrong with them, or an empty text."""
    texts = outcome_texts(values) if is_numeric_dtype(values) else values  # 20260131
    dates = pd.to_datetime(texts, errors="coerce", format="ISO8601", utc=True)
    wrong = int((dates.isna() & values.notna()).sum())
    bad = f"{wrong} values are no date. Accepted is ISO 8601, such as 2026-01-31." if wrong else ""
    return dates.dt.tz_localize(None), bad


def read_snapshot_index(values: pd.Series) -> pd.Index:
    """Return dates as the index that features count days to.

    Raises
    ------
    DataError
        Where values are no dates.
    """
    dates, bad = read_dates(values)
    if bad:
        message = f"{values.name!r}: {bad}"
        raise DataError(message)
    return pd.Index(dates, name=SNAPSHOT_LEVEL)


def find_unused(leads: pd.DataFrame, config: Config) -> list[str]:
    """Return the columns that stand in no list of the config."""
    features = config.features
    known = {
        *feature_columns(config),
        *config.role_columns(),
        *features.exclude,
        *features.protected,
    }
    return [str(name) for name in leads.columns if name not in known]
