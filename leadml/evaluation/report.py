"""`report.html`: one self-contained page with every figure, its interval and how to read it."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from leadml.errors import DataError
from leadml.evaluation.comparison import Comparison
from leadml.evaluation.display import jsonable
from leadml.evaluation.page.render import render_page
from leadml.evaluation.summary import Evaluation

_POINTS = ["feature", "value", "points"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Report:
    """All that `report.html` shows; the first evaluation is the model's.

    Attributes
    ----------
    title : str
    evaluations : mapping of str to Evaluation
        By model, at least one.
    comparison : Comparison, default=None
        Of the same models; None where there is one only.
    facts : mapping of str to str, default={}
        Name, version, split and the like, in the order to be shown.
    warnings : sequence of str, default=()
        Shown above everything else.
    notes : sequence of str, default=()
        Added to the explanations at the end.
    unit : {"leads", "snapshots"}, default="leads"
        What a row of the figures is.
    band_edges : (float, float), default=(65, 45)
        Scores from which a lead is hot, and warm.
    points : DataFrame, default=None
        What each value of a feature earns, as `leadml.reporting.compute_mean_points` gives it.
    structures : DataFrame, default=None
        What was tried, one row a candidate; shown as it is.
    grid, definitions, forecast, response, value : DataFrame, default=None
        As `compute_grid`, `compute_definitions`, `forecast_weeks`, `compute_response_times` and
        `compute_value_at_capacity` give them.
    agreement : (float, DataFrame), default=None
        Share of leads with the same strongest reason, and what `compute_reason_agreement` gives.
    disagreement, leads : sequence of dict, default=()
        Single leads, by their ids; only where the user asked for leads.
    what_if : dict, default=None
        Tables of points for the page to add up.
    uncertainty : dict, default=None
    grouped : str, default="accounts"
        What was resampled where groups were.

    Raises
    ------
    DataError
        Where there is no evaluation, or a column of `points` is missing.
    """

    title: str
    evaluations: Mapping[str, Evaluation]
    comparison: Comparison | None = None
    facts: Mapping[str, str] | None = None
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    unit: str = "leads"
    band_edges: tuple[float, float] = (65.0, 45.0)
    points: pd.DataFrame | None = None
    structures: pd.DataFrame | None = None
    grid: pd.DataFrame | None = None
    definitions: pd.DataFrame | None = None
    forecast: pd.DataFrame | None = None
    response: pd.DataFrame | None = None
    value: pd.DataFrame | None = None
    agreement: tuple[float, pd.DataFrame] | None = None
    disagreement: Sequence[Mapping[str, Any]] = ()
    leads: Sequence[Mapping[str, Any]] = ()
    what_if: Mapping[str, Any] | None = None
    uncertainty: Mapping[str, Any] | None = None
    grouped: str = "accounts"

    def __post_init__(self) -> None:
        if not self.evaluations:
            message = (
                "`evaluations` is empty. Accepted is one Evaluation or more by model name, the "
                "model's own first. Pass for example {'model': evaluate(y_true, y_prob)}."
            )
            raise DataError(message)
        lacking = [] if self.points is None else [c for c in _POINTS if c not in self.points]
        if lacking:
            message = (
                f"`points` lacks the columns {lacking}. Accepted are feature, value and points, "
                "one row a value. Pass what compute_mean_points gives."
            )
            raise DataError(message)


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

    Raises
    ------
    DataError
        Where the file cannot be written.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from leadml.evaluation.summary import evaluate
    >>> model = {"model": evaluate([1, 0, 1, 0], [0.9, 0.8, 0.6, 0.1], n_resamples=20)}
    >>> write_report(Report(title="Leads", evaluations=model), Path(mkdtemp()) / "report.html").name
    'report.html'
    """
    path = Path(path)
    html = render_report(report)
    beside = path.parent / f".{path.name}.{os.getpid()}"
    try:
        beside.write_text(html, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}. Choose a file in a folder you own."
        raise DataError(message) from None
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
    return path


