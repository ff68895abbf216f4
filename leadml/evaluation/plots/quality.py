"""Plots of how good probabilities, ranking and bands are."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.evaluation.plots._base import (
    BAND_COLORS,
    DASHED,
    INK,
    LOST,
    MUTED,
    WON,
    Tables,
    add_legend,
    colors_of,
    draw_curve,
    errors_of,
    floats,
    highest,
    make_axes,
    mark_ends,
    name_tables,
    percent,
    say_empty,
    shifts,
)
from leadml.wording import as_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_reliability(tables: Tables, ax: "Axes | None" = None) -> "Axes":
    """Draw the conversion that came against the probability that was promised.

    Parameters
    ----------
    tables : DataFrame or mapping of str to DataFrame
        From `compute_reliability`; several models by name are drawn over each other.
    ax : Axes, default=None
        Where to draw; on a new figure where None.

    Returns
    -------
    Axes
        Points with 95 % intervals; on the dashed line promise and outcome agree.

    Examples
    --------
    >>> from leadml.evaluation.tables import compute_reliability
    >>> table = compute_reliability([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.8], n_bins=2)
    >>> plot_reliability(table).get_ylabel()
    'Share won'
    """
    models = name_tables(tables)
    ax = make_axes(ax, "Do the probabilities hold?", size=(5.4, 5.2))
    shift = shifts(len(models), 0.006)
    for (name, table), color, offset in zip(models.items(), colors_of(models), shift, strict=True):
        x, y = floats(table, "y_prob_mean") + offset, floats(table, "conversion")
        ax.errorbar(x, y, yerr=errors_of(table, "conversion"), fmt="none", ecolor=color, alpha=0.45)
        ax.plot(x, y, "o-", color=color, lw=1.6, ms=5.5, mec="white", mew=0.8, label=name)
    ends = [floats(table, name) for table in models.values() for name in ("y_prob_mean", "upper")]
    edge = min(1.0, np.ceil(10 * highest(*ends)) / 10)
    ax.plot([0, edge], [0, edge], ls=DASHED, color=MUTED, lw=1, zorder=1)
    corner = ax.transAxes
    ax.text(0.98, 0.03, "dashed: as promised", transform=corner, ha="right", color=MUTED, size=9)
    margin = 0.02 * edge
    ax.set(xlim=(-margin, edge + margin), ylim=(-margin, edge + margin), aspect="equal")
    ax.set(xlabel="Promised probability", ylabel="Share won")
    percent(ax, "xy")
    add_legend(ax, models, "upper left")
    return ax


def plot_gain(tables: Tables, ax: "Axes | None" = None) -> "Axes":
    """Draw the share of wins found against the share of leads called, best first.

    Parameters
    ----------
    tables : DataFrame or mapping of str to DataFrame
        From `compute_gain_curve` or `Evaluation.gain`; several models by name are drawn over
        each other.
    ax : Axes, default=None

    Returns
    -------
    Axes
        Curves with 95 % intervals, a mark at the best tenth, and the line of a random order.

    Examples
    --------
    >>> from leadml.evaluation.tables import compute_gain_curve
    >>> plot_gain(compute_gain_curve([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.8])).get_ylabel()
    'Share of all wins found'
    """
    models = name_tables(tables)
    ax = make_axes(ax, "How many wins do the best-scored leads hold?")
    ax.plot([0, 1], [0, 1], ls=DASHED, color=MUTED, lw=1, zorder=1)
    ax.annotate("random order", (0.72, 0.69), color=MUTED, fontsize=9, va="top")
    marks: list[tuple[float, str]] = []
    for place, (name, table) in enumerate(models.items()):
        color, above = colors_of(models)[place], 3 - place / len(models)
        draw_curve(ax, table, "fraction", "gain", color=color, label=name, zorder=above)
        if len(table):
            gain = np.interp(0.1, floats(table, "fraction"), floats(table, "gain"))
            marks.append((float(gain), color))
    mark_ends(ax, 0.1, marks, as_percent)
    ax.set(xlim=(0, 1), ylim=(0, 1.01))
    ax.set(xlabel="Share of leads called, best score first", ylabel="Share of all wins found")
    percent(ax, "xy")
    add_legend(ax, models, "lower right")
    return ax


def plot_score_distribution(table: pd.DataFrame, ax: "Axes | None" = None) -> "Axes":
    """Draw how the scores of won and of lost leads are spread.

    Parameters
    ----------
    table : DataFrame
        From `compute_score_distribution`.
    ax : Axes, default=None

    Returns
    -------
    Axes
        Two outlines, each of area 1, so that few wins are as visible as many losses.

    Examples
    --------
    >>> from leadml.evaluation.tables import compute_score_distribution
    >>> plot_score_distribution(compute_score_distribution([1, 0], [70, 30])).get_xlabel()
    'Score'
    """
    ax = make_axes(ax, "Does the score part won from lost?")
    if table.empty:
        return say_empty(ax, "no leads")
    edges = np.append(table["score_from"], table["score_to"].iloc[-1])
    for kind, color in (("lost", LOST), ("won", WON)):
        share = table[f"share_{kind}"].fillna(0)
        count = int((table["n_leads"] - table["n_won"] if kind == "lost" else table["n_won"]).sum())
        ax.stairs(share, edges, fill=True, color=color, alpha=0.45 if kind == "lost" else 0.30)
        ax.stairs(share, edges, color=color, lw=1.8, label=f"{kind} ({count:,} leads)")
    ax.set(xlim=(0, 100), xlabel="Score", ylabel="Share of each group")
    # room for the legend
    ax.set_ylim(0, 1.3 * highest(floats(table, "share_won"), floats(table, "share_lost")))
    percent(ax, "y")
    ax.legend(loc="upper right", frameon=False, labelcolor=INK)
    return ax


def plot_bands(tables: Tables, ax: "Axes | None" = None) -> "Axes":
    """Draw the share won of hot, warm and cold leads.

    Parameters
    ----------
    tables : DataFrame or mapping of str to DataFrame
        From `compute_bands`; several models by name stand side by side.
    ax : Axes, default=None

    Returns
    -------
    Axes
        Bars with 95 % intervals, labelled with the share won; those of a single model with the
        number of leads too.

    Examples
    --------
    >>> from leadml.evaluation.tables import compute_bands
    >>> plot_bands(compute_bands([1, 0], ["hot", "cold"])).get_ylabel()
    'Share won'
    """
    models = name_tables(tables)
    ax = make_axes(ax, "What do hot, warm and cold mean?")
    alone = len(models) == 1
    width = (0.62 if alone else 0.84) / len(models)
    bands = next(iter(models.values()))["band"]
    places = np.arange(len(bands))
    shift = shifts(len(models), width)
    for (name, table), color, offset in zip(models.items(), colors_of(models), shift, strict=True):
        colors = [BAND_COLORS[band] for band in bands] if alone else color
        x, y = places + offset, floats(table, "conversion")
        ax.bar(x, np.nan_to_num(y), width * 0.92, color=colors, alpha=0.9, label=name)
        ax.errorbar(x, y, yerr=errors_of(table, "conversion"), fmt="none", ecolor=INK, elinewidth=1)
        for place, row in zip(x, table.to_dict("records"), strict=True):
            share = as_percent(row["conversion"], ".0f") if row["n_leads"] else ""
            ax.annotate(
                # bars of several models have no room for more than the share
                f"{share}\n{row['n_leads']:,} leads".strip() if alone else share,
                (place, row["upper"] if row["n_leads"] else 0),
                (0, 5),
                textcoords="offset points",
                ha="center",
                color=INK,
                fontsize=9 if alone else 8.5,
            )
    top = highest(*(floats(table, "upper") for table in models.values()))
    ax.set(ylim=(0, 1.18 * top), ylabel="Share won")
    ax.set_xticks(places, list(bands), fontsize=11)
    ax.grid(visible=False, axis="x")
    percent(ax, "y")
    add_legend(ax, models, "upper right")
    return ax
