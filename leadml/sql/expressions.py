"""Expressions that mean the same in every dialect."""

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from leadml.sql.query import Sql

# added and taken off again it leaves a float no room for decimals: IEEE 754 rounds half to even
_NO_DECIMALS = 1.5 * 2**52
# what Python takes for white space, beside the blank
_SPACES = "\t\n\x0b\x0c\r\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# of a search: halves would be fewer, but Spark turns each CASE into a method, which must be short
_BRANCHES = 8
_MANY = 64  # texts: from here on their lengths are compared first
# of a text; with no exponent that could overflow, at which PostgreSQL would stop
_NUMBER = (
    r"^ *[+-]?([0-9]{1,30}[.]?[0-9]{0,30}|[.][0-9]{1,30})"
    r"([eE][+-]?([0-9]{1,2}|1[0-9]{2}|2[0-4][0-9]))? *$"
)


def text(value: str) -> exp.Literal:
    """Return a text as SQL."""
    return exp.Literal.string(value)


def whole(value: int) -> Sql:
    """Return a whole number as SQL."""
    literal = exp.Literal.number(abs(int(value)))
    return exp.Neg(this=literal) if value < 0 else literal


def number(value: float) -> Sql:
    """Return a float as SQL: with an exponent, or it would be a decimal."""
    digits = repr(abs(float(value)))
    literal = exp.Literal.number(digits if "e" in digits else f"{digits}e0")
    return exp.Neg(this=literal) if value < 0 else literal


def double(value: float) -> Sql:
    """Return a float as SQL where no column beside it says that it is one."""
    return exp.cast(number(value), "double")


def any_of(conditions: Iterable[Sql]) -> Sql:
    """Return whether a condition holds."""
    return exp.or_(*conditions, copy=False) if (conditions := [*conditions]) else exp.false()


def when(*cases: tuple[Sql, Sql], default: Sql | None = None) -> exp.Case:
    """Return CASE WHEN ... THEN ... ELSE ... END."""
    ifs = [exp.If(this=condition, true=value) for condition, value in cases]
    return exp.Case(ifs=ifs, default=default)


def switch(
    operand: Sql,
    cases: Sequence[tuple[str | int, Sql]],
    default: Sql | None = None,
) -> Sql:
    """Return CASE operand WHEN ... THEN ... END; of many texts by their length first."""
    if not cases:
        return default or exp.null()
    if len(cases) >= _MANY and isinstance(cases[0][0], str):
        lengths = dict.fromkeys(len(str(value)) for value, _ in cases)
        by_length = {
            length: [case for case in cases if len(str(case[0])) == length] for length in lengths
        }
        if max(map(len, by_length.values())) < len(cases):
            inner = [
                (length, exp.Case(this=operand.copy(), ifs=_ifs(mine), default=_copy(default)))
                for length, mine in by_length.items()
            ]
            return exp.Case(this=exp.Length(this=operand), ifs=_ifs(inner), default=default)
    return exp.Case(this=operand, ifs=_ifs(cases), default=default)


def add_up(terms: Iterable[Sql]) -> Sql:
    """Return a sum from left to right, as NumPy's is."""
    return reduce(lambda total, term: exp.Add(this=total, expression=term), terms)


def join(*parts: Sql) -> Sql:
    """Return texts one after the other."""
    return reduce(lambda before, part: exp.DPipe(this=before, expression=part), parts)


def call(name: str, *arguments: Sql) -> Sql:
    """Return a function that all dialects call alike."""
    return exp.Anonymous(this=name, expressions=[*arguments])


def round_even(value: Sql) -> Sql:
    """Return a float rounded to a whole one, half to even as `numpy.rint`."""
    return (value + number(_NO_DECIMALS)) - number(_NO_DECIMALS)


