"""Read raw columns: one cleaned text a value, then numbers, dates and answers from it."""

import unicodedata
from collections.abc import Callable, Collection
from typing import Any, get_args

import numpy as np
import pandas as pd
from pandas.api import types

from leadml.config import Kind
from leadml.data.kinds import kind_of
from leadml.errors import DataError, all_problems, did_you_mean

SNAPSHOT_LEVEL = "snapshot_date"
RARE = 3  # as in the models, which pool levels seen less often
_NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal"}
_DATES = {"date", "datetime", "datetime64"}
_ANSWERS = {
    "yes": "yes y true t 1 ja oui si tak",
    "no": "no n false f 0 nein non nie",
}
_ANSWER = {word: answer for answer, words in _ANSWERS.items() for word in words.split()}
# the letters that Unicode does not take apart into a base letter and an accent
_WHOLE_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d"})


def map_unique(values: pd.Series, function: Callable[[object], str | None]) -> pd.Series:
    """Return `function` of every value as text, called once for each different value."""
    codes, uniques = pd.factorize(values)
    mapped = pd.array([*map(function, uniques.to_numpy(object)), None], dtype="str")
    # factorize marks missing values by -1, the last place
    return pd.Series(mapped.take(codes), index=values.index, name=values.name)


def fold(text: str) -> str:
    """Return a text in lower case without accents.

    Examples
    --------
    >>> fold("Geschäftsführer") == fold("GESCHÄFTSFÜHRER") == "geschaftsfuhrer"
    True
    """
    letters = unicodedata.normalize("NFKD", text.casefold().translate(_WHOLE_LETTERS))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def clean_texts(values: pd.Series, missing: Collection[str]) -> pd.Series:
    """Return values as stripped text; blank values and those in `missing` are NaN.

    Examples
    --------
    >>> clean_texts(pd.Series([" a  b", "", "Select", 3.0]), ["select"]).tolist()
    ['a b', nan, nan, '3']
    """
    empty = empty_keys(missing)
    return map_unique(values, lambda value: clean_text(value, empty))


def clean_text(value: object, empty: Collection[str]) -> str | None:
    """Return one value as stripped text; None where its key is among the empty ones."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = " ".join(str(value).split())
    return None if text.casefold() in empty else text


def empty_keys(missing: Collection[str]) -> set[str]:
    """Return the keys of all texts that mean missing."""
    return {"", *(spelling_key(text) for text in missing)}


def spelling_key(text: str) -> str:
    """Return what all case and white-space variants of a text share."""
    return " ".join(text.split()).casefold()


def infer_kind(values: pd.Series) -> str:
    """Return the kind of a column of which nothing is declared."""
    if types.is_bool_dtype(values):
        return "boolean"
    if types.is_numeric_dtype(values):
        return "number"
    if types.is_datetime64_any_dtype(values):
        return "date"
    content = types.infer_dtype(values) if values.dtype == object else "string"
    if content == "boolean":
        return "boolean"
    if content in _NUMBERS or content in _DATES:
        return "number" if content in _NUMBERS else "date"
    # an address or a number to call is personal data, never a category
    kind = kind_of(str(values.name), values.astype("str"))
    return kind if kind in ("email", "phone") else "category"


def read_numbers(values: pd.Series, missing: Collection[str]) -> pd.Series:
    """Return float64; what is not a finite number is NaN."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    floats = pd.to_numeric(values, errors="coerce").astype("Float64")
    numbers = clean_numbers(floats.to_numpy(np.float64, na_value=np.nan), missing)
    return pd.Series(numbers, index=values.index, name=values.name)


def clean_numbers(numbers: np.ndarray, missing: Collection[str]) -> np.ndarray:
    """Return numbers with NaN for infinities and for what means missing, such as -1.

    The array itself comes back where there is nothing to change.
    """
    odd = np.isinf(numbers)
    for text in missing:
        if _is_number(text):
            odd |= numbers == float(text)
    if not odd.any():
        return numbers
    cleaned = numbers.copy()
    cleaned[odd] = np.nan
    return cleaned


def _is_number(text: str) -> bool:
    return not pd.isna(pd.to_numeric(text, errors="coerce"))


def read_booleans(values: pd.Series, missing: Collection[str]) -> pd.Series:
    """Return 'yes' or 'no'; what is neither is NaN."""
    return map_unique(clean_texts(values, missing), read_answer)


def read_answer(text: object) -> str | None:
    """Return 'yes' or 'no' for one text; None where it is neither."""
    return _ANSWER.get(fold(str(text)))


def read_dates(values: pd.Series, missing: Collection[str]) -> pd.Series:
    """Return datetimes in UTC, where dates without a zone are taken as UTC; else NaT.

    Texts are read as ISO 8601 alone: a guessed format would depend on the other rows.
    """
    if types.is_datetime64_any_dtype(values):
        return pd.to_datetime(values, utc=True)
    texts = clean_texts(values, missing)
    return pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce")


def age_in_days(dates: pd.Series) -> pd.Series:
    """Return days from each date to the row's snapshot; NaN where the date lies after it."""
    snapshots = pd.Series(dates.index.get_level_values(SNAPSHOT_LEVEL), index=dates.index)
    # microseconds: nanoseconds end in 2262, and CRMs write 9999-12-31
    known = pd.to_datetime(snapshots, utc=True).dt.as_unit("us") - dates.dt.as_unit("us")
    days = known / pd.Timedelta(days=1)
    return days.where(days >= 0).rename(dates.name)


def find_spellings(texts: pd.Series) -> dict[str, str]:
    """Return the most frequent spelling of each value; of equals the first in the alphabet.

    A value seen once or twice is not kept: no model uses it, and it may say who a lead is.
    """
    counts = texts.value_counts().rename_axis("spelling").reset_index(name="count")
    counts = counts.sort_values(["count", "spelling"], ascending=[True, False])
    keys = counts["spelling"].map(spelling_key)
    seen = counts["count"].groupby(keys).transform("sum")
    frequent = seen >= RARE
    # the last spelling of a key stays in the dictionary
    pairs = dict(zip(keys[frequent], counts.loc[frequent, "spelling"], strict=True))
    return dict(sorted(pairs.items()))


def check_kinds(kinds: dict[str, Any], columns: list[str]) -> None:
    """Raise where a kind is none, or of a column that is not there.

    Raises
    ------
    DataError
    """
    accepted = get_args(Kind)
    problems = [
        f"the table has no column {name!r}.{did_you_mean(name, columns)}"
        for name in kinds
        if name not in columns
    ]
    problems += [
        f"{kind!r} is no kind. Accepted: {', '.join(accepted)}.{did_you_mean(str(kind), accepted)}"
        for kind in kinds.values()
        if kind not in accepted
    ]
    if problems:
        raise DataError(all_problems("`kinds`", problems))
