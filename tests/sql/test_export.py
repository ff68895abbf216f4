import odd_leads
import pandas as pd
import pytest
import run_sql
import small_crm
import sqlglot
import typer
from run_sql import assert_scored_alike
from servers import postgres, spark  # noqa: F401
from small_history import make_config, make_tables
from typer.testing import CliRunner

from leadml.batch import open_scorer
from leadml.cli.export import export
from leadml.cli.init import init
from leadml.config import load_config
from leadml.data.demo import simulate_crm
from leadml.data.history import open_history
from leadml.data.lead_table import read_table
from leadml.errors import DataError
from leadml.features.snapshots import build_features
from leadml.features.titles import compute_function, compute_seniority
from leadml.registry.bundle import load_model
from leadml.rows import read_rows
from leadml.scored import LAST_COLUMNS, SCORED_COLUMNS, reason_columns
from leadml.scoring.columns import NumberColumn
from leadml.scoring.rulebook import load_rules
from leadml.sql.export import DIALECTS, export_sql

pytestmark = [
    # PySpark and Ibis call old names of pandas, and py4j leaves its sockets to the collector
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


@pytest.fixture(scope="module", params=["duckdb", "postgres", "spark"])
def engine(request):
    """A dialect, and what runs a SELECT over a frame of leads."""
    if request.param == "duckdb":
        return "duckdb", run_sql.run_duckdb
    server = request.getfixturevalue(request.param)
    if request.param == "postgres":
        backend = server.connect()
        request.addfinalizer(backend.disconnect)
        return "postgres", lambda sql, leads: run_sql.run_postgres(backend, sql, leads)
    # methods of Spark's stages must not be larger than Java takes
    server.conf.set("spark.sql.codegen.wholeStage", "false")
    return "spark", lambda sql, leads: run_sql.run_spark(server, sql, leads)


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A folder with leads, rules, and a pairwise and an additive model."""
    folder = tmp_path_factory.mktemp("odd")
    config = load_config(odd_leads.write_crm(folder))
    table, book = read_table(config.leads.path, config), load_rules(folder / "rules.toml")
    for structure in ("pairwise", "additive"):
        odd_leads.write_model(folder / structure, config, table, structure, book)
    return folder


@pytest.fixture(scope="module")
def edges(odd):
    columns = load_model(odd / "pairwise").scorer.estimator_[-1].table_.columns
    numbers = [column.edges[:6] for column in columns if isinstance(column, NumberColumn)]
    return [edge for edges in numbers for edge in edges]


def scored_terms(model):
    return model.scorer.estimator_[-1].table_.terms


def score(model, leads, by="model"):
    chosen = model.scorer if by == "model" else model.rules
    return chosen.score_leads(read_table(leads, model.config).X)


def as_text(leads):
    """Return leads as a CSV file has them."""
    numbers = leads.select_dtypes("float")
    return leads.assign(**{name: numbers[name].map(repr, na_action="ignore") for name in numbers})


@pytest.mark.parametrize(
    ("name", "by"), [("pairwise", "model"), ("additive", "model"), ("additive", "rules")]
)
def test_every_row_equals_the_scored_table(engine, odd, edges, name, by):
    dialect, run = engine
    model = load_model(odd / name)
    leads = odd_leads.make_odd_leads(edges)
    sql = export_sql(odd / name, dialect, reasons=3, by=by)
    expected = score(model, leads, by)
    assert expected["reason_3"].notna().any()
    assert 0 < expected["qualified"].mean() < 1
    assert expected["bant"].nunique() > 3
    assert_scored_alike(run(sql, leads), expected)
    texts = as_text(leads)
    assert_scored_alike(run(sql, texts), score(model, texts, by))


def test_the_extremes_of_floats(engine, odd, edges):
    dialect, run = engine
    model = load_model(odd / "pairwise")
    leads = odd_leads.make_odd_leads(edges, 300, numbers=odd_leads.EXTREME_NUMBERS)
    expected = score(model, leads).drop(columns=["reason_1", "reason_2", "reason_3"])
    assert_scored_alike(run(export_sql(odd / "pairwise", dialect), leads), expected)


def test_a_book_without_outcomes(engine, odd):
    dialect, run = engine
    leads = odd_leads.make_leads(200, 2)
    scorer, table = open_scorer(odd / "rules.toml", leads)
    expected = scorer.score_leads(table.X)
    assert expected["probability"].isna().all()
    found = run(export_sql(odd / "rules.toml", dialect, reasons=3), leads)
    assert_scored_alike(found, expected)
    assert found["probability"].isna().all()


def test_the_features_of_a_history(engine, tmp_path):
    dialect, run = engine
    tables = make_tables(120, 2_000)
    table, config = read_rows(make_config(), tables=tables)
    model = odd_leads.write_model(tmp_path / "model", config, table, "additive")
    leads = build_features(open_history(config, tables=tables), "2026-03-01").reset_index()
    sql = export_sql(tmp_path / "model", dialect, reasons=2)
    found = run(sql, leads.astype({"snapshot_date": "str"}))
    expected = model.score_leads(leads).drop(columns="reason_3")
    assert_scored_alike(found, expected)


# run_spark makes its rows of texts and floats
@pytest.mark.parametrize("engine", ["duckdb", "postgres"], indirect=True)
def test_columns_of_any_type(engine, odd):
    dialect, run = engine
    leads = odd_leads.make_leads(300, 4)
    leads["zip"] = leads["zip"].astype(float)
    leads["opted_in"] = (leads["opted_in"] == "yes").astype(object)
    leads.loc[::7, "opted_in"] = None
    leads["employees"] = leads["employees"].astype("Int64")
    for name in ("created_at", "last_seen"):
        leads[name] = pd.to_datetime(leads[name]).dt.tz_localize("UTC")
    model = load_model(odd / "pairwise")
    found = run(export_sql(odd / "pairwise", dialect, reasons=3), leads)
    assert_scored_alike(found, score(model, leads))


def test_categories_of_many_levels(tmp_path):
    leads = small_crm.make_leads(900)
    codes = leads.index % 150
    leads["industry"] = [f"Branża {'x' * (code % 9)}{code}" for code in codes]
    leads["job_title"] = "Student"
    settings = small_crm.SETTINGS.replace('"job_title", ', "").replace('job_title = "title"\n', "")
    config = load_config(small_crm.write_crm(tmp_path, leads, settings))
    table = read_table(leads, config)
    model = odd_leads.write_model(tmp_path / "model", config, table, "additive")
    leads.loc[::3, "industry"] = leads["industry"].str.upper() + " "
    found = run_sql.run_duckdb(export_sql(tmp_path / "model", "duckdb", reasons=3), leads)
    assert_scored_alike(found, model.score_leads(leads))


def test_job_titles_come_as_features(model_folder, training):
    leads = small_crm.make_leads(200, seed=7)
    assert "job_title_seniority" in {term.feature for term in scored_terms(training.model)}
    with pytest.raises(DataError, match=r"pass --features 'job_title'\.$"):
        export_sql(model_folder, "duckdb")
    ready = leads.assign(
        job_title_seniority=compute_seniority(leads["job_title"]),
        job_title_function=compute_function(leads["job_title"]),
    ).drop(columns="job_title")
    for by in ("model", "rules"):
        sql = export_sql(model_folder, "duckdb", reasons=3, by=by, features=["job_title"])
        found = run_sql.run_duckdb(sql, ready)
        assert_scored_alike(found, score(training.model, leads, by))


def test_x_education(real_data, tmp_path):
    source = real_data / "x_education" / "Leads.csv"
    out = tmp_path / "leadml.toml"
    init(source, missing=["Select"], out=out)
    config = load_config(out)
    table = read_table(source, config)
    model = odd_leads.write_model(tmp_path / "model", config, table, "pairwise")
    leads = pd.read_csv(source, dtype="str", keep_default_na=False)
    found = run_sql.run_duckdb(export_sql(tmp_path / "model", "duckdb", reasons=3), leads)
    expected = model.score_leads(leads)
    expected["lead_id"] = expected["lead_id"].astype(found["lead_id"].dtype)
    assert_scored_alike(found, expected)


def test_the_flat_leads_of_the_simulated_crm(tmp_path):
    pytest.importorskip("leadforge")
    leads = simulate_crm(1_500, random_state=1)
    path = tmp_path / "leads.csv"
    leads.to_csv(path, index=False)
    init(path, out=tmp_path / "leadml.toml")
    config = load_config(tmp_path / "leadml.toml")
    model = odd_leads.write_model(tmp_path / "m", config, read_table(path, config), "pairwise")
    ready = leads.assign(
        job_title_seniority=compute_seniority(leads["job_title"]),
        job_title_function=compute_function(leads["job_title"]),
    )
    sql = export_sql(tmp_path / "m", "duckdb", reasons=3, features=["job_title"])
    assert_scored_alike(run_sql.run_duckdb(sql, ready), model.score_leads(leads))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("by", ["model", "rules"])
def test_a_dialect_reads_what_is_written(odd, dialect, by):
    sql = export_sql(odd / "pairwise", dialect, reasons=3, by=by, table="crm.new_leads")
    [select] = sqlglot.parse(sql, dialect=dialect)
    assert [column.alias_or_name for column in select.selects] == [
        *SCORED_COLUMNS,
        *reason_columns(3),
        *LAST_COLUMNS,
    ]
    tables = {table.name for table in select.find_all(sqlglot.exp.Table)}
    assert {name for name in tables if not name.startswith("leadml_")} == {"new_leads"}


def test_what_cannot_be_exported(odd, crm, tmp_path):
    with pytest.raises(DataError, match=r"'postgre' is no dialect. Did you mean 'postgres'\?"):
        export_sql(odd / "pairwise", "postgre")
    with pytest.raises(DataError, match=r"'Budget' is no column of the model. Did you mean 'bu"):
        export_sql(odd / "pairwise", "duckdb", features=["Budget"])
    with pytest.raises(DataError, match=r"'select from' is no name of a table"):
        export_sql(odd / "pairwise", "duckdb", table="select from")
    config = load_config(crm / "leadml.toml")
    table = read_table(config.leads.path, config)
    odd_leads.write_model(tmp_path / "full", config, table, "full")
    with pytest.raises(DataError, match="Train with --structure additive or pairwise"):
        export_sql(tmp_path / "full", "duckdb")


def test_the_command_writes_a_file(odd, tmp_path):
    app = typer.Typer()
    app.command()(export)
    out = tmp_path / "score.sql"
    options = ["--dialect", "spark", "-o", str(out), "--reasons", "1", "--by", "rules"]
    result = CliRunner().invoke(app, [str(odd / "additive"), *options])
    assert result.exit_code == 0, result.output
    assert out.read_text(encoding="utf-8") == export_sql(
        odd / "additive", "spark", reasons=1, by="rules"
    )
