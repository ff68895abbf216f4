"""Small pieces of HTML for notebooks: no script, no style sheet, nothing from elsewhere.

`Markup.format` escapes all that is not `Markup` itself, so text from data stays text. Colours are
the notebook's own but for bars, so that pieces can be read on dark and on light. Every figure is
written out: a code host shows the tables without the styles.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from markupsafe import Markup

from leadml.wording import MINUS

BLUE, ORANGE = "#2C8CCB", "#D9691E"  # seen on white and on black
_BOX = Markup('<div style="max-width:64em;line-height:1.45">{}</div>')
_TABLE = Markup(
    '<table cellpadding="4" style="border-collapse:collapse;border:0;margin:.4em 0 .8em">'
    "{}<thead>{}</thead><tbody>{}</tbody></table>"
)
# what a row says holds for its cells, unless a notebook's own style sheet says it of cells
_ROW = Markup(
    '<tr style="background:transparent;text-align:right;white-space:nowrap;'
    'border-bottom:1px solid rgba(128,128,128,.3)">{}</tr>'
)
_CAPTION = Markup(
    '<caption style="caption-side:top;text-align:left;font-weight:600;padding:.3em 0;'
    'color:inherit">{}</caption>'
)
_LEFT = Markup(' style="text-align:left;white-space:normal"')
_CELLS = {"td": Markup("<td{}>{}</td>"), "th": Markup("<th{}>{}</th>")}
_DETAILS = Markup(
    '<details{} style="margin:.2em 0"><summary style="cursor:pointer">{}</summary>{}</details>'
)
_BAR = Markup(
    '<div aria-hidden="true" style="position:relative;width:9em;height:.8em;margin-top:.3em">'
    "{}</div>"
)
_STROKE = Markup(
    '<div style="position:absolute;left:{:.1f}%;width:{};height:100%;background:{}"></div>'
)
_PARAGRAPHS = {
    "verdict": Markup('<p style="font-size:1.2em;font-weight:600;margin:.3em 0">{}</p>'),
    "head": Markup('<p style="font-size:1.1em;margin:.3em 0">{}</p>'),
    "plain": Markup('<p style="margin:.3em 0">{}</p>'),
    "quiet": Markup('<p style="margin:.3em 0;opacity:.72">{}</p>'),
    "warning": Markup(
        '<p style="margin:.4em 0;padding:.1em 0 .1em .7em;border-left:4px solid #D9691E">{}</p>'
    ),
}


def box(*parts: str) -> Markup:
    """Return pieces as one."""
    return _BOX.format(Markup("\n").join(parts))


def paragraph(text: str, kind: str = "plain") -> Markup:
    """Return a paragraph: verdict, head, plain, quiet or warning."""
    return _PARAGRAPHS[kind].format(text)


def bold(text: str) -> Markup:
    """Return text in bold."""
    return Markup("<b>{}</b>").format(text)


def quiet(text: str) -> Markup:
    """Return text of less weight."""
    return Markup('<span style="opacity:.72">{}</span>').format(text)


def lines(*texts: str) -> Markup:
    """Return texts one under the other."""
    return Markup("<br>").join(texts)


def details(summary: str, content: str, *, is_open: bool = False) -> Markup:
    """Return what unfolds on a click."""
    return _DETAILS.format(Markup(" open") if is_open else "", summary, content)


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    caption: str = "",
    left: Collection[int] = (0,),
) -> Markup:
    """Return a table; numbers of `left` columns are aligned to the left, others to the right."""

    def cells(texts: Sequence[str], tag: str) -> Markup:
        shape = _CELLS[tag]
        made = (
            shape.format(_LEFT if place in left else "", text) for place, text in enumerate(texts)
        )
        return _ROW.format(Markup("").join(made))

    body = Markup("\n").join(cells(row, "td") for row in rows)
    named = _CAPTION.format(caption) if caption else ""
    return _TABLE.format(named, cells(head, "th"), body)


def bar(low: float, high: float, ends: tuple[float, float]) -> Markup:
    """Return a bar from `low` to `high`, in one colour below 0 and in another above, on an axis."""
    start, end = ends
    width = (end - start) or 1.0
    parts = [(min(low, 0.0), min(high, 0.0), ORANGE), (max(low, 0.0), max(high, 0.0), BLUE)]
    strokes = [
        _STROKE.format(100 * (left - start) / width, f"{100 * (right - left) / width:.1f}%", color)
        for left, right, color in parts
        if right > left
    ]
    strokes.append(_STROKE.format(100 * -start / width, "1px", "currentColor"))
    return _BAR.format(Markup("").join(strokes))


def frame(rows: Any, *, digits: int = 4) -> Markup:
    """Return a DataFrame as a table, numbers to some digits, what is not defined as a dash."""
    texts = [
        [_as_cell(value, digits) for value in row]
        for row in rows.itertuples(index=False, name=None)
    ]
    first = [
        place for place, name in enumerate(rows.columns) if rows[name].dtype.kind not in "biuf"
    ]
    return table([str(name) for name in rows.columns], texts, left=first)


def _as_cell(value: Any, digits: int) -> str:
    if value is None or value != value:
        return "–"
    if isinstance(value, float):
        return f"{value:,.{digits}g}".replace("-", MINUS)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
