"""`leadml rules`: show, check and learn a rule book."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadml.cli import show
from leadml.cli.files import write_text
from leadml.cli.options import Json, Overwrite, Seed
from leadml.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from leadml.scoring.rulebook import RuleBook

app = typer.Typer(help="The rule book: show it, check it, learn it.", no_args_is_help=True)

Rules = Annotated[Path, typer.Argument(help="rules.toml")]
Settings = Annotated[
    Path | None, typer.Option("--config", help="leadml.toml; the one beside the rules.")
]


@app.command()
def check(rules: Rules, config: Settings = None) -> None:
    """List every problem of a rule book, with its line."""
    from leadml.batch import check_book
    from leadml.config import load_config

    settings = load_config(config or rules.with_name("leadml.toml"))
    book = check_book(rules, settings)
    show.say(f"{rules}: {len(book.rules)} rules, no problems")


@app.command(name="show")
def show_rules(rules: Rules) -> None:
    """Print a rule book as a table of points."""
    from leadml.scoring.rulebook import load_rules

    show.print_table(_table(load_rules(rules)))


@app.command()
def learn(
    config: Annotated[Path, typer.Argument(help="leadml.toml")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write the rules.")],
    leads: Annotated[Path | None, typer.Option(help="Leads other than leadml.toml names.")] = None,
    count: Annotated[int, typer.Option(min=1, help="Most rules.")] = 20,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Learn a few rules of whole points to edit, and print what they cost beside the model."""
    from leadml.config import load_config
    from leadml.rule_learning import learn_rules

    if out.exists() and not overwrite:
        message = f"{out} exists already. Pass --overwrite, or another name."
        raise ConfigError(message)
    if not out.parent.is_dir():
        message = f"The folder {out.parent} does not exist. Create it, or write elsewhere."
        raise ConfigError(message)
    learned = learn_rules(
        load_config(config), leads, count=count, random_state=seed, progress=show.step
    )
    write_text(out, learned.text)
    show.warn(learned.warnings)
    if json:
        show.print_json(learned.to_dict())
    else:
        show.print_table(_table(learned.book))
        judged = learned.comparison
        title = (
            f"{judged.n_leads:,} judged, {judged.n_won:,} won ({learned.method}); below each "
            "figure what it has more than the model's, with a 95 % interval"
        )
        show.print_table(_figures(learned.figures), title)
    show.say(f"wrote {out}: read it, and change what you know better")


def _table(book: "RuleBook") -> "pd.DataFrame":
    import pandas as pd

    rows = [
        (rule.describe_worth(), rule.name, rule.family, rule.describe_condition())
        for rule in book.rules
    ]
    return pd.DataFrame(rows, columns=["points", "rule", "family", "when"])


def _figures(figures: "pd.DataFrame") -> "pd.DataFrame":
    """Return a row a recipe: its figures, each above what it has more than the model's."""
    import pandas as pd

    rows = []
    for recipe, mine in figures.groupby("recipe", sort=False):
        row = {"": str(recipe)}
        for metric, value, *more in mine.drop(columns="recipe").itertuples(index=False):
            label, form, _ = show.FIGURES[metric]
            row[label] = form.format(value)
            if not pd.isna(more).any():
                signed = "{:+.1%}" if "%" in form else "{:+.3f}"
                difference, lower, upper = (signed.format(bound) for bound in more)
                row[label] += f"\n{difference} ({lower} to {upper})"
        rows.append(row)
    return pd.DataFrame(rows)
