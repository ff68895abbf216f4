"""Write a model folder as one SELECT: a database scores its leads where they are."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from leadml.batch import load_scorer, open_scorer
from leadml.config import Config, load_config
from leadml.errors import DataError, did_you_mean
from leadml.pipelines import MODEL
from leadml.registry.bundle import index_columns
from leadml.scoring.attribution import split_pipeline
from leadml.scoring.columns import TextColumn
from leadml.scoring.rulepoints import RulePointsClassifier
from leadml.scoring.scorer import LeadScorer
from leadml.sql.columns import Columns
from leadml.sql.expressions import text
from leadml.sql.handoff import describe_bant, find_qualified
from leadml.sql.points import Points
from leadml.sql.query import Query, Sql, name_of
from leadml.sql.reasons import Shown, add_reasons
from leadml.sql.scores import add_scores

DIALECTS = ("duckdb", "postgres", "spark", "snowflake", "bigquery")


def export_sql(
    source: str | Path,
    dialect: str,
    *,
    table: str = "leads",
    reasons: int = 0,
    by: str = MODEL,
    features: Collection[str] = (),
) -> str:
    """Return one SELECT that scores the leads of a table as `leadml score` does.

    Parameters
    ----------
    source : str or Path
        A model folder of structure `additive` or `pairwise`, or a `rules.toml` with its
        `leadml.toml` beside it.
    dialect : {"duckdb", "postgres", "spark", "snowflake", "bigquery"}
    table : str, default="leads"
        The table or view of the leads, with the model's raw columns by their names. Of a model
        that counts activities it is what `build_features` returns, with `lead_id` and
        `snapshot_date`.
    reasons : int, default=0
        How many reasons a lead, as text.
    by : {"model", "rules"}, default="model"
        Which of the two of a model folder.
    features : collection of str, default=()
        Raw columns whose features stand in the table, such as `job_title` for
        `job_title_seniority` and `job_title_function`. Job titles need it: SQL cannot read them.

    Returns
    -------
    str
        Its rows are those of the scored table, see `leadml.scored`.

    Raises
    ------
    DataError
        For a `full` model, which is no table of points; for job titles; for another dialect.
    """
    if dialect not in DIALECTS:
        message = f"{dialect!r} is no dialect.{did_you_mean(dialect, DIALECTS)}"
        raise DataError(f"{message} Accepted: {', '.join(DIALECTS)}.")
    source = Path(source)
    if source.suffix == ".toml":
        settings = source.with_name("leadml.toml")
        scorer, config = open_scorer(source, settings)[0], load_config(settings)
    else:
        scorer, model = load_scorer(source, by=by)
        config = model.config
    query = Query(dialect, _parse_table(table, dialect))
    select = build_select(scorer, config, query, reasons=reasons, features=features)
    return select.sql(dialect=dialect, pretty=True) + "\n"


def build_select(
    scorer: LeadScorer,
    config: Config,
    query: Query,
    *,
    reasons: int = 0,
    features: Collection[str] = (),
) -> exp.Select:
    """Return the SELECT of a fitted scorer; see `export_sql`."""
    before, last = split_pipeline(scorer.estimator_)
    if getattr(last, "bag_", None) is not None:
        message = (
            f"The model {scorer.name!r} has the structure 'full', whose trees are no table of "
            "points. Train with --structure additive or pairwise."
        )
        raise DataError(message)
    columns = Columns(query, before[0], config, features, _find_words(scorer, last))
    id_column, _ = index_columns(config)
    lead_id = query.add("read", "lead_id", exp.Column(this=name_of(id_column, query.dialect)))
    points = Points(query, last.table_, columns.feature)
    scores = add_scores(query, scorer, points.points)
    result: dict[str, Sql] = {"lead_id": lead_id, **scores.columns}
    result["qualified"] = find_qualified(query, scorer, columns, scores.columns)
    result["bant"] = describe_bant(query, scorer, columns)
    shown = {name: _find_shown(name, last, points, columns) for name in scores.points}
    if reasons:
        result |= add_reasons(query, scores.points, shown, reasons)
    _check_titles(columns)
    result |= {"points": scores.total, "model": text(scorer.name), "version": text(scorer.version)}
    return query.build(result)


def _find_words(scorer: LeadScorer, last: Any) -> dict[str, set[str]]:
    """Return the words that rules look for in each column."""
    rules = [*scorer.rules.rules] if scorer.rules is not None else []
    texts = [*last.table_.columns, *(rule.compile(rule.name)[0] for rule in rules)]
    words: dict[str, set[str]] = {}
    for column in texts:
        if isinstance(column, TextColumn):
            found = (word.strip().casefold() for word in column.words)
            words.setdefault(column.source, set()).update(found)
    return words


def _find_shown(name: str, last: Any, points: Points, columns: Columns) -> Shown:
    # a rule's name says what it read
    if isinstance(last, RulePointsClassifier):
        return Shown(None, None)
    return Shown(columns.feature(name), points.codes.get(name))


def _parse_table(table: str, dialect: str) -> Sql:
    try:
        return sqlglot.parse_one(table, into=exp.Table, dialect=dialect)
    except SqlglotError:
        message = f"{table!r} is no name of a table. Pass for example --table crm.leads."
        raise DataError(message) from None


def _check_titles(columns: Columns) -> None:
    if not columns.unreadable:
        return
    names = list(dict.fromkeys(columns.unreadable))
    made = ", ".join(f"{name}_seniority, {name}_function" for name in names)
    options = " ".join(f"--features {name!r}" for name in names)
    message = (
        f"Job titles are not read in SQL: {', '.join(map(repr, names))}. Put the columns {made} "
        f"into the table (leadml.features.titles computes them) and pass {options}."
    )
    raise DataError(message)