def render_report(report: Report) -> str:
    """Return the report as HTML text; equal reports give equal texts."""
    return render_page(build_payload(report))


def build_payload(report: Report) -> dict[str, Any]:
    """Return all that the page draws, as JSON values; what is not known is None or empty."""
    first = next(iter(report.evaluations.values()))
    by_model = report.evaluations.items()
    compared = _describe_comparison(report.comparison)
    agreement = None
    if report.agreement is not None:
        agreement = {"share": report.agreement[0], "rows": report.agreement[1]}
    payload = {
        "title": report.title,
        "facts": [[name, text] for name, text in (report.facts or {}).items()],
        "warnings": report.warnings,
        "notes": report.notes,
        "models": list(report.evaluations),
        "unit": report.unit,
        "grouped": report.grouped,
        "n_leads": first.n_leads,
        "n_won": first.n_won,
        "n_groups": first.n_groups,
        "n_resamples": first.n_resamples,
        "metrics": [row for name, one in by_model for row in _metric_rows(name, one)],
        "reliability": {name: one.reliability for name, one in by_model},
        "scores": {name: one.scores for name, one in by_model if one.scores is not None},
        "bands": {name: one.bands for name, one in by_model if one.bands is not None},
        "band_edges": {"hot": report.band_edges[0], "warm": report.band_edges[1]},
        **compared,
        "points": _describe_points(report.points),
        "agreement": agreement,
        "disagreement": report.disagreement,
        "leads": report.leads,
        "what_if": report.what_if,
        "uncertainty": report.uncertainty,
    }
    for name in ("grid", "definitions", "forecast", "response", "value", "structures"):
        table = getattr(report, name)
        payload[name] = [] if table is None else table
    return dict(jsonable(payload))


def _metric_rows(name: str, evaluation: Evaluation) -> list[dict[str, Any]]:
    table = evaluation.metrics.rename_axis("metric").reset_index()
    table.insert(1, "model", name)
    return [{str(key): cell for key, cell in row.items()} for row in table.to_dict("records")]


def _describe_comparison(comparison: Comparison | None) -> dict[str, Any]:
    if comparison is None:
        tables = ("differences", "auc", "top", "net_benefit", "cross", "segments")
        return {"verdict": [], "capacity": None, **{name: [] for name in tables}}
    capacity = {
        "weeks": comparison.weeks,
        "chosen": comparison.chosen / float(comparison.capacity["n_leads"].max()),
        "rows": comparison.capacity,
        "differences": comparison.capacity_differences,
    }
    return {
        "verdict": comparison.verdict,
        "capacity": capacity,
        "differences": comparison.differences,
        "auc": comparison.auc,
        "top": comparison.top,
        "net_benefit": comparison.net_benefit,
        "cross": [] if comparison.cross is None else comparison.cross,
        "segments": [] if comparison.segments is None else comparison.segments,
    }


def _describe_points(points: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Return the features, those that part leads most first, with their values as rows."""
    if points is None:
        return []
    defaults: dict[str, Any] = {
        "label": points["feature"],
        "family": "",
        "kind": "category",
        "from": None,
        "to": None,
        "share": None,
        "other_points": None,
    }
    missing = {name: value for name, value in defaults.items() if name not in points}
    table = points.assign(**missing)
    weight = pd.to_numeric(table["share"]).fillna(1.0)
    mean = (table["points"] * weight).groupby(table["feature"]).sum()
    mean = mean / weight.groupby(table["feature"]).sum()
    away = (table["points"] - table["feature"].map(mean)) ** 2 * weight
    spread = away.groupby(table["feature"]).sum() / weight.groupby(table["feature"]).sum()
    columns = ["value", "from", "to", "share", "points", "other_points"]
    groups = dict(list(table.groupby("feature", sort=False)))
    told = []
    for name in sorted(groups, key=lambda name: -spread[name]):
        if spread[name] > 0:
            head = groups[name][["feature", "label", "family", "kind"]].iloc[0].astype("str")
            named = {str(key): text for key, text in head.to_dict().items()}
            told.append({**named, "rows": groups[name][columns]})
    return told
