"""The strongest points of each lead as text, in SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from leadml.scored import reason_columns
from leadml.scoring.reasons import DIGITS, SMALLEST, describe_feature
from leadml.sql.columns import PLAIN, Values, write_digits
from leadml.sql.expressions import (
    call,
    double,
    join,
    look_up,
    matches,
    number,
    read_number,
    round_even,
    switch,
    text,
    when,
    whole,
)
from leadml.sql.points import Codes
from leadml.sql.query import Query, Sql

# other numbers are written as the database writes them, with an exponent
SMALL, LARGE = 1e-6, 1e15


@dataclass(frozen=True)
class Shown:
    """How a feature is shown in a reason: its value, and its codes if it has any."""

    values: Values | None
    codes: Codes | None


def add_reasons(
    query: Query,
    points: Mapping[str, Sql],
    shown: Mapping[str, Shown],
    count: int,
) -> dict[str, Sql]:
    """Return the columns `reason_1`, ... of the features with the strongest points.

    Parameters
    ----------
    query : Query
    points : dict of feature to Expression
        Points of the score, in the order in which equal ones are told.
    shown : dict of feature to Shown
    count : int
    """
    columns, features = reason_columns(count), [*points]
    ranks = range(1, min(count, len(features)) + 1)
    places = [_add_rank(query, points, rank) for rank in ranks]
    for rank, place in zip(ranks, places, strict=True):
        _add_value(query, place, points, shown, rank)
    nothing = exp.cast(exp.null(), "varchar")
    reasons: dict[str, Sql] = {column: nothing.copy() for column in columns}
    for rank in ranks:
        _add_digits(query, rank)
        reasons[f"reason_{rank}"] = _write(rank, query.dialect, features, shown)
    return reasons


def _add_rank(query: Query, points: Mapping[str, Sql], rank: int) -> Sql:
    """Return the place of the next strongest feature, counted from 1: equals in their order."""
    strengths = [
        query.add("strength", f"strength_{place}", exp.Abs(this=value.copy()))
        for place, value in enumerate(points.values(), start=1)
    ]
    best, place_of = exp.column(f"best_{rank - 1}"), exp.column(f"place_{rank - 1}")

    def is_left(strength: Sql, place: int) -> Sql:
        later = exp.and_(strength.eq(best), place_of < whole(place))
        return exp.Paren(this=exp.or_(strength < best, later))

    left = [
        strength if rank == 1 else when((is_left(strength, place), strength), default=double(-1))
        for place, strength in enumerate(strengths, start=1)
    ]
    best_here = query.add(
        f"best_{rank}", f"best_{rank}", call("GREATEST", *left) if len(left) > 1 else left[0]
    )
    cases = []
    for place, strength in enumerate(strengths, start=1):
        is_best = strength.eq(best_here)
        wanted = is_best if rank == 1 else exp.and_(is_best, is_left(strength, place))
        cases.append((wanted, whole(place)))
    # past the last feature the strength is -1, and no place is meant
    return query.add(f"place_{rank}", f"place_{rank}", when(*cases, default=whole(len(strengths))))


def _add_value(
    query: Query,
    place: Sql,
    points: Mapping[str, Sql],
    shown: Mapping[str, Shown],
    rank: int,
) -> None:
    """Add the points and the value of the feature at a rank: a number, or a text."""
    numbers, texts = [], []
    for number_of, feature in enumerate(points, start=1):
        values, codes = shown[feature].values, shown[feature].codes
        if values is not None and values.number is not None:
            numbers.append((number_of, values.number.copy()))
        elif values is not None:
            texts.append((number_of, _spell(values, codes, query.dialect)))
    mine = [(place_, value.copy()) for place_, value in enumerate(points.values(), start=1)]
    step = "value"
    query.add(step, f"points_of_{rank}", switch(place.copy(), mine))
    if numbers:
        query.add(step, f"number_of_{rank}", switch(place.copy(), numbers))
    if texts:
        told = query.add(step, f"told_{rank}", switch(place.copy(), texts))
        # 1.50 is 1.5 also where the text is no known one
        digits = write_digits(read_number(told, query.dialect))
        plain = when((matches(told, PLAIN), digits), default=told)
        query.add("exponent", f"text_of_{rank}", plain)


def _spell(values: Values, codes: Codes | None, dialect: str) -> Sql:
    """Return a text as its column mostly spells it."""
    came = values.shown.copy() if values.shown is not None else exp.null()
    if codes is None or not any(codes.shown):
        return when((values.is_missing, exp.null()), default=came)
    known = look_up(codes.shown, codes.code.copy(), "varchar", dialect)
    spelled = exp.Coalesce(this=known, expressions=[came])
    return when((values.is_missing, exp.null()), default=spelled)


def _add_digits(query: Query, rank: int) -> None:
    """Add the digits of the number at a rank: to 6 digits, or to the unit."""
    if f"number_of_{rank}" not in query.steps["value"]:
        return
    value = exp.Abs(this=exp.column(f"number_of_{rank}"))
    ten = exp.Ln(this=double(10))
    exponent = exp.Floor(this=exp.Div(this=exp.Ln(this=value), expression=ten))
    power = when((value.copy() > number(0), exponent), default=double(0))
    query.add("exponent", f"exponent_{rank}", exp.cast(power, "int"))
    kept = call("GREATEST", whole(DIGITS - 1) - exp.column(f"exponent_{rank}"), whole(0))
    decimals = query.add("decimals", f"decimals_{rank}", kept)
    factor = exp.Pow(this=double(10), expression=decimals)
    digits = round_even(exp.Paren(this=value.copy() * factor))
    query.add("digits", f"digits_{rank}", digits)
    units = exp.Floor(this=exp.column(f"digits_{rank}") / factor.copy())
    query.add("units", f"units_{rank}", units)


def _write(rank: int, dialect: str, features: Sequence[str], shown: Mapping[str, Shown]) -> Sql:
    points, place = exp.column(f"points_of_{rank}"), exp.column(f"place_{rank}")
    labels = [
        f" {describe_feature(feature)}" + (": " if shown[feature].values is not None else "")
        for feature in features
    ]
    parts = [_write_points(points), look_up(labels, place - whole(1), "varchar", dialect)]
    kinds = {
        kind: [
            place
            for place, feature in enumerate(features, start=1)
            if (values := shown[feature].values) is not None
            and (values.number is not None) == (kind == "number")
        ]
        for kind in ("number", "text")
    }
    cases = []
    for kind, places in kinds.items():
        if places:
            value = exp.column(f"{kind}_of_{rank}")
            written = _write_number(value, rank) if kind == "number" else value
            told = when((value.is_(exp.null()), text("missing")), default=written)
            cases.append(
                (exp.In(this=place.copy(), expressions=[whole(each) for each in places]), told)
            )
    if cases:
        parts.append(exp.Paren(this=when(*cases, default=text(""))))
    is_told = exp.column(f"best_{rank}") >= number(SMALLEST)
    return when((is_told, join(*parts)))


def _write_points(points: Sql) -> Sql:
    """Return points as `+6.2`."""
    tenths = exp.Floor(this=exp.Abs(this=points.copy()) * number(10) + number(0.5))
    units = exp.Floor(this=tenths / number(10))
    tenth = tenths.copy() - units.copy() * number(10)
    sign = exp.Paren(this=when((points.copy() < number(0), text("-")), default=text("+")))
    return join(sign, _as_digits(units), text("."), _as_digits(tenth))


def _write_number(value: Sql, rank: int) -> Sql:
    digits, units = exp.column(f"digits_{rank}"), exp.column(f"units_{rank}")
    decimals = exp.column(f"decimals_{rank}")
    rest = digits - units * exp.Pow(this=double(10), expression=decimals)
    fraction = exp.Pad(
        this=_as_digits(rest), expression=decimals.copy(), fill_pattern=text("0"), is_left=True
    )
    plain = _without_zeros(join(_group(units), text("."), fraction))
    size = exp.Abs(this=value.copy())
    odd = exp.or_(size >= number(LARGE), exp.and_(size > number(0), size < number(SMALL)))
    written = when((decimals.eq(whole(0)), _group(units)), default=plain)
    sign = when((value.copy() < number(0), text("-")), default=text(""))
    signed = join(exp.Paren(this=sign), exp.Paren(this=written))
    return when((odd, exp.cast(value.copy(), "varchar")), default=signed)


def _group(units: Sql) -> Sql:
    """Return a whole number below 10**15 with a comma before each three digits."""
    digits = _as_digits(units)
    length = exp.Length(this=digits.copy())
    cases = []
    for groups in range(5):
        parts: list[Sql] = [
            exp.Substring(
                this=digits.copy(), start=whole(1), length=length.copy() - whole(3 * groups)
            )
        ]
        for left in range(groups, 0, -1):
            start = length.copy() - whole(3 * left - 1)
            parts += [text(","), exp.Substring(this=digits.copy(), start=start, length=whole(3))]
        cases.append((length.copy() <= whole(3 * groups + 3), join(*parts)))
    return exp.Paren(this=when(*cases))


def _without_zeros(value: Sql) -> Sql:
    without = exp.Trim(this=value, expression=text("0"), position="TRAILING")
    return exp.Trim(this=without, expression=text("."), position="TRAILING")


def _as_digits(value: Sql) -> Sql:
    return exp.cast(exp.cast(value.copy(), "bigint"), "varchar")
