"""`leadml rules`: show and check a rule book."""

from pathlib import Path
from typing import Annotated

import typer

from leadml.cli import show

app = typer.Typer(help="The rule book: show it, check it.", no_args_is_help=True)

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
    import pandas as pd

    from leadml.scoring.rulebook import load_rules

    book = load_rules(rules)
    rows = [
        (rule.describe_worth(), rule.name, rule.family, rule.describe_condition())
        for rule in book.rules
    ]
    show.print_table(pd.DataFrame(rows, columns=["points", "rule", "family", "when"]))
