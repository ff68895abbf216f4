"""Plots of single leads: those that two models judge differently, and one lead's sum."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.evaluation._inputs import Floats
from leadml.evaluation.plots._base import (
    INK,
    LINES,
    MODEL_COLORS,
    MUTED,
    WON,
    as_text,
    colors_of,
    floats,
    legend_below,
    make_rows,
    say_empty,
)
from leadml.wording import number, short, signed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LINES = 12
SMALLEST = 0.05  # points that round to 0.0 are no reason


def plot_disagreement(
    table: pd.DataFrame, models: tuple[str, str] = ("model", "rules"), ax: "Axes | None" = None
) -> "Axes":
    """Draw the leads that two models judge most differently, and which of them were won.

    Parameters
    ----------
    table : DataFrame
        From `find_disagreements`. Columns `lead_id` and `won` (1, 0 or missing) are shown where
        they are added.
    models : (str, str), default=("model", "rules")
        Names of the two.
    ax : Axes, default=None

    Returns
    -------
    Axes
        A row a lead, with a dot for each model's score; those that the first one judges higher
        come first. Where outcomes are there, how many of each half were won.

    Examples
    --------
    >>> from leadml.evaluation.disagreement import find_disagreements
    >>> table = find_disagreements({"model": [90, 40], "rules": [30, 70]})
    >>> plot_disagreement(table.assign(won=[1, 0])).get_xlabel()
    'Score'
    """
    title = "Where the two disagree most, who was right?"
    if table.empty:
        return say_empty(make_rows(ax, title, []), "no lead is judged differently")
    ids = table["lead_id"] if "lead_id" in table else table["place"].map("row {}".format)
    first, other = floats(table, "score"), floats(table, "other_score")
    won = floats(table, "won") if "won" in table else np.full(len(table), np.nan)
    higher = first > other
    names: list[str] = []
    heads: list[tuple[int, str]] = []
    places = np.empty(len(table))
    for model, half in zip(models, (higher, ~higher), strict=True):
        if half.any():
            heads.append((len(names), _tell_half(model, won[half])))
            places[half] = len(names) + 1 + np.arange(half.sum())
            names += ["", *(as_text(name, 16) for name in ids[half])]
    ax = make_rows(ax, title, names, height=0.27)
    ax.hlines(places, np.minimum(first, other), np.maximum(first, other), color=LINES, lw=5)
    for name, scores, color in zip(models, (first, other), colors_of(models), strict=True):
        ax.plot(scores, places, "o", color=color, ms=7.5, mec="white", label=as_text(name))
    for place, text in heads:
        ax.text(0, place, text, color=INK, fontsize=9.5, fontweight="bold", va="center")
    for place, is_won in zip(places[np.isfinite(won)], won[np.isfinite(won)] == 1, strict=True):
        ax.annotate(
            "won" if is_won else "lost",
            (1.02, place),
            xycoords=("axes fraction", "data"),
            va="center",
            color=INK if is_won else MUTED,
            fontsize=9,
            fontweight="bold" if is_won else "normal",
            annotation_clip=False,
        )
    ax.set(xlim=(-2, 102), xlabel="Score")
    legend_below(ax)
    return ax


def _tell_half(model: str, won: Floats) -> str:
    """Return who scores higher, and how many of these leads were won."""
    known = won[np.isfinite(won)]
    text = f"Scored higher by the {as_text(model)}"
    return f"{text}: {int(known.sum())} of {len(known)} won" if len(known) else text


def plot_explanation(lines: pd.DataFrame, ax: "Axes | None" = None) -> "Axes":
    """Draw the sum of one lead's score, line by line, from the average lead to the score.

    Parameters
    ----------
    lines : DataFrame
        From `LeadScorer.explain`: points, feature, value.
    ax : Axes, default=None

    Returns
    -------
    Axes
        A bar a line, from where the one before ends; lines of 0 points are left out, and what is
        weaker than the 12 strongest is one bar.

    Examples
    --------
    >>> rows = [(50.0, "average lead", ""), (12.0, "visits", "9"), (-3.5, "source", "fair")]
    >>> lines = pd.DataFrame(rows, columns=["points", "feature", "value"])
    >>> [label.get_text() for label in plot_explanation(lines).get_yticklabels()]
    ['average lead', 'visits: 9', 'source: fair', 'score']
    """
    steps = _steps(lines)
    names = [name for name, _ in steps]
    total = float(floats(lines, "points").sum()) if len(lines) else 0.0
    score = int(np.clip(np.rint(total), 0, 100))
    ax = make_rows(ax, f"Why this lead scores {score}", [*names, "score"])
    ends = np.cumsum([points for _, points in steps])
    starts = np.concatenate([[0.0], ends[:-1]]) if steps else ends
    has_base = bool(steps) and names[0] == "average lead"
    if has_base:
        starts[0] = ends[0]
    low, high = min([*starts, *ends, total]), max([*starts, *ends, total])
    room = (high - low) or 10.0
    for place, (_, points) in enumerate(steps):
        _draw_step(ax, place, points, (starts[place], ends[place]))
    if has_base:
        ax.plot(ends[0], 0, "o", color=MUTED, ms=7, mec="white", zorder=4)
    ax.plot(total, len(steps), "o", color=INK, ms=9, mec="white", zorder=4)
    raw = "" if score == np.rint(total) else f" (sum {number(total)})"
    ax.annotate(
        f"{score}{raw}",
        (total, len(steps)),
        (9, 0),
        textcoords="offset points",
        va="center",
        color=INK,
        fontsize=11,
        fontweight="bold",
    )
    ax.set(xlim=(low - 0.06 * room, high + 0.18 * room), xlabel="Score")
    ax.tick_params(axis="y", labelsize=9)
    ax.get_yticklabels()[-1].set_fontweight("bold")
    return ax


def _draw_step(ax: "Axes", place: int, points: float, ends: tuple[float, float]) -> None:
    """Draw a line of the sum as a bar, and a stroke down to the next one; the base has no bar."""
    start, end = ends
    color = WON if points >= 0 else MODEL_COLORS[1]
    ax.barh(place, end - start, 0.62, left=start, color=color)
    ax.plot([end, end], [place - 0.31, place + 1.31], color=MUTED, lw=0.8)
    is_base = start == end
    ax.annotate(
        number(points) if is_base else signed(points),
        # beside the bar's right end: to its left stands the stroke from the bar before
        (max(start, end), place),
        (7, 0),
        textcoords="offset points",
        va="center",
        color=MUTED if is_base else INK,
        fontsize=9,
    )


def _steps(lines: pd.DataFrame) -> list[tuple[str, float]]:
    """Return the lines to draw, by name: those that matter, and the rest as one."""
    told = []
    for row in lines.to_dict("records"):
        name, value = short(row["feature"], 26), short(row["value"])
        points = float(row["points"])
        if abs(points) >= SMALLEST:
            is_said = bool(value) and name != "start"
            told.append((as_text(f"{name}: {value}" if is_said else name, 36), points))
    rest = told[MOST_LINES:]
    if len(rest) < 2:
        return told
    return [*told[:MOST_LINES], (f"{len(rest)} others", sum(points for _, points in rest))]
