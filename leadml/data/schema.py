"""Infer from a table of leads what each of its columns means."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pandas.api import types
from pydantic import ValidationError

from leadml.config import Config
from leadml.data.columns import Column, judge_column
from leadml.data.roles import (
    find_account,
    find_date,
    find_id,
    find_outcome,
    find_value,
    guess_values,
    outcome_texts,
    values_of,
)
from leadml.data.sources import clean_cells
from leadml.data.words import BANT_WORDS, MISSING_TEXTS, VALUE_NAMES, rank, says
from leadml.errors import ConfigError, DataError, all_problems, did_you_mean

LEAD_ROLES = ("id", "created", "account", "value", "contacted")
_LISTED = 12  # values shown in a message


@dataclass(frozen=True)
class Proposal:
    """What `infer_config` found.

    Attributes
    ----------
    config : Config
    notes : dict of str to str
        For every column of the leads a plain sentence that says what it is taken for, and why.
    """

    config: Config
    notes: dict[str, str]


def infer_config(
    leads: pd.DataFrame,
    path: str,
    *,
    id: str | None = None,  # noqa: A002  (the name of the key in leadml.toml)
    outcome: str | None = None,
    won: Sequence[str] = (),
    lost: Sequence[str] = (),
    created: str | None = None,
    closed: str | None = None,
    account: str | None = None,
    value: str | None = None,
    contacted: str | None = None,
    missing: Sequence[str] = (),
    exclude: Sequence[str] = (),
    horizon: str = "90D",
) -> Proposal:
    """Infer a `leadml.toml` from a table of leads; an option given takes the place of its guess.

    Parameters
    ----------
    leads : DataFrame of shape (n_leads, n_columns)
        As `leadml.data.sources.read_leads` returns it.
    path : str
        Where the leads lie, seen from the folder of the `leadml.toml`.
    id, outcome, created, closed, account, value, contacted : str, optional
        Columns with a role; `contacted`, the date of the first contact, is never guessed.
    won, lost : sequence of str, optional
        Values of the outcome; every other value, and empty, is open.
    missing : sequence of str, optional
        Texts that mean empty.
    exclude : sequence of str, optional
        Columns not to use, beside those found.
    horizon : str, default='90D'
        Time a lead has to be won.

    Returns
    -------
    Proposal

    Raises
    ------
    ConfigError
        Where options name columns or values that are not there, contradict each other, or where
        no id or outcome is found; all problems at once.
    DataError
        Where the id is not unique.

    Examples
    --------
    >>> import pandas as pd
    >>> leads = pd.DataFrame({"Lead ID": [1, 2, 3], "Converted": ["yes", "no", "no"]})
    >>> leads["Lead Source"] = ["Referral", "Web", "Select"]
    >>> found = infer_config(leads, "leads.csv")
    >>> found.config.leads.id, found.config.outcome.won, found.config.leads.missing
    ('Lead ID', ['yes'], ['Select'])
    >>> found.config.features.context
    ['Lead Source']
    """
    asked = {
        "id": id,
        "outcome": outcome,
        "created": created,
        "closed": closed,
        "account": account,
        "value": value,
        "contacted": contacted,
    }
    _check_options(asked, exclude, list(leads.columns))
    missing = list(missing) or find_missing_texts(leads)
    leads = clean_cells(leads, missing)
    roles = _find_roles(leads, asked, exclude)
    values = _find_values(leads[roles["outcome"]], roles["outcome"], list(won), list(lost))
    columns = [
        judge_column(name, leads[name], asked_out=name in exclude)
        for name in leads.columns
        if name not in roles.values()
    ]
    notes = _role_notes(leads, roles, *values) | {each.name: each.note for each in columns}
    config: dict[str, Any] = {
        "leads": {
            "path": path,
            "missing": missing,
            **{key: roles[key] for key in LEAD_ROLES if key in roles},
        },
        "outcome": {
            "column": roles["outcome"],
            "won": values[0],
            "lost": values[1],
            "closed": roles.get("closed"),
            "horizon": horizon,
        },
        "features": _features(columns),
    }
    try:
        proposed = Config.model_validate(config)
    except ValidationError as error:
        problems = [
            f"`{'.'.join(map(str, each['loc']))}`: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors()
        ]
        raise ConfigError(all_problems("The proposed leadml.toml", problems)) from None
    return Proposal(proposed, {name: notes[name] for name in leads.columns})


def find_missing_texts(leads: pd.DataFrame) -> list[str]:
    """Return the texts that mean "empty" and really occur, as they are written.

    Examples
    --------
    >>> import pandas as pd
    >>> find_missing_texts(pd.DataFrame({"city": ["Select", "Ulm", "unknown"], "n": [1, 2, 3]}))
    ['Select', 'unknown']
    """
    found: dict[str, None] = {}
    for name in leads.columns:
        if types.is_string_dtype(leads[name]):
            texts = pd.Series(leads[name].dropna().unique(), dtype="str").str.strip()
            found |= dict.fromkeys(texts[texts.str.casefold().isin(MISSING_TEXTS)])
    by_case = {text.casefold(): text for text in reversed(found)}
    return [text for text in found if by_case[text.casefold()] == text]


def _check_options(asked: dict[str, str | None], exclude: Iterable[str], names: list[str]) -> None:
    named = [(option, name) for option, name in asked.items() if name is not None]
    problems = [
        f"`{option}` names {name!r}, which is no column.{did_you_mean(name, names)}"
        for option, name in [*named, *(("exclude", name) for name in exclude)]
        if name not in names
    ]
    roles: dict[str, str] = {}
    for option, name in named:
        if name in roles:
            problems.append(
                f"`{roles[name]}` and `{option}` both name {name!r}. Give each its own."
            )
        if name in exclude:
            problems.append(f"`exclude` and `{option}` both name {name!r}. Take it out of one.")
        roles[name] = option
    if problems:
        listed = f"The columns are: {', '.join(map(repr, names))}."
        raise ConfigError(all_problems("The call", [*problems, listed]))


def _find_roles(
    leads: pd.DataFrame, asked: dict[str, str | None], exclude: Sequence[str]
) -> dict[str, str]:
    """Return `{role: column}`; a column taken by one role is not offered to the next."""
    finders: dict[str, Any] = {
        "id": find_id,
        "outcome": find_outcome,
        "closed": lambda free: find_date(free, "closed"),
        "created": lambda free: find_date(free, "created"),
        "account": find_account,
        "value": find_value,
    }
    roles = {role: name for role, name in asked.items() if name is not None}
    for role, find in finders.items():
        free = leads.drop(columns=[*set(roles.values()) | set(exclude)])
        if role not in roles and (found := find(free)):
            roles[role] = found
    problems = []
    if "id" not in roles:
        problems.append(
            "no column has a value of its own in every lead. Add a column that numbers the leads, "
            "for example `lead_id`, or name one with `id`."
        )
    elif not leads[roles["id"]].is_unique or leads[roles["id"]].isna().any():
        column = leads[roles["id"]]
        problems.append(
            f"the id {roles['id']!r} repeats in {column.dropna().duplicated().sum()} leads and is "
            f"empty in {column.isna().sum()}. Give every lead one row and its own id."
        )
    if "outcome" not in roles:
        problems.append(
            "no column holds an outcome. Name it with `outcome`, and its values with `won` and "
            f"`lost`. The columns are: {', '.join(map(repr, leads.columns))}."
        )
    if problems:
        raise DataError(all_problems("The table of leads", problems))
    return roles


def _find_values(
    column: pd.Series, name: str, won: list[str], lost: list[str]
) -> tuple[list[str], list[str]]:
    """Return the values of won and of lost, those given first."""
    values = values_of(column)
    given = {str(value).casefold(): value for value in [*won, *lost]}
    exact = {value.casefold(): value for value in values}
    problems = [
        f"{name!r} never holds {value!r}.{did_you_mean(str(value), values)}"
        for key, value in given.items()
        if key not in exact
    ]
    won, lost = ([exact.get(str(v).casefold(), str(v)) for v in part] for part in (won, lost))
    guessed_won, guessed_lost = guess_values(values)
    won = won or [value for value in guessed_won if value not in lost]
    lost = lost or [value for value in guessed_lost if value not in won]
    if len(values) == 2:  # what is not the one is the other
        won = won or [value for value in values if lost and value not in lost]
        lost = lost or [value for value in values if won and value not in won]
    for option, part in (("won", won), ("lost", lost)):
        if not part:
            problems.append(f"no value of {name!r} is known to mean {option}. Pass it: `{option}`.")
    if problems:
        more = f" and {len(values) - _LISTED} more" if len(values) > _LISTED else ""
        listed = f"Its values are: {', '.join(map(repr, values[:_LISTED]))}{more}."
        raise ConfigError(all_problems("The outcome", [*problems, listed]))
    return won, lost


def _role_notes(
    leads: pd.DataFrame, roles: dict[str, str], won: list[str], lost: list[str]
) -> dict[str, str]:
    texts = outcome_texts(leads[roles["outcome"]])
    counts = [int(texts.isin(part).sum()) for part in (won, lost)]
    value_note = "The value of the deal in money: what a win brings, and no feature."
    if "value" in roles and rank(VALUE_NAMES, roles["value"]) == 1:
        value_note = "What the deal was closed at: what a win brings, known only then, no feature."
    companies = leads[roles["account"]].nunique() if "account" in roles else 0
    notes = {
        "id": "Every lead has its own value here: the id.",
        "outcome": f"{counts[0]:,} leads are won, {counts[1]:,} are lost and "
        f"{len(leads) - sum(counts):,} still open.",
        "created": "The day the lead came in: it orders the leads in time.",
        "closed": "The day of the outcome: it dates won and lost, and is no feature.",
        "account": f"{companies:,} companies: leads of one are kept together.",
        "value": value_note,
        "contacted": "The day of the first contact, which comes after the lead: no feature.",
    }
    return {name: notes[role] for role, name in roles.items()}


def _features(columns: list[Column]) -> dict[str, Any]:
    used = [each for each in columns if each.family]
    features: dict[str, Any] = {}
    for each in used:
        if each.family != "bant":
            features.setdefault(str(each.family), []).append(each.name)
    return features | {
        "bant": _bant(used),
        "exclude": {each.name: each.note for each in columns if each.use == "excluded"},
        "protected": [each.name for each in columns if each.use == "protected"],
        "monotone": {each.name: 1 for each in used if each.rises},
        "kinds": {each.name: each.kind for each in used if each.kind_is_told},
    }


def _bant(used: list[Column]) -> dict[str, str]:
    """Return the column of each BANT letter; a job title says who decides if nothing else does."""
    found: dict[str, str] = {}
    for each in used:
        for letter, words in BANT_WORDS.items():
            if letter not in found and says(words, each.name):
                found[letter] = each.name
    titles = [each.name for each in used if each.kind == "title"]
    return ({"authority": titles[0]} if titles else {}) | found
