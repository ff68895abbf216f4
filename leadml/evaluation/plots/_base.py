"""What all plots share: colours that everybody can tell apart, axes, percent and plain text."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from leadml.evaluation._inputs import Floats
from leadml.wording import as_percent, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# told apart with every common colour blindness: Okabe & Ito 2008, Color Universal Design
MODEL_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#7A7A7A")
BAND_COLORS = {"hot": "#C8453B", "warm": "#E3A23C", "cold": "#6D9DC5"}
WON, LOST = MODEL_COLORS[0], "#A9B2BC"
INK, MUTED, LINES = "#263238", "#6B7780", "#E4E7EA"
DASHED = (0, (4, 3))

Corner = Literal["upper left", "upper right", "lower right"]
Tables = pd.DataFrame | Mapping[str, pd.DataFrame]


def make_axes(
    ax: "Axes | None", title: str, size: tuple[float, float] = (6.4, 4.4), subtitle: str = ""
) -> "Axes":
    """Return Axes with a title and a quiet grid, on a new figure where None is given."""
    if ax is None:
        from matplotlib import pyplot as plt

        _, ax = plt.subplots(figsize=size, layout="constrained")
    pad = 26 if subtitle else 12
    ax.set_title(title, loc="left", color=INK, fontsize=12, fontweight="bold", pad=pad)
    if subtitle:
        ax.annotate(
            subtitle,
            (0, 1),
            (0, 10),
            xycoords="axes fraction",
            textcoords="offset points",
            color=MUTED,
            fontsize=9,
        )
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


def make_rows(
    ax: "Axes | None",
    title: str,
    names: Sequence[str],
    height: float = 0.34,
    subtitle: str = "",
) -> "Axes":
    """Return Axes with a row a name, the first on top; a figure as high as the rows need."""
    ax = make_axes(ax, title, (6.4, 1.5 + height * max(len(names), 1)), subtitle)
    ax.set_yticks(np.arange(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.spines["left"].set_visible(False)
    return ax


def say_empty(ax: "Axes", words: str) -> "Axes":
    """Write into Axes without data why they hold none."""
    ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center", color=MUTED)
    ax.set(xticks=[], yticks=[])
    return ax


def draw_curve(
    ax: "Axes", table: pd.DataFrame, x: str, y: str, *, color: str, label: str, zorder: float = 3
) -> None:
    """Draw a curve with its interval as a band."""
    across = floats(table, x)
    lower, upper = floats(table, "lower"), floats(table, "upper")
    ax.fill_between(across, lower, upper, color=color, alpha=0.14, lw=0)
    ax.plot(across, floats(table, y), color=color, lw=2, label=label, zorder=zorder)


def mark_ends(
    ax: "Axes", x: float, marks: Sequence[tuple[float, str]], say: Callable[[float], str]
) -> None:
    """Mark heights at one place, given with their colours; name the highest and the lowest."""
    if not marks:
        return
    # of equal ones the first model's: it is drawn on top
    best, worst = (end(marks, key=lambda mark: mark[0]) for end in (max, min))
    for mark in reversed(marks):
        height, color = mark
        ax.plot(x, height, "o", color=color, ms=6.5, mec="white", mew=1, zorder=4)
        if mark in (best, worst):  # those between would be written over each other
            ax.annotate(
                say(height),
                (x, height),
                (-8, 9) if mark == best else (9, -11),
                textcoords="offset points",
                color=color,
                ha="center" if mark == best else "left",
                fontsize=9,
                fontweight="bold",
            )


def name_tables(tables: Tables) -> dict[str, pd.DataFrame]:
    """Return tables by model; a single one has the empty name."""
    if isinstance(tables, pd.DataFrame):
        return {"": tables}
    return {as_text(name): table for name, table in tables.items()}


def colors_of(models: Mapping[str, Any] | Sequence[str]) -> list[str]:
    """Return each model's colour, by its place."""
    return [MODEL_COLORS[place % len(MODEL_COLORS)] for place in range(len(models))]


def shifts(count: int, width: float) -> Floats:
    """Return where each of several models stands beside the middle."""
    return np.asarray((np.arange(count) - (count - 1) / 2) * width, dtype=np.float64)


def floats(table: pd.DataFrame, column: str) -> Floats:
    """Return a column as floats, NaN where undefined."""
    return table[column].to_numpy(float, na_value=np.nan)


def errors_of(table: pd.DataFrame, center: str) -> Floats:
    """Return how far an interval reaches to both sides, shape (2, n_rows)."""
    middle = floats(table, center)
    away = np.stack([middle - floats(table, "lower"), floats(table, "upper") - middle])
    return np.maximum(away, 0)  # rounding can put an end of an interval past its middle


def highest(*arrays: Any) -> float:
    """Return the largest number there is, 1 where all are 0 or undefined."""
    numbers = np.concatenate([np.ravel(np.asarray(array, dtype=float)) for array in arrays])
    numbers = numbers[np.isfinite(numbers)]
    return float(numbers.max()) if len(numbers) and numbers.max() > 0 else 1.0


def as_text(value: Any, length: int = 34) -> str:
    """Return text from data on one line, shortened, with dollar signs as they are."""
    # two of them would be read as a formula
    return short(value, length).replace("$", r"\$")


def percent(ax: "Axes", axes: str) -> None:
    """Write the ticks of some axes as percent."""
    for axis in axes:
        getattr(ax, f"{axis}axis").set_major_formatter(lambda share, _: as_percent(share, "g"))


def add_legend(ax: "Axes", models: Mapping[str, Any], place: Corner) -> None:
    """Name the models in a corner, where there are several."""
    if len(models) > 1:
        ax.legend(loc=place, frameon=False, labelcolor=INK)


def legend_below(ax: "Axes", *, is_reversed: bool = False) -> None:
    """Name what is drawn under the axis, where it hides nothing."""
    from matplotlib.transforms import ScaledTranslation

    under = ScaledTranslation(0, -36 / 72, ax.figure.dpi_scale_trans)
    handles, labels = ax.get_legend_handles_labels()
    step = -1 if is_reversed else 1
    ax.legend(
        handles[::step],
        labels[::step],
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=ax.transAxes + under,
        borderaxespad=0,
        ncols=min(len(labels), 4),
        frameon=False,
        labelcolor="linecolor",
        fontsize=9,
    )
