"""Plot of points: what each value of one feature adds to a score, in model and rules."""

from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.errors import DataError, did_you_mean
from leadml.evaluation._inputs import Floats
from leadml.evaluation.plots._base import (
    DASHED,
    INK,
    LINES,
    MODEL_COLORS,
    MUTED,
    WON,
    as_text,
    floats,
    legend_below,
    make_axes,
)
from leadml.wording import signed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MODELS = {"points": "model", "other_points": "rules"}


def plot_points(table: pd.DataFrame, feature: str, ax: "Axes | None" = None) -> "Axes":
    """Draw the points that each value of one feature adds to a score.

    Parameters
    ----------
    table : DataFrame
        Columns feature, value, points; one row a value. For a category, `value` is its name; for
        a number, the lower edge of an interval that reaches to the next row's edge (-inf for the
        lowest). A missing value stands for leads without one. Or what `compute_mean_points` gives:
        its `kind`, `from` and `to` tell the bins of a number, and its `other_points` are drawn as
        those of the rules.
    feature : str
        Which feature to draw.
    ax : Axes, default=None

    Returns
    -------
    Axes
        Steps for a number, those of `compute_mean_points` all as wide; for a category a bar each,
        most points on top, with a dot for the rules.

    Raises
    ------
    DataError
        Where the table has no rows for the feature.

    Examples
    --------
    >>> table = pd.DataFrame({"feature": "visits", "value": [0, 3], "points": [-4.0, 6.5]})
    >>> plot_points(table, "visits").get_xlabel()
    'visits'
    """
    rows = table[table["feature"] == feature]
    if rows.empty:
        known = [str(name) for name in table["feature"].unique()]
        message = (
            f"The table has no points for {feature!r}. Its features are {', '.join(known)}."
            f"{did_you_mean(feature, known)}"
        )
        raise DataError(message)
    if "kind" in rows and (rows["kind"] == "number").all() and {"from", "to"} <= {*rows}:
        return _plot_bins(rows, feature, ax)
    missing = rows["value"].isna()
    values = rows.loc[~missing, "value"]
    known_points, points_missing = rows.loc[~missing, "points"], rows.loc[missing, "points"]
    # a category can be named "2024": only numbers themselves are edges
    if len(values) and all(isinstance(value, Real) for value in values):
        return _plot_steps(values, known_points, points_missing, feature, ax)
    return _plot_bars(rows, feature, ax)


def _series(rows: pd.DataFrame) -> dict[str, Floats]:
    """Return the points to draw, by whose they are: the model's, and the rules' where there."""
    there = [name for name in MODELS if name in rows and rows[name].notna().any()]
    return {MODELS[name]: floats(rows, name) for name in there}


def _plot_bins(rows: pd.DataFrame, feature: str, ax: "Axes | None") -> "Axes":
    """Draw each bin as wide as the others: the outer ones have no end, and few leads are there."""
    ax = make_axes(ax, f"Points for {as_text(feature)}")
    is_missing = rows["from"].isna().to_numpy()
    bins = int((~is_missing).sum())
    series = _series(rows.iloc[np.argsort(is_missing, kind="stable")])
    slot = bins + 0.7  # where leads without a value stand, apart from the others
    ax.axhline(0, color=MUTED, lw=1)
    for place, (name, points) in reversed([*enumerate(series.items())]):
        color = MODEL_COLORS[place]
        style: dict[str, Any] = {
            "color": color,
            "lw": 2,
            "ls": "-" if place == 0 else (0, (3, 1.5)),
        }
        ax.stairs(points[:bins], np.arange(bins + 1), baseline=None, label=name, **style)
        if is_missing.any():
            ax.plot([slot, slot + 1], [points[bins]] * 2, **style)
    starts = rows["from"].to_numpy(float)[~is_missing][1:]
    _name_edges(ax, starts, bins, has_missing=bool(is_missing.any()))
    ax.set(xlabel=as_text(feature), ylabel="Points")
    ax.yaxis.set_major_formatter(lambda points, _: signed(points))
    ax.grid(visible=False, axis="x")
    if len(series) > 1:
        legend_below(ax, is_reversed=True)
    return ax


