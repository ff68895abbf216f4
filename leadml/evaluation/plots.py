"""Plots of the tables: each takes a finished table, only draws, and returns the Axes."""

from collections.abc import Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from leadml.errors import DataError, did_you_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# told apart with every common colour blindness: Okabe & Ito 2008, Color Universal Design
MODEL_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#7A7A7A")
BAND_COLORS = {"hot": "#C8453B", "warm": "#E3A23C", "cold": "#6D9DC5"}
WON, LOST = MODEL_COLORS[0], "#A9B2BC"
INK, MUTED, LINES = "#263238", "#6B7780", "#E4E7EA"

Corner = Literal["upper left", "upper right", "lower right"]
Tables = pd.DataFrame | Mapping[str, pd.DataFrame]


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
    models = _named(tables)
    ax = _axes(ax, "Do the probabilities hold?", size=(5.4, 5.2))
    shift = _shifts(len(models), 0.006)
    top = 0.0
    for (name, table), color, offset in zip(models.items(), _colors(models), shift, strict=True):
        x, y = table["y_prob_mean"] + offset, table["conversion"]
        ax.errorbar(x, y, yerr=_errors(table, "conversion"), fmt="none", ecolor=color, alpha=0.45)
        ax.plot(x, y, "o-", color=color, lw=1.6, ms=5.5, mec="white", mew=0.8, label=name)
        top = max(top, table["y_prob_mean"].max(), table["upper"].max())
    edge = min(1.0, np.ceil(10 * top) / 10)
    ax.plot([0, edge], [0, edge], ls=(0, (4, 3)), color=MUTED, lw=1, zorder=1)
    corner = ax.transAxes
    ax.text(0.98, 0.03, "dashed: as promised", transform=corner, ha="right", color=MUTED, size=9)
    margin = 0.02 * edge
    ax.set(xlim=(-margin, edge + margin), ylim=(-margin, edge + margin), aspect="equal")
    ax.set(xlabel="Promised probability", ylabel="Share won")
    _percent(ax, "xy")
    _legend(ax, models, "upper left")
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
    models = _named(tables)
    ax = _axes(ax, "How many wins do the best-scored leads hold?")
    ax.plot([0, 1], [0, 1], ls=(0, (4, 3)), color=MUTED, lw=1, zorder=1)
    ax.annotate("random order", (0.72, 0.69), color=MUTED, fontsize=9, va="top")
    marks: list[tuple[float, str]] = []
    for place, (name, table) in enumerate(models.items()):
        color, above = _colors(models)[place], 3 - place / len(models)
        ax.fill_between(
            table["fraction"], table["lower"], table["upper"], color=color, alpha=0.14, lw=0
        )
        ax.plot(table["fraction"], table["gain"], color=color, lw=2, label=name, zorder=above)
        marks.append((float(np.interp(0.1, table["fraction"], table["gain"])), color))
    # of equal ones the first model's: it is drawn on top
    best, worst = (end(marks, key=lambda mark: mark[0]) for end in (max, min))
    for mark in reversed(marks):
        gain, color = mark
        ax.plot(0.1, gain, "o", color=color, ms=6.5, mec="white", mew=1, zorder=4)
        if mark in (best, worst):  # those between would be written over each other
            ax.annotate(
                _as_percent(gain),
                (0.1, gain),
                (-8, 9) if mark == best else (9, -11),
                textcoords="offset points",
                color=color,
                ha="center" if mark == best else "left",
                fontsize=9,
                fontweight="bold",
            )
    ax.set(xlim=(0, 1), ylim=(0, 1.01))
    ax.set(xlabel="Share of leads called, best score first", ylabel="Share of all wins found")
    _percent(ax, "xy")
    _legend(ax, models, "lower right")
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
    ax = _axes(ax, "Does the score part won from lost?")
    edges = np.append(table["score_from"], table["score_to"].iloc[-1])
    for kind, color in (("lost", LOST), ("won", WON)):
        share = table[f"share_{kind}"].fillna(0)
        count = int((table["n_leads"] - table["n_won"] if kind == "lost" else table["n_won"]).sum())
        ax.stairs(share, edges, fill=True, color=color, alpha=0.45 if kind == "lost" else 0.30)
        ax.stairs(share, edges, color=color, lw=1.8, label=f"{kind} ({count:,} leads)")
    ax.set(xlim=(0, 100), xlabel="Score", ylabel="Share of each group")
    highest = float(table[["share_won", "share_lost"]].fillna(0).to_numpy().max())
    ax.set_ylim(0, 1.3 * highest if highest > 0 else 1)  # room for the legend
    _percent(ax, "y")
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
    models = _named(tables)
    ax = _axes(ax, "What do hot, warm and cold mean?")
    alone = len(models) == 1
    width = (0.62 if alone else 0.84) / len(models)
    bands = next(iter(models.values()))["band"]
    places = np.arange(len(bands))
    shift = _shifts(len(models), width)
    for (name, table), color, offset in zip(models.items(), _colors(models), shift, strict=True):
        colors = [BAND_COLORS[band] for band in bands] if alone else color
        x, y = places + offset, table["conversion"]
        ax.bar(x, y.fillna(0), width * 0.92, color=colors, alpha=0.9, label=name)
        ax.errorbar(x, y, yerr=_errors(table, "conversion"), fmt="none", ecolor=INK, elinewidth=1)
        for place, row in zip(x, table.to_dict("records"), strict=True):
            share = _as_percent(row["conversion"], ".0f") if row["n_leads"] else ""
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
    highest = max(table["upper"].max() for table in models.values())
    ax.set(ylim=(0, 1.18 * highest if highest > 0 else 1), ylabel="Share won")
    ax.set_xticks(places, list(bands), fontsize=11)
    ax.grid(visible=False, axis="x")
    _percent(ax, "y")
    _legend(ax, models, "upper right")
    return ax


