import pandas as pd
import pytest
from servers import ZONE, spark  # noqa: F401
from small_history import make_config, make_tables

from leadml.data.history import open_history
from leadml.errors import DataError
from leadml.features.snapshots import build_features, build_snapshots

pytestmark = [
    # PySpark and Ibis call old names of pandas, and py4j leaves its sockets to the collector
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

TABLES = make_tables(30, 400)
CONFIG = make_config()


@pytest.fixture(scope="module")
def expected():
    return build_snapshots(open_history(CONFIG, tables=TABLES))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Activities as a folder of Parquet files and a CSV file with another zone's offsets."""
    folder = tmp_path_factory.mktemp("files")
    touches, calls = TABLES["touches"], TABLES["calls"]
    (folder / "touches").mkdir()
    touches[:150].to_parquet(folder / "touches" / "a.parquet", index=False)
    touches[150:].to_parquet(folder / "touches" / "b.parquet", index=False)
    texts = calls["when"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo").astype("str")
    calls.assign(when=texts).to_csv(folder / "calls.csv", index=False)
    return {**TABLES, "touches": folder / "touches", "calls": folder / "calls.csv"}


def assert_same(found, expected):
    pd.testing.assert_frame_equal(found, expected, rtol=0, atol=1e-9, check_dtype=False)


def test_files_give_the_features_of_the_embedded_engine(spark, files, expected):  # noqa: F811
    history = open_history(CONFIG, tables=files, engine=spark)
    assert repr(history).endswith("activities touches, calls in pyspark>")
    X, y = build_snapshots(history)
    assert_same(X, expected[0])
    pd.testing.assert_series_equal(y, expected[1])


def test_spark_frames_and_found_kinds(spark):  # noqa: F811
    settings = dict(spark.sparkContext.getConf().getAll())
    columns = list(TABLES["touches"])
    rows = TABLES["touches"].assign(at=TABLES["touches"]["at"].astype("str"))
    rows = rows.astype(object).where(rows.notna(), None).to_numpy().tolist()
    texts = spark.createDataFrame(rows, "lead_id string, at string, kind string, seconds double")
    # read in the session's zone, from texts that say their own
    times = texts.selectExpr("lead_id", "to_timestamp(concat(at, 'Z')) at", "kind", "seconds")
    assert times.columns == columns
    kinds = [each.model_copy(update={"kinds": []}) for each in CONFIG.activities]
    config = CONFIG.model_copy(update={"activities": kinds})
    found = build_features(
        open_history(config, tables={**TABLES, "touches": times}, engine=spark), "2026-03-01"
    )
    here = build_features(open_history(config, tables=TABLES), "2026-03-01")
    assert_same(found, here)
    assert spark.conf.get("spark.sql.session.timeZone") == ZONE
    assert dict(spark.sparkContext.getConf().getAll()) == settings
    assert [view.name for view in spark.catalog.listTables()] == []


def test_tables_that_are_not_there(spark, tmp_path):  # noqa: F811
    with pytest.raises(DataError, match="no_such_table does not exist"):
        open_history(CONFIG, tables={**TABLES, "touches": "no_such_table"}, engine=spark)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty cannot be read as Parquet"):
        open_history(CONFIG, tables={**TABLES, "touches": tmp_path / "empty"}, engine=spark)
    (tmp_path / "crm.duckdb").touch()
    with pytest.raises(DataError, match=r"DuckDB file, which pyspark cannot read"):
        open_history(CONFIG, tables={**TABLES, "touches": tmp_path / "crm.duckdb"}, engine=spark)
