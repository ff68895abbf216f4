"""`report.html`: one self-contained page with every figure, its interval and how to read it."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from leadml.errors import DataError
from leadml.evaluation._report_charts import (
    bands_chart,
    curve_charts,
    points_charts,
    score_charts,
)
from leadml.evaluation.comparison import Comparison
from leadml.evaluation.plots import MODEL_COLORS
from leadml.evaluation.summary import Evaluation


@dataclass(frozen=True, eq=False)
class Report:
    """All that `report.html` shows; the first evaluation is the model's.

    Attributes
    ----------
    title : str
    facts : mapping of str to str
        Name, version, split and the like, in the order to be shown.
    warnings : tuple of str
        Shown above everything else.
    evaluations : mapping of str to Evaluation
        By model, at least one.
    comparison : Comparison or None
        Of the same models; None where there is one only.
    scores : mapping of str to DataFrame
        By model, as `compute_score_distribution` gives it.
    points : DataFrame
        Columns feature, value (`below 3`, `3 to 5`, `5 or more`, `missing`, or a category's name)
        and points, in points of the score; where there is a column share (of the leads), features
        and categories are ranked by it too.
    structures : DataFrame or None
        What was tried, one row a candidate; shown as it is.
    notes : tuple of str
        Added to the explanations at the end.

    Raises
    ------
    DataError
        Where there is no evaluation, or a column of `points` is missing.
    """

    title: str
    facts: Mapping[str, str]
    warnings: tuple[str, ...]
    evaluations: Mapping[str, Evaluation]
    comparison: Comparison | None
    scores: Mapping[str, pd.DataFrame]
    points: pd.DataFrame
    structures: pd.DataFrame | None
    notes: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.evaluations:
            message = (
                "`evaluations` is empty. Accepted is one Evaluation or more by model name, the "
                "model's own first. Pass for example {'model': evaluate(y_true, y_prob)}."
            )
            raise DataError(message)
        lacking = {"feature", "value", "points"} - set(self.points.columns)
        if lacking:
            message = (
                f"`points` lacks the columns {sorted(lacking)}. Accepted are feature, value and "
                "points, one row a value. Pass what PointsTable.to_frame() gives."
            )
            raise DataError(message)


class Cell(NamedTuple):
    """A figure with its interval; `better` says which model a difference favours."""

    value: str
    interval: str = ""
    better: str = ""


class _Metric(NamedTuple):
    key: str
    label: str
    form: str
    help: str


_METRICS = {
    "Ranking: who comes first": (
        _Metric("roc_auc", "AUC", ".3f", "chance that a won lead outranks a lost one"),
        _Metric("average_precision", "Average precision", ".3f", "mean share won above each win"),
        _Metric("lift_05", "Lift, best 5\N{NO-BREAK SPACE}%", ".2f", "1 is a random order"),
        _Metric("lift_10", "Lift, best 10\N{NO-BREAK SPACE}%", ".2f", ""),
        _Metric("lift_20", "Lift, best 20\N{NO-BREAK SPACE}%", ".2f", ""),
        _Metric("gain_05", "Gain, best 5\N{NO-BREAK SPACE}%", "%", "share of all wins found there"),
        _Metric("gain_10", "Gain, best 10\N{NO-BREAK SPACE}%", "%", ""),
        _Metric("gain_20", "Gain, best 20\N{NO-BREAK SPACE}%", "%", ""),
    ),
    "Probabilities: how far they can be trusted": (
        _Metric("log_loss", "Log loss", ".4f", "cost of the misses; lower is better"),
        _Metric("base_log_loss", "Log loss of the base rate", ".4f", "the bar to beat"),
        _Metric("log_loss_gain", "Gain over the base rate", ".4f", "above 0: there is a signal"),
        _Metric("brier", "Brier score", ".4f", "mean squared miss; lower is better"),
        _Metric("reliability", "Brier: reliability", ".4f", "promise against outcome; 0 is best"),
        _Metric("resolution", "Brier: resolution", ".4f", "how far leads are told apart"),
        _Metric("uncertainty", "Brier: uncertainty", ".4f", "of the outcomes, whatever the model"),
        _Metric("calibration_slope", "Calibration slope", ".2f", "1 is right; below: too extreme"),
        _Metric("calibration_intercept", "Calibration intercept", ".2f", "0 is right"),
        _Metric("ece", "Calibration error (ECE)", "%", "mean distance, promise to outcome"),
    ),
}
_HEADLINES = ("gain_10", "lift_10", "roc_auc", "calibration_slope")


def write_report(report: Report, path: str | Path) -> Path:
    """Write the report as one HTML file that needs nothing else.

    Parameters
    ----------
    report : Report
    path : str or Path
        The file to write; one that is there is replaced once the new one is complete.

    Returns
    -------
    Path
        The file written.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from leadml.evaluation.summary import evaluate
    >>> points = {"feature": "source", "value": ["web", "fair"], "points": [-2.0, 3.0]}
    >>> model = {"model": evaluate([1, 0, 1, 0], [0.9, 0.8, 0.6, 0.1], n_resamples=20)}
    >>> points = pd.DataFrame(points)
    >>> report = Report("Leads", {"version": "1"}, (), model, None, {}, points, None, ())
    >>> write_report(report, Path(mkdtemp()) / "report.html").name
    'report.html'
    """
    path = Path(path)
    html = render_report(report)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(html, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def render_report(report: Report) -> str:
    """Return the report as HTML text; equal reports give equal texts."""
    environment = Environment(
        loader=PackageLoader("leadml.evaluation", ""),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    models = list(report.evaluations)
    first = report.evaluations[models[0]]
    figures = _key_figures(report)
    rows = {metric.key: (metric, cells) for rows in figures.values() for metric, cells in rows}
    return environment.get_template("report.html.j2").render(
        report=report,
        first=first,
        colors=dict(zip(models, MODEL_COLORS * len(models), strict=False)),
        others=_others(report),
        headlines=[(rows[key][0], rows[key][1][0]) for key in _HEADLINES],
        figures=figures,
        curves=curve_charts(report.evaluations),
        distributions=score_charts(report.scores),
        bands_chart=bands_chart(report.evaluations),
        bands=_bands_rows(report.evaluations),
        points=points_charts(report.points),
        structures=None if report.structures is None else _plain_rows(report.structures),
        n_features=report.points["feature"].nunique(),
    )


def _others(report: Report) -> list[str]:
    return (
        [] if report.comparison is None else list(report.comparison.differences["other"].unique())
    )


def _key_figures(report: Report) -> dict[str, list[tuple[_Metric, list[Cell]]]]:
    models = [one.metrics.to_dict("index") for one in report.evaluations.values()]
    differences = {}
    if report.comparison is not None:
        rows = report.comparison.differences.to_dict("records")
        differences = {(row["other"], row["metric"]): row for row in rows}

    def cells(metric: _Metric) -> list[Cell]:
        rows = [differences.get((other, metric.key)) for other in _others(report)]
        return [_cell(model[metric.key], metric.form) for model in models] + [
            _cell(row, f"+{metric.form}", "difference") if row else Cell("") for row in rows
        ]

    return {
        group: [(metric, cells(metric)) for metric in metrics]
        for group, metrics in _METRICS.items()
    }


def _cell(row: Mapping[Any, Any], form: str, value: str = "value") -> Cell:
    known = math.isfinite(row[value]) and row["lower"] != row["upper"]
    interval = _interval(row["lower"], row["upper"], form) if known else ""
    return Cell(_formatted(row[value], form), interval, row.get("better") or "")


def _interval(low: float, high: float, form: str) -> str:
    # the unit stands once
    start = _formatted(low, form).rstrip("\N{NO-BREAK SPACE}%p")
    return f"{start} to {_formatted(high, form)}"


def _formatted(value: float, form: str) -> str:
    if not math.isfinite(value):
        return "–"
    if form.endswith("%"):
        unit = "pp" if form.startswith("+") else "%"
        text = f"{100 * value:{form[:-1]}.1f}\N{NO-BREAK SPACE}{unit}"
    else:
        text = f"{value:{form}}"
    return text.replace("-", "\N{MINUS SIGN}")


def _bands_rows(evaluations: Mapping[str, Evaluation]) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [
            {
                "band": row["band"],
                "n_leads": f"{row['n_leads']:,}",
                "n_won": f"{row['n_won']:,}",
                "cell": _cell(row, "%", "conversion"),
            }
            for row in one.bands.to_dict("records")
        ]
        for name, one in evaluations.items()
        if one.bands is not None
    }


def _plain_rows(table: pd.DataFrame) -> dict[str, Any]:
    def text(value: Any) -> str:
        if isinstance(value, bool | np.bool_):
            return "yes" if value else ""
        if isinstance(value, float):
            return _formatted(value, ".4f")
        return "–" if pd.isna(value) else str(value)

    return {
        "columns": [str(name).replace("_", " ") for name in table.columns],
        "rows": [[text(value) for value in row] for row in table.itertuples(index=False)],
        "numeric": [column.dtype.kind in "iuf" for _, column in table.items()],
    }
