"""The hand-off: which leads marketing passes to sales, and which BANT questions are answered."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadml.config import HandoffTable
from leadml.errors import DataError
from leadml.scoring.columns import TextColumn, as_texts
from leadml.scoring.rulebook import TRUE_TEXTS, RuleBook

NOT_MET = ("no", "false", "0", "n", "f", "none", "nein", "non", "nie")


def find_qualified(
    X: pd.DataFrame, policy: HandoffTable, book: RuleBook | None, fit: Any, engagement: Any
) -> NDArray[np.bool_]:
    """Return which leads pass the policy, shape (n_leads,)."""
    lacking = [column for column in [*policy.required, *policy.sales_ready] if column not in X]
    if lacking:
        message = f"The hand-off policy names columns that the leads do not have: {lacking}."
        raise DataError(message)
    qualified = np.ones(len(X), dtype=bool)
    # a minimum of 0 asks for nothing, of a classifier without reasons (NaN) neither
    for values, least in ((fit, policy.min_fit), (engagement, policy.min_engagement)):
        if least > 0:
            qualified &= np.asarray(values) >= least
    for column in policy.required:
        qualified &= ~_is_empty(X[column])
    if policy.sales_ready:
        ready = [_matches(X[column], TRUE_TEXTS) for column in policy.sales_ready]
        qualified &= np.any(ready, axis=0)
    if book is not None:
        qualified &= ~book.find_disqualified(X)
    return qualified


def describe_bant(
    X: pd.DataFrame, columns: Mapping[str, str], book: RuleBook | None
) -> NDArray[np.object_]:
    """Return each lead's BANT letters, such as `B-NT`; empty texts where nothing is mapped.

    The rule book's BANT rules say when a letter is met. A letter without rules is met where its
    column is filled with anything but a no.
    """
    met = {
        letter: ~_is_empty(X[column]) & ~_matches(X[column], NOT_MET)
        for letter, column in columns.items()
    }
    if book is not None:
        met |= book.find_bant(X)
    if not met:
        return np.full(len(X), "", dtype=object)
    letters = np.full(len(X), "", dtype=object)
    for letter in "BANT":
        letters += np.where(met.get(letter, np.zeros(len(X), dtype=bool)), letter, "-")
    return letters


def _is_empty(values: pd.Series) -> NDArray[np.bool_]:
    texts = as_texts(values)
    return (texts.isna() | (texts.fillna("").str.strip() == "")).to_numpy(dtype=bool)


def _matches(values: pd.Series, words: tuple[str, ...]) -> NDArray[np.bool_]:
    result: NDArray[np.bool_] = TextColumn("", "", words, whole=True).codes(values) == 1
    return result
