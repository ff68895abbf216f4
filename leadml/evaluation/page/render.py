"""Put a report's figures, the style and the scripts into one page that needs nothing else."""

import base64
import hashlib
import json
import math
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

# in the order in which they are put together: each uses only what stands before it
SCRIPTS = (
    "base.js",
    "charts.js",
    "trust.js",
    "bands.js",
    "tables.js",
    "capacity.js",
    "points.js",
    "trees.js",
    "what_if.js",
    "leads.js",
    "main.js",
)
_NBSP, _MINUS = "\N{NO-BREAK SPACE}", "\N{MINUS SIGN}"
# none of these may stand in a script element as it is, whatever the text it is part of
_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


class Metric(NamedTuple):
    """A figure as the table shows it; `form` is a format, `%` for shares."""

    key: str
    label: str
    form: str
    help: str = ""


class Cell(NamedTuple):
    """A figure with its interval; `better` says which model a difference favours."""

    value: str
    interval: str = ""
    better: str = ""


METRICS = {
    "Ranking: who comes first": (
        Metric("roc_auc", "AUC", ".3f", "chance that a won lead outranks a lost one"),
        Metric("average_precision", "Average precision", ".3f", "mean share won above each win"),
        Metric("lift_05", f"Lift, best 5{_NBSP}%", ".2f", "1 is a random order"),
        Metric("lift_10", f"Lift, best 10{_NBSP}%", ".2f"),
        Metric("lift_20", f"Lift, best 20{_NBSP}%", ".2f"),
        Metric("gain_05", f"Gain, best 5{_NBSP}%", "%", "share of all wins found there"),
        Metric("gain_10", f"Gain, best 10{_NBSP}%", "%"),
        Metric("gain_20", f"Gain, best 20{_NBSP}%", "%"),
    ),
    "Probabilities: how far they can be trusted": (
        Metric("log_loss", "Log loss", ".4f", "cost of the misses; lower is better"),
        Metric("base_log_loss", "Log loss of the base rate", ".4f", "the bar to beat"),
        Metric("log_loss_gain", "Gain over the base rate", ".4f", "above 0: there is a signal"),
        Metric("brier", "Brier score", ".4f", "mean squared miss; lower is better"),
        Metric("reliability", "Brier: reliability", ".4f", "promise against outcome; 0 is best"),
        Metric("resolution", "Brier: resolution", ".4f", "how far leads are told apart"),
        Metric("uncertainty", "Brier: uncertainty", ".4f", "of the outcomes, whatever the model"),
        Metric("calibration_slope", "Calibration slope", ".2f", "1 is right; below: too extreme"),
        Metric("calibration_intercept", "Calibration intercept", ".2f", "0 is right"),
        Metric("ece", "Calibration error (ECE)", "%", "mean distance, promise to outcome"),
    ),
}
HEADLINES = (
    Metric("gain_10", f"Wins among the best 10{_NBSP}%", "%", "gain; of all wins"),
    Metric("lift_10", f"Lift, best 10{_NBSP}%", ".2f", "1 is a random order"),
    Metric("roc_auc", "AUC", ".3f", "a won lead outranks a lost one"),
    Metric("calibration_slope", "Calibration slope", ".2f", "1 is right"),
)


