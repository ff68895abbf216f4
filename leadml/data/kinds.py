"""Tell what kind of column it is from its name and values."""

import pandas as pd
from pandas.api import types

from leadml.config import Kind
from leadml.data.words import CODE_NAMES, PHONE_NAMES, SALUTATIONS, TITLE_NAMES, says

_ANSWERS = ({"yes", "no"}, {"true", "false"}, {"y", "n"}, {"t", "f"}, {"on", "off"})
_MOSTLY = 0.8  # a few typos do not make an e-mail column something else
_LOOKED_AT = 2000  # enough values to tell a kind; init answers at once on a million leads


def kind_of(name: str, column: pd.Series) -> Kind:
    """Return the kind of a cleaned column.

    Parameters
    ----------
    name : str
    column : Series of shape (n_leads,)
        As `leadml.data.sources.read_leads` returns it.

    Returns
    -------
    str
        One of `leadml.config.KINDS`.

    Examples
    --------
    >>> import pandas as pd
    >>> kind_of("Do Not Email", pd.Series(["No", "Yes", None]))
    'boolean'
    >>> kind_of("Zip Code", pd.Series([89073, 10115]))
    'category'
    """
    values = column.dropna()
    if types.is_bool_dtype(column):
        return "boolean"
    if types.is_datetime64_any_dtype(column):
        return "date"
    if types.is_numeric_dtype(column):
        return _kind_of_numbers(name, values)
    lowered = set(values.str.casefold().unique()[:3])
    if lowered and any(lowered <= answers for answers in _ANSWERS):
        return "boolean"
    return _kind_of_texts(name, values)


def is_date(column: pd.Series) -> bool:
    """Return whether a column holds dates, written as ISO 8601 (`2024-05-31`) where it is text.

    Examples
    --------
    >>> import pandas as pd
    >>> is_date(pd.Series(["2024-05-31", "2024-06-01 10:30"])), is_date(pd.Series(["11-50"]))
    (True, False)
    """
    values = _some(column.dropna())
    if types.is_datetime64_any_dtype(column):
        return True
    if values.empty or not types.is_string_dtype(column):
        return False
    if not values.str.match(r"\d{4}-\d\d-\d\d").mean() >= _MOSTLY:
        return False
    dates = pd.to_datetime(values, format="ISO8601", utc=True, errors="coerce")
    return bool(dates.notna().mean() >= _MOSTLY)


def is_other_date(column: pd.Series) -> bool:
    """Return whether a text column holds dates in a form that depends on the country.

    Examples
    --------
    >>> import pandas as pd
    >>> is_other_date(pd.Series(["31/05/2024", "1.6.2024"])), is_other_date(pd.Series(["a"]))
    (True, False)
    """
    if not types.is_string_dtype(column) or column.isna().all():
        return False
    form = r"\d{1,2}[-/. ]([A-Za-z]{3,9}|\d{1,2})[-/. ]\d{2,4}\b"
    return bool(_some(column.dropna()).str.match(form).mean() >= _MOSTLY)


def is_salutation(column: pd.Series) -> bool:
    """Return whether a text column holds Mr, Mrs and their like."""
    if not types.is_string_dtype(column) or column.isna().all():
        return False
    return set(column.dropna().str.casefold().str.rstrip(".").unique()[:12]) <= SALUTATIONS


def _kind_of_numbers(name: str, values: pd.Series) -> Kind:
    if says(CODE_NAMES, name):
        return "category"
    if says(PHONE_NAMES, name) and len(values) and values.min() >= 10_000:
        return "phone"
    return "boolean" if set(values.unique()[:3]) == {0, 1} else "number"


def _kind_of_texts(name: str, values: pd.Series) -> Kind:
    some = _some(values)
    if some.empty:
        return "category"
    if is_date(some):
        return "date"
    if some.str.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+").mean() >= _MOSTLY:
        return "email"
    if some.str.fullmatch(r"[+(]?[\d][\d ()./x-]{5,}").mean() >= _MOSTLY and says(
        PHONE_NAMES, name
    ):
        return "phone"
    # a short list of roles is a category already; job titles come in endless spellings
    if says(TITLE_NAMES, name) and (says(r"title|designation", name) or values.nunique() > 20):
        return "title"
    long = some.str.len().mean() > 40 and some.nunique() > len(some) / 4
    if long or some.str.match(r"(https?://|www\.)").mean() >= _MOSTLY:
        return "text"
    return "category"


def _some(values: pd.Series) -> pd.Series:
    return values if len(values) <= _LOOKED_AT else values.sample(_LOOKED_AT, random_state=0)
