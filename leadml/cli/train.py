"""`leadml train`: learn, judge, compare, and write the model folder."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from leadml.cli import show
from leadml.cli.options import Capacity, Json, NoMlflow, Overwrite, Seed


def train(
    config: Annotated[Path, typer.Argument(help="leadml.toml")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write the model to.")],
    leads: Annotated[Path | None, typer.Option(help="Leads other than leadml.toml names.")] = None,
    rules: Annotated[
        Path | None, typer.Option(help="Rule book to compare with; rules.toml beside the config.")
    ] = None,
    structure: Annotated[
        Literal["auto", "additive", "pairwise", "full"],
        typer.Option(help="How many columns may act together: one, two, any, or what pays."),
    ] = "auto",
    scale_of: Annotated[
        Path | None, typer.Option(help="Model whose scale to keep, for a retrain.")
    ] = None,
    capacity: Capacity = None,
    show_leads: Annotated[
        bool,
        typer.Option("--show-leads", help="Show single judged leads, by id, in the report."),
    ] = False,
    seed: Seed = 0,
    no_mlflow: NoMlflow = False,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Train the model beside the rule book, judge both on leads not seen, write a model folder."""
    from leadml.batch import check_book
    from leadml.config import load_config
    from leadml.judging import describe_next
    from leadml.publishing import (
        describe_figures,
        describe_scale,
        describe_values,
        write_training,
    )
    from leadml.registry.bundle import check_target, load_model
    from leadml.training import train as train_model

    check_target(out, overwrite=overwrite)
    settings = load_config(config)
    beside = config.with_name("rules.toml")
    rules = rules or (beside if beside.is_file() else None)
    book = None if rules is None else check_book(rules, settings, leads)
    previous = scale_of or (out if overwrite and (out / "model.json").is_file() else None)
    scale = None if previous is None else load_model(previous).scorer.scale_
    training = train_model(
        settings,
        leads,
        rules=book,
        name=out.name,
        structure=structure,
        scale=scale,
        capacity=capacity,
        random_state=seed,
        progress=show.step,
    )
    text = None if rules is None else rules.read_text(encoding="utf-8-sig")
    write_training(training, out, rules_text=text, overwrite=overwrite, show_leads=show_leads)
    if not no_mlflow:
        from leadml.registry.tracking import log_training

        show.step("logging the MLflow run")
        run = log_training(out, {**training.model.info, "seed": seed}, training.evaluations)
        show.step(f"MLflow run {run}")
    show.warn(training.warnings)
    for note in training.notes:
        show.say(note)
    if json:
        show.print_json(describe_figures(training))
        return
    show.print_table(training.structures.round(4), "Structures tried (log loss on leads left out)")
    show.print_evaluations(training.evaluations, training.judged.unit)
    show.print_verdict(training.comparison)
    if training.valuing is not None:
        show.print_values(describe_values(training))
    if training.forecast is not None:
        show.print_forecast(training.forecast)
    if training.optimism is not None:
        judged = training.evaluations["model"]
        show.say(training.optimism.describe(judged))
        show.say(describe_next(judged))
    show.say(f"Scale: {describe_scale(training.model.scorer)}.")
    if training.model.info["structure"] == "full":
        show.say(
            "The structure is full: it has no SQL export. --structure pairwise has one; the table "
            "above says what it costs."
        )
    show.say(f"wrote {out}; open {out / 'report.html'}")
