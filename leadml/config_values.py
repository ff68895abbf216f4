"""Values that `leadml.toml` accepts: time spans, dates, texts and sources of tables."""

import re
from datetime import date
from typing import Annotated, Any

import pandas as pd
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_PASSWORD = re.compile(r"://[^:@/]*:(?!\$)[^@]*@|[?&]password=(?!\$)")


class ConfigTable(BaseModel):
    """A table of `leadml.toml`: no key is unknown, no value changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    # of the whole table: the message of a single value would show it
    @model_validator(mode="before")
    @classmethod
    def _without_password(cls, values: Any) -> Any:
        if isinstance(values, dict) and _PASSWORD.search(str(values.get("path"))):
            message = (
                "`path` holds a password. Put it into an environment variable and write its name: "
                "postgresql://user:${CRM_PASSWORD}@host/database#table"
            )
            raise ValueError(message)
        return values


def is_url(source: str) -> bool:
    """Return whether a source is a database's address and not a file.

    Examples
    --------
    >>> is_url("postgresql://host/crm#touches"), is_url("crm.duckdb#touches")
    (True, False)
    """
    return "://" in source


def _texts(values: Any) -> Any:
    """Accept `won = [1]` and `won = 1` for `won = ["1"]`: outcomes are compared as text."""
    items = values if isinstance(values, list) else [values]
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in items]


def _timedelta(text: str) -> pd.Timedelta | None:
    try:
        # a number without a unit would be nanoseconds
        return None if text.strip().isdigit() else pd.Timedelta(text)
    except ValueError:
        return None


def _positive_timedelta(text: str) -> str:
    span = _timedelta(text)
    if span is None or not span > pd.Timedelta(0):
        message = "must be a positive time span such as '90D'."
        raise ValueError(message)
    return text


def _whole_days(text: str) -> str:
    span = _timedelta(text)
    if span is None or not span >= pd.Timedelta(0) or span % pd.Timedelta(days=1):
        message = "must be a number of whole days such as '30D'."
        raise ValueError(message)
    return text


def _date(value: Any) -> Any:
    text = value.isoformat() if isinstance(value, date) else value
    try:
        pd.Timestamp(text)
    except (ValueError, TypeError):
        message = "must be a date such as '2026-01-31'."
        raise ValueError(message) from None
    return text


Texts = Annotated[list[str], BeforeValidator(_texts), Field(min_length=1)]
Edge = Annotated[float, Field(ge=0, le=100)]
TimeSpan = Annotated[str, AfterValidator(_positive_timedelta)]
Days = Annotated[str, AfterValidator(_whole_days)]
Date = Annotated[str, BeforeValidator(_date)]
#: A file, a folder of Parquet files, `crm.duckdb#table` or `postgresql://host/database#table`.
Source = str
