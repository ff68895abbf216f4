"""Snapshots: what was known of each lead on some days, and what came of it."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd

from leadml.config import Config
from leadml.data.engines import as_frame, upload
from leadml.data.history import History
from leadml.data.lead_table import (
    SNAPSHOT_LEVEL,
    LeadTable,
    feature_columns,
    find_unused,
    with_roles,
)
from leadml.errors import DataError, all_problems, did_you_mean
from leadml.features.activities import find_kinds
from leadml.features.activity_collect import collect_features
from leadml.features.activity_plan import make_plan
from leadml.features.censoring import compute_censoring_weights
from leadml.features.labels import Labels, compute_labels, compute_snapshot_weights

MOST_KINDS = 20  # of a table, the most frequent
FEWEST_LEADS = 20  # that a kind must have
MOST_PEOPLE = 200  # of one company; more share a name, such as "private", and no company


def build_features(history: History, at: str | pd.Timestamp) -> pd.DataFrame:
    """Return what was known of every lead on a day: its columns and its activities before.

    Parameters
    ----------
    history : History
    at : str or Timestamp
        UTC. Activities strictly before it count; leads created after it are left out.

    Returns
    -------
    DataFrame of shape (n_leads, n_columns)
        Index `lead_id` and `snapshot_date`; the columns of the leads, their companies and people,
        then the activity features, as `ActivityPlan.names` lists them.

    Raises
    ------
    DataError
        Where no lead was created by then.
    """
    day = _as_utc(at)
    known = np.flatnonzero((history.created <= day).to_numpy())
    if not len(known):
        message = (
            f"No lead was created by {day.date()}: the first came in on "
            f"{history.created.min():%Y-%m-%d}. Pass a later day."
        )
        raise DataError(message)
    spine = pd.DataFrame({"place": known, SNAPSHOT_LEVEL: day})
    return _build(with_kinds(history, spine), spine)


def build_snapshots(history: History) -> tuple[pd.DataFrame, pd.Series]:
    """Return the leads as they looked on the days that `[snapshots]` names, and their labels.

    Parameters
    ----------
    history : History

    Returns
    -------
    X : DataFrame of shape (n_snapshots, n_columns)
        As `build_features` gives it; a lead is looked at while it is open, at each age.
    y : Series of shape (n_snapshots,)
        1 where the lead was won in (snapshot, snapshot + horizon]; 0 where it was lost, or the
        horizon was over without a win; NaN where it is still open.
    """
    spine, labels = _label(history)
    X = _build(with_kinds(history, spine), spine)
    return X, labels.y.set_axis(X.index)


def read_snapshots(history: History, named: Config | None = None) -> tuple[LeadTable, Config]:
    """Return a history as a table to learn from, and the config that names its features.

    `named` is the config of a model, whose features are taken as they are; without one, features
    that are constant or repeat another are left out.

    Each snapshot weighs 1 / number of ages, so a lead counts once at most. Snapshots whose horizon
    was not over on the day of the export weigh 0, also those settled by then: quick wins alone
    would promise too much. With `immature = "weigh"` they get the weights of
    `compute_censoring_weights` instead.

    A lead that was closed soon has fewer snapshots, and is not made up for it: how soon is not
    known on the day, so such weights would tell the future. Of the applications in the BPI
    Challenge 2012, 16 % are approved within 30 days; by such weights it would be 6 % of those
    looked at on their first day. `equal_leads` asks for them all the same.
    """
    spine, labels = _label(history)
    history = with_kinds(history, spine)
    X = _build(history, spine)
    config = named
    if config is None:
        config = name_features(history.config, leave_out=_find_needless(X, history.config))
    settings = config.snapshots_or_default()
    ripe = spine[SNAPSHOT_LEVEL] + pd.Timedelta(config.outcome.horizon) <= history.as_of
    usable = labels.y.where(ripe | (settings.immature == "weigh"))
    weight = usable.notna() / len(settings.age_days())
    if settings.equal_leads:
        weight = compute_snapshot_weights(spine["place"], usable)
    if settings.immature == "weigh":
        weight = weight * _censoring_weights(spine, labels, config, history.as_of)
    learned = int((weight > 0).sum())
    notes = (
        f"{len(spine):,} snapshots of {spine['place'].nunique():,} leads until "
        f"{history.as_of.date()}: {learned:,} to learn from, {len(spine) - learned:,} whose "
        f"horizon of {config.outcome.horizon} is not over.",
        *labels.problems,
    )
    table = _make_table(X, config, history, spine["place"].to_numpy())
    table = replace(
        table,
        y=labels.y.set_axis(X.index),
        weight=weight.set_axis(X.index),
        notes=notes,
    )
    return table, config


def read_leads_at(history: History, at: str | pd.Timestamp, *, only_open: bool) -> LeadTable:
    """Return the leads as they looked on a day, to be scored; `config` lists its kinds already."""
    X = build_features(history, at)
    day = X.index.get_level_values(SNAPSHOT_LEVEL)[0]
    places = np.flatnonzero((history.created <= day).to_numpy())
    table = _make_table(X, history.config, history, places)
    if not only_open:
        return table
    ends = history.outcomes[~(history.outcomes["closed"] > day)]
    closed = history.ids.iloc[places].isin(ends["lead_id"]).to_numpy()
    if closed.all():
        message = f"No lead was open on {day.date()}: there is nothing to score."
        raise DataError(message)
    return table.take(~closed)


def name_features(config: Config, leave_out: Mapping[str, str] | None = None) -> Config:
    """Return a config whose families hold the activity features too.

    Features that the config lists or excludes stay as they are; those in `leave_out` are excluded
    for the reason given. Counts of what shows engagement never lower a score (`monotone`).
    """
    features = config.features
    exclude = {**features.exclude, **(leave_out or {})}
    told = {*features.families(), *exclude, *features.protected}
    plan = make_plan(config)
    families: dict[str, list[str]] = {}
    for name, family in plan.names().items():
        if name not in told:
            families.setdefault(family, []).append(name)
    rising = {name: 1 for name in plan.rising_names() if name not in told}
    update: dict[str, Any] = {
        family: [*getattr(features, family), *names] for family, names in families.items()
    }
    update |= {"exclude": exclude, "monotone": {**rising, **features.monotone}}
    return config.model_copy(update={"features": features.model_copy(update=update)})


def _find_needless(X: pd.DataFrame, config: Config) -> dict[str, str]:
    """Return why activity features tell nothing, as `[features.exclude]` has it."""
    needless: dict[str, str] = {}
    seen: dict[bytes, str] = {}
    for name in make_plan(config).names():
        values = X[name].to_numpy(dtype=float)
        key = sha256((values + 0.0).tobytes()).digest()
        if (values == values[0]).all() or np.isnan(values).all():
            needless[name] = "It has the same value in every snapshot."
        elif key in seen:
            needless[name] = f"It equals {seen[key]} in every snapshot."
        seen.setdefault(key, name)
    return needless


def _make_table(X: pd.DataFrame, config: Config, history: History, places: np.ndarray) -> LeadTable:
    """Return built features as a `LeadTable` without outcomes."""
    wanted = feature_columns(config)
    lacking = [
        f"{name!r} is missing.{did_you_mean(name, X.columns)}" for name in wanted if name not in X
    ]
    if lacking:
        there = f"There are: {', '.join(map(str, X.columns))}."
        raise DataError(all_problems("The history", [*lacking, there]))
    account = None
    if config.leads.account is not None:
        account = history.leads[config.leads.account].iloc[places].set_axis(X.index)
    dates = X.index.get_level_values(SNAPSHOT_LEVEL)
    table = LeadTable(
        X=X[wanted],
        y=pd.Series(np.nan, index=X.index),
        created=pd.Series(dates, index=X.index),
        account=account,
        unused=tuple(find_unused(history.leads, config)),
    )
    return with_roles(table, history.leads.iloc[places], config)


def _as_utc(at: str | pd.Timestamp) -> pd.Timestamp:
    try:
        day = pd.Timestamp(at)
    except ValueError:
        day = pd.NaT  # type: ignore[assignment]
    if pd.isna(day):
        message = f"`at` must be a date. Got {at!r}. Pass for example at='2026-01-31'."
        raise DataError(message)
    return day if day.tz is None else day.tz_convert("UTC").tz_localize(None)


def _label(history: History) -> tuple[pd.DataFrame, Labels]:
    """Return the snapshots while a lead is open (`place`, `snapshot_date`), and their labels."""
    ages = history.config.snapshots_or_default().age_days()
    if history.outcomes["closed"].isna().all() and max(ages) > 0:
        # without closing dates nobody knows who was still open later on
        ages = [0]
    places = np.arange(len(history.leads))
    spine = pd.concat(
        [
            pd.DataFrame(
                {
                    "place": places,
                    "created": history.created.to_numpy(),
                    SNAPSHOT_LEVEL: (history.created + pd.Timedelta(days=age)).to_numpy(),
                }
            )
            for age in ages
        ]
    )
    spine = spine[spine[SNAPSHOT_LEVEL] <= history.as_of]
    if spine.empty:
        message = (
            f"No lead was created by {history.as_of.date()}, the day of the export ([snapshots] "
            "as_of). Correct the day."
        )
        raise DataError(message)
    spine = spine.sort_values(["place", SNAPSHOT_LEVEL], ignore_index=True)
    spine["lead_id"] = history.ids.to_numpy()[spine["place"]]
    labels = compute_labels(
        spine, history.outcomes, horizon=history.config.outcome.horizon, as_of=history.as_of
    )
    still_open = (~labels.left_out).to_numpy()
    if not still_open.any():
        message = "No lead was open on the days that [snapshots] names: " + " ".join(
            labels.problems
        )
        raise DataError(message)
    kept = replace(
        labels,
        y=labels.y[still_open].reset_index(drop=True),
        closed=labels.closed[still_open].reset_index(drop=True),
        left_out=labels.left_out[still_open].reset_index(drop=True),
    )
    return spine[still_open].reset_index(drop=True), kept


def _censoring_weights(
    spine: pd.DataFrame, labels: Labels, config: Config, as_of: pd.Timestamp
) -> pd.Series:
    return compute_censoring_weights(
        spine[SNAPSHOT_LEVEL], labels.closed, horizon=config.outcome.horizon, as_of=as_of
    )


def with_kinds(history: History, spine: pd.DataFrame | None = None) -> History:
    """Return the history with the kinds of its activities listed.

    Without a list of its own, a table has the most frequent kinds that occur before the snapshots,
    or before the day of the export.
    """
    config = history.config
    if spine is None:
        places = np.arange(len(history.leads))
        spine = pd.DataFrame({"place": places, SNAPSHOT_LEVEL: history.as_of})
    if all(table.kind_value or table.kinds for table in config.activities):
        return history
    last = spine.groupby("place")[SNAPSHOT_LEVEL].max().reset_index()
    days = _upload_spine(history, last, "leadml_last")
    tables = []
    for table, events in zip(config.activities, history.events, strict=True):
        if not (table.kind_value or table.kinds):
            found = as_frame(
                history.engine,
                find_kinds(days, events, MOST_KINDS, min(FEWEST_LEADS, len(last))),
            )
            table = table.model_copy(update={"kinds": sorted(found["kind"])})
        tables.append(table)
    return replace(history, config=config.model_copy(update={"activities": tables}))


def _build(history: History, spine: pd.DataFrame) -> pd.DataFrame:
    plan = make_plan(history.config)
    places = spine["place"].to_numpy()
    dates = spine[SNAPSHOT_LEVEL].to_numpy()
    leads = history.leads.iloc[places]
    roles = [name for name in history.config.role_columns() if name in leads]
    ids = history.leads[history.config.leads.id].iloc[places]
    index = pd.MultiIndex.from_arrays([ids, dates], names=["lead_id", SNAPSHOT_LEVEL])
    parts = [leads.drop(columns=roles).set_axis(index)]
    if history.events:
        rows = _upload_spine(history, spine, "leadml_spine")
        people = _upload_people(history, spine) if plan.with_people else None
        found = collect_features(history.engine, rows, history.events, plan, people, len(spine))
        parts.append(found.set_axis(index))
    if plan.with_age:
        age = (dates - history.created.to_numpy()[places]) / np.timedelta64(1, "D")
        parts.append(pd.DataFrame({"days_since_created": age}, index=index))
    built = pd.concat(parts, axis="columns")
    twice = built.columns[built.columns.duplicated()].tolist()
    if twice:
        message = (
            f"The columns {twice} of the leads have the names of activity features. Rename them, "
            "or give the activities another `name` or `kind_value`."
        )
        raise DataError(message)
    return built


def _upload_spine(history: History, spine: pd.DataFrame, name: str) -> Any:
    frame = pd.DataFrame(
        {
            "row": np.arange(len(spine), dtype="int32"),
            "lead": history.ids.to_numpy()[spine["place"]],
            "snapshot": spine[SNAPSHOT_LEVEL].to_numpy(),
        }
    )
    return upload(history.engine, frame, name)


def _upload_people(history: History, spine: pd.DataFrame) -> Any:
    """Return for each snapshot the people of the lead's company and their leads."""
    config, leads = history.config, history.leads
    members = pd.DataFrame({"lead": history.ids, "account": leads[config.leads.account]})
    contact = config.leads.contact
    members["person"] = history.ids if contact is None else leads[contact].astype("str")
    members["person"] = members["person"].fillna(members["lead"])
    members["created"] = history.created
    # a later lead must not change how large a company is
    known = members["created"] <= spine[SNAPSHOT_LEVEL].max()
    size = known.groupby(members["account"]).transform("sum")
    # a lead without a company is its own
    alone = members["account"].isna() | (size > MOST_PEOPLE)
    codes = pd.factorize(members["account"])[0]
    members["company"] = np.where(alone, len(members) + np.arange(len(members)), codes)
    rows = pd.DataFrame(
        {
            "row": np.arange(len(spine), dtype="int32"),
            "company": members["company"].to_numpy()[spine["place"]],
            "snapshot": spine[SNAPSHOT_LEVEL].to_numpy(),
        }
    )
    people = rows.merge(members[["company", "person", "lead", "created"]], on="company")
    people = people[people["created"] <= people["snapshot"]]
    return upload(history.engine, people.drop(columns=["company", "created"]), "leadml_people")
