"""What verbs print: results to standard output, progress and messages to standard error."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    import pandas as pd

    from leadml.checking import Check
    from leadml.evaluation.comparison import Comparison
    from leadml.evaluation.summary import Evaluation

out = Console(highlight=False, soft_wrap=False)
err = Console(stderr=True, highlight=False, soft_wrap=True)

# key: label, format of the value, format of its interval
FIGURES = {
    "roc_auc": ("AUC", "{:.3f}", "{:.2f}"),
    "log_loss": ("log loss", "{:.3f}", "{:.2f}"),
    "log_loss_gain": ("gain over base", "{:.3f}", "{:.2f}"),
    "brier": ("Brier score", "{:.3f}", "{:.2f}"),
    "calibration_slope": ("slope (best 1)", "{:.2f}", "{:.2f}"),
    "ece": ("ECE", "{:.3f}", "{:.2f}"),
    "lift_05": ("lift, best 5 %", "{:.2f}", "{:.1f}"),
    "lift_10": ("lift, best 10 %", "{:.2f}", "{:.1f}"),
    "lift_20": ("lift, best 20 %", "{:.2f}", "{:.1f}"),
    "gain_20": ("wins in best 20 %", "{:.0%}", "{:.0%}"),
}


def say(message: str) -> None:
    """Print a message to standard error."""
    err.print(Text(message))


def step(message: str) -> None:
    """Print what is being done to standard error."""
    err.print(Text(f"· {message}", style="dim"))


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, float], None]]:
    """Show a bar with rows a second on a terminal; yield what takes rows and share done."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )
    start = perf_counter()
    with bar:
        task = bar.add_task(what, total=1.0)

        def advance(rows: int, done: float) -> None:
            pace = rows / max(perf_counter() - start, 1e-9)
            bar.update(task, completed=done, description=f"{rows:,} {what}, {pace:,.0f} a second")

        yield advance


def warn(messages: Iterable[str]) -> None:
    """Print warnings to standard error."""
    for message in messages:
        err.print(Text(f"warning: {message}", style="yellow"))


def print_json(values: Any) -> None:
    """Print values as JSON to standard output."""
    sys.stdout.write(json.dumps(values, ensure_ascii=False, indent=1, default=str) + "\n")


def print_table(rows: "pd.DataFrame", title: str = "") -> None:
    """Print a table to standard output; numbers to the right."""
    table = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left")
    for name in rows.columns:
        is_number = rows[name].dtype.kind in "ifb"
        table.add_column(str(name), justify="right" if is_number else "left", overflow="fold")
    for row in rows.itertuples(index=False):
        table.add_row(*(Text("" if cell is None or cell != cell else str(cell)) for cell in row))
    out.print(table)


def print_evaluations(evaluations: "Mapping[str, Evaluation]", rows: str = "leads") -> None:
    """Print the key figures of models side by side, with 95 % intervals."""
    first = next(iter(evaluations.values()))
    title = f"{first.n_leads:,} {rows}, {first.n_won:,} won; 95 % intervals in brackets"
    table = _side_by_side(title, evaluations)
    for key, (label, form, narrow) in FIGURES.items():
        cells = []
        for evaluation in evaluations.values():
            value, lower, upper = evaluation.metrics.loc[key, ["value", "lower", "upper"]]
            interval = f" ({narrow.format(lower)}–{narrow.format(upper)})"
            cells.append(f"{form.format(value)}{interval}" if value == value else "–")
        table.add_row(label, *(Text(cell) for cell in cells))
    out.print(table)
    if first.bands is not None:
        table = _side_by_side("Conversion by band", evaluations)
        for band in first.bands["band"]:
            table.add_row(band, *(_band(one, band) for one in evaluations.values()))
        out.print(table)


def print_comparison(comparison: "Comparison") -> None:
    """Print the wins of each model at the capacity, and who wins where bands differ."""
    at = comparison.at_capacity()
    weeks = comparison.weeks
    calls = f"{comparison.chosen:,} best-scored leads"
    if weeks:
        calls += f", {comparison.chosen / weeks:,.1f} a week over {weeks:,.0f} weeks"
    table = _side_by_side(f"Wins among the {calls}", at["model"])
    found = at[["n_won", "lower", "upper"]].to_numpy(float)
    for label, form, all_leads in (
        ("wins", "{:,.0f}", 1),
        ("share won", "{:.0%}", comparison.chosen),
    ):
        cells = [[form.format(value / all_leads) for value in row] for row in found]
        table.add_row(label, *(f"{value} ({low}–{high})" for value, low, high in cells))
    out.print(table)
    if comparison.cross is None:
        return
    for other, rows in comparison.cross.groupby("other", sort=False):
        title = f"Share won by the bands of the {comparison.models[0]} (down) and the {other}"
        table = _side_by_side(title, rows["other_band"].unique())
        for band, row in rows.groupby("band", sort=False):
            counts = row[["conversion", "n_leads"]].to_numpy(float)
            shares = [f"{won:.0%} of {n:,.0f}" if n else "no leads" for won, n in counts]
            table.add_row(Text(str(band)), *shares)
        out.print(table)