def plot_points(table: pd.DataFrame, feature: str, ax: "Axes | None" = None) -> "Axes":
    """Draw the points that each value of one feature adds to a score.

    Parameters
    ----------
    table : DataFrame
        Columns feature, value, points; one row a value. For a category, `value` is its name; for
        a number, the lower edge of an interval that reaches to the next row's edge (-inf for the
        lowest). A missing value stands for leads without one.
    feature : str
        Which feature to draw.
    ax : Axes, default=None

    Returns
    -------
    Axes
        Steps for a number; for a category a bar each, most points on top.

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
    missing = rows["value"].isna()
    values = rows.loc[~missing, "value"]
    known_points, points_missing = rows.loc[~missing, "points"], rows.loc[missing, "points"]
    # a category can be named "2024": only numbers themselves are edges
    if len(values) and all(isinstance(value, Real) for value in values):
        return _plot_steps(values, known_points, points_missing, feature, ax)
    return _plot_bars(rows, feature, ax)


def _plot_steps(
    edges: pd.Series, points: pd.Series, missing: pd.Series, feature: str, ax: "Axes | None"
) -> "Axes":
    ax = _axes(ax, f"Points for {feature}")
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
        ax.axhline(missing.iloc[0], color=MUTED, lw=1.2, ls=(0, (4, 3)))
        ax.annotate(
            f"missing: {_signed(missing.iloc[0])}",
            (starts[-1], missing.iloc[0]),
            (-4, 4),
            textcoords="offset points",
            ha="right",
            color=MUTED,
            fontsize=9,
        )
    ax.set(xlim=(starts[0], starts[-1]), xlabel=feature, ylabel="Points")
    ax.yaxis.set_major_formatter(lambda points, _: _signed(points))
    return ax


def _plot_bars(rows: pd.DataFrame, feature: str, ax: "Axes | None") -> "Axes":
    rows = rows.sort_values("points", kind="stable")
    ax = _axes(ax, f"Points for {feature}", size=(6.4, 1.4 + 0.32 * len(rows)))
    names = ["missing" if pd.isna(value) else _shortened(value) for value in rows["value"]]
    places = np.arange(len(rows))
    points = rows["points"].to_numpy(float)
    colors = np.where(points >= 0, WON, MODEL_COLORS[1])
    ax.barh(places, points, 0.68, color=colors, alpha=0.9)
    for place, value in zip(places, points, strict=True):
        ax.annotate(
            _signed(value),
            # right of the axis for a loss too: left of its bar stand the names
            (max(value, 0), place),
            (4, 0),
            textcoords="offset points",
            va="center",
            color=INK,
            fontsize=9,
        )
    ax.axvline(0, color=MUTED, lw=1)
    ax.set_yticks(places, names)
    low, high = min(points.min(), 0), max(points.max(), 0)
    room = (high - low) or 1
    ax.set_xlim(low - 0.04 * room, high + 0.2 * room)  # to the right for the labels
    ax.grid(visible=False)
    ax.grid(visible=True, axis="x", color=LINES)
    ax.xaxis.set_major_formatter(lambda points, _: _signed(points))
    ax.set(xlabel="Points", ylim=(-0.6, len(rows) - 0.4))
    ax.spines["left"].set_visible(False)
    return ax


def _named(tables: Tables) -> dict[str, pd.DataFrame]:
    return {"": tables} if isinstance(tables, pd.DataFrame) else dict(tables)


def _colors(models: Mapping[str, Any]) -> list[str]:
    return [MODEL_COLORS[place % len(MODEL_COLORS)] for place in range(len(models))]


def _shifts(count: int, width: float) -> Any:
    return (np.arange(count) - (count - 1) / 2) * width


def _errors(table: pd.DataFrame, center: str) -> Any:
    return np.stack([table[center] - table["lower"], table["upper"] - table[center]])


def _shortened(value: Any, length: int = 34) -> str:
    text = str(value)
    return text if len(text) <= length else text[: length - 1] + "…"


def _axes(ax: "Axes | None", title: str, size: tuple[float, float] = (6.4, 4.4)) -> "Axes":
    if ax is None:
        from matplotlib import pyplot as plt

        _, ax = plt.subplots(figsize=size, layout="constrained")
    ax.set_title(title, loc="left", color=INK, fontsize=12, fontweight="bold", pad=12)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(MUTED)
    ax.grid(visible=True, color=LINES, lw=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(length=0, colors=INK)
    ax.xaxis.label.set_color(INK)
    ax.yaxis.label.set_color(INK)
    return ax


def _percent(ax: "Axes", axes: str) -> None:
    for axis in axes:
        getattr(ax, f"{axis}axis").set_major_formatter(lambda share, _: _as_percent(share, "g"))


def _as_percent(share: float, form: str = "") -> str:
    return f"{100 * share:{form or ('.1f' if 0 < share < 0.0995 else '.0f')}} %"


def _signed(points: float) -> str:
    text = f"{points:+.1f}".removesuffix(".0").replace("-", "\N{MINUS SIGN}")
    return "0" if text[1:] == "0" else text


def _legend(ax: "Axes", models: Mapping[str, Any], place: Corner) -> None:
    if len(models) > 1:
        ax.legend(loc=place, frameon=False, labelcolor=INK)
