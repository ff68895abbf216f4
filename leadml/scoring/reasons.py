"""Reasons: the strongest points of each lead, as text."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from leadml.scoring.columns import Floats, as_numbers, as_text, is_number
from leadml.scoring.strongest import find_strongest

SMALLEST = 0.05  # points that round to 0.0 are no reason

DIGITS = 6  # of a number with a fraction that are shown
THOUSANDS = pa.array([f"{number:03d}" for number in range(1_000)])

# one feature's different texts for the leads at these places, and which of them each lead has
Words = Callable[[NDArray[np.intp]], tuple[Any, NDArray[np.intp]]]

_WINDOW = re.compile(r"_(\d+)d$")


def describe_feature(name: str) -> str:
    """Return a feature's name as people write it.

    Examples
    --------
    >>> describe_feature("pricing_page_views_30d")
    'pricing page views (30 days)'
    >>> describe_feature("Lead Source")
    'Lead Source'
    """
    return _WINDOW.sub(r" (\1 days)", name).replace("_", " ")


def describe_value(value: Any) -> str:
    """Return a feature's value as text: `4`, `0.25`, `1,250,000`, `Google`, `missing`."""
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return "missing"
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        return _describe_number(float(value))
    return as_text(value)


@lru_cache(maxsize=10_000)
def _describe_number(number: float) -> str:
    return str(describe_numbers(np.array([number]))[0].as_py())


def describe_numbers(numbers: Floats) -> Any:
    """Return numbers as an Arrow array of texts, to 6 digits or the unit; NaN is `missing`.

    Examples
    --------
    >>> describe_numbers(np.array([4.0, 0.1 + 0.2, 1234.567, 2.5e6, np.nan])).to_pylist()
    ['4', '0.3', '1,234.57', '2,500,000', 'missing']
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        exponent = np.floor(np.log10(np.abs(numbers)))
        factor = 10.0 ** np.maximum(DIGITS - 1 - exponent, 0)
        rounded = np.rint(numbers * factor) / factor
    shown = np.where(np.isfinite(rounded), rounded, numbers) + 0.0  # -0.0 reads 0
    texts = pc.cast(pa.array(shown), pa.string())
    large = (np.abs(shown) >= 1_000) & (np.abs(shown) < 1e15)
    if large.any():
        texts = pc.replace_with_mask(texts, pa.array(large), _group(shown[large]))
    if np.isnan(numbers).any():
        texts = pc.if_else(pa.array(np.isnan(numbers)), "missing", texts)
    return texts


def _group(numbers: Floats) -> Any:
    """Return numbers from 1,000 up with a comma before each three digits."""
    whole = np.trunc(numbers)
    texts = pc.cast(pa.array(np.abs(numbers)), pa.string())
    # a whole one may be written as 1e+10
    fraction = pc.replace_substring_regex(texts, r"^\d+", "")
    fraction = pc.if_else(pa.array(numbers == whole), "", fraction)
    head = np.abs(whole).astype(np.int64)
    tail = pa.array([""] * len(head))
    while (head >= 1_000).any():
        more = pc.binary_join_element_wise(",", THOUSANDS.take(pa.array(head % 1_000)), tail, "")
        longer = pa.array(head >= 1_000)
        tail = pc.if_else(longer, more, tail)
        # a head that is done stays as it is
        head = np.where(head >= 1_000, head // 1_000, head)
    sign = pc.if_else(pa.array(numbers < 0), "-", "")
    return pc.binary_join_element_wise(
        sign, pc.cast(pa.array(head), pa.string()), tail, fraction, ""
    )


def write_reasons(features: NDArray[np.int64], points: Floats, words: Sequence[Words]) -> list[Any]:
    """Return the reasons of each rank as Arrow texts, null where no 0.05 points are added or taken.

    Parameters
    ----------
    features, points : arrays of shape (count, n_leads)
        As `find_strongest` returns them.
    words : sequence of callable
        For each feature what gives its texts, such as ` visits: 4`, for the leads at some places.
    """
    count, n_leads = features.shape
    told = np.flatnonzero(np.abs(points.ravel()) >= SMALLEST)
    feature, lead = features.ravel()[told].astype(np.int16), told % max(n_leads, 1)
    # one call a feature, for all leads and ranks that it is a reason of
    order = np.argsort(feature, kind="stable")
    ends = np.cumsum(np.bincount(feature, minlength=len(words)))
    texts, known = [pa.array([], pa.string())], 0
    place = np.full(count * n_leads, -1)
    for words_of_feature, end, size in zip(words, ends, np.diff(ends, prepend=0), strict=True):
        if size:
            mine = order[end - size : end]
            own, places = words_of_feature(lead[mine])
            place[told[mine]] = known + places
            texts.append(own)
            known += len(own)
    values = pa.concat_arrays(texts).take(pa.array(place, mask=place < 0))
    reasons = pc.binary_join_element_wise(_signed(points.ravel()), values, "")
    return [reasons.slice(rank * n_leads, n_leads) for rank in range(count)]


def _signed(points: Floats) -> Any:
    """Return points as texts, `+6.2`."""
    tenths = np.trunc(points * 10 + np.copysign(0.5, points)).astype(np.int64)
    low, high = (int(tenths.min()), int(tenths.max())) if len(tenths) else (0, 0)
    if high - low > 100_000:  # no score, but points of a rule book on no scale
        return pa.array([f"{tenth / 10:+.1f}" for tenth in tenths], pa.string())
    texts = pa.array([f"{tenth / 10:+.1f}" for tenth in range(low, high + 1)], pa.string())
    return texts.take(pa.array(tenths - low))


def format_reasons(points: pd.DataFrame, values: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the `count` strongest reasons of each lead by absolute points, as text.

    Parameters
    ----------
    points : DataFrame of shape (n_leads, n_features)
        Points of the score.
    values : DataFrame
        The features' values; a feature that it does not hold is shown without a value.
    count : int

    Returns
    -------
    DataFrame of shape (n_leads, count)
        Columns `reason_1`, ...; None where nothing more adds or takes 0.05 points.

    Examples
    --------
    >>> points = pd.DataFrame({"visits": [6.21], "country": [-0.3]})
    >>> values = pd.DataFrame({"visits": [4.0], "country": ["India"]})
    >>> format_reasons(points, values, 2).iloc[0].tolist()
    ['+6.2 visits: 4', '-0.3 country: India']
    """
    matrix = np.ascontiguousarray(points.to_numpy(dtype=np.float64).T)
    words = [_words_of(str(name), values) for name in points.columns]
    reasons = write_reasons(*find_strongest(matrix, count), words)
    columns = {f"reason_{rank + 1}": texts.to_pandas() for rank, texts in enumerate(reasons)}
    return pd.DataFrame(columns, index=range(len(points))).set_axis(points.index)


