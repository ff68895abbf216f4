"""Plots of what so many calls find: wins, the difference of two models, and deal value."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from leadml.evaluation._inputs import Floats
from leadml.evaluation.capacity import WEEKS_A_MONTH
from leadml.evaluation.plots._base import (
    DASHED,
    INK,
    MODEL_COLORS,
    MUTED,
    Corner,
    as_text,
    colors_of,
    draw_curve,
    floats,
    highest,
    make_axes,
    mark_ends,
    say_empty,
)
from leadml.wording import as_percent, more, number, tenths

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leadml.evaluation.comparison import Comparison


@dataclass(frozen=True)
class _Pace:
    """In what calls and wins are told: a week and a month where the weeks are known."""

    calls: float
    wins: float
    x_label: str
    y_label: str
    chosen: float
    said: str
    right: float
    is_weekly: bool

    @classmethod
    def of(cls, comparison: "Comparison") -> Self:
        weeks, most = comparison.weeks, float(comparison.capacity["n_leads"].max())
        calls, wins = (1 / weeks, WEEKS_A_MONTH / weeks) if weeks else (1.0, 1.0)
        chosen = comparison.chosen * calls
        named = f"{number(chosen)} calls{' a week' if weeks else ''}"
        return cls(
            calls,
            wins,
            "Calls a week, best score first" if weeks else "Leads called, best score first",
            "Deals a month" if weeks else "Wins found",
            chosen,
            f"With {named}",
            # nearer than all leads: where nearly everybody is called, all models find the same
            min(max(4 * chosen, most * calls / 4), most * calls),
            bool(weeks),
        )

    def scale(self, table: pd.DataFrame, value: str) -> pd.DataFrame:
        """Return a table of wins in calls and wins as they are told."""
        told = {name: floats(table, name) * self.wins for name in (value, "lower", "upper")}
        return pd.DataFrame({"calls": floats(table, "n_leads") * self.calls, **told})

    def say(self, wins: float) -> str:
        return tenths(wins) if self.is_weekly else number(wins)

    def at_chosen(self, told: pd.DataFrame, column: str) -> float:
        return float(np.interp(self.chosen, told["calls"], told[column]))


def plot_capacity(comparison: "Comparison", ax: "Axes | None" = None) -> "Axes":
    """Draw the wins found against the leads called, best first, up to four times the capacity.

    Parameters
    ----------
    comparison : Comparison
    ax : Axes, default=None
        Where to draw; on a new figure where None.

    Returns
    -------
    Axes
        A curve a model with its 95 % interval, a mark at the capacity, and the line of a random
        order; in calls a week and deals a month where the weeks are known.

    Examples
    --------
    >>> from leadml.evaluation.comparison import compare
    >>> both = {"model": [0.9, 0.2, 0.4, 0.1], "rules": [0.6, 0.7, 0.2, 0.1]}
    >>> plot_capacity(compare([1, 0, 1, 0], both, n_resamples=20)).get_ylabel()
    'Wins found'
    """
    ax = make_axes(ax, "How many wins do the calls find?")
    pace = _Pace.of(comparison)
    models = comparison.models
    tops, marks = [], []
    for place, (name, color) in enumerate(zip(models, colors_of(models), strict=True)):
        rows = comparison.capacity[comparison.capacity["model"] == name]
        told = pace.scale(rows, "n_won")
        wins, low, high = (pace.at_chosen(told, part) for part in ("n_won", "lower", "upper"))
        label = f"{as_text(name)}: {pace.say(wins)} ({pace.say(low)} to {pace.say(high)})"
        draw_curve(ax, told, "calls", "n_won", color=color, label=label, zorder=3 - place / 10)
        marks.append((wins, color))
        tops.append(told.loc[told["calls"] <= pace.right, "upper"])
    # all models find the same where all are called: that end is the random order's too
    end = told.iloc[-1]
    ax.plot([0, end["calls"]], [0, end["n_won"]], ls=DASHED, color=MUTED, lw=1, zorder=1)
    ax.axvline(pace.chosen, color=INK, lw=1, ls=":", zorder=1)
    mark_ends(ax, pace.chosen, marks, pace.say)
    ax.set(xlim=(0, pace.right), ylim=(0, 1.05 * highest(*tops)))
    ax.set(xlabel=pace.x_label, ylabel=pace.y_label)
    slope = end["n_won"] / (end["calls"] or 1)
    ax.text(
        0.98 * pace.right,
        0.97 * 0.98 * pace.right * slope,
        "random order",
        rotation=float(np.degrees(np.arctan(slope))),
        rotation_mode="anchor",
        transform_rotates_text=True,
        ha="right",
        va="top",
        color=MUTED,
        fontsize=9,
    )
    _legend(ax, "lower right", pace.said)
    ax.xaxis.set_major_formatter(lambda calls, _: f"{calls:,.10g}")
    ax.yaxis.set_major_formatter(lambda wins, _: f"{wins:,.10g}")
    return ax


def plot_difference(comparison: "Comparison", ax: "Axes | None" = None) -> "Axes":
    """Draw how many more wins the first model finds than each other one, by leads called.

    Parameters
    ----------
    comparison : Comparison
    ax : Axes, default=None

    Returns
    -------
    Axes
        A curve for each other model with its 95 % paired interval: where the band leaves 0 out,
        a difference is shown. In calls a week and deals a month where the weeks are known.

    Examples
    --------
    >>> from leadml.evaluation.comparison import compare
    >>> both = {"model": [0.9, 0.2, 0.4, 0.1], "rules": [0.6, 0.7, 0.2, 0.1]}
    >>> plot_difference(compare([1, 0, 1, 0], both, n_resamples=20)).get_ylabel()
    'Wins found more than by the other'
    """
    first, *others = comparison.models
    ax = make_axes(ax, f"How many more wins does the {as_text(first, 16)} find?")
    pace = _Pace.of(comparison)
    ax.axhline(0, color=MUTED, lw=1)
    ends = []
    for place, name in enumerate(others):
        rows = comparison.capacity_differences
        told = pace.scale(rows[rows["other"] == name], "difference")
        color = MODEL_COLORS[(place + 1) % len(MODEL_COLORS)]
        found, low, high = (pace.at_chosen(told, part) for part in ("difference", "lower", "upper"))
        label = f"{more(found)} ({more(low)} to {more(high)}) than the {as_text(name, 20)}"
        draw_curve(ax, told, "calls", "difference", color=color, label=label)
        ax.plot(pace.chosen, found, "o", color=color, ms=6.5, mec="white", mew=1, zorder=4)
        ends.append(told.loc[told["calls"] <= pace.right, ["lower", "upper"]].to_numpy())
    ax.axvline(pace.chosen, color=INK, lw=1, ls=":", zorder=1)
    top, low = highest(*ends), -highest(*(-end for end in ends))
    room = (0.1 + 0.09 * len(others)) * (top - low)
    ax.set(xlim=(0, pace.right), ylim=(1.05 * low, top + room))
    what = "Deals a month" if comparison.weeks else "Wins found"
    ax.set(xlabel=pace.x_label, ylabel=f"{what} more than by the other")
    ax.yaxis.set_major_formatter(lambda wins, _: more(wins))
    ax.xaxis.set_major_formatter(lambda calls, _: f"{calls:,.10g}")
    _legend(ax, "upper right", pace.said)
    return ax


def plot_value_at_capacity(table: pd.DataFrame, ax: "Axes | None" = None) -> "Axes":
    """Draw what the won deals are worth among the leads called first.

    Parameters
    ----------
    table : DataFrame
        From `compute_value_at_capacity`.
    ax : Axes, default=None

    Returns
    -------
    Axes
        A curve a ranking with its 95 % interval; each share called has the same room.

    Examples
    --------
    >>> from leadml.evaluation.value import compute_value_at_capacity
    >>> rankings = {"probability": [0.9, 0.8, 0.3, 0.1], "expected value": [90, 40, 240, 50]}
    >>> table = compute_value_at_capacity(
    ...     [1, 0, 1, 0], [100, 0, 800, 0], rankings, [0.25, 0.5, 1], n_resamples=20
    ... )
    >>> plot_value_at_capacity(table).get_ylabel()
    'Value of the deals won'
    """
    ax = make_axes(ax, "What are the calls worth?")
    if table.empty:
        return say_empty(ax, "no deals")
    fractions: Floats = np.unique(floats(table, "fraction"))
    names = [str(name) for name in table["ranking"].unique()]
    for name, color in zip(names, colors_of(names), strict=True):
        rows = table[table["ranking"] == name]
        rows = rows.assign(place=np.searchsorted(fractions, floats(rows, "fraction")))
        draw_curve(ax, rows, "place", "value", color=color, label=as_text(name))
        ax.plot(rows["place"], floats(rows, "value"), "o", color=color, ms=4.5, zorder=4)
    ax.set_xticks(np.arange(len(fractions)), [as_percent(share, ".3g") for share in fractions])
    ax.set(xlabel="Share of leads called, best first", ylabel="Value of the deals won")
    ax.set_ylim(0, 1.05 * highest(floats(table, "upper"), floats(table, "value")))
    ax.yaxis.set_major_formatter(lambda value, _: _as_money(value))
    _legend(ax, "lower right")
    return ax


def _legend(ax: "Axes", place: Corner, title: str | None = None) -> None:
    """Name the curves in their own colours."""
    ax.legend(
        loc=place,
        title=title,
        title_fontproperties={"size": 9.5},
        alignment="left",
        labelcolor="linecolor",
        fontsize=9.5,
        frameon=False,
    )


def _as_money(value: float) -> str:
    for size, letter in ((1e9, " bn"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:,.4g}{letter}"
    return f"{value:,.4g}"
