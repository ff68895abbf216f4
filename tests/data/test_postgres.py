import gc
import re

import pandas as pd
import pytest
from servers import PASSWORD, postgres  # noqa: F401
from small_history import make_config, make_tables

from leadml.config import Config
from leadml.data.engines import as_table, read_source
from leadml.data.history import open_history
from leadml.errors import DataError
from leadml.features.snapshots import build_features, build_snapshots

TABLES = make_tables(30, 400)


@pytest.fixture(scope="module")
def address(postgres):  # noqa: F811
    """The address of a database that holds the tables; times stand with and without a zone."""
    backend = postgres.connect()
    backend.raw_sql("CREATE SCHEMA crm").close()
    calls = TABLES["calls"].assign(when=TABLES["calls"]["when"].astype("str") + "Z")
    for name, table in {**TABLES, "texts": calls}.items():
        backend.create_table(name, as_table(table), database="crm")
    backend.raw_sql("ALTER TABLE crm.touches ALTER COLUMN at TYPE timestamptz").close()
    backend.disconnect()
    return postgres.address


@pytest.fixture(autouse=True)
def password(monkeypatch):
    monkeypatch.setenv("CRM_PASSWORD", PASSWORD)


def in_database(address, **tables):
    names = {name: name for name in TABLES} | tables
    return {name: f"{address}#crm.{table}" for name, table in names.items()}


@pytest.mark.parametrize("kinds", [make_config().activities[0].kinds, []])
@pytest.mark.parametrize("calls", ["calls", "texts"])
def test_features_equal_those_of_the_embedded_engine(address, kinds, calls):
    touches, phone = make_config().activities
    touches = touches.model_copy(update={"kinds": kinds})
    config = make_config(activities=[touches, phone])
    history = open_history(config, tables=in_database(address, calls=calls))
    assert "in postgres" in repr(history)
    X, y = build_snapshots(history)
    expected, labels = build_snapshots(open_history(config, tables=TABLES))
    pd.testing.assert_frame_equal(X, expected, rtol=0, atol=1e-9, check_dtype=False)
    pd.testing.assert_series_equal(y, labels)
    assert X.filter(like="seconds").sum().min() > 0


def test_the_config_names_the_tables(address):
    text = Config.model_validate(make_config().model_dump()).with_paths(
        lambda path: f"{address}#crm.{path.partition('.')[0]}"
    )
    X = build_features(open_history(text), "2026-03-01")
    expected = build_features(open_history(make_config(), tables=TABLES), "2026-03-01")
    pd.testing.assert_frame_equal(X, expected, rtol=0, atol=1e-9, check_dtype=False)


def test_a_table_that_is_not_there(address):
    message = "The database has no table 'crm.touch'. Did you mean 'touches'?"
    with pytest.raises(DataError, match=re.escape(message)):
        open_history(make_config(), tables=in_database(address, touches="touch"))
    with pytest.raises(DataError, match=re.escape("has no table 'crm.leds'. Did you mean 'leads'")):
        read_source(f"{address}#crm.leds")
    with pytest.raises(DataError, match=r"names no table. Add it"):
        read_source(address)


def test_a_column_that_is_not_there(address):
    touches, phone = make_config().activities
    touches = touches.model_copy(update={"at": "att", "measures": ["second"]})
    with pytest.raises(DataError) as caught:
        open_history(make_config(activities=[touches, phone]), tables=in_database(address))
    assert "'att' is missing. Did you mean 'at'?" in str(caught.value)
    assert "'second' is missing. Did you mean 'seconds'?" in str(caught.value)


def test_dates_that_are_none(address):
    touches, phone = make_config().activities
    touches = touches.model_copy(update={"at": "kind"})
    with pytest.raises(DataError, match=r'postgres cannot compute the rows: .*timestamp.*"'):
        open_history(make_config(activities=[touches, phone]), tables=in_database(address))


def test_activities_in_a_database_and_in_a_frame(address):
    tables = {**TABLES, "touches": f"{address}#crm.touches"}
    with pytest.raises(DataError, match=r"lie in more than one place.*Copy them into one"):
        open_history(make_config(), tables=tables)


@pytest.mark.parametrize("secret", ["wrong-secret", "wrong@secret/#"])
def test_a_wrong_password_is_not_shown(address, monkeypatch, secret):
    monkeypatch.setenv("CRM_PASSWORD", secret)
    with pytest.raises(DataError, match="Cannot connect to the postgresql database") as caught:
        read_source(f"{address}#crm.leads")
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_password_that_is_not_set(address, monkeypatch):
    monkeypatch.delenv("CRM_PASSWORD")
    with pytest.raises(DataError, match=r"variable 'CRM_PASSWORD', which is not set. Set it."):
        read_source(f"{address}#crm.leads")


def test_no_connection_stays_open(address):
    history = open_history(make_config(), tables=in_database(address))
    connection = history.engine.con
    del history
    gc.collect()
    assert connection.closed
