import gc
import re
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from small_history import make_config, make_tables

from leadml.data.engines import as_frame, open_engine, open_table, read_source
from leadml.data.history import open_history
from leadml.errors import DataError, MissingExtraError
from leadml.features.snapshots import build_features, build_snapshots

TABLES = make_tables(30, 400)
CONFIG = make_config()


@pytest.fixture(scope="module")
def expected():
    return build_snapshots(open_history(CONFIG, tables=TABLES))


def write_csv(folder):
    for name, table in TABLES.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return {name: folder / f"{name}.csv" for name in TABLES}


def write_odd_csv(folder):
    """Other delimiters, packed, and a column more."""
    sources = write_csv(folder)
    table = TABLES["touches"].assign(note='said "a;b", and left')
    table.to_csv(folder / "touches.csv", index=False, sep=";")
    TABLES["calls"].to_csv(folder / "calls.csv.gz", index=False)
    return {**sources, "calls": folder / "calls.csv.gz"}


def write_parquet(folder):
    for name, table in TABLES.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
    return {name: str(folder / f"{name}.parquet") for name in TABLES}


def write_folders(folder):
    for name, table in TABLES.items():
        for place, part in enumerate(np.array_split(np.arange(len(table)), 3)):
            (below := folder / name / f"part{place}").mkdir(parents=True)
            table.iloc[part].to_parquet(below / "part.parquet", index=False)
    return {name: folder / name for name in TABLES}


def write_duckdb(folder):
    with duckdb.connect(folder / "crm.duckdb") as database:
        database.execute("CREATE SCHEMA exports")
        for name, table in TABLES.items():
            database.register("frame", table)
            database.execute(f"CREATE TABLE exports.{name} AS FROM frame")
        database.execute("CREATE TABLE calls AS FROM exports.calls")
    sources = {name: f"{folder / 'crm.duckdb'}#exports.{name}" for name in TABLES}
    return {**sources, "calls": f"{folder / 'crm.duckdb'}#calls"}


@pytest.mark.parametrize(
    "write", [write_csv, write_odd_csv, write_parquet, write_folders, write_duckdb]
)
def test_every_form_gives_the_same_snapshots(tmp_path, write, expected):
    X, y = build_snapshots(open_history(CONFIG, tables=write(tmp_path)))
    assert X.index[0][0] == "000"
    pd.testing.assert_frame_equal(X, expected[0], check_exact=True)
    pd.testing.assert_series_equal(y, expected[1])


def test_columns_of_other_types(expected):
    touches = TABLES["touches"].astype({"kind": "category", "seconds": "object"})
    calls = TABLES["calls"].astype({"lead": "object"})
    X, _ = build_snapshots(
        open_history(CONFIG, tables={**TABLES, "touches": touches, "calls": calls})
    )
    pd.testing.assert_frame_equal(X, expected[0], check_exact=True)


def test_ids_of_a_csv_file_keep_their_zeros(tmp_path):
    path = tmp_path / "touches.csv"
    path.write_text("lead,at\n007,2026-01-02\n")
    engine = open_engine([path])
    assert as_frame(engine, open_table(engine, path))["lead"].tolist() == ["007"]


