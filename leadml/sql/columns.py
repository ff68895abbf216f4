"""Raw columns of a table as features: what `ProfileFeatures` computes, in SQL."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlglot import exp

from leadml.config import Config
from leadml.errors import DataError, all_problems, did_you_mean
from leadml.features._values import _ANSWER, spelling_key
from leadml.features.email_domains import DISPOSABLE_DOMAINS, FREE_DOMAINS
from leadml.registry.bundle import index_columns
from leadml.sql.dates import MICROSECONDS_A_DAY, read_clock, read_moment, spell_out
from leadml.sql.expressions import (
    any_of,
    call,
    double,
    lower,
    matches,
    number,
    read_number,
    switch,
    text,
    tidy,
    try_double,
    when,
    whole,
)
from leadml.sql.query import Query, Sql, name_of

PLAIN = r"^-?(0|[1-9][0-9]{0,14})([.][0-9]*)?([eE][+-]?[0-9]{1,2})?$"
# letters beyond ASCII are words to Python's \w
_LETTERS = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u1fff\u2c00-\ud7ff"
_ADDRESS = f"^[^@ <>]+@([0-9_{_LETTERS}-]+[.])+[{_LETTERS}]{{2,}}$"
_FLOATS = ("double precision", "real", "bigint", "integer", "smallint")  # of PostgreSQL
_TYPED = ("duckdb", "spark")  # where TRY_CAST takes a column of any type


@dataclass(frozen=True)
class Values:
    """A column in SQL, NULL where missing.

    Attributes
    ----------
    number : Expression or None
        Of a feature of numbers.
    shown : Expression or None
        Of a feature of texts: as it is written in reasons.
    key : Expression or None
        The text in lower case.
    plain : Expression or None
        The key as a number is written: `10115` for `10115.0`; where the known values are numbers.
    spellings : dict of key to text
        How known values of a category are written.
    """

    number: Sql | None = None
    shown: Sql | None = None
    key: Sql | None = None
    plain: Sql | None = None
    spellings: Mapping[str, str] = field(default_factory=dict)

    @property
    def text_key(self) -> Sql:
        """The key of a column of texts."""
        assert self.key is not None  # noqa: S101 - a column without a number is one of texts
        return self.key

    @property
    def is_missing(self) -> Sql:
        """Whether there is no value."""
        value = self.number if self.number is not None and self.key is None else self.text_key
        return value.is_(exp.null())


class Columns:
    """The columns of a table, read as a fitted profile reads them.

    Parameters
    ----------
    query : Query
        Which the columns' expressions are added to.
    profile : ProfileFeatures
    config : Config
    ready : collection of str
        Raw columns whose features stand in the table, by the features' names.
    words : dict of column to collection of str
        Words that rules look for, whose letters may be capitals.
    """

    def __init__(
        self,
        query: Query,
        profile: Any,
        config: Config,
        ready: Collection[str] = (),
        words: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        unknown = [
            f"{name!r} is no column of the model.{did_you_mean(name, profile.kinds_)}"
            for name in ready
            if name not in profile.kinds_
        ]
        if unknown:
            raise DataError(all_problems("`features`", unknown))
        self._query, self._profile, self._ready = query, profile, ready
        _, self._day = index_columns(config)
        self._missing = {"", *(spelling_key(word) for word in profile.missing)}
        self._words = words or {}
        self._place = {name: place for place, name in enumerate(profile.kinds_, start=1)}
        self.unreadable: list[str] = []

    def raw(self, name: str) -> Values:
        """Return a raw column as it came."""
        number_of = self._number(name) if self._profile.kinds_[name] == "number" else None
        return Values(number=number_of, shown=self._text(name), key=self._key(name))

    def raw_or_feature(self, name: str) -> Values:
        """Return what the hand-off reads: a raw column where there is one of the name."""
        return self.raw(name) if name in self._profile.kinds_ else self.feature(name)

    def feature(self, name: str) -> Values:
        """Return a feature of the profile."""
        source = self._profile.source_[name]
        kind = self._profile.kinds_[source]
        if source in self._ready:
            return self._read_ready(name, kind)
        if kind == "number":
            return Values(number=self._number(source))
        if kind == "date" and name != source:
            return Values(number=self._age(source))
        if kind == "title" and name != source:
            self.unreadable.append(source)
            return Values(shown=exp.null(), key=exp.null())
        if kind == "category":
            return self._category(source)
        made = None if name == source and kind != "boolean" else self._made_text(source, kind)
        if made is None:
            return Values(shown=self._text(source), key=self._key(source))
        column = self._query.add("feature", f"feature_{self._place[source]}", made, name)
        return Values(shown=column, key=column)

    def _made_text(self, source: str, kind: str) -> Sql:
        key = self._key(source)
        if kind == "boolean":
            return _answer(key)
        if kind == "phone":
            return when((key.is_(exp.null()), text("no")), default=text("yes"))
        return _domain(self._text(source), key)

    def _read_ready(self, name: str, kind: str) -> Values:
        place = f"ready_{len(self._query.steps['read']) + 1}"
        column = self._query.add("read", place, self._column(name), name)
        if kind in ("number", "date"):
            typed = self._query.add("cast", f"{place}_number", exp.cast(column, "double"))
            return Values(number=self._query.add("clean", f"{place}_finite", _finite(typed, ())))
        texts = exp.func("NULLIF", exp.Trim(this=exp.cast(column, "varchar")), text(""))
        shown = self._query.add("cast", f"{place}_text", texts)
        return Values(shown=shown, key=shown)

    def _column(self, name: str) -> exp.Column:
        return exp.Column(this=name_of(name, self._query.dialect))

    def _read(self, name: str) -> exp.Column:
        return self._query.add("read", f"raw_{self._place.get(name, 0)}", self._column(name), name)

    def _cast(self, name: str) -> exp.Column:
        """Return a raw column as text."""
        place = f"cast_{self._place.get(name, 0)}"
        return self._query.add("cast", place, exp.cast(self._read(name), "varchar"))

    def _text(self, name: str) -> exp.Column:
        """Return a raw column as text with single blanks, the missing ones too."""
        tidied = tidy(self._cast(name), self._query.dialect)
        return self._query.add("text", f"text_{self._place.get(name, 0)}", tidied)

    def _key(self, name: str) -> exp.Column:
        known = self._profile.spellings_.get(name, {})
        lowered = lower(self._text(name), {*known, *self._missing, *self._words.get(name, ())})
        empty = [text(word) for word in sorted(self._missing)]
        if self._profile.kinds_[name] == "number":
            empty.append(text("nan"))  # as databases write a float that is none
        found = exp.In(this=lowered, expressions=empty)
        key = when((found, exp.null()), default=lowered.copy())
        return self._query.add("clean", f"key_{self._place[name]}", key)

    def _parsed(self, name: str) -> exp.Column:
        dialect, place = self._query.dialect, f"parsed_{self._place[name]}"
        if dialect in _TYPED:
            raw = self._read(name)
            return self._query.add("cast", place, _try_number(raw, dialect))
        cast, read = self._cast(name), read_number(self._cast(name), dialect)
        if dialect == "postgres":  # a float needs no look, whatever its exponent
            kind = exp.cast(call("PG_TYPEOF", self._read(name)), "varchar")
            floats = exp.In(this=kind, expressions=[text(each) for each in _FLOATS])
            read = when((floats, exp.cast(cast, "double")), default=read)
        answers = [("true", double(1)), ("false", double(0))]
        return self._query.add("text", place, switch(cast, answers, read))

    def _number(self, name: str) -> exp.Column:
        """Return the finite number that a raw column holds."""
        column = f"number_{self._place[name]}"
        return self._query.add("clean", column, _finite(self._parsed(name), self._missing), name)

    def _category(self, name: str) -> Values:
        spellings = self._profile.spellings_[name]
        numbers = [key for key in spellings if _is_number(key)]
        plain = None
        if numbers:
            parsed, key = self._parsed(name), self._key(name)
            value = when((matches(key, PLAIN), write_digits(parsed)))
            plain = self._query.add("dated", f"plain_{self._place[name]}", value)
        return Values(shown=self._text(name), key=self._key(name), plain=plain, spellings=spellings)

    def _age(self, name: str) -> exp.Column:
        """Return days from a date to the day that the lead is looked at."""
        assert self._day is not None  # noqa: S101 - else the profile gives no ages
        since = self._moment(self._day) - self._moment(name)
        days = exp.cast(exp.Paren(this=since), "double") / double(MICROSECONDS_A_DAY)
        age = when((since >= whole(0), days))
        return self._query.add("feature", f"age_{self._place[name]}", age, name)

    def _moment(self, name: str) -> exp.Column:
        place, dialect = self._place.get(name, 0), self._query.dialect
        spelled = self._query.add("clean", f"date_{place}", spell_out(self._text(name)))
        clock = self._query.add("clock", f"clock_{place}", read_clock(spelled, dialect))
        moment = read_moment(spelled, clock)
        empty = [text(word) for word in sorted(self._missing) if word]
        if empty:
            is_empty = exp.In(this=spelled, expressions=empty)
            moment = when((exp.not_(is_empty), moment))
        return self._query.add("dated", f"moment_{place}", moment, name)


def _finite(value: Sql, missing: Collection[str]) -> Sql:
    """Return a number without NaN, the infinities and what means missing."""
    largest = float(np.finfo(np.float64).max)
    # NaN lies above all numbers, or beside them
    wanted = [exp.Between(this=value.copy(), low=number(-largest), high=number(largest))]
    codes = [float(word) for word in sorted(missing) if _is_number(word)]
    if codes:
        listed = exp.In(this=value.copy(), expressions=[number(code) for code in codes])
        wanted.append(exp.not_(listed))  # type: ignore[arg-type]
    return when((exp.and_(*wanted), value.copy()))


def _try_number(raw: Sql, dialect: str) -> Sql:
    if dialect == "spark":  # whose parser, as Java's, reads 5d and 5f
        suffix = matches(exp.cast(raw.copy(), "varchar"), "^.*[dDfF] *$")
        return when((suffix, exp.null()), default=try_double(raw))
    return try_double(raw)


def _is_number(key: str) -> bool:
    return re.fullmatch(PLAIN, key) is not None


def write_digits(value: Sql) -> Sql:
    """Return a number as text: a whole one without `.0`."""
    is_whole = exp.and_(
        value.eq(exp.Floor(this=value.copy())), exp.Abs(this=value.copy()) < number(1e15)
    )
    digits = exp.cast(exp.cast(value, "bigint"), "varchar")
    return when((is_whole, digits), default=exp.cast(value.copy(), "varchar"))


def _answer(key: Sql) -> Sql:
    """Return 'yes' or 'no'; 1.0 is how a column of floats writes 1."""
    words = [(word, text(answer)) for word, answer in _ANSWER.items()]
    words += [("1.0", text("yes")), ("0.0", text("no")), ("sí", text("yes")), ("sì", text("yes"))]
    return switch(key, words)


def _domain(address: Sql, key: Sql) -> Sql:
    """Return 'free', 'disposable' or 'corporate'."""
    start = exp.StrPosition(this=address.copy(), substr=text("@")) + whole(1)
    domain = exp.Lower(this=exp.Substring(this=address.copy(), start=start))
    free = exp.In(this=domain, expressions=[text(each) for each in sorted(FREE_DOMAINS)])
    listed = "|".join(each.replace(".", "[.]") for each in sorted(DISPOSABLE_DOMAINS))
    thrown = matches(domain.copy(), f"^(.*[.])?({listed})$")
    is_address = exp.and_(exp.not_(key.is_(exp.null())), matches(address.copy(), _ADDRESS))
    kinds = when((free, text("free")), (thrown, text("disposable")), default=text("corporate"))
    return when((is_address, kinds))


def is_word(values: Values, words: Collection[str]) -> Sql:
    """Return whether a value is one of some words, in any case."""
    if values.number is not None and values.key is None:
        codes = [float(word) for word in words if _is_number(word)]
        return any_of([values.number.eq(number(code)) for code in codes])
    spelled = {spelling_key(word) for word in words}
    spelled |= {f"{word}.0" for word in spelled if word.isdigit()}
    return exp.In(this=values.text_key.copy(), expressions=[text(word) for word in sorted(spelled)])


def contains_word(values: Values, words: Collection[str]) -> Sql:
    """Return whether a text contains one of some words, in any case."""
    key = values.key
    if key is None:
        assert values.number is not None  # noqa: S101 - one of the two is there
        key = write_digits(values.number)
    found = [
        exp.StrPosition(this=key.copy(), substr=text(word.strip().casefold())) > whole(0)
        for word in words
    ]
    return any_of(found)
