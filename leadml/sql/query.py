"""One SELECT, built as steps: each is a CTE that keeps the columns of the one before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    Sql = exp.Expr
else:  # SQLGlot before 28 has no Expr
    Sql = exp.Expression

#: What each step may read is what the steps before it have computed.
STEPS = (
    "read",
    "cast",
    "text",
    "clean",
    "clock",
    "dated",
    "feature",
    "number",
    "code",
    "pair",
    "raw",
    "family",
    "points",
    "sum",
    "score",
    "rounded",
)


def name_of(column: str, dialect: str) -> exp.Identifier:
    """Return a column's name in quotes; Snowflake folds plain names to capitals, so not there.

    Examples
    --------
    >>> name_of("Lead Source", "bigquery").sql("bigquery"), name_of("city", "snowflake").sql()
    ('`Lead Source`', 'city')
    """
    plain = column.isascii() and column.isidentifier() and column == column.lower()
    return exp.to_identifier(column, quoted=not (dialect == "snowflake" and plain))


@dataclass
class Query:
    """The steps from a table of leads on.

    Attributes
    ----------
    dialect : str
    table : Expression
    steps : dict of step to its columns
    """

    dialect: str
    table: Sql
    steps: dict[str, dict[str, Sql]] = field(default_factory=lambda: {step: {} for step in STEPS})

    def add(self, step: str, name: str, value: Sql, note: str = "") -> exp.Column:
        """Add a column to a step, with a comment that says what it is; return its name."""
        columns = self.steps.setdefault(step, {})
        if name not in columns:
            columns[name] = exp.alias_(value, name, copy=False)
            if note:
                columns[name].add_comments([f" {note} "])
        return exp.column(name)

    def build(self, columns: Mapping[str, Sql]) -> exp.Select:
        """Return the whole SELECT of `columns`."""
        query, source = exp.Select(), self.table
        first: list[Sql] = []
        for step, added in self.steps.items():
            if added:
                select = exp.select(*first, *added.values(), copy=False).from_(source, copy=False)
                # a fence: PostgreSQL would put each step's expressions into the next, over and over
                if self.dialect == "postgres":
                    select = select.offset(0, copy=False)
                query = query.with_(f"leadml_{step}", as_=select, copy=False)
                source, first = exp.to_table(f"leadml_{step}"), [exp.Star()]
        named = [
            exp.alias_(value, name_of(name, self.dialect), copy=False)
            for name, value in columns.items()
        ]
        return query.select(*named, copy=False).from_(source, copy=False)
