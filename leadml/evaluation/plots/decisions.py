"""Plots to decide by: net benefit, the definition of a qualified lead, weeks to come, answers."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.evaluation.plots._base import (
    BAND_COLORS,
    DASHED,
    INK,
    MODEL_COLORS,
    MUTED,
    WON,
    as_text,
    draw_curve,
    errors_of,
    floats,
    highest,
    make_axes,
    make_rows,
    percent,
    say_empty,
)
from leadml.wording import as_percent, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OBSERVATIONAL = "observational: sales calls the better leads first, so this is no effect of speed"
REFERENCES = ("call all", "call none")


def plot_net_benefit(table: pd.DataFrame, ax: "Axes | None" = None) -> "Axes":
    """Draw what calling from a probability on brings, whatever a call costs.

    Parameters
    ----------
    table : DataFrame
        From `compute_net_benefit`, or `Comparison.net_benefit`.
    ax : Axes, default=None

    Returns
    -------
    Axes
        A curve a model with its 95 % interval, and in grey the two references: a model is of use
        where it lies above both.

    Examples
    --------
    >>> from leadml.evaluation.net_benefit import compute_net_benefit
    >>> plot_net_benefit(compute_net_benefit([1, 0], {"model": [0.8, 0.3]})).get_xlabel()
    'Called from this probability on'
    """
    ax = make_axes(ax, "From which chance on does a call pay?")
    if table.empty:
        return say_empty(ax, "no leads")
    names = [str(name) for name in table["model"].unique() if name not in REFERENCES]
    top = highest(*(floats(table[table["model"] == name], "net_benefit") for name in names))
    reach = 0.0
    for place, name in enumerate(names):
        rows = table[table["model"] == name]
        color = MODEL_COLORS[place % len(MODEL_COLORS)]
        label = as_text(name)
        draw_curve(
            ax, rows, "threshold", "net_benefit", color=color, label=label, zorder=3 - place / 10
        )
        of_use = floats(rows, "threshold")[floats(rows, "net_benefit") > 0.01 * top]
        reach = max([reach, *of_use])
    for name in REFERENCES:
        rows = table[table["model"] == name]
        style: Any = DASHED if name == "call all" else "-"
        x, y = floats(rows, "threshold"), floats(rows, "net_benefit")
        ax.plot(x, y, color=MUTED, lw=1.4, ls=style, label=name)
    right = min(1.0, np.ceil(10 * reach + 0.5) / 10)
    ax.set(xlim=(0, right), ylim=(-0.08 * top, 1.12 * top))
    ax.set(xlabel="Called from this probability on", ylabel="Net wins a lead")
    percent(ax, "x")
    ax.legend(loc="upper right", frameon=False, labelcolor="linecolor")
    return ax


def plot_definitions(table: pd.DataFrame, ax: "Axes | None" = None) -> "Axes":
    """Draw how volume and conversion trade as the definition of a qualified lead changes.

    Parameters
    ----------
    table : DataFrame
        From `compute_definitions`.
    ax : Axes, default=None

    Returns
    -------
    Axes
        A dot a score from which on leads would qualify, with the 95 % interval of its conversion;
        in leads a week where the weeks are known.

    Examples
    --------
    >>> from leadml.evaluation.forecast import compute_definitions
    >>> plot_definitions(compute_definitions([1, 0, 1, 0], [90, 70, 60, 20])).get_xlabel()
    'Leads that would qualify'
    """
    ax = make_axes(
        ax,
        "Fewer and better leads, or more of them?",
        subtitle="at a dot: the score from which on a lead would qualify",
    )
    rows = table[table["n_leads"] > 0]
    if rows.empty:
        return say_empty(ax, "no leads")
    is_weekly = bool(rows["leads_a_week"].notna().any())
    volume = floats(rows, "leads_a_week" if is_weekly else "n_leads")
    rows = rows.assign(volume=volume)
    draw_curve(ax, rows, "volume", "conversion", color=WON, label="")
    ax.plot(volume, floats(rows, "conversion"), "o", color=WON, ms=5, mec="white", zorder=4)
    ax.set_xlim(0, 1.06 * highest(volume))
    ax.set_ylim(0, min(1.02, 1.12 * highest(floats(rows, "upper"))))
    _name_dots(ax, volume, floats(rows, "conversion"), [f"{edge:g}" for edge in rows["edge"]])
    ax.set_xlabel("Qualified leads a week" if is_weekly else "Leads that would qualify")
    ax.set_ylabel("Share of them won")
    ax.xaxis.set_major_formatter(lambda leads, _: f"{leads:,.10g}")
    percent(ax, "y")
    return ax


def plot_forecast(table: pd.DataFrame, ax: "Axes | None" = None) -> "Axes":
    """Draw how many leads of each group one coming week brings.

    Parameters
    ----------
    table : DataFrame
        From `forecast_weeks`.
    ax : Axes, default=None

    Returns
    -------
    Axes
        A row a group: the mean and the 95 % prediction interval of one week; where leads are
        needed, a line at them and the chance that a week brings so many.

    Examples
    --------
    >>> from leadml.evaluation.forecast import forecast_weeks
    >>> created = pd.date_range("2026-01-05", periods=70, freq="D")
    >>> plot_forecast(forecast_weeks(created, ["hot", "cold"] * 35)).get_xlabel()
    'Leads in one coming week'
    """
    title, names = "What does a coming week bring?", [str(name) for name in table["group"]]
    if not names:
        return say_empty(make_axes(ax, title), "no weeks")
    means = floats(table, "mean")
    needed = floats(table, "needed") if "needed" in table else np.full(len(table), np.nan)
    asked = needed[np.isfinite(needed)]
    subtitle = f"dashed: the {number(asked[0])} that are needed" if len(asked) else ""
    ax = make_rows(ax, title, [as_text(name) for name in names], 0.45, subtitle)
    top = highest(floats(table, "upper"), needed)
    for place, (name, row) in enumerate(zip(names, table.to_dict("records"), strict=True)):
        color = BAND_COLORS.get(name, INK)
        ax.plot(
            [row["lower"], row["upper"]],
            [place, place],
            color=color,
            lw=7,
            alpha=0.35,
            solid_capstyle="round",
        )
        ax.plot(means[place], place, "o", color=color, ms=8, mec="white", zorder=4)
        says = f"{number(means[place])} ({number(row['lower'])} to {number(row['upper'])})"
        if np.isfinite(needed[place]):
            says += f"\n{_as_chance(row['chance'])} chance of {number(needed[place])}"
        ax.annotate(
            says,
            (1.02, place),
            xycoords=("axes fraction", "data"),
            va="center",
            color=INK,
            fontsize=9,
            annotation_clip=False,
        )
    if len(asked):
        ax.axvline(float(asked[0]), color=INK, lw=1.2, ls=DASHED, zorder=1)
    ax.set(xlim=(0, 1.04 * top), xlabel="Leads in one coming week")
    return ax


def plot_response_times(table: pd.DataFrame, ax: "Axes | None" = None) -> "Axes":
    """Draw conversion by days to the first contact: an observation, no effect.

    Parameters
    ----------
    table : DataFrame
        From `compute_response_times`.
    ax : Axes, default=None

    Returns
    -------
    Axes
        A dot a row of the table with its 95 % interval; leads never contacted in grey.

    Examples
    --------
    >>> from leadml.evaluation.response import compute_response_times
    >>> plot_response_times(compute_response_times([1, 0], [0, 5])).get_ylabel()
    'Share won'
    """
    ax = make_axes(ax, "Conversion by days to the first contact", subtitle=OBSERVATIONAL)
    if table.empty:
        return say_empty(ax, "no leads")
    names = [str(name) for name in table["contact"]]
    share, errors = floats(table, "conversion"), errors_of(table, "conversion")
    for place, name in enumerate(names):
        color = MUTED if name == "never" else WON
        ax.errorbar(
            place,
            share[place],
            yerr=errors[:, [place]],
            fmt="o",
            color=color,
            ms=7,
            mec="white",
            elinewidth=2.2,
        )
        if np.isfinite(share[place]):
            ax.annotate(
                as_percent(share[place]),
                (place, share[place]),
                (8, 0),
                color=color,
                textcoords="offset points",
                va="center",
                fontsize=9,
            )
    leads = [f"{count:,}" for count in table["n_leads"]]
    labels = [f"{_two_lines(name)}\n{count}" for name, count in zip(names, leads, strict=True)]
    ax.set_xticks(np.arange(len(names)), labels, fontsize=9)
    ax.set(xlim=(-0.5, len(names) - 0.3), ylim=(0, 1.08 * highest(floats(table, "upper"))))
    ax.set(xlabel="First contact, and number of leads", ylabel="Share won")
    ax.grid(visible=False, axis="x")
    percent(ax, "y")
    return ax


def _name_dots(ax: "Axes", x: Any, y: Any, names: list[str]) -> None:
    """Name dots where there is room: those that lie on each other keep the first name."""
    last = None
    for place in range(len(names)):
        spot = x[place] / ax.get_xlim()[1], y[place] / ax.get_ylim()[1]
        if last is None or np.hypot(*np.subtract(spot, last)) > 0.055:
            ax.annotate(
                names[place],
                (x[place], y[place]),
                (4, 5),
                textcoords="offset points",
                color=INK,
                fontsize=9,
            )
            last = spot


def _as_chance(chance: float) -> str:
    if not 0.01 <= chance <= 0.99:
        return "under 1 %" if chance < 0.5 else "over 99 %"
    return as_percent(chance, ".0f")


def _two_lines(name: str) -> str:
    """Break a name such as `31 days or more` after its half."""
    words = as_text(name).split()
    half = (len(words) + 1) // 2
    return "\n".join([" ".join(words[:half]), " ".join(words[half:])])
