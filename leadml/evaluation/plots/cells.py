"""Plots of leads in two directions at once: a cell each, the darker the more are won."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.errors import DataError, did_you_mean
from leadml.evaluation._inputs import Floats
from leadml.evaluation.plots._base import (
    INK,
    MUTED,
    as_text,
    floats,
    highest,
    make_axes,
    say_empty,
)
from leadml.wording import as_percent, counted, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHADES = ("#F3F7FA", "#9CC3E0", "#2F7FB8", "#0B4A7A")


def plot_cross_table(
    table: pd.DataFrame, other: str | None = None, ax: "Axes | None" = None
) -> "Axes":
    """Draw the conversion of leads by the bands of two models.

    Parameters
    ----------
    table : DataFrame
        From `compute_cross_table`, or `Comparison.cross`.
    other : str, default=None
        The other model where the table holds several; None takes the first.
    ax : Axes, default=None

    Returns
    -------
    Axes
        Nine cells: share won, number of leads, and the 95 % interval.

    Raises
    ------
    DataError
        Where the table does not hold the other model.

    Examples
    --------
    >>> from leadml.evaluation.cross import compute_cross_table
    >>> table = compute_cross_table([1, 0], ["hot", "cold"], ["hot", "hot"])
    >>> plot_cross_table(table).get_xlabel()
    'Band by the other'
    """
    ax = make_axes(ax, "Where the two disagree, who is right?", size=(6.4, 4.2))
    if table.empty:
        return say_empty(ax, "no bands")
    names = ("model", "other")
    if "other" in table:
        known = [str(name) for name in table["other"].unique()]
        if other is not None and other not in known:
            message = (
                f"The table holds no model {other!r} to hold against. It holds {', '.join(known)}."
                f"{did_you_mean(other, known)}"
            )
            raise DataError(message)
        table = table[table["other"] == (other or known[0])]
        names = (str(table["model"].iloc[0]), other or known[0])
    rows, columns = ([*table[name].unique()] for name in ("band", "other_band"))
    cells = table.set_index(["band", "other_band"]).reindex(
        pd.MultiIndex.from_product([rows, columns])
    )
    _draw_cells(ax, cells, rows, columns)
    ax.set(xlabel=f"Band by the {as_text(names[1])}", ylabel=f"Band by the {as_text(names[0])}")
    return ax


def plot_grid(table: pd.DataFrame, ax: "Axes | None" = None) -> "Axes":
    """Draw conversion by fit (who a lead is) and engagement (what it does).

    Parameters
    ----------
    table : DataFrame
        From `compute_grid`.
    ax : Axes, default=None

    Returns
    -------
    Axes
        16 cells, A1 at the top left: share won, number of leads, and the 95 % interval.

    Examples
    --------
    >>> from leadml.evaluation.cross import compute_grid
    >>> plot_grid(compute_grid([1, 0, 0, 0], [9, 7, 3, 1], [8, 2, 4, 0])).get_ylabel()
    'Fit'
    """
    ax = make_axes(ax, "What fit and engagement are worth", size=(6.4, 5.4))
    if table.empty:
        return say_empty(ax, "no leads")
    cells = table.set_index(["fit", "engagement"])
    rows, columns = ([*table[name].unique()] for name in ("fit", "engagement"))
    _draw_cells(
        ax,
        cells.reindex(pd.MultiIndex.from_product([rows, columns])),
        _quarters(table, "fit"),
        _quarters(table, "engagement"),
    )
    ax.set(xlabel="Engagement", ylabel="Fit")
    return ax


def _draw_cells(
    ax: "Axes", cells: pd.DataFrame, rows: Sequence[str], columns: Sequence[str]
) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    shape = len(rows), len(columns)
    share: Floats = floats(cells, "conversion")
    top = highest(share)
    shades = LinearSegmentedColormap.from_list("won", SHADES)
    ax.pcolormesh(
        np.ma.masked_invalid(share.reshape(shape)),
        cmap=shades,
        vmin=0,
        vmax=top,
        edgecolors="white",
        lw=3,
    )
    for place, row in enumerate(cells.to_dict("records")):
        x, y = place % shape[1] + 0.5, place // shape[1] + 0.5
        if not np.isfinite(share[place]):
            ax.text(x, y, "no leads", ha="center", va="center", color=MUTED, fontsize=8.5)
            continue
        _write_cell(ax, row, (x, y), "white" if share[place] > 0.55 * top else INK)
    ax.set_xticks(np.arange(shape[1]) + 0.5, columns, fontsize=10)
    ax.set_yticks(np.arange(shape[0]) + 0.5, rows, fontsize=10)
    ax.set_ylim(shape[0], 0)
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _write_cell(ax: "Axes", row: Mapping[Any, Any], spot: tuple[float, float], color: str) -> None:
    """Write a cell's share in bold, and its leads and its interval below."""
    low, high = as_percent(row["lower"], ".0f"), as_percent(row["upper"], ".0f")
    leads = counted(int(row["n_leads"]), "lead")
    small = f"{leads}\n{low.removesuffix(' %')} to {high}"
    style: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "color": color}
    share = as_percent(row["conversion"], ".0f")
    ax.annotate(share, spot, (0, 1), va="bottom", fontsize=13, fontweight="bold", **style)
    ax.annotate(small, spot, (0, -1), va="top", fontsize=8.5, **style)


def _quarters(table: pd.DataFrame, name: str) -> list[str]:
    """Return the quarters' names with the points they hold: `A: 12 or more`, `B: 4 to 12`."""
    labels = []
    for quarter, rows in table.groupby(name, sort=False):
        low, high = (float(rows[f"{name}_{end}"].iloc[0]) for end in ("from", "to"))
        ends = f"{number(low)} to {number(high)}"
        if not np.isfinite(low) or not np.isfinite(high):
            ends = f"below {number(high)}" if np.isfinite(high) else f"{number(low)} or more"
        labels.append(f"{quarter}\n{ends}")
    return labels
