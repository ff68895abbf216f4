"""`leadml demo`: the whole job on a simulated CRM."""

from pathlib import Path
from typing import Annotated

import typer

from leadml.cli import show
from leadml.cli.options import NoMlflow, Seed


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder to write everything to.")] = Path(
        "demo"
    ),
    leads: Annotated[int, typer.Option(help="How many leads to simulate.")] = 4_000,
    seed: Seed = 0,
    no_mlflow: NoMlflow = False,
) -> None:
    """Simulate a CRM, then init, train, compare, score and explain: the whole job in one go."""
    from leadml.cli import init, score, train
    from leadml.data import demo as crm
    from leadml.data.sources import write_table

    show.step(f"simulating a CRM with {leads:,} leads")
    frame = crm.simulate_crm(leads, random_state=seed)
    out.mkdir(parents=True, exist_ok=True)
    export, settings, model = out / "leads.csv", out / "leadml.toml", out / "model"
    write_table(frame, export)
    write_table(frame[frame[crm.OUTCOME_COLUMN] == crm.OPEN], out / "open_leads.csv")
    show.step("init: what each column means")
    init.init(
        export,
        id=crm.ID_COLUMN,
        outcome=crm.OUTCOME_COLUMN,
        won=[crm.WON],
        lost=[crm.LOST],
        created=crm.CREATED_COLUMN,
        closed=crm.CLOSED_COLUMN,
        account=crm.ACCOUNT_COLUMN,
        value=crm.VALUE_COLUMN,
        missing=[],
        exclude=list(crm.LEAK_COLUMNS),
        horizon="90D",
        out=settings,
        rules=None,
        overwrite=True,
    )
    show.step("train: the model beside the rule book")
    train.train(settings, model, None, None, "auto", None, seed, no_mlflow, overwrite=True)
    show.step("score: the open leads")
    score.score(model, out / "open_leads.csv", out / "scored.csv")
    _explain_best(model, out)
    show.say(f"report: {(model / 'report.html').resolve()}")


def _explain_best(model: Path, out: Path) -> None:
    """Print the sums of the five open leads with the highest scores."""
    import pandas as pd

    from leadml.batch import explain_leads

    scored = pd.read_csv(out / "scored.csv")
    best = scored.sort_values("probability", ascending=False, kind="stable")["lead_id"].head(5)
    for row, lines in explain_leads(model, out / "open_leads.csv", list(best)):
        show.print_explanation(row, lines, most=6)