def print_verdict(comparison: "Comparison") -> None:
    """Print what a comparison means, in plain sentences."""
    for sentence in comparison.verdict:
        out.print(Text(f"→ {sentence}", style="bold"))


def print_values(sentences: Iterable[str]) -> None:
    """Print what is known of the deals' values: the verdict, then the rest."""
    for place, sentence in enumerate(sentences):
        out.print(Text(f"  {sentence}" if place else f"→ {sentence}", "" if place else "bold"))


def print_forecast(forecast: "pd.DataFrame") -> None:
    """Print how many leads of each band a coming week brings, with its interval."""
    n_weeks = forecast["n_weeks"].iloc[0]
    title = f"New leads to expect, as in the last {n_weeks:,} weeks"
    horizon = forecast["horizon"].iloc[0]
    table = _side_by_side(title, ["one week (95 % interval)", f"{horizon} weeks together"])
    for row in forecast.to_dict("records"):
        form = "{:,.1f}" if row["mean"] < 10 else "{:,.0f}"
        week = f"{form.format(row['mean'])} ({row['lower']:,.0f}–{row['upper']:,.0f})"
        table.add_row(
            Text(str(row["group"])), week, f"{row['total_lower']:,.0f}–{row['total_upper']:,.0f}"
        )
    out.print(table)


def print_check(found: "Check") -> None:
    """Print readiness and leaks; columns that are fine in one line."""
    styles = {"ok": "green", "warn": "yellow", "stop": "red", "look": "yellow", "drop": "red"}
    table = Table(title="Readiness", box=box.SIMPLE_HEAD, title_justify="left")
    for name in ("check", "value", "verdict", "advice"):
        table.add_column(name, overflow="fold")
    for check, value, verdict, advice in found.readiness.astype("str").itertuples(index=False):
        table.add_row(Text(check), Text(value), Text(verdict, styles[verdict]), Text(advice))
    out.print(table)
    leaks = found.leaks
    suspects = leaks[leaks["severity"] != "fine"].sort_values("severity", kind="stable")
    if len(suspects):
        table = Table(title="Columns that may know the outcome", box=box.SIMPLE_HEAD)
        table.title_justify = "left"
        for name in ("column", "severity", "now", "evidence"):
            table.add_column(name, overflow="fold")
        shown = suspects[["column", "severity", "use", "evidence"]].astype("str")
        for column, severity, use, evidence in shown.itertuples(index=False):
            table.add_row(Text(column), Text(severity, styles[severity]), Text(use), Text(evidence))
        out.print(table)
    out.print(Text(f"{len(leaks) - len(suspects)} of {len(leaks)} columns are fine."))
    if not found.leaking.empty:
        names = ", ".join(found.leaking["column"])
        out.print(Text(f"→ Exclude before training, or the figures lie: {names}.", "bold"))
    elif found.passed:
        looks = suspects[(suspects["severity"] == "look") & (suspects["use"] == "feature")]
        ask = f", once somebody has looked at {', '.join(looks['column'])}" if len(looks) else ""
        out.print(Text(f"→ Nothing speaks against training{ask}.", "bold"))


def print_explanation(row: "pd.Series", lines: "pd.DataFrame", most: int | None = None) -> None:
    """Print one lead's score and the sum behind it."""
    chance = f", chance of winning {row['probability']:.1%}" if row["probability"] >= 0 else ""
    if "probability_lower" in row:
        chance += f" ({row['probability_lower']:.0%}–{row['probability_upper']:.0%})"
    out.print(Text(f"Lead {row['lead_id']}: score {row['score']}, {row['band']}{chance}", "bold"))
    if row.get("abstain_because"):
        out.print(Text(f"Take it with care: {row['abstain_because']}.", "yellow"))
    fired = lines[lines["points"].round(2) != 0]
    shown = fired if most is None else fired.head(most)
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(justify="right")
    for _ in range(3):
        table.add_column(overflow="fold")
    for line in shown.itertuples(index=False):
        texts = (f"{line.points:+.2f}", line.feature, line.value, line.family)
        table.add_row(*(Text(str(text)) for text in texts))
    rest = lines["points"].sum() - shown["points"].sum()
    if len(shown) < len(lines):
        more = f"{len(lines) - len(shown)} more features"
        table.add_row(f"{rest + 0.0:+.2f}".replace("-0.00", "+0.00"), more, "", "")
    table.add_row(Text(f"{lines['points'].sum():.2f}", "bold"), Text("sum", "bold"), "", "")
    out.print(table)


def _side_by_side(title: str, models: Iterable[str]) -> Table:
    table = Table(
        title=Text(title), box=box.SIMPLE_HEAD, title_justify="left", padding=(0, 1, 0, 0)
    )
    table.add_column("", no_wrap=True)
    for name in models:
        table.add_column(Text(name), justify="right")
    return table


def _band(evaluation: "Evaluation", band: str) -> Text:
    bands = evaluation.bands
    row = None if bands is None else bands.set_index("band").loc[band]
    if row is None or not row["n_leads"]:
        return Text("no leads")
    return Text(
        f"{row['conversion']:.0%} ({row['lower']:.0%}–{row['upper']:.0%}) of {row['n_leads']:,.0f}"
    )
