"""Turn the raw columns of a table of leads into model features."""

from collections import Counter
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from leadml.config import Kind
from leadml.errors import DataError, all_problems, did_you_mean
from leadml.features._values import (
    SNAPSHOT_LEVEL,
    age_in_days,
    check_kinds,
    clean_numbers,
    clean_text,
    clean_texts,
    empty_keys,
    find_spellings,
    infer_kind,
    map_unique,
    read_booleans,
    read_dates,
    read_numbers,
    spelling_key,
)
from leadml.features.email_domains import compute_email_domain
from leadml.features.one_value import compute_value
from leadml.features.titles import compute_function, compute_seniority

_SUFFIXES = {
    "date": ("_age_days",),
    "title": ("_seniority", "_function"),
    "email": ("_domain",),
    "phone": ("_present",),
    "text": (),
}


class ProfileFeatures(TransformerMixin, BaseEstimator):
    """Turn raw columns of any kind into numbers and clean categories.

    ======== ===================================== =============================================
    kind     feature                               values
    ======== ===================================== =============================================
    number   ``<column>``                          float64; not a finite number: NaN
    category ``<column>``                          text, its case and white-space variants joined
    boolean  ``<column>``                          'yes' or 'no', read in five languages
    date     ``<column>_age_days``                 days before the snapshot date; NaN after it
    title    ``<column>_seniority``, ``_function`` see `leadml.features.titles`
    email    ``<column>_domain``                   'corporate', 'free', 'disposable'
    phone    ``<column>_present``                  'yes' or 'no'
    text     none
    ======== ===================================== =============================================

    Missing values are NaN in every feature but ``_present``.

    Parameters
    ----------
    kinds : dict of str to str, default=None
        Kinds of the columns where they are known. The others are number, boolean or date by their
        dtype; text is a category, or e-mail or phone where its values say so.
    missing : sequence of str, default=()
        Texts that mean "no answer", in any case. A blank text always does.
    keep_raw : bool, default=False
        Also return titles, e-mails, phones, dates and free texts as they are, for a rule book.
        A model must not learn from them.

    Attributes
    ----------
    feature_names_in_ : ndarray of str, shape (n_columns,)
        Only where `fit` saw a table whose column names are all text.
    n_features_in_ : int
    kinds_ : dict of str to str
        The kind of every column; columns of an array are named ``x0``, ``x1``, ...
    source_ : dict of str to str
        The column each feature was made from, in the order of the features.
    unused_ : dict of str to str
        Why a column gives no feature.
    unreadable_ : dict of str to int
        Values that `fit` saw, were not missing, and could not be read as their column's kind.
    spellings_ : dict of str to dict of str to str
        The spelling kept of each value of a category, by the value in lower case.

    Examples
    --------
    >>> leads = pd.DataFrame({"source": ["Google", "Google", " google"], "job": ["CEO", "", None]})
    >>> features = ProfileFeatures(kinds={"job": "title"}).fit(leads)
    >>> features.transform(leads)
       source job_seniority        job_function
    0  Google       c_level  general_management
    1  Google           NaN                 NaN
    2  Google           NaN                 NaN
    """

    def __init__(
        self,
        kinds: dict[str, Kind] | None = None,
        missing: Any = (),
        *,
        keep_raw: bool = False,
    ) -> None:
        self.kinds = kinds
        self.missing = missing
        self.keep_raw = keep_raw

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002  (scikit-learn's signature)
        """Learn the kind of every column and the spelling of every category.

        Parameters
        ----------
        X : DataFrame or array of numbers, shape (n_leads, n_columns)
            Dates are used where a level of the index is named ``snapshot_date``.
        y : ignored

        Returns
        -------
        ProfileFeatures

        Raises
        ------
        DataError
            Where the table is empty, a kind is not known or names a column that is not there,
            a column holds no value of its declared kind, or two features have one name.
        """
        frame = self._checked_frame(X, reset=True)
        declared = dict(self.kinds or {})
        check_kinds(declared, [*frame.columns])
        self.kinds_: dict[str, str] = {
            name: declared.get(name) or infer_kind(frame[name]) for name in map(str, frame)
        }
        self._snapshots_seen = SNAPSHOT_LEVEL in frame.index.names
        self.unused_ = self._unused()
        self.source_ = self._sources()
        self.spellings_ = {
            name: find_spellings(clean_texts(frame[name], self.missing))
            for name, kind in self.kinds_.items()
            if kind == "category"
        }
        self.unreadable_ = self._count_unreadable(frame)
        return self

    def transform(self, X: Any) -> Any:
        """Return the features of every lead.

        Parameters
        ----------
        X : DataFrame or array of numbers, shape (n_leads, n_columns)
            Columns in the order `fit` saw them, as everywhere in scikit-learn; columns that `fit`
            did not see are ignored. `select` brings any table into this order by name.

        Returns
        -------
        DataFrame of shape (n_leads, n_features)
            With the index of `X`; an array where `X` is an array.

        Raises
        ------
        DataError
            Where columns are missing or out of order, or snapshot dates are missing.
        """
        check_is_fitted(self)
        frame = self._checked_frame(X, reset=False)
        if self._snapshots_seen and SNAPSHOT_LEVEL not in frame.index.names:
            message = (
                f"The index has no level {SNAPSHOT_LEVEL!r}, but it had one in fit. Accepted is an "
                f"index (lead_id, {SNAPSHOT_LEVEL}). Set it: the age of a date is counted to it."
            )
            raise DataError(message)
        features: dict[str, pd.Series] = {}
        for name in self.kinds_:
            features |= self.transform_column(frame[name])
        table = pd.DataFrame(features, index=frame.index)
        return table if isinstance(X, pd.DataFrame) else table.to_numpy()

    def transform_column(self, values: pd.Series) -> dict[str, pd.Series]:
        """Return the features of one column by name; a value's features depend on it alone.

        Only the age of a date depends on its row too, by the snapshot date in the index.

        Examples
        --------
        >>> features = ProfileFeatures(kinds={"job": "title"}).fit(pd.DataFrame({"job": ["CEO"]}))
        >>> ranks = features.transform_column(pd.Series(["CTO", None], name="job"))
        >>> ranks["job_seniority"].tolist()
        ['c_level', nan]
        """
        name = str(values.name)
        kind, features = self.kinds_[name], {}
        if name not in self.unused_:
            columns = self._compute(values, kind)
            features = dict(zip(_feature_names(name, kind), columns, strict=True))
        if self.keep_raw and kind in _SUFFIXES:
            features[name] = clean_texts(values, self.missing)
        return features

    def transform_value(self, name: str, value: Any, snapshot: Any = None) -> dict[str, Any]:
        """Return the features of one value of a column by name, as `transform_column` would."""
        kind, features = self.kinds_[name], {}
        empty = empty_keys(self.missing)
        if name not in self.unused_:
            made = compute_value(kind, value, empty, self.spellings_.get(name), snapshot)
            features = dict(zip(_feature_names(name, kind), made, strict=True))
        if self.keep_raw and kind in _SUFFIXES:
            features[name] = None if value is None else clean_text(value, empty)
        return features

    def clean_numbers(self, numbers: np.ndarray) -> np.ndarray:
        """Return a number column's values with NaN where they are missing or not finite."""
        return clean_numbers(numbers, self.missing)

    def select(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the columns that `fit` saw, in its order, of a table with any columns.

        Raises
        ------
        DataError
            Listing every column that is missing, the likely name, and the columns there are.

        Examples
        --------
        >>> features = ProfileFeatures().fit(pd.DataFrame({"a": [1.0], "b": [2.0]}))
        >>> features.select(pd.DataFrame({"id": [7], "b": [2.0], "a": [1.0]}))
             a    b
        0  1.0  2.0
        """
        check_is_fitted(self)
        missing = [name for name in self.kinds_ if name not in X.columns]
        if missing:
            raise DataError(self._lacking(missing, X))
        return X[list(self.kinds_)]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the features, an array of str of shape (n_features,)."""
        check_is_fitted(self)
        _check_feature_names_in(self, input_features)
        return np.array([*self.source_], dtype=object)

    def to_dict(self) -> dict[str, Any]:
        """Return parameters and fitted state as plain values that JSON can hold.

        Examples
        --------
        >>> import json
        >>> features = ProfileFeatures().fit(pd.DataFrame({"a": [1.0, 2.0]}))
        >>> text = json.dumps(features.to_dict())
        >>> ProfileFeatures.from_dict(json.loads(text)).kinds_
        {'a': 'number'}
        """
        check_is_fitted(self)
        return {
            "declared_kinds": self.kinds,
            "missing": list(self.missing),
            "keep_raw": self.keep_raw,
            "kinds": self.kinds_,
            "columns_are_named": hasattr(self, "feature_names_in_"),
            "snapshots_seen": self._snapshots_seen,
            "spellings": self.spellings_,
            "unreadable": self.unreadable_,
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the fitted transformer whose `to_dict` gave `state`."""
        features = cls(
            kinds=state["declared_kinds"],
            missing=tuple(state["missing"]),
            keep_raw=state["keep_raw"],
        )
        features.kinds_ = dict(state["kinds"])
        features.n_features_in_ = len(features.kinds_)
        if state["columns_are_named"]:
            features.feature_names_in_ = np.array([*features.kinds_], dtype=object)
        features._snapshots_seen = state["snapshots_seen"]
        features.spellings_ = {name: dict(values) for name, values in state["spellings"].items()}
        features.unreadable_ = dict(state["unreadable"])
        features.unused_ = features._unused()
        features.source_ = features._sources()
        return features

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        return tags

    def _checked_frame(self, X: Any, *, reset: bool) -> pd.DataFrame:
        if not isinstance(X, pd.DataFrame):
            X = validate_data(self, X, ensure_all_finite="allow-nan", reset=reset)
            return pd.DataFrame(X, columns=[f"x{place}" for place in range(X.shape[1])])
        if not reset and hasattr(self, "feature_names_in_"):
            return self._known_columns(X)
        _check_shape(X, rows_needed=reset)
        validate_data(self, X, skip_check_array=True, reset=reset)
        if hasattr(self, "feature_names_in_"):
            return X
        return X.set_axis([f"x{place}" for place in range(X.shape[1])], axis=1)

    def _known_columns(self, X: pd.DataFrame) -> pd.DataFrame:
        missing = [name for name in self.kinds_ if name not in X.columns]
        known = X if missing else X.loc[:, X.columns.isin([*self.kinds_])]
        _check_shape(known, rows_needed=False)
        try:
            validate_data(self, known, skip_check_array=True, reset=False)
        except ValueError as error:
            order = "Pass features.select(X), which takes the columns by name."
            message = f"{error}{self._lacking(missing, X) if missing else order}"
            raise DataError(message) from None
        return known

    def _lacking(self, missing: list[str], X: pd.DataFrame) -> str:
        columns = [str(name) for name in X.columns]
        unseen = [name for name in columns if name not in self.kinds_]
        problems = [f"{name!r} is missing.{did_you_mean(name, unseen)}" for name in missing]
        return f"{all_problems('The table of leads', problems)}\nIt has: {', '.join(columns)}."

    def _unused(self) -> dict[str, str]:
        reasons = {"text": "free text gives no feature"}
        if not self._snapshots_seen:
            reasons["date"] = f"the index has no level {SNAPSHOT_LEVEL!r} to count days to"
        return {name: reasons[kind] for name, kind in self.kinds_.items() if kind in reasons}

    def _features_of(self, name: str, kind: str) -> list[str]:
        derived = [] if name in self.unused_ else _feature_names(name, kind)
        return [*derived, *([name] if self.keep_raw and kind in _SUFFIXES else [])]

    def _sources(self) -> dict[str, str]:
        pairs = [
            (feature, name)
            for name, kind in self.kinds_.items()
            for feature in self._features_of(name, kind)
        ]
        counts = Counter(feature for feature, _ in pairs)
        twice = [feature for feature, count in counts.items() if count > 1]
        if twice:
            message = f"Two columns would both give {twice}. Rename one of the columns."
            raise DataError(message)
        return dict(pairs)

    def _compute(self, values: pd.Series, kind: str) -> tuple[pd.Series, ...]:
        """Return the features of one column, in the order of `_feature_names`."""
        if kind == "number":
            return (read_numbers(values, self.missing),)
        if kind == "boolean":
            return (read_booleans(values, self.missing),)
        if kind == "date":
            return (age_in_days(read_dates(values, self.missing)),)
        texts = clean_texts(values, self.missing)
        if kind == "title":
            return compute_seniority(texts), compute_function(texts)
        if kind == "email":
            return (compute_email_domain(texts),)
        if kind == "phone":
            return (texts.notna().map({True: "yes", False: "no"}).astype("str"),)
        spellings = self.spellings_[str(values.name)]
        return (map_unique(texts, lambda text: spellings.get(spelling_key(str(text)), str(text))),)

    def _count_unreadable(self, frame: pd.DataFrame) -> dict[str, int]:
        readers = {"number": read_numbers, "boolean": read_booleans, "date": read_dates}
        counts: dict[str, int] = {}
        problems = []
        for name, kind in self.kinds_.items():
            if kind not in readers or infer_kind(frame[name]) == kind:
                continue  # what the dtype says already needs no reading
            present = int(clean_texts(frame[name], self.missing).notna().sum())
            read = int(readers[kind](frame[name], self.missing).notna().sum())
            counts[name] = present - read
            if present and not read:
                problems.append(f"none of the {present:,} values of {name!r} is a {kind}.")
        if problems:
            hint = "Dates must be ISO 8601, such as 2026-01-31. Change the values or `kinds`."
            raise DataError(f"{all_problems('The table of leads', problems)}\n{hint}")
        return counts


def _feature_names(name: str, kind: str) -> list[str]:
    return [name + suffix for suffix in _SUFFIXES.get(kind, ("",))]


def _check_shape(frame: pd.DataFrame, *, rows_needed: bool) -> None:
    twice = [str(name) for name in frame.columns[frame.columns.duplicated()]]
    if twice:
        message = f"Column names stand twice in the table: {twice}. Rename or drop one of each."
        raise DataError(message)
    if rows_needed and 0 in frame.shape:
        message = (
            f"The table of leads is empty: {frame.shape[0]} rows, {frame.shape[1]} columns. "
            "At least one of each is needed. Pass leads to learn from."
        )
        raise DataError(message)
