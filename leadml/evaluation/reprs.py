"""How results show themselves in a notebook: the verdict first, then figures with intervals.

What is shown is duck-typed: `Training` and `LearnedRules` stand above this package.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from leadml.evaluation.capacity import WEEKS_A_MONTH
from leadml.evaluation.comparison import Comparison
from leadml.evaluation.summary import Evaluation
from leadml.markup import bar, bold, box, details, frame, lines, paragraph, quiet, table
from leadml.wording import MINUS, as_percent, counted, more, number, short, tenths

# key: label, format of the value, format of a difference
KEY_FIGURES = {
    "roc_auc": ("AUC (ranks won before lost)", "{:.3f}", "{:+.3f}"),
    "log_loss": ("log loss (lower is better)", "{:.4f}", "{:+.4f}"),
    "ece": ("calibration error, ECE (lower is better)", "{:.3f}", "{:+.3f}"),
    "gain_10": ("wins in the best 10 %", "{:.1%}", "{:+.1%}"),
    "gain_20": ("wins in the best 20 %", "{:.1%}", "{:+.1%}"),
}
OWN_FIGURES = {
    "roc_auc": ("AUC", "{:.3f}", "1 ranks perfectly, 0.5 is a random order"),
    "log_loss_gain": ("gain over the base rate", "{:.4f}", "above 0 it knows more than the rate"),
    "log_loss": ("log loss", "{:.4f}", "lower is better"),
    "calibration_slope": ("calibration slope", "{:.2f}", "1 is best; below it promises too boldly"),
    "ece": ("calibration error, ECE", "{:.3f}", "mean distance of promise and outcome"),
    "gain_10": ("wins in the best 10 %", "{:.1%}", "10 % in a random order"),
    "gain_20": ("wins in the best 20 %", "{:.1%}", "20 % in a random order"),
}


def show_comparison(comparison: Comparison) -> Markup:
    """Return verdict, wins at the capacity, and key figures with their differences as HTML."""
    return box(
        *(paragraph(sentence, "verdict") for sentence in comparison.verdict[:1]),
        *(paragraph(sentence, "head") for sentence in comparison.verdict[1:]),
        paragraph(_sample(comparison, "paired resamples"), "quiet"),
        _show_capacity(comparison),
        _show_differences(comparison),
        *(paragraph(_tell_top(row)) for row in comparison.top.to_dict("records")),
        details("all differences", frame(comparison.differences)),
    )


def show_evaluation(evaluation: Evaluation) -> Markup:
    """Return the key figures with intervals, and what each band converts to, as HTML."""
    rows = [
        [label, bold(_say(form, row["value"])), _interval(form, row), quiet(meaning)]
        for name, (label, form, meaning) in OWN_FIGURES.items()
        for row in [evaluation.metrics.loc[name].to_dict()]
    ]
    metrics = evaluation.metrics
    return box(
        paragraph(_tell_auc(metrics), "verdict"),
        paragraph(_sample(evaluation, "resamples"), "quiet"),
        table(["", "value", "95 % interval", ""], rows, left=(0, 3)),
        "" if evaluation.bands is None else _show_bands(evaluation.bands),
        details("all figures", frame(metrics.rename_axis("metric").reset_index())),
    )


def show_training(training: Any) -> Markup:
    """Return what was trained and what it is worth as HTML.

    Parameters
    ----------
    training : Training
    """
    figures = ("roc_auc", "log_loss", "calibration_slope", "gain_20")
    rows = [
        [short(name), *(_cell(one, figure) for figure in figures)]
        for name, one in training.evaluations.items()
    ]
    heads = [OWN_FIGURES[figure][0] for figure in figures]
    caption = f"On leads that none of them saw: {training.model.info['split']}"
    return box(
        *(paragraph(sentence, "verdict") for sentence in training.comparison.verdict[:1]),
        *(paragraph(warning, "warning") for warning in training.warnings),
        table(["", *heads], rows, caption=caption),
        training.model.scorer._repr_html_(),
        *(paragraph(note, "quiet") for note in training.notes),
        details("structures tried", frame(training.structures)),
    )


def show_learned_rules(learned: Any) -> Markup:
    """Return the rules of a learned book, and what their simplicity costs, as HTML.

    Parameters
    ----------
    learned : LearnedRules
    """
    rules = [
        [bold(rule.describe_worth().replace("-", MINUS)), short(rule.name, 60), quiet(rule.family)]
        for rule in learned.book.rules
    ]
    figures = list(learned.figures["metric"].unique())
    by_recipe = {
        str(name): rows.set_index("metric")
        for name, rows in learned.figures.groupby("recipe", sort=False)
    }
    rows = [
        [short(name), *(_cost(one.loc[figure].to_dict(), figure) for figure in figures)]
        for name, one in by_recipe.items()
    ]
    heads = [KEY_FIGURES[figure][0] for figure in figures]
    return box(
        paragraph(f"{counted(len(rules), 'rule')} learned from the leads", "verdict"),
        *(paragraph(warning, "warning") for warning in learned.warnings),
        table(["points", "rule", "family"], rules, left=(1, 2)),
        table(
            ["", *heads],
            rows,
            caption=f"What they cost, on leads not learned from: {learned.method}",
        ),
        paragraph("below a figure: what it is more than the model's, with its interval", "quiet"),
        details("rules.toml", Markup("<pre>{}</pre>").format(learned.text)),
    )


def _sample(result: Comparison | Evaluation, resamples: str) -> str:
    drawn = "leads" if result.n_groups is None else f"{result.n_groups:,} groups"
    return (
        f"{result.n_leads:,} leads, {result.n_won:,} won. 95 % intervals from "
        f"{result.n_resamples:,} {resamples} of {drawn}."
    )


def _show_capacity(comparison: Comparison) -> Markup:
    weeks = comparison.weeks
    factor = WEEKS_A_MONTH / weeks if weeks else 1.0
    calls = comparison.chosen / (weeks or 1)
    caption = (
        f"With {number(calls)} calls a week" if weeks else f"Calling {comparison.chosen:,} leads"
    )
    found = {row["model"]: row for row in comparison.at_capacity().to_dict("records")}
    differences = comparison.capacity_differences
    at = differences[abs(differences["n_leads"] - comparison.chosen) < 1e-6].to_dict("records")
    gaps = {row["other"]: _tell_gap(row, factor) for row in at}
    say = tenths if weeks else number
    most = max(row["n_won"] for row in found.values())
    rows = []
    for name in comparison.models:
        wins = found[name]
        count, low, high = (say(factor * wins[key]) for key in ("n_won", "lower", "upper"))
        drawn = bar(0, wins["n_won"], (0, most))
        rows.append([short(name), bold(count), f"{low} to {high}", drawn, gaps.get(name, "")])
    unit = "deals a month" if weeks else "wins"
    first = short(comparison.models[0])
    heads = ["", unit, "95 % interval", "", f"{first} finds more, 95 % interval"]
    return table(heads, rows, caption=caption, left=(0, 3))


def _tell_gap(row: Mapping[Any, Any], factor: float) -> Markup:
    gap, low, high = (factor * row[name] for name in ("difference", "lower", "upper"))
    text = f"{more(gap)} ({more(low)} to {more(high)})"
    return bold(text) if low > 0 or high < 0 else quiet(text)


def _show_differences(comparison: Comparison) -> Markup:
    values = comparison.metrics.set_index(["metric", "model"])["value"].to_dict()
    told = comparison.differences.to_dict("records")
    differences = {(row["metric"], row["other"]): row for row in told}
    first, others = comparison.models[0], comparison.others
    rows = []
    for name, (label, form, signed_form) in KEY_FIGURES.items():
        row: list[str] = [label, _say(form, values[name, first])]
        for other in others:
            difference = differences[name, other]
            gap = _say(signed_form, difference["difference"])
            ends = quiet(_interval(signed_form, difference))
            said = lines(gap, ends, _tell_better(difference["better"]))
            row += [_say(form, values[name, other]), said]
        rows.append(row)
    heads = [
        part for other in others for part in (short(other), f"{short(first)} − {short(other)}")
    ]
    caption = "Key figures, and differences with 95 % intervals"
    return table(["", short(first), *heads], rows, caption=caption)


def _tell_better(better: Any) -> Markup:
    if better is None or pd.isna(better):
        return quiet("no difference shown")
    return Markup("{} is better").format(bold(short(better)))


def _tell_top(row: Mapping[Any, Any]) -> str:
    """Return McNemar's test as a sentence."""
    first, other = short(row["model"]), short(row["other"])
    if pd.isna(row["p_value"]):
        return "No lead was won, so no win is in either top."
    p = "p < 0.001" if row["p_value"] < 0.001 else f"p = {row['p_value']:.2g}"
    return (
        f"Of the wins, both tops of {row['n_leads']:,} leads hold {row['both']:,}; "
        f"{row['model_only']:,} only that of the {first}, {row['other_only']:,} only that of the "
        f"{other}, {row['neither']:,} neither (McNemar's test of wins in one top only: {p}; it "
        "leaves out that both make the same number of calls)."
    )


