"""`leadml demo`: the whole job on a simulated CRM."""

from pathlib import Path
from typing import Annotated

import typer

from leadml.cli import show
from leadml.cli.options import NoMlflow, Seed

#: The demo's tables with one row an event; the order of the columns in a model depends on it.
ACTIVITIES = ("touches", "sessions", "sales_activities", "opportunities")


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder to write everything to.")] = Path(
        "demo"
    ),
    leads: Annotated[int, typer.Option(help="How many leads to simulate.")] = 4_000,
    seed: Seed = 0,
    no_mlflow: NoMlflow = False,
) -> None:
    """Simulate a CRM, then init, check, train, compare, score and explain: the whole job."""
    from leadml.cli import check, init, score, train
    from leadml.data.demo_tables import export_date, simulate_tables
    from leadml.data.sources import write_table

    show.step(f"simulating a CRM with {leads:,} leads")
    out.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, table in simulate_tables(leads, random_state=seed).items():
        files[name] = out / f"{name}{'.parquet' if name in ACTIVITIES else '.csv'}"
        write_table(table, files[name])
    settings, model = out / "leadml.toml", out / "model"
    show.step("init: what each column of eight tables means")
    init.init(
        files["leads"],
        accounts=str(files["accounts"]),
        contacts=str(files["contacts"]),
        outcomes=str(files["outcomes"]),
        activities=[str(files[name]) for name in ACTIVITIES],
        # found as LOOK: whether sales took the lead on, as of the export, and so after the outcome
        exclude=["is_sql"],
        out=settings,
        overwrite=True,
    )
    show.step("check: enough to learn from, and no column that knows the outcome")
    check.check(settings)
    show.step("train: the model beside the rule book")
    # simulated leads may be shown; of 4,000, some 67 come in a week and 4 can be called
    calls = max(round(leads / 1_000), 1)
    train.train(
        settings,
        model,
        capacity=calls,
        show_leads=True,
        seed=seed,
        no_mlflow=no_mlflow,
        overwrite=True,
    )
    show.step("score: the open leads, on the day of the export")
    day = str(export_date().date())
    score.score(model, settings, out / "scored.csv", at=day)
    _explain_best(model, out, day)
    show.say(f"report: {(model / 'report.html').resolve()}")


def _explain_best(model: Path, out: Path, day: str) -> None:
    """Print the sums of the five open leads with the highest scores."""
    import pandas as pd

    from leadml.batch import explain_leads

    scored = pd.read_csv(out / "scored.csv")
    best = scored.sort_values("probability", ascending=False, kind="stable")["lead_id"].head(5)
    for row, lines in explain_leads(model, out / "leadml.toml", list(best), at=day):
        show.print_explanation(row, lines, most=6)