def describe_values(feature: str, values: Iterable[Any]) -> Any:
    """Return the words of a feature for each of some values, as Arrow texts: ` source: Google`."""
    label = f" {describe_feature(feature)}: "
    return pa.array([label + describe_value(value) for value in values], pa.string())


def words_without_value(feature: str) -> Words:
    """Return the words of a feature whose value says nothing more, such as a rule's name."""
    text = pa.array([f" {describe_feature(feature)}"])
    return lambda leads: (text, np.zeros(len(leads), dtype=np.intp))


def words_of_numbers(feature: str, numbers: Floats) -> Words:
    """Return the words of a feature of numbers."""
    label = f" {describe_feature(feature)}: "

    def words(leads: NDArray[np.intp]) -> tuple[Any, NDArray[np.intp]]:
        texts = pc.binary_join_element_wise(label, describe_numbers(numbers[leads]), "")
        return texts, np.arange(len(leads))

    return words


def _words_of(feature: str, values: pd.DataFrame) -> Words:
    if feature not in values.columns:
        return words_without_value(feature)
    column = values[feature]
    if is_number(column) and not pd.api.types.is_bool_dtype(column):
        numbers = as_numbers(column)
        return words_of_numbers(feature, numbers)
    places, uniques = pd.factorize(column, use_na_sentinel=False)
    texts = describe_values(feature, uniques)
    return lambda leads: (texts, places[leads])
