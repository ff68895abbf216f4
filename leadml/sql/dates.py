"""Dates out of texts by arithmetic: no dialect's time zone or leniency comes in."""

from sqlglot import exp

from leadml.sql.expressions import add_up, call, join, matches, replace, text, when, whole
from leadml.sql.query import Sql

MICROSECONDS_A_DAY = 86_400_000_000
_DATE = r"[0-9]{4}[-/.][0-9]{2}[-/.][0-9]{2}"
_ZONE = r" ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
_CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]*)?)?"
_MOMENT = f"^{_DATE}([ T]{_CLOCK}({_ZONE})?)?$"


def spell_out(value: Sql) -> Sql:
    """Return a text with 20260131 as 2026-01-31."""
    parts = join(_part(value, 1, 4), text("-"), _part(value, 5, 2), text("-"), _part(value, 7, 2))
    short = exp.Length(this=value.copy()).eq(whole(8))
    return when((exp.and_(short, matches(value.copy(), "^[0-9]{8}$")), parts), default=value)


def read_clock(value: Sql, dialect: str) -> Sql:
    """Return the time of day that a spelled out date ends in, without its zone."""
    clock = exp.Substring(this=value, start=whole(12))
    # the shortest time with a zone is 10:30Z
    return when(
        (exp.Length(this=clock.copy()) > whole(5), replace(clock, f"{_ZONE}$", "", dialect)),
        default=clock.copy(),
    )


def read_moment(value: Sql, clock: Sql) -> Sql:
    """Return microseconds in UTC from a fixed day to a spelled out date; NULL for other texts.

    The days are those of the Gregorian calendar counted from March on (Richards 2013, Explanatory
    Supplement to the Astronomical Almanac, chapter 15).
    """
    year, month, day = (_whole(value, *place) for place in ((1, 4), (6, 2), (9, 2)))
    hour, minute, second = (_whole(clock, *place) for place in ((1, 2), (4, 2), (7, 2)))
    exists = exp.and_(
        year.copy() >= whole(1),
        exp.Between(this=month.copy(), low=whole(1), high=whole(12)),
        exp.Between(this=day.copy(), low=whole(1), high=_last_day(year, month)),
        hour.copy() <= whole(23),
        minute.copy() <= whole(59),
        second.copy() <= whole(59),
    )
    parts = exp.Pad(
        this=exp.Substring(this=clock.copy(), start=whole(10), length=whole(6)),
        expression=whole(6),
        fill_pattern=text("0"),
        is_left=False,
    )
    moment = add_up(
        [
            _scaled(_count_days(year, month, day), MICROSECONDS_A_DAY),
            _scaled(hour, 3_600_000_000),
            _scaled(minute, 60_000_000),
            _scaled(second, 1_000_000),
            exp.cast(parts, "bigint"),
            _read_zone(value, clock),
        ]
    )
    # the inner CASE is not computed for a text that is no date
    return when((matches(value.copy(), _MOMENT), when((exists, moment))))


def _read_zone(value: Sql, clock: Sql) -> Sql:
    """Return the microseconds to add for the zone behind the clock: east of Greenwich is less."""
    behind = exp.Substring(
        this=value.copy(), start=whole(12) + exp.Length(this=clock.copy()), length=whole(10)
    )
    zone = exp.Trim(this=behind)
    digits = exp.Substring(this=zone, start=whole(2))
    plain = call("REPLACE", digits, text(":"), text(""))
    hours = _scaled(_whole(plain, 1, 2), 3_600_000_000)
    minutes = _scaled(_whole(plain, 3, 2), 60_000_000)
    total = exp.Paren(this=add_up([hours, minutes]))
    sign = exp.Substring(this=zone.copy(), start=whole(1), length=whole(1))
    return exp.Paren(
        this=when(
            (sign.eq(text("-")), total),
            (sign.eq(text("+")), exp.Neg(this=total.copy())),
            default=whole(0),
        )
    )


def _count_days(year: Sql, month: Sql, day: Sql) -> Sql:
    early = month <= whole(2)
    years = exp.Paren(this=year - exp.Paren(this=when((early, whole(1)), default=whole(0))))
    # March is 0
    months = exp.Paren(
        this=month + exp.Paren(this=when((early.copy(), whole(9)), default=whole(-3)))
    )
    leaps = [
        exp.Paren(
            this=exp.Mul(this=exp.Paren(this=_floor(years.copy(), by)), expression=whole(sign))
        )
        for by, sign in ((4, 1), (100, -1), (400, 1))
    ]
    before = _floor(exp.Paren(this=exp.Mul(this=months, expression=whole(153)) + whole(2)), 5)
    return exp.Paren(
        this=add_up([exp.Mul(this=years, expression=whole(365)), *leaps, before, day.copy()])
    )


def _last_day(year: Sql, month: Sql) -> Sql:
    # a century is a leap year by its 400, any other year by its 4
    century = _remainder(year, 100).eq(whole(0))
    leap = exp.or_(
        exp.and_(century, _remainder(year, 400).eq(whole(0))),
        exp.and_(exp.not_(century.copy()), _remainder(year, 4).eq(whole(0))),
    )
    february = when((leap, whole(29)), default=whole(28))
    short = exp.In(this=month.copy(), expressions=[whole(each) for each in (4, 6, 9, 11)])
    return exp.Paren(
        this=when((month.eq(whole(2)), february), (short, whole(30)), default=whole(31))
    )


def _floor(value: Sql, by: int) -> Sql:
    quotient = exp.Div(this=exp.cast(value, "double"), expression=whole(by))
    return exp.cast(exp.Floor(this=quotient), "bigint")


def _remainder(value: Sql, by: int) -> Sql:
    return exp.Mod(this=value.copy(), expression=whole(by))


def _scaled(value: Sql, by: int) -> Sql:
    return exp.Mul(this=exp.cast(value.copy(), "bigint"), expression=whole(by))


def _part(value: Sql, start: int, length: int) -> Sql:
    return exp.Substring(this=value.copy(), start=whole(start), length=whole(length))


def _whole(value: Sql, start: int, length: int) -> Sql:
    """Return digits as a number, 0 where there are none."""
    return exp.cast(join(text("0"), _part(value, start, length)), "bigint")