def _name_edges(ax: "Axes", starts: Floats, bins: int, *, has_missing: bool) -> None:
    """Name the edges between bins, as many as there is room for, and the place of the missing."""
    names = [f"{edge:,.6g}" for edge in starts]
    every = max(1, -(-sum(len(name) + 2 for name in names) // 60))
    ticks = [(place + 1.0, name) for place, name in enumerate(names)][::every]
    if not ticks and bins:
        ticks = [(0.5, "any value")]
    if has_missing:
        ticks.append((bins + 1.2, "missing"))
    ax.set_xticks([place for place, _ in ticks], [name for _, name in ticks])
    ax.set_xlim(0, bins + (1.8 if has_missing else 0) or 1)


def _plot_steps(
    edges: pd.Series, points: pd.Series, missing: pd.Series, feature: str, ax: "Axes | None"
) -> "Axes":
    ax = make_axes(ax, f"Points for {as_text(feature)}")
    order = np.argsort(edges.to_numpy(float), kind="stable")
    starts, height = edges.to_numpy(float)[order], points.to_numpy(float)[order]
    finite = starts[np.isfinite(starts)]
    # the outer intervals have no end: they are drawn as wide as a tenth of all the others
    room = (np.ptp(finite) if len(finite) > 1 else 1.0) * 0.1
    first = finite.min() if len(finite) else 0.0
    last = finite.max() if len(finite) else 0.0
    # counts and durations do not begin below 0
    start = max(first - room, 0.0) if first > 0 else first - room
    starts = np.append(np.maximum(starts, start), last + room)
    ax.axhline(0, color=MUTED, lw=1)
    ax.stairs(np.maximum(height, 0), starts, fill=True, color=WON, alpha=0.16)
    ax.stairs(np.minimum(height, 0), starts, fill=True, color=MODEL_COLORS[1], alpha=0.16)
    ax.stairs(height, starts, baseline=None, color=INK, lw=1.8)
    if len(missing):
        ax.axhline(missing.iloc[0], color=MUTED, lw=1.2, ls=DASHED)
        ax.annotate(
            f"missing: {signed(missing.iloc[0])}",
            (starts[-1], missing.iloc[0]),
            (-4, 4),
            textcoords="offset points",
            ha="right",
            color=MUTED,
            fontsize=9,
        )
    ax.set(xlim=(starts[0], starts[-1]), xlabel=as_text(feature), ylabel="Points")
    ax.yaxis.set_major_formatter(lambda points, _: signed(points))
    return ax


def _plot_bars(rows: pd.DataFrame, feature: str, ax: "Axes | None") -> "Axes":
    rows = rows.sort_values("points", kind="stable")
    ax = make_axes(ax, f"Points for {as_text(feature)}", size=(6.4, 1.6 + 0.32 * len(rows)))
    names = ["missing" if pd.isna(value) else as_text(value) for value in rows["value"]]
    places = np.arange(len(rows))
    series = _series(rows)
    points = floats(rows, "points")
    # beside the rules' dots a colour says whose points they are, not which way they go
    colors = WON if len(series) > 1 else np.where(points >= 0, WON, MODEL_COLORS[1])
    ax.barh(places, points, 0.68, color=colors, alpha=0.9, label="model")
    others = series.get("rules", np.full(len(rows), np.nan))
    ax.plot(others, places, "o", color=MODEL_COLORS[1], ms=7, mec="white", label="rules")
    for place, value, other in zip(places, points, others, strict=True):
        ax.annotate(
            signed(value),
            # right of the axis for a loss too: left of its bar stand the names
            (np.nanmax([value, other, 0]), place),
            (4 if np.isnan(other) else 8, 0),
            textcoords="offset points",
            va="center",
            color=INK,
            fontsize=9,
        )
    ax.axvline(0, color=MUTED, lw=1)
    ax.set_yticks(places, names)
    ends = np.nan_to_num([*points, *others, 0.0])
    low, high = float(ends.min()), float(ends.max())
    room = (high - low) or 1
    ax.set_xlim(low - 0.04 * room, high + 0.2 * room)  # to the right for the labels
    ax.grid(visible=False)
    ax.grid(visible=True, axis="x", color=LINES)
    ax.xaxis.set_major_formatter(lambda points, _: signed(points))
    ax.set(xlabel="Points", ylim=(-0.6, len(rows) - 0.4))
    ax.spines["left"].set_visible(False)
    if len(series) > 1:
        legend_below(ax, is_reversed=True)
    return ax
