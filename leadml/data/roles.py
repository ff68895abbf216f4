"""Find the columns that say who, when and with what outcome, and the values of won and lost."""

import pandas as pd
from pandas.api import types

from leadml.data.kinds import is_date
from leadml.data.words import (
    ACCOUNT_NAMES,
    CLOSED_NAMES,
    CREATED_NAMES,
    ID_NAMES,
    LOST_TEXTS,
    OUTCOME_NAMES,
    VALUE_NAMES,
    WON_TEXTS,
    rank,
    words_of,
)

_MOST_STAGES = 50  # a column of more values than this is no stage or status


def outcome_texts(column: pd.Series) -> pd.Series:
    """Return outcomes as the texts that `leadml.toml` compares; missing ones stay NaN.

    Parameters
    ----------
    column : Series of shape (n_leads,)

    Returns
    -------
    Series of str, shape (n_leads,)
        `1.0` and `1` both read `"1"`, `True` reads `"true"`.

    Examples
    --------
    >>> import pandas as pd
    >>> outcome_texts(pd.Series([1.0, 0.0, None])).tolist()
    ['1', '0', nan]
    """
    if types.is_bool_dtype(column):
        return column.astype("str").str.lower()
    if types.is_float_dtype(column):
        texts = column.map("{:.15g}".format, na_action="ignore")  # every digit of a code
        return texts.astype("str")
    return column.astype("str")


def find_id(leads: pd.DataFrame) -> str | None:
    """Return the column that has its own value in every lead, by name first.

    Examples
    --------
    >>> import pandas as pd
    >>> find_id(pd.DataFrame({"Lead Number": [2, 1], "Prospect ID": ["a", "b"], "age": [3, 4]}))
    'Prospect ID'
    """
    unique = [
        name for name in map(str, leads) if leads[name].notna().all() and leads[name].is_unique
    ]
    if named := _best(ID_NAMES, unique):
        return named
    # a code such as a UUID; names and notes hold spaces, an address is personal data
    codes = (name for name in unique if types.is_string_dtype(leads[name]))
    return next((n for n in codes if not leads[n].str.contains(r"[\s@]").any()), None)


def find_outcome(leads: pd.DataFrame) -> str | None:
    """Return the column whose name speaks of an outcome and whose values hold won and lost.

    Examples
    --------
    >>> import pandas as pd
    >>> find_outcome(pd.DataFrame({"Do Not Call": ["yes", "no"], "Converted": [1, 0]}))
    'Converted'
    """

    def holds_both(name: str) -> bool:
        values = values_of(leads[name])
        won, lost = guess_values(values)
        return len(values) <= _MOST_STAGES and bool(won and lost)

    named = [name for name in map(str, leads) if rank(OUTCOME_NAMES, name) is not None]
    return _best(OUTCOME_NAMES, [name for name in named if holds_both(name)])


def values_of(outcome: pd.Series) -> list[str]:
    """Return the values of an outcome column, the most frequent first."""
    return list(outcome_texts(outcome).value_counts().index)


def guess_values(values: list[str]) -> tuple[list[str], list[str]]:
    """Return the values that mean won and those that mean lost; the others are open.

    Examples
    --------
    >>> guess_values(["Engaging", "Closed Won", "closed-lost"])
    (['Closed Won'], ['closed-lost'])
    """
    plain = {value: words_of(value) for value in values}
    won = [value for value, words in plain.items() if words in WON_TEXTS]
    lost = [value for value, words in plain.items() if words in LOST_TEXTS]
    return won, lost


def find_date(leads: pd.DataFrame, role: str) -> str | None:
    """Return the column that dates the lead's creation (`created`) or its outcome (`closed`).

    Examples
    --------
    >>> import pandas as pd
    >>> pipeline = pd.DataFrame({"engage_date": ["2024-01-02"], "close_date": ["2024-02-03"]})
    >>> find_date(pipeline, "created"), find_date(pipeline, "closed")
    ('engage_date', 'close_date')
    """
    names = CREATED_NAMES if role == "created" else CLOSED_NAMES
    return _best(names, [name for name in map(str, leads) if is_date(leads[name])])


def find_account(leads: pd.DataFrame) -> str | None:
    """Return the column that says which company a lead belongs to.

    Examples
    --------
    >>> import pandas as pd
    >>> find_account(pd.DataFrame({"company_size": ["1-10", "1-10"], "account": ["a", "b"]}))
    'account'
    """
    return _best(ACCOUNT_NAMES, [name for name in map(str, leads) if leads[name].nunique() > 1])


def find_value(leads: pd.DataFrame) -> str | None:
    """Return the numeric column that holds a deal's value.

    Examples
    --------
    >>> import pandas as pd
    >>> find_value(pd.DataFrame({"close_value": [0, 500], "deal_value": [400, 600]}))
    'deal_value'
    """
    return _best(
        VALUE_NAMES, [name for name in map(str, leads) if types.is_numeric_dtype(leads[name])]
    )


def _best(patterns: tuple[str, ...], names: list[str]) -> str | None:
    ranked = [
        (place, i) for i, name in enumerate(names) if (place := rank(patterns, name)) is not None
    ]
    return names[min(ranked)[1]] if ranked else None
