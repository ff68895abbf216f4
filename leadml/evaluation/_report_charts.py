"""The charts of `report.html`: SVG text to be put into the page, drawn by `plots.py`."""

import io
import math
import re
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from leadml.evaluation import plots
from leadml.evaluation.summary import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

N_FEATURES = 12
N_LEVELS = 12
# inches; narrow, so that text drawn at 9 points is still read on a screen of 390 pixels
_WIDE, _NARROW = 4.4, 3.8
_LONGEST_LABEL = 24
_STYLE = {
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",  # text stays text: it can be selected, searched and read aloud
    "text.parse_math": False,  # a category may hold dollar signs
}
_NUMBER = r"(-?(?:\d[\d.]*(?:e[-+]\d+)?|inf))"
_LOWER_EDGE = re.compile(rf"(?:below {_NUMBER}|{_NUMBER} (?:to {_NUMBER}|or more))")


class Chart(NamedTuple):
    """A drawing with its heading and what there is to say about it."""

    title: str
    svg: Markup
    note: str = ""


def curve_charts(evaluations: Mapping[str, Evaluation]) -> list[Chart]:
    """Return reliability and, where there are wins, the gain curve of all models."""
    names = ", ".join(evaluations)
    reliability = {name: one.reliability for name, one in evaluations.items()}
    gain = {name: one.gain for name, one in evaluations.items() if one.n_won}
    found = ", ".join(
        f"{name} {100 * table['gain'].iloc[10]:.0f} %" for name, table in gain.items()
    )
    charts = [
        Chart(
            "Do the probabilities hold?",
            _draw(
                partial(plots.plot_reliability, reliability),
                f"Reliability of {names}: share won against promised probability.",
                (_WIDE, 4.1),
            ),
            "Leads in groups of equal size, by promised probability. On the dashed line, what was "
            "promised is what came. Bars are 95 % intervals.",
        )
    ]
    if gain:
        charts.append(
            Chart(
                "How many wins do the best-scored leads hold?",
                _draw(
                    partial(plots.plot_gain, gain),
                    f"Gain curves. Wins found among the best 10 % of leads: {found}.",
                    (_WIDE, 4.1),
                ),
                "Calling the best-scored leads first. Marked: the best 10 %. Shaded: 95 % "
                "intervals. On the dashed line leads are called in random order.",
            )
        )
    return charts


def score_charts(scores: Mapping[str, pd.DataFrame]) -> list[Chart]:
    """Return the scores of won and of lost leads, a chart a model."""
    return [
        Chart(
            name,
            _draw(
                partial(plots.plot_score_distribution, table),
                f"Scores of won and of lost leads by {name}.",
                (_NARROW, 2.6),
            ),
        )
        for name, table in scores.items()
    ]


def bands_chart(evaluations: Mapping[str, Evaluation]) -> Chart | None:
    """Return the share won of each band, None where no model has bands."""
    tables = {name: one.bands for name, one in evaluations.items() if one.bands is not None}
    if not tables:
        return None
    # one model's bars take the colours of the bands, and need no legend
    drawn = tables if len(tables) > 1 else next(iter(tables.values()))
    label = "Share won of hot, warm and cold leads by " + ", ".join(tables) + "."
    return Chart("", _draw(partial(plots.plot_bands, drawn), label, (_WIDE, 3.4)))


def points_charts(points: pd.DataFrame) -> list[Chart]:
    """Return the points of the features that part leads most, strongest first."""
    groups = {str(name): rows for name, rows in points.groupby("feature", sort=False)}
    spread = {name: _spread(rows) for name, rows in groups.items()}
    strongest = sorted((name for name in groups if spread[name] > 0), key=lambda n: -spread[n])
    return [_points_chart(name, groups[name]) for name in strongest[:N_FEATURES]]


def _spread(rows: pd.DataFrame) -> float:
    """Return the standard deviation of a feature's points over leads, or over its values."""
    points, weight = rows["points"].to_numpy(float), _weight(rows)
    mean = np.average(points, weights=weight)
    return float(np.sqrt(np.average((points - mean) ** 2, weights=weight)))


def _weight(rows: pd.DataFrame) -> Any:
    share = rows["share"].to_numpy(float) if "share" in rows else np.ones(len(rows))
    return share if share.sum() > 0 else np.ones(len(rows))


def _points_chart(feature: str, rows: pd.DataFrame) -> Chart:
    edges = [_lower_edge(value) for value in rows["value"]]
    known = [edge for edge in edges if edge is not None]
    if all(isinstance(edge, float) for edge in known):
        table, note, height = rows.assign(value=pd.Series(edges, rows.index, object)), "", 2.2
    else:
        weakest_first = np.argsort(np.abs(rows["points"]) * _weight(rows), kind="stable")
        table = rows.iloc[np.sort(weakest_first[-N_LEVELS:])]
        table = table.assign(value=[_short(value) for value in table["value"]])
        left_out = len(rows) - len(table)
        note = f"{left_out} more values, of less weight, are not shown." if left_out else ""
        height = 0.5 + 0.23 * len(table)
    low, high = (f"{rows['points'].agg(end):+.1f}" for end in ("min", "max"))
    label = f"Points of {feature}: from {low} to {high}."

    def draw(ax: "Axes") -> None:
        plots.plot_points(table, feature, ax)
        ax.set_xlabel("")  # the heading names the feature

    return Chart(feature, _draw(draw, label, (_NARROW, height)), note)


def _lower_edge(value: Any) -> float | str | None:
    """Return where an interval such as `3 to 5` begins, None for missing, else the text."""
    text = "missing" if pd.isna(value) else str(value)
    if text == "missing":
        return None
    found = _LOWER_EDGE.fullmatch(text)
    if found:
        return float(found[2]) if found[2] else -math.inf
    return -math.inf if text == "any value" else text


def _short(value: Any) -> str:
    text = "missing" if pd.isna(value) else " ".join(str(value).split())
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"


def _draw(draw: "Callable[[Axes], object]", label: str, size: tuple[float, float]) -> Markup:
    """Return a drawing as SVG to be put into a page, read aloud as `label`."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # equal labels give equal ids, and two drawings of a page share none
    style: Any = {**_STYLE, "svg.hashsalt": label}
    with mpl.rc_context(style), warnings.catch_warnings():
        # the reader's fonts draw the text, not those that matplotlib measures it with
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = Figure(figsize=size, layout="constrained")
        ax = figure.subplots()
        draw(ax)
        ax.set_title("", loc="left")
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg")
    # text from data is escaped by now: none of these patterns can match within it
    svg = buffer.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    box = re.search(r'viewBox="[^"]*"', svg)
    body = svg[svg.index(">", svg.index("<svg")) + 1 :]
    head = f'<svg {box[0] if box else ""} role="img" aria-label="{escape(label)}" '
    links = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    return Markup(head + links + body)  # noqa: S704 - matplotlib escapes what it writes
