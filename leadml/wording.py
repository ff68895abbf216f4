"""Numbers as people say them: shares, points, counts."""

import math

MINUS = "\N{MINUS SIGN}"


def as_percent(share: float, form: str = "") -> str:
    """Return a share as text; to a tenth of a percent where it is small.

    Examples
    --------
    >>> as_percent(0.384), as_percent(0.0384), as_percent(float("nan"))
    ('38 %', '3.8 %', '–')
    """
    if math.isnan(share):
        return "–"
    return f"{100 * share:{form or ('.1f' if 0 < share < 0.0995 else '.0f')}} %"


def signed(points: float) -> str:
    """Return points with their sign, to a tenth.

    Examples
    --------
    >>> signed(2.5), signed(-3.04), signed(0.01)
    ('+2.5', '−3', '0')
    """
    text = f"{points:+,.1f}".removesuffix(".0").replace("-", MINUS)
    return "0" if text[1:] == "0" else text


def number(value: float) -> str:
    """Return a count as a person would say it.

    Examples
    --------
    >>> number(4.12), number(49.7), number(1250), number(-2.0)
    ('4.1', '50', '1,250', '−2')
    """
    text = f"{value:,.1f}" if abs(value) < 10 else f"{value:,.0f}"
    text = text.removesuffix(".0").replace("-", MINUS)
    return "0" if text == f"{MINUS}0" else text


def tenths(value: float) -> str:
    """Return a number of deals a month: to a tenth, so that differences can be seen.

    Examples
    --------
    >>> tenths(24.31), tenths(21.0), tenths(1250.4)
    ('24.3', '21', '1,250')
    """
    return f"{value:.1f}".removesuffix(".0") if abs(value) < 100 else number(value)


def more(value: float) -> str:
    """Return how many more there are.

    Examples
    --------
    >>> more(4.12), more(-12.4), more(0)
    ('+4.1', '−12', '0')
    """
    text = number(abs(value))
    return text if text == "0" else f"{'+' if value > 0 else MINUS}{text}"


def counted(count: int, what: str) -> str:
    """Return how many there are of something.

    Examples
    --------
    >>> counted(1, "pair"), counted(1200, "pair")
    ('1 pair', '1,200 pairs')
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def short(value: object, length: int = 34) -> str:
    """Return text from data on one line, shortened.

    Examples
    --------
    >>> short("a  long name", 8)
    'a long…'
    """
    text = " ".join(str(value).split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
