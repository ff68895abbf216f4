import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from leadml.errors import DataError
from leadml.evaluation.comparison import compare
from leadml.evaluation.report import Report, build_payload, render_report, write_report
from leadml.evaluation.summary import evaluate

SCRIPT = "<script>alert('x')</script>"


def models(n=600, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(-0.6, 1.5, n)
    y_true = (rng.random(n) < expit(z)).astype(int)
    return y_true, {"model": expit(z), "rules": expit(0.3 * z + rng.normal(size=n))}


def points(*more):
    rows = [
        ("visits", "below 3", -np.inf, 3.0, 0.4, -4.0),
        ("visits", "3 or more", 3.0, np.inf, 0.5, 6.0),
        ("visits", "missing", np.nan, np.nan, 0.1, -1.0),
        ("source", "web", np.nan, np.nan, 0.9, 9.0),
        ("source", "fair", np.nan, np.nan, 0.1, 8.0),
        ("constant", "any value", -np.inf, np.inf, 1.0, 0.0),
        *more,
    ]
    return pd.DataFrame(rows, columns=["feature", "value", "from", "to", "share", "points"])


def report(**changes):
    y_true, probabilities = models()
    bands = {
        name: np.where(y_prob > 0.6, "hot", np.where(y_prob > 0.3, "warm", "cold"))
        for name, y_prob in probabilities.items()
    }
    values = {
        "title": "Which leads to call first",
        "evaluations": {
            name: evaluate(y_true, y_prob, score=100 * y_prob, band=bands[name], n_resamples=20)
            for name, y_prob in probabilities.items()
        },
        "comparison": compare(
            y_true,
            probabilities,
            bands=bands,
            segments={"source": np.where(y_true, "web", SCRIPT)},
            capacity=10,
            weeks=6,
            n_resamples=20,
        ),
        "facts": {"Version": "3"},
        "warnings": ["No better than the base rate."],
        "notes": ["Tags were left out."],
        "points": points(),
        "structures": pd.DataFrame({"structure": ["pairwise"], "log_loss": [0.41923]}),
    }
    return Report(**{**values, **changes})


def test_the_payload_is_json_and_holds_every_table():
    given = report()
    payload = json.loads(json.dumps(build_payload(given), allow_nan=False))
    assert payload["models"] == ["model", "rules"]
    assert (payload["n_leads"], payload["n_resamples"]) == (600, 20)
    assert payload["verdict"] == list(given.comparison.verdict)
    assert payload["capacity"]["weeks"] == 6
    assert payload["capacity"]["chosen"] == pytest.approx(0.1)
    chosen = [row for row in payload["capacity"]["rows"] if row["fraction"] == 0.1]
    assert [row["model"] for row in chosen] == ["model", "rules"]
    assert len(payload["cross"]) == 9
    assert {row["segment"] for row in payload["segments"]} == {"web", SCRIPT}
    assert payload["metrics"][0].keys() == {"metric", "model", "value", "lower", "upper"}
    assert payload["grid"] == payload["leads"] == []
    assert payload["what_if"] is None


def test_points_come_by_feature_strongest_first_weighted_by_share():
    told = build_payload(report())["points"]
    # 9 and 8 lie nearer to each other than -4 and 6; what is the same for all is left out
    assert [each["feature"] for each in told] == ["visits", "source"]
    assert told[0]["rows"][0] == {
        "value": "below 3", "from": None, "to": 3.0, "share": 0.4, "points": -4.0,
        "other_points": None,
    }  # fmt: skip
    plain = points()[["feature", "value", "points"]]
    assert len(build_payload(report(points=plain))["points"]) == 2


def test_a_single_model_without_wins_or_extras_has_a_page_too():
    alone = evaluate([0, 0, 0], [0.1, 0.2, 0.3], n_resamples=20)
    given = Report(title="Leads", evaluations={"model": alone})
    payload = build_payload(given)
    assert payload["capacity"] is None
    assert payload["bands"] == payload["scores"] == {}
    assert "<h1>Leads</h1>" in render_report(given)


def test_text_from_data_is_escaped_wherever_it_stands():
    html = render_report(
        report(
            title=SCRIPT,
            facts={SCRIPT: SCRIPT},
            warnings=[SCRIPT],
            notes=[SCRIPT],
            points=points((SCRIPT, SCRIPT, np.nan, np.nan, 0.5, 3.0)),
            disagreement=[{"lead_id": SCRIPT}],
        )
    )
    assert SCRIPT not in html
    assert "alert('x')</script>" not in html


def test_equal_reports_give_equal_pages():
    assert render_report(report()) == render_report(report())


def test_a_failed_write_leaves_the_old_file_and_nothing_beside(tmp_path, monkeypatch):
    path = write_report(report(), tmp_path / "report.html")
    before = path.read_text()

    def fail(self, target):  # noqa: ARG001
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(DataError, match=r"cannot be written: No space left"):
        write_report(report(title="new"), path)
    assert path.read_text() == before
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_what_cannot_be_reported_is_refused(tmp_path):
    with pytest.raises(DataError, match="`evaluations` is empty"):
        Report(title="Leads", evaluations={})
    with pytest.raises(DataError, match=r"`points` lacks the columns \['points'\]"):
        report(points=points().drop(columns="points"))
    with pytest.raises(DataError, match="cannot be written"):
        write_report(report(), tmp_path / "nowhere" / "report.html")