def render_page(payload: Mapping[str, Any]) -> str:
    r"""Return the whole page as HTML text; equal payloads give equal texts.

    Title, facts, warnings, verdict, key figures and explanations stand in the HTML itself; charts
    and panels are drawn from the payload by the page's script. A section without figures is left
    out.

    Parameters
    ----------
    payload : mapping of str to JSON-able values
        What `evaluation/report.py` collects: title, facts, warnings, notes, verdict, models,
        metrics, differences, reliability, capacity and so on; an empty list or None leaves a
        section out.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        Where a number is not finite: JSON has none such; `jsonable` makes them None.

    Examples
    --------
    >>> page = render_page({"title": "Leads <2026>", "models": ["model"]})
    >>> "<title>Leads &lt;2026&gt;</title>" in page, '"Leads \\u003c2026\\u003e"' in page
    (True, True)
    """
    environment = Environment(
        loader=PackageLoader("leadml.evaluation.page", ""),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    script = _script()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("page.html.j2").render(
        page=payload,
        models=list(payload["models"]),
        others=_others(payload),
        tiles=_tiles(payload),
        figures=_figures(payload),
        structures=_plain_table(payload.get("structures") or []),
        style=Markup(_text("page.css")),  # noqa: S704 - the package's own file
        script=Markup(script),  # noqa: S704 - the package's own files
        digest=digest,
        data=Markup(_as_json(payload)),  # noqa: S704 - escaped there
    )


def _text(name: str) -> str:
    return files("leadml.evaluation.page").joinpath(name).read_text(encoding="utf-8")


def _script() -> str:
    return '"use strict";\n(() => {\n' + "\n".join(_text(name) for name in SCRIPTS) + "})();\n"


def _as_json(payload: Mapping[str, Any]) -> str:
    text = json.dumps(
        payload, allow_nan=False, ensure_ascii=False, separators=(",", ":"), sort_keys=True
    )
    return text.translate(_ESCAPES)


def _others(payload: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(row["other"] for row in payload.get("differences") or []))


def _values(payload: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(row["metric"], row["model"]): row for row in payload.get("metrics") or []}


def _tiles(payload: Mapping[str, Any]) -> list[tuple[Metric, list[tuple[str, Cell]]]]:
    """Return the headline figures: the first model's, then those of the others."""
    rows = _values(payload)
    return [
        (
            metric,
            [
                (name, _cell(rows[metric.key, name], metric.form))
                for name in payload["models"]
                if (metric.key, name) in rows
            ],
        )
        for metric in HEADLINES
        if (metric.key, payload["models"][0]) in rows
    ]


def _figures(payload: Mapping[str, Any]) -> dict[str, list[tuple[Metric, list[Cell]]]]:
    """Return each metric's cells: one a model, then one a difference."""
    values = _values(payload)
    rows = payload.get("differences") or []
    differences = {(row["metric"], row["other"]): row for row in rows}

    def cells(metric: Metric) -> list[Cell]:
        own = [values.get((metric.key, name)) for name in payload["models"]]
        less = [differences.get((metric.key, other)) for other in _others(payload)]
        return [_cell(row, metric.form) for row in own] + [
            _cell(row, f"+{metric.form}", "difference") for row in less
        ]

    known = {metric for metric, _ in values}
    groups = {
        group: [(metric, cells(metric)) for metric in metrics if metric.key in known]
        for group, metrics in METRICS.items()
    }
    return {group: rows for group, rows in groups.items() if rows}


def _cell(row: Mapping[str, Any] | None, form: str, value: str = "value") -> Cell:
    if row is None:
        return Cell("")
    bounds = row["lower"], row["upper"]
    known = row[value] is not None and None not in bounds and bounds[0] != bounds[1]
    interval = ""
    if known:
        # the unit stands once
        start = _formatted(bounds[0], form).rstrip(f"{_NBSP}%p")
        interval = f"{start} to {_formatted(bounds[1], form)}"
    return Cell(_formatted(row[value], form), interval, row.get("better") or "")


def _formatted(value: float | None, form: str) -> str:
    if value is None or not math.isfinite(value):
        return "–"
    if form.endswith("%"):
        unit = "pp" if form.startswith("+") else "%"
        text = f"{100 * value:{form[:-1]}.1f}{_NBSP}{unit}"
    else:
        text = f"{value:{form}}"
    return text.replace("-", _MINUS)


def _plain_table(records: list[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return records as texts to be shown as they are; numbers stand to the right."""
    if not records:
        return None
    columns = list(records[0])

    def text(value: Any) -> str:
        if isinstance(value, bool):
            return "yes" if value else ""
        if isinstance(value, float):
            return _formatted(value, ".4f")
        return "–" if value is None else str(value)

    return {
        "columns": [str(name).replace("_", " ") for name in columns],
        "rows": [[text(record.get(name)) for name in columns] for record in records],
        "numeric": [
            all(
                record.get(name) is None
                or (isinstance(record[name], int | float) and not isinstance(record[name], bool))
                for record in records
            )
            for name in columns
        ],
    }
