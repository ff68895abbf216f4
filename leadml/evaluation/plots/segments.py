"""Plot of segments: what was promised and what came, country by country, source by source."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.errors import DataError, did_you_mean
from leadml.evaluation.plots._base import (
    INK,
    as_text,
    colors_of,
    errors_of,
    floats,
    highest,
    legend_below,
    make_rows,
    percent,
    say_empty,
    shifts,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EXPLAINED = "dot: won, hollow where few; strokes: promised"


def plot_segments(
    table: pd.DataFrame, column: str | None = None, ax: "Axes | None" = None
) -> "Axes":
    """Draw the conversion of each segment of a column beside what the models promised.

    Parameters
    ----------
    table : DataFrame
        From `compute_segments`, or `Comparison.segments`.
    column : str, default=None
        Which column to draw; None takes the first.
    ax : Axes, default=None

    Returns
    -------
    Axes
        A row a segment: a dot with the 95 % interval for what came, hollow where few leads were
        won or lost, and a stroke for each model's promise.

    Raises
    ------
    DataError
        Where the table does not hold the column.

    Examples
    --------
    >>> from leadml.evaluation.segments import compute_segments
    >>> table = compute_segments([1, 0], {"model": [0.8, 0.4]}, {"source": ["web", "fair"]})
    >>> [label.get_text() for label in plot_segments(table).get_yticklabels()]
    ['fair (1)', 'web (1)']
    """
    columns = [str(name) for name in table["column"].unique()]
    if column is not None and column not in columns:
        message = (
            f"The table has no segments of {column!r}. It has {', '.join(columns) or 'none'}."
            f"{did_you_mean(column, columns)}"
        )
        raise DataError(message)
    chosen = column if column is not None else next(iter(columns), "")
    rows = table[table["column"] == chosen]
    came = rows.drop_duplicates("segment")
    names = [
        f"{as_text(name, 26)} ({count:,})"
        for name, count in zip(came["segment"], came["n_leads"], strict=True)
    ]
    ax = make_rows(ax, f"Promised and won, by {as_text(chosen, 28)}", names, 0.36, EXPLAINED)
    if rows.empty:
        return say_empty(ax, "no segments")
    places = np.arange(len(came))
    share, errors = floats(came, "conversion"), errors_of(came, "conversion")
    ax.errorbar(share, places, xerr=errors, fmt="none", ecolor=INK, elinewidth=1.6, alpha=0.6)
    small = came["is_small"].to_numpy(bool)
    for few, face in ((False, INK), (True, "white")):
        mine = small == few
        if mine.any():
            ax.plot(share[mine], places[mine], "o", color=INK, mfc=face, ms=7)
    _draw_promises(ax, rows, came)
    promised = floats(rows, "y_prob_mean")
    ax.set_xlim(0, min(1.02, 1.06 * highest(floats(came, "upper"), promised)))
    ax.set_xlabel("Share won")
    percent(ax, "x")
    legend_below(ax)
    return ax


def _draw_promises(ax: "Axes", rows: pd.DataFrame, came: pd.DataFrame) -> None:
    """Draw a stroke for what each model promised of each segment."""
    models = [str(name) for name in rows["model"].unique()]
    for model, color, shift in zip(
        models, colors_of(models), shifts(len(models), 0.2), strict=True
    ):
        mine = rows[rows["model"] == model].set_index("segment").loc[came["segment"]]
        ax.plot(
            floats(mine, "y_prob_mean"),
            np.arange(len(came)) + shift,
            "|",
            color=color,
            ms=13 if len(models) == 1 else 9,
            mew=3,
            label=as_text(model, 20),
        )
