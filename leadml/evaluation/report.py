"""`report.html`: one self-contained page with every figure, its interval and how to read it."""

import io
import math
import os
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from leadml.errors import DataError
from leadml.evaluation import plots
from leadml.evaluation.comparison import Comparison
from leadml.evaluation.summary import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

N_FEATURES = 12
N_LEVELS = 12
# narrow, so that text drawn at 9 points is still read on a screen of 390 pixels
_WIDTH = 4.7
_LONGEST_LABEL = 24
_STYLE = {
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",  # text stays text: it can be selected, searched and read aloud
    "text.parse_math": False,  # a category may hold dollar signs
}
_NUMBER = r"(-?(?:\d[\d.]*(?:e[-+]\d+)?|inf))"
_LOWER_EDGE = re.compile(rf"(?:below {_NUMBER}|{_NUMBER} (?:to {_NUMBER}|or more))")


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


class Chart(NamedTuple):
    """A drawing with its heading and what there is to say about it."""

    title: str
    svg: Markup
    note: str = ""


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
        _Metric("lift_05", "Lift, best 5 %", ".2f", "wins found as a multiple of a random order"),
        _Metric("lift_10", "Lift, best 10 %", ".2f", ""),
        _Metric("lift_20", "Lift, best 20 %", ".2f", ""),
        _Metric("gain_05", "Gain, best 5 %", "%", "share of all wins found there"),
        _Metric("gain_10", "Gain, best 10 %", "%", ""),
        _Metric("gain_20", "Gain, best 20 %", "%", ""),
    ),
    "Probabilities: how far they can be trusted": (
        _Metric("log_loss", "Log loss", ".4f", "cost of the misses; lower is better"),
        _Metric("base_log_loss", "Log loss of the base rate", ".4f", "the bar to beat"),
        _Metric("log_loss_gain", "Gain over the base rate", ".4f", "above 0: there is a signal"),
        _Metric("brier", "Brier score", ".4f", "mean squared miss; lower is better"),
        _Metric("reliability", "– reliability", ".4f", "promise against outcome; 0 is best"),
        _Metric("resolution", "– resolution", ".4f", "how far leads are told apart"),
        _Metric("uncertainty", "– uncertainty", ".4f", "of the outcomes, whatever the model"),
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
    >>> points = pd.DataFrame({"feature": "source", "value": ["web", "fair"], "points": [-2.0, 3.0]})
    >>> model = {"model": evaluate([1, 0, 1, 0], [0.9, 0.8, 0.6, 0.1], n_resamples=20)}
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
    loader = PackageLoader("leadml.evaluation", "")
    environment = Environment(
        loader=loader,
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
        colors=dict(zip(models, plots.MODEL_COLORS * len(models), strict=False)),
        others=_others(report),
        headlines=[(rows[key][0], rows[key][1][0]) for key in _HEADLINES],
        figures=figures,
        curves=_curve_charts(report.evaluations),
        distributions=_score_charts(report.scores),
        bands_chart=_bands_chart(report.evaluations),
        bands=_bands_rows(report.evaluations),
        points=_points_charts(report.points),
        structures=None if report.structures is None else _plain_rows(report.structures),
        n_features=report.points["feature"].nunique(),
    )


def _others(report: Report) -> list[str]:
    return (
        [] if report.comparison is None else list(report.comparison.differences["other"].unique())
    )


def _key_figures(report: Report) -> dict[str, list[tuple[_Metric, list[Cell]]]]:
    differences = pd.DataFrame()
    if report.comparison is not None:
        differences = report.comparison.differences.set_index(["other", "metric"])
    return {
        group: [
            (
                metric,
                [_cell(one.metrics.loc[metric.key], metric) for one in report.evaluations.values()]
                + [_difference(differences, other, metric) for other in _others(report)],
            )
            for metric in metrics
        ]
        for group, metrics in _METRICS.items()
    }


def _cell(row: pd.Series, metric: _Metric) -> Cell:
    low, high = (_formatted(row[bound], metric.form) for bound in ("lower", "upper"))
    known = math.isfinite(row["value"]) and row["lower"] != row["upper"]
    return Cell(_formatted(row["value"], metric.form), f"{low} to {high}" if known else "")


def _difference(differences: pd.DataFrame, other: str, metric: _Metric) -> Cell:
    if (other, metric.key) not in differences.index:
        return Cell("")
    row = differences.loc[(other, metric.key)]
    if not math.isfinite(row["difference"]):
        return Cell("–")
    form = "+" + metric.form
    value, low, high = (_formatted(row[name], form) for name in ("difference", "lower", "upper"))
    return Cell(value, f"{low} to {high}", row["better"] or "")


def _formatted(value: float, form: str) -> str:
    if not math.isfinite(value):
        return "–"
    if form.endswith("%"):
        unit = " pp" if form.startswith("+") else " %"
        text = f"{100 * value:{form[:-1]}.1f}{unit}"
    else:
        text = f"{value:{form}}"
    return text.replace("-", "\N{MINUS SIGN}")


def _curve_charts(evaluations: Mapping[str, Evaluation]) -> list[Chart]:
    names = ", ".join(evaluations)
    reliability = {name: one.reliability for name, one in evaluations.items()}
    gain = {name: one.gain for name, one in evaluations.items() if one.n_won}
    found = ", ".join(
        f"{name} {100 * table['gain'].iloc[10]:.0f} %" for name, table in gain.items()
    )
    charts = [
        Chart(
            "Do the probabilities hold?",
            _draw(
                lambda ax: plots.plot_reliability(reliability, ax),
                f"Reliability of {names}: share won against promised probability.",
                4.4,
            ),
            "Leads in groups of equal size, by promised probability. On the dashed line, what was "
            "promised is what came. Bars are 95 % intervals.",
        )
    ]
    if gain:
        charts.append(
            Chart(
                "How many wins do the best-scored leads hold?",
                _draw(
                    lambda ax: plots.plot_gain(gain, ax),
                    f"Gain curves. Wins found among the best 10 % of leads: {found}.",
                    4.4,
                ),
                "Calling the best-scored leads first. Marked: the best 10 %. Shaded: 95 % "
                "intervals. On the dashed line leads are called in random order.",
            )
        )
    return charts


def _score_charts(scores: Mapping[str, pd.DataFrame]) -> list[Chart]:
    return [
        Chart(
            name,
            _draw(
                lambda ax, table=table: plots.plot_score_distribution(table, ax),
                f"Scores of won and of lost leads by {name}.",
                3.1,
            ),
        )
        for name, table in scores.items()
    ]


def _bands_chart(evaluations: Mapping[str, Evaluation]) -> Chart | None:
    tables = {name: one.bands for name, one in evaluations.items() if one.bands is not None}
    if not tables:
        return None
    # one model's bars take the colours of the bands, and need no legend
    drawn = tables if len(tables) > 1 else next(iter(tables.values()))
    label = "Share won of hot, warm and cold leads by " + ", ".join(tables) + "."
    return Chart("", _draw(lambda ax: plots.plot_bands(drawn, ax), label, 3.6))


def _bands_rows(evaluations: Mapping[str, Evaluation]) -> list[dict[str, Any]]:
    return [
        {
            "model": name,
            "band": row["band"],
            "n_leads": f"{row['n_leads']:,}",
            "n_won": f"{row['n_won']:,}",
            "conversion": _formatted(row["conversion"], "%"),
            "interval": f"{_formatted(row['lower'], '%')} to {_formatted(row['upper'], '%')}"
            if row["n_leads"]
            else "–",
        }
        for name, one in evaluations.items()
        if one.bands is not None
        for row in one.bands.to_dict("records")
    ]


def _points_charts(points: pd.DataFrame) -> list[Chart]:
    groups = {str(name): rows for name, rows in points.groupby("feature", sort=False)}
    spread = {name: _spread(rows) for name, rows in groups.items()}
    strongest = sorted((name for name in groups if spread[name] > 0), key=lambda n: -spread[n])
    return [_points_chart(name, groups[name]) for name in strongest[:N_FEATURES]]


def _spread(rows: pd.DataFrame) -> float:
    """Return the standard deviation of a feature's points over leads, or over its values."""
    points, weight = rows["points"].to_numpy(float), _weight(rows)
    mean = np.average(points, weights=weight)
    return float(np.sqrt(np.average((points - mean) ** 2, weights=weight)))


def _weight(rows: pd.DataFrame) -> Any:
    share = rows["share"].to_numpy(float) if "share" in rows else np.ones(len(rows))
    return share if share.sum() > 0 else np.ones(len(rows))


def _points_chart(feature: str, rows: pd.DataFrame) -> Chart:
    edges = [_lower_edge(value) for value in rows["value"]]
    known = [edge for edge in edges if edge is not None]
    if all(isinstance(edge, float) for edge in known):
        table, note, height = rows.assign(value=pd.Series(edges, rows.index, object)), "", 2.5
    else:
        weakest_first = np.argsort(np.abs(rows["points"]) * _weight(rows), kind="stable")
        table = rows.iloc[np.sort(weakest_first[-N_LEVELS:])]
        table = table.assign(value=[_short(value) for value in table["value"]])
        left_out = len(rows) - len(table)
        note = f"{left_out} more values, of less weight, are not shown." if left_out else ""
        height = 0.55 + 0.24 * len(table)
    low, high = (f"{rows['points'].agg(end):+.1f}" for end in ("min", "max"))
    label = f"Points of {feature}: from {low} to {high}."

    def draw(ax: "Axes") -> None:
        plots.plot_points(table, feature, ax)
        ax.set_xlabel("")  # the heading names the feature

    return Chart(feature, _draw(draw, label, height), note)


def _lower_edge(value: Any) -> float | str | None:
    """Return where an interval such as `3 to 5` begins, None for missing, else the text."""
    text = "missing" if pd.isna(value) else str(value)
    if text == "missing":
        return None
    found = _LOWER_EDGE.fullmatch(text)
    if found:
        return float(found[2]) if found[2] else -math.inf
    return -math.inf if text == "any value" else text


def _short(value: Any) -> str:
    text = "missing" if pd.isna(value) else " ".join(str(value).split())
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"


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
        "numeric": [pd.api.types.is_numeric_dtype(kind) and kind != bool for kind in table.dtypes],
    }


def _draw(draw: "Callable[[Axes], object]", label: str, height: float) -> Markup:
    """Return a drawing as SVG to be put into a page, read aloud as `label`."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # equal labels give equal ids, and two drawings of a page share none
    with mpl.rc_context({**_STYLE, "svg.hashsalt": label}), warnings.catch_warnings():
        # the reader's fonts draw the text, not those that matplotlib measures it with
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        ax = figure.subplots()
        draw(ax)
        ax.set_title("", loc="left")
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg")
    # text from data is escaped by now: none of these patterns can match within it
    svg = buffer.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    box = re.search(r'viewBox="[^"]*"', svg)
    body = svg[svg.index(">", svg.index("<svg")) + 1 :]
    head = f'<svg {box[0] if box else ""} role="img" aria-label="{escape(label)}" '
    links = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    return Markup(head + links + body)  # noqa: S704 - matplotlib escapes what it writes