def _tell_auc(metrics: pd.DataFrame) -> str:
    auc = metrics.loc["roc_auc"].to_dict()
    if pd.isna(auc["value"]):
        return "Without both won and lost leads there is nothing to rank."
    ends = f"{as_percent(auc['lower'], '.1f')} to {as_percent(auc['upper'], '.1f')}"
    return (
        f"A won lead stands before a lost one in {as_percent(auc['value'], '.1f')} of pairs "
        f"(95 % interval {ends})."
    )


def _show_bands(bands: pd.DataFrame) -> Markup:
    rows = []
    for row in bands.to_dict("records"):
        ends = (
            f"{as_percent(row['lower'])} to {as_percent(row['upper'])}" if row["n_leads"] else "–"
        )
        drawn = bar(0, row["conversion"], (0, 1)) if row["n_leads"] else ""
        share = bold(as_percent(row["conversion"]))
        rows.append([row["band"], f"{row['n_leads']:,}", share, ends, drawn])
    return table(["", "leads", "won", "95 % interval", ""], rows, caption="By band", left=(0, 4))


def _cell(evaluation: Evaluation, figure: str) -> Markup:
    form = OWN_FIGURES[figure][1]
    row = evaluation.metrics.loc[figure].to_dict()
    return lines(bold(_say(form, row["value"])), quiet(_interval(form, row)))


def _cost(row: Mapping[Any, Any], figure: str) -> Markup:
    _, form, signed_form = KEY_FIGURES[figure]
    value = bold(_say(form, row["value"]))
    if pd.isna(row["difference"]):
        return value
    gap = _say(signed_form, row["difference"])
    return lines(value, gap, quiet(_interval(signed_form, row)))


def _interval(form: str, row: Mapping[Any, Any]) -> str:
    return f"{_say(form, row['lower'])} to {_say(form, row['upper'])}"


def _say(form: str, value: float) -> str:
    """Return a figure as text: `0.866`, `25.1 %`, `−0.012`, `–` where it is not defined."""
    if pd.isna(value):
        return "–"
    return form.format(value).replace("-", MINUS).replace("%", " %")
