"""Features of one value, without a table: what `ProfileFeatures` computes, for one lead at once."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from leadml.features._values import clean_text, read_answer, spelling_key
from leadml.features.email_domains import find_domain_kind
from leadml.features.titles import find_function, find_seniority


def compute_value(
    kind: str,
    value: Any,
    empty: set[str],
    spellings: Mapping[str, str] | None = None,
    snapshot: Any = None,
) -> tuple[Any, ...]:
    """Return the features of one value, in the order of its kind's features.

    Parameters
    ----------
    kind : str
        Of the column.
    value : number, text, date or None
    empty : set of str
        See `leadml.features._values.empty_keys`.
    spellings : dict of str to str, default=None
        The spelling kept of each category, by its key.
    snapshot : Timestamp, default=None
        The day that dates are counted to, in UTC without a zone.

    Examples
    --------
    >>> compute_value("title", "VP of Sales", {""})
    ('vp', 'sales')
    >>> compute_value("number", "41", {""}), compute_value("number", "many", {""})
    ((41.0,), (nan,))
    """
    text = None if value is None or value != value else clean_text(value, empty)
    match kind:
        case "number":
            return (_read_number(value if text is not None else None),)
        case "date":
            return (_age_in_days(text if isinstance(value, str) else value, snapshot),)
        case "phone":
            return ("no" if text is None else "yes",)
        case _ if text is None:
            return (None, None) if kind == "title" else (None,)
        case "boolean":
            return (read_answer(text),)
        case "title":
            return find_seniority(text), find_function(text)
        case "email":
            return (find_domain_kind(text),)
        case _:
            return ((spellings or {}).get(spelling_key(text), text),)


def _read_number(value: Any) -> float:
    if value is None:
        return math.nan
    number = float(value) if isinstance(value, int | float) else _number_of_text(value)
    return number if math.isfinite(number) else math.nan


def _number_of_text(value: Any) -> float:
    return float(pd.to_numeric(value, errors="coerce"))


def _age_in_days(value: Any, snapshot: Any) -> float:
    if value is None or snapshot is None:
        return math.nan
    if isinstance(value, str):
        value = pd.to_datetime(value, format="ISO8601", utc=True, errors="coerce")
    date: Any = pd.Timestamp(value)
    if date is pd.NaT:
        return math.nan
    date = date.tz_convert(None) if date.tzinfo else date
    days: float = (snapshot - date) / pd.Timedelta(days=1)
    return days if days >= 0 else math.nan