@pytest.mark.parametrize("form", ["csv", "parquet", "frame"])
def test_whole_numbers_beside_empty_cells_are_ids(tmp_path, form):
    """A column of numbers with an empty cell is one of floats: 1.0 is the lead 1."""
    leads = TABLES["leads"].assign(lead_id=np.arange(30), account=[None, *([7] * 29)])
    accounts = pd.DataFrame({"account_id": [7, 8], "size": [70, 80]})
    calls = pd.DataFrame({"lead": [1, 2, None], "when": "2026-01-02"})
    outcomes = pd.DataFrame({"lead_id": [3, None], "status": "won", "closed": "2026-04-01"})
    tables = {"leads": leads, "accounts": accounts, "outcomes": outcomes, "calls": calls}
    if form != "frame":
        for name, table in tables.items():
            path = tmp_path / f"{name}.{form}"
            table.to_csv(path, index=False) if form == "csv" else table.to_parquet(path)
            tables[name] = path
    calls = [each for each in CONFIG.activities if each.title == "calls"]
    history = open_history(make_config(activities=calls), tables=tables)
    X = build_features(history, "2026-05-01").droplevel("snapshot_date")
    # pandas writes the ids of a CSV file as 1.0
    assert X.index[X["days_since_call"].notna()].tolist() == ([] if form == "csv" else [1, 2])
    assert X["size"].fillna(0).tolist() == [0.0] + [70.0] * 29
    assert history.outcomes["lead_id"].tolist() == ["3"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("gone.parquet", "gone.parquet does not exist. Pass a file, a folder, or database#table."),
        ("gone.duckdb#touches", "gone.duckdb does not exist."),
        (
            "crm.duckdb#exports.touch",
            "has no table 'exports.touch': name one after a #. Did you mean",
        ),
        ("crm.duckdb", "has no table '': name one after a #. It has: calls."),
        ("empty", "empty cannot be read as Parquet: "),
        ("broken.parquet", "broken.parquet cannot be read as Parquet: "),
        ("broken.duckdb#touches", "broken.duckdb cannot be read as a DuckDB file: "),
        ("empty.csv", "'lead_id' is missing."),
    ],
)
def test_sources_that_cannot_be_read(tmp_path, source, message):
    write_duckdb(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.csv").touch()
    for name in ("broken.parquet", "broken.duckdb"):
        (tmp_path / name).write_bytes(b"nothing of the kind" * 99)
    tables = {**TABLES, "touches": str(tmp_path / source)}
    with pytest.raises(DataError, match=re.escape(message)):
        open_history(CONFIG, tables=tables)


def test_a_row_that_cannot_be_read_far_down(tmp_path):
    path = tmp_path / "touches.csv"
    good = "001,2026-01-02,visit,1\n" * 50_000
    path.write_bytes(b"lead_id,at,kind,seconds\n" + good.encode() + b"\xff\xfe,\xff\n")
    with pytest.raises(DataError, match="duckdb cannot compute the rows"):
        build_features(open_history(CONFIG, tables={**TABLES, "touches": path}), "2026-02-01")


def test_a_measure_that_is_no_number_is_none(tmp_path):
    path = tmp_path / "touches.csv"
    rows = ["001,2026-01-02,visit,1.5", "001,2026-01-02,visit,n/a", "001,2026-01-02,visit,"]
    path.write_text("\n".join(["lead_id,at,kind,seconds", *rows]))
    X = build_features(open_history(CONFIG, tables={**TABLES, "touches": path}), "2026-03-31")
    assert X.loc["001", "visit_seconds_90d"].tolist() == [1.5]
    assert X.loc["001", "visit_90d"].tolist() == [3]


@pytest.mark.parametrize(
    "sources",
    [
        ["postgresql://host/a#t", "postgresql://host/b#t"],
        ["postgresql://host/a#t", "touches.csv"],
        ["postgresql://host/a#t", TABLES["touches"]],
    ],
)
def test_two_places(sources):
    with pytest.raises(DataError, match=r"more than one place.*Copy them into one"):
        open_engine(sources)


def test_a_driver_that_is_not_there():
    with pytest.raises(MissingExtraError, match=r"pip install 'ibis-framework\[oracle\]'"):
        open_engine(["oracle://host/crm#touches"])


def test_a_server_that_does_not_answer_is_named_without_its_password(monkeypatch):
    pytest.importorskip("psycopg")
    monkeypatch.setenv("CRM_PASSWORD", "geheim")
    with pytest.raises(DataError, match="Cannot connect to the postgresql database") as caught:
        open_engine(["postgresql://u:${CRM_PASSWORD}@127.0.0.1:1/crm#touches"])
    assert "geheim" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_temporary_folder_goes_with_the_engine():
    engine = open_engine([])
    folder = Path(engine.raw_sql("SELECT current_setting('temp_directory')").fetchone()[0])
    assert folder.is_dir()
    del engine
    gc.collect()
    assert not folder.exists()


def test_an_engine_of_the_users_own(expected):
    import ibis

    X, _ = build_snapshots(open_history(CONFIG, tables=TABLES, engine=ibis.duckdb.connect()))
    pd.testing.assert_frame_equal(X, expected[0], check_exact=True)


def test_a_table_of_a_duckdb_file_as_a_frame(tmp_path):
    sources = write_duckdb(tmp_path)
    frame = read_source(sources["leads"])
    pd.testing.assert_frame_equal(frame, read_source(TABLES["leads"]), check_dtype=False)


def test_little_memory_spills_and_gives_the_same(tmp_path):
    """The sums of two million activities by lead and kind do not fit, and go to disk."""
    path, n_leads = tmp_path / "touches.parquet", 400_000
    with duckdb.connect() as database:
        database.execute(f"""
            COPY (
                SELECT lpad((i * 7919 % {n_leads})::VARCHAR, 6, '0') AS lead_id,
                    TIMESTAMP '2026-01-01' + to_microseconds(i * 5_000_000) AS at,
                    ['visit', 'content_download', 'demo', 'email'][1 + i % 4] AS kind,
                    (i % 1000) / 4 AS seconds
                FROM range(2_000_000) AS rows(i)
            ) TO '{path}'
        """)  # noqa: S608 - no text of others
    ids = [f"{place:06d}" for place in range(n_leads)]
    leads = pd.DataFrame({"lead_id": ids, "created": "2026-01-01", "source": "web"})
    names = make_config().leads.model_dump() | {"account": None}
    changes = {"leads": names, "accounts": None, "activities": CONFIG.activities[:1]}
    tables = {"leads": leads, "outcomes": TABLES["outcomes"], "touches": path}

    def open_with(memory):
        snapshots = {"memory": memory, "windows": ["7D", "30D"]}
        return open_history(make_config(**changes, snapshots=snapshots), tables=tables)

    small = build_features(open_with("110MB"), "2026-03-01")
    assert small["activities_30d"].sum() > 500_000
    large = build_features(open_with(None), "2026-03-01")
    pd.testing.assert_frame_equal(small, large, check_exact=True)
    nowhere = open_with("110MB")
    nowhere.engine.raw_sql("SET max_temp_directory_size = '0MB'")
    with pytest.raises(DataError, match="duckdb cannot compute the rows: Out of Memory"):
        build_features(nowhere, "2026-03-01")


def test_too_little_memory_says_so(tmp_path):
    config = make_config(snapshots={"memory": "1MB"})
    with pytest.raises(DataError, match="duckdb cannot compute the rows: Out of Memory"):
        build_features(open_history(config, tables=write_parquet(tmp_path)), "2026-03-01")


def test_a_memory_limit_that_is_none():
    with pytest.raises(
        DataError, match=r"`memory` cannot be 'plenty': .* Pass for example memory='1GB'"
    ):
        open_engine([], memory="plenty")