def find_bin(value: Sql, edges: Sequence[float], first: int = 0) -> Sql:
    """Return how many edges lie at or below a number, by a few comparisons at a time.

    Examples
    --------
    >>> find_bin(exp.column("visits"), [1.5, 3.0]).sql("duckdb")
    'CASE WHEN visits < 1.5e0 THEN 0 WHEN visits < 3.0e0 THEN 1 ELSE 2 END'
    """
    step = -(-len(edges) // _BRANCHES)
    cases = [
        (
            exp.LT(this=value.copy(), expression=number(edges[end])),
            find_bin(value, edges[start:end], first + start),
        )
        for start in range(0, len(edges), max(step, 1))
        if (end := min(start + step, len(edges)) - 1) >= start
    ]
    return when(*cases, default=whole(first + len(edges))) if cases else whole(first)


def look_up(values: Sequence[Any], place: Sql, kind: str, dialect: str) -> Sql:
    """Return the value at a place, counted from 0: an array of constants is quick everywhere.

    Parameters
    ----------
    values : sequence of float, int, or str and None
    place : Expression
        Never out of range.
    kind : {"double", "int", "varchar"}
    dialect : str

    Examples
    --------
    >>> look_up([0.5, -1.0], exp.column("code"), "double", "duckdb").sql("duckdb")
    "(CAST('[0.5,-1.0]' AS DOUBLE[]))[code + 1]"
    >>> look_up([0.5, -1.0], exp.column("code"), "double", "spark").sql("spark")
    "(CAST(SPLIT('0.5,-1.0', ',') AS ARRAY<DOUBLE>))[code]"
    """
    array = _read_array(values, kind, dialect)
    start = Dialect.get_or_raise(dialect).INDEX_OFFSET
    place = place + whole(start) if start else place
    found = exp.Bracket(this=array, expressions=[place], offset=start)
    return exp.cast(found, kind) if dialect == "snowflake" else found


def matches(value: Sql, pattern: str) -> Sql:
    """Return whether a text matches a pattern that starts with ^ and ends with $."""
    return exp.RegexpLike(this=value, expression=text(pattern))


def replace(value: Sql, pattern: str, replacement: str, dialect: str) -> Sql:
    """Return a text with all that matches a pattern replaced."""
    everywhere = [text("g")] if dialect in ("duckdb", "postgres") else []
    return call("REGEXP_REPLACE", value, text(pattern), text(replacement), *everywhere)


def tidy(value: Sql, dialect: str) -> Sql:
    """Return a text with one blank for any white space, and none at its ends."""
    # Snowflake knows no \\x0B, and matches a pattern with the whole text
    is_snowflake = dialect == "snowflake"
    spaces = _SPACES if is_snowflake else "".join(map(_escape, _SPACES))
    tidied = exp.Trim(this=replace(value.copy(), f"[ {spaces}]+", " ", dialect))
    if is_snowflake:
        return tidied
    # few texts need it, and to look for the need costs less
    untidy = matches(value.copy(), f"^ | $|  |[{spaces}]")
    return when((untidy, tidied), default=value)


def lower(value: Sql, words: Iterable[str]) -> Sql:
    """Return a text in lower case, as far as it can equal one of `words` or contain it.

    What is a capital beyond ASCII depends on the database's locale, so those are named.
    """
    letters = {letter for word in words for letter in word}
    pairs = [(chr(code), chr(code).casefold()) for code in range(128, 0x2000)]
    capitals = [(a, b) for a, b in pairs if a != b and b in letters and not b.isascii()]
    result: Sql = exp.Lower(this=value)
    if capitals:
        sides = (text("".join(side)) for side in zip(*capitals, strict=True))
        result = call("TRANSLATE", result, *sides)
    if any("ss" in word for word in words):
        for sharp in "ßẞ":
            result = call("REPLACE", result, text(sharp), text("ss"))
    return result


def read_number(value: Sql, dialect: str) -> Sql:
    """Return the number that a text is, NULL for any other text."""
    if dialect == "postgres":
        read: Sql = when((matches(value.copy(), _NUMBER), exp.cast(value, "double")))
    else:
        read = try_double(exp.cast(value, "varchar"))
    if dialect == "duckdb":  # which reads 1_000
        read = when(
            (exp.StrPosition(this=value.copy(), substr=text("_")) > 0, exp.null()), default=read
        )
    return read


def try_double(value: Sql) -> Sql:
    """Return a value as a float, NULL where it is none."""
    return exp.TryCast(this=value, to=exp.DataType.build("double"), safe=True)


def _ifs(cases: Iterable[tuple[str | int, Sql]]) -> list[exp.If]:
    return [
        exp.If(this=text(value) if isinstance(value, str) else whole(value), true=result)
        for value, result in cases
    ]


def _escape(letter: str) -> str:
    return f"\\x{ord(letter):02X}" if letter <= "\xa0" and letter != "-" else letter


def _copy(value: Sql | None) -> Sql | None:
    return None if value is None else value.copy()


def _read_array(values: Sequence[Any], kind: str, dialect: str) -> Sql:
    array: Sql = exp.Array(expressions=[_constant(value, kind) for value in values])
    if kind != "varchar" and dialect in ("duckdb", "postgres", "spark"):
        # one text is planned in a fraction of the time that its many numbers take
        listed = ",".join(repr(value) for value in values)
        match dialect:
            case "spark":
                array = call("SPLIT", text(listed), text(","))
            case "postgres":
                array = text(f"{{{listed}}}")
            case _:
                array = text(f"[{listed}]")
    # Snowflake's items have no type
    return array if dialect == "snowflake" else exp.Paren(this=exp.cast(array, f"array<{kind}>"))


def _constant(value: Any, kind: str) -> Sql:
    if value is None:
        return exp.null()
    if kind == "varchar":
        return text(value)
    return number(value) if kind == "double" else whole(value)
