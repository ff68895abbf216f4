"""Judge one column: is it used, in which family, as what kind, and why."""

from dataclasses import dataclass
from typing import Literal

import pandas as pd
from pandas.api import types

from leadml.config import Family, Kind
from leadml.data.kinds import is_other_date, is_salutation, kind_of
from leadml.data.words import (
    AFTER_OUTCOME,
    BANT_WORDS,
    CODE_NAMES,
    ENGAGED,
    FAMILY_MEANS,
    ID_NAMES,
    LOOK,
    NOT_ENGAGED,
    PERSON_NAMES,
    PROTECTED,
    family_of,
    rank,
    says,
    words_of,
)

_MOSTLY_DISTINCT = 0.95  # share of own values from which on a text says who, not what
_ALMOST_CONSTANT = 0.995


@dataclass(frozen=True)
class Column:
    """What a column is taken for; `family` is None where it is not used."""

    name: str
    note: str
    use: Literal["used", "excluded", "protected"] = "used"
    family: Family | None = None
    kind: Kind = "category"
    kind_is_told: bool = False
    rises: bool = False


def judge_column(name: str, column: pd.Series, *, asked_out: bool = False) -> Column:
    """Return what a cleaned column without a role is taken for.

    Parameters
    ----------
    name : str
    column : Series of shape (n_leads,)
    asked_out : bool, default=False
        The user wants it excluded.

    Returns
    -------
    Column

    Examples
    --------
    >>> import pandas as pd
    >>> visits = judge_column("TotalVisits", pd.Series([3, 5, 0]))
    >>> visits.family, visits.kind, visits.rises
    ('behavioral', 'number', True)
    >>> judge_column("Lost Reason", pd.Series(["price", None, "price"])).note
    'It is written when the deal closes, so it gives the outcome away.'
    """
    if asked_out:
        return Column(name, "Excluded on request.", "excluded")
    if says(PROTECTED, name) or is_salutation(column):
        note = "A protected attribute: used only to check fairness, never to score."
        return Column(name, note, "protected")
    kind = kind_of(name, column)
    reason = _reason_against(name, column, kind)
    if reason:
        return Column(name, reason, "excluded", kind=kind)
    family = _family(name, kind)
    rises = kind == "number" and says(ENGAGED, name) and not says(NOT_ENGAGED, name)
    note = _note(name, column, kind, family, rises=rises)
    told = kind not in ("number", "category") or (
        kind == "category" and types.is_numeric_dtype(column)
    )
    return Column(name, note, "used", family or "context", kind, told, rises)


def _reason_against(name: str, column: pd.Series, kind: Kind) -> str:
    """Return why a column is not used, or an empty text."""
    values = column.dropna()
    if values.empty:
        return "It is empty in every lead."
    if values.nunique() == 1 and len(values) == len(column):
        return f"It holds the same value in every lead: {_shown(values.iloc[0])}."
    for words, reason in AFTER_OUTCOME:
        if says(words, name):
            return reason
    distinct = values.nunique() / len(values)
    told_apart = len(values) > 20 and distinct >= _MOSTLY_DISTINCT
    is_text = types.is_string_dtype(column)
    if is_text and kind == "category" and is_other_date(column):
        return "Its dates depend on the country they are written in. Write them as 2024-05-31."
    named_id = rank(ID_NAMES, name) is not None and not says(CODE_NAMES, name)
    if kind in ("number", "category") and named_id and (told_apart or rank(ID_NAMES, name) == 0):
        return "It is another id, which says who the lead is and not what it is like."
    if kind == "text":
        return "Free text or web addresses: it is not read yet."
    if is_text and kind == "category":
        if rank((PERSON_NAMES,), name) is not None:
            return "A person's name: it says nothing about the lead, and it is personal data."
        if told_apart:
            return "Nearly every lead has its own value, so nothing can be learned from it."
    return ""


def _family(name: str, kind: Kind) -> Family | None:
    if kind in ("title", "email", "phone"):
        return "demographic"
    family = family_of(name)
    asks = any(says(words, name) for words in BANT_WORDS.values())
    return "bant" if asks and family is None else family


def _note(name: str, column: pd.Series, kind: Kind, family: Family | None, *, rises: bool) -> str:
    count = column.nunique()
    what = {
        "number": "A number",
        "category": f"A category of {count:,} value{'s' if count > 1 else ''}",
        "boolean": "Yes or no",
        "date": "A date, used as its age in days",
        "title": "A job title, used as seniority and function",
        "email": "An e-mail address, used as corporate, free or disposable",
        "phone": "A telephone number, used as given or not",
    }[kind]
    parts = [f"{what}: {FAMILY_MEANS[family]}." if family else f"{what}."]
    if family is None:
        parts.append("Its name does not say what it is: move it if it belongs elsewhere.")
    if rises:
        parts.append("More of it never lowers the score.")
    empty = column.isna().mean()
    if empty >= 0.005:
        parts.append(f"Empty in {empty:.0%} of leads.")
    top = column.value_counts(normalize=True, dropna=False)
    if top.iloc[0] >= _ALMOST_CONSTANT:
        rest = len(column) - int(top.iloc[0] * len(column) + 0.5)
        parts.append(
            f"Almost constant: {rest} of {len(column):,} differ from {_shown(top.index[0])}."
        )
    if says(LOOK, name):
        parts.append("LOOK: as of the export; exclude it if that may be after the outcome.")
    elif words_of(name).endswith((" score", " index")):
        parts.append("LOOK: a score of another tool; exclude it if it is computed later.")
    return " ".join(parts)


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."
