"""Open tables where they lie: files in the embedded engine, or a database, through Ibis."""

import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from leadml.config_values import is_url
from leadml.data.sources import read_leads
from leadml.errors import DataError, MissingExtraError, did_you_mean

_PARQUET = (".parquet", ".pq")
DUCKDB_SUFFIXES = (".duckdb", ".ddb", ".db")
_EXTRAS = {"pyspark": "spark", "postgres": "postgres", "postgresql": "postgres"}


def open_engine(
    sources: list[Any], engine: Any = None, *, memory: str | None = None, threads: int | None = None
) -> Any:
    """Return the Ibis backend in which tables from these sources can be joined.

    Parameters
    ----------
    sources : list
        Paths, database addresses or frames of the activity tables.
    engine : Spark session or Ibis backend, default=None
        None takes the database that the sources name, or else DuckDB inside this process.
    memory : str, default=None
        Most memory of the embedded engine, such as "1GB"; beyond, it spills to a temporary folder.
    threads : int, default=None

    Raises
    ------
    DataError
        Where the sources lie in two databases, or in a database and in files.
    MissingExtraError
        Where the database's driver is not installed.

    Examples
    --------
    >>> open_engine(["touches.parquet"]).name
    'duckdb'
    """
    if engine is not None:
        if hasattr(engine, "newSession"):
            return _open_spark(engine)
        return _in_utc(engine) if engine.name == "duckdb" else engine
    urls = {source.partition("#")[0] for source in sources if _is_address(source)}
    if len(urls) > 1 or (urls and not all(map(_is_address, sources))):
        message = (
            "The activity tables lie in more than one place. They are joined where they lie, so "
            "accepted are files alone, or tables of one database. Copy them into one."
        )
        raise DataError(message)
    if urls:
        return connect(urls.pop())
    return open_duckdb(memory, threads)


def open_table(engine: Any, source: Any) -> Any:
    """Return a source as an Ibis table of an engine, without reading its rows.

    Parameters
    ----------
    engine : Ibis backend
    source : str, Path, DataFrame or Spark frame
        A CSV or Parquet file, a folder of Parquet files, `crm.duckdb#table`, an address such as
        `postgresql://user@host/database#schema.table`, or the name of a Spark table. All columns
        of a CSV file are text, so that ids keep leading zeros and no date is guessed.

    Raises
    ------
    DataError
        Where there is no such file or table, or it cannot be read.
    """
    if isinstance(source, pd.DataFrame):
        if engine.name != "duckdb":
            return as_table(source)
        engine.con.register(view := f"leadml_frame_{id(source)}", _as_arrow(source))
        return engine.table(view)
    if hasattr(source, "createOrReplaceGlobalTempView"):
        # a global view alone is seen by another session, and Ibis does not open one by its name
        source.createOrReplaceGlobalTempView(view := f"leadml_{id(source)}")
        engine.raw_sql(f"CREATE OR REPLACE TEMP VIEW {view} AS TABLE global_temp.{view}")
        return engine.table(view)
    text = str(source)
    if is_url(text):
        return _database_table(engine, text)
    file, _, table = text.partition("#")
    path = Path(file)
    if not path.exists():
        if engine.name == "pyspark" and text in engine.list_tables():
            return engine.table(text)
        message = f"{file} does not exist. Pass a file, a folder, or database#table."
        raise DataError(message)
    if path.suffix in DUCKDB_SUFFIXES or table:
        return _duckdb_table(engine, path, table)
    return _read_file(engine, path)


def read_source(source: Any, missing: list[str] | None = None) -> pd.DataFrame:
    """Return a whole table as a frame with clean cells: a file, a frame or a database's table.

    Raises
    ------
    DataError
        As `leadml.data.sources.read_leads`.
    """
    if isinstance(source, pd.DataFrame) or not is_in_database(str(source)):
        return read_leads(source, missing=missing or [])
    engine = connect(str(source).partition("#")[0]) if is_url(str(source)) else open_duckdb()
    try:
        frame = as_frame(engine, open_table(engine, source))
    finally:
        engine.disconnect()
    return read_leads(frame, missing=missing or [])


def as_table(frame: pd.DataFrame) -> Any:
    """Return a frame as an Ibis table of any engine; times with a zone are in UTC without one."""
    import ibis

    return ibis.memtable(_as_arrow(frame))


def upload(engine: Any, frame: pd.DataFrame, name: str) -> Any:
    """Return a frame as a table of an engine that knows how many rows it has.

    DuckDB cannot count the rows of a frame, and would hash the larger side of a join.
    """
    if engine.name != "duckdb":
        return as_table(frame)
    engine.con.register(f"{name}_rows", _as_arrow(frame))
    engine.raw_sql(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM {name}_rows")
    engine.con.unregister(f"{name}_rows")
    return engine.table(name, database=("temp", "main"))


def as_frame(engine: Any, table: Any) -> pd.DataFrame:
    """Return the rows of an Ibis table.

    Raises
    ------
    DataError
        Where the engine cannot compute them, such as for want of memory.
    """
    with computing(engine):
        rows = engine.to_pyarrow(table)
    frame: pd.DataFrame = rows.to_pandas(split_blocks=True, self_destruct=True)
    return frame


@contextmanager
def computing(engine: Any) -> Iterator[None]:
    """Turn whatever an engine raises on the way into a `DataError`."""
    try:
        yield
    except Exception as error:
        message = f"{engine.name} cannot compute the rows: {str(error).splitlines()[0]}"
        raise DataError(message) from error


def _as_arrow(frame: pd.DataFrame) -> Any:
    import pyarrow as pa

    zoned = frame.select_dtypes("datetimetz")
    frame = frame.assign(**{str(name): zoned[name].dt.tz_convert(None) for name in zoned})
    return pa.Table.from_pandas(frame, preserve_index=False)


def _is_address(source: Any) -> bool:
    return isinstance(source, str) and is_url(source)


def is_in_database(source: str) -> bool:
    """Return whether an address is that of a database's table, and no file's."""
    file, _, table = source.partition("#")
    return is_url(source) or bool(table) or Path(file).suffix in DUCKDB_SUFFIXES


def open_duckdb(memory: str | None = None, threads: int | None = None) -> Any:
    """Return an embedded engine in UTC, which spills to a temporary folder of its own.

    Raises
    ------
    DataError
        Where `memory` is no size.
    """
    import ibis

    folder = tempfile.mkdtemp(prefix="leadml-")
    settings: dict[str, Any] = {"temp_directory": folder}
    if memory is not None:
        settings["memory_limit"] = memory
    if threads is not None:
        settings["threads"] = threads
    try:
        engine = ibis.duckdb.connect(**settings)
    except Exception as error:
        shutil.rmtree(folder)
        reason = str(error).splitlines()[0]
        message = f"`memory` cannot be {memory!r}: {reason} Pass for example memory='1GB'."
        raise DataError(message) from None
    weakref.finalize(engine, shutil.rmtree, folder, ignore_errors=True)
    engine.raw_sql("SET TimeZone = 'UTC'")
    # rows have no order that matters; keeping one costs memory
    engine.raw_sql("SET preserve_insertion_order = false")
    return engine


def _in_utc(engine: Any) -> Any:
    """Return the same DuckDB by a connection of its own: the user's keeps its time zone."""
    import ibis

    own = ibis.duckdb.from_connection(engine.con.cursor())
    own.raw_sql("SET TimeZone = 'UTC'")
    return own


def _open_spark(session: Any) -> Any:
    try:
        import ibis.backends.pyspark
    except ImportError as error:
        raise missing_extra("pyspark") from error
    import ibis

    # the same cluster and tables; the user's own session keeps its time zone
    own = session.newSession()
    own.conf.set("spark.sql.session.timeZone", "UTC")
    own.conf.set("spark.sql.execution.arrow.pyspark.enabled", "true")
    return ibis.pyspark.connect(own)


def connect(url: str) -> Any:
    """Return the Ibis backend of a database's address, its `${VARIABLES}` filled in.

    Raises
    ------
    DataError
        Where a variable is not set, or nothing answers; the password is in no message.
    MissingExtraError
        Where the database's driver is not installed.
    """
    import ibis

    scheme = url.partition(":")[0]
    url = re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda name: _variable(name[1] or name[2]), url)
    try:
        engine = ibis.connect(url)
    except ImportError as error:
        raise missing_extra(scheme) from error
    except Exception as error:
        # the driver's own message may repeat the address with its password
        message = (
            f"Cannot connect to the {scheme} database ({type(error).__name__}). Check that it "
            "runs, and its address: postgresql://user:${PASSWORD}@host:5432/database#table."
        )
        raise DataError(message) from None
    if scheme.startswith("postgres"):
        weakref.finalize(engine, engine.con.close)
    return engine


def _variable(name: str) -> str:
    """Return an environment variable as a part of an address: a password may hold `@` and `/`."""
    if name not in os.environ:
        message = f"The address names the environment variable {name!r}, which is not set. Set it."
        raise DataError(message)
    return quote(os.environ[name], safe="")


def missing_extra(scheme: str) -> MissingExtraError:
    """Return the error that names the package to install for a kind of database.

    Examples
    --------
    >>> print(missing_extra("postgresql"))
    Tables in postgresql need a driver. Install it: pip install 'leadml[postgres]'
    """
    extra = _EXTRAS.get(scheme)
    package = f"leadml[{extra}]" if extra else f"ibis-framework[{scheme}]"
    message = f"Tables in {scheme} need a driver. Install it: pip install '{package}'"
    return MissingExtraError(message)


def _database_table(engine: Any, source: str) -> Any:
    address, _, table = source.partition("#")
    if not table:
        message = f"{address.partition(':')[0]}://... names no table. Add it: ...#schema.table."
        raise DataError(message)
    schema, _, name = table.rpartition(".")
    there = engine.list_tables(database=schema or None)
    if name not in there:
        message = f"The database has no table {table!r}.{did_you_mean(name, there)}"
        raise DataError(message)
    return engine.table(name, database=schema or None)


def _duckdb_table(engine: Any, path: Path, table: str) -> Any:
    if engine.name != "duckdb":
        message = f"{path} is a DuckDB file, which {engine.name} cannot read. Pass it as Parquet."
        raise DataError(message)
    catalog = f"file_{abs(hash(str(path.resolve())))}"
    try:
        # Ibis 12 cannot list what DuckDB 2 holds
        names = engine.con.execute("SELECT database_name FROM duckdb_databases()").fetchall()
        if (catalog,) not in names:
            # Ibis 12 does not double a quote in the path
            quoted = str(path).replace("'", "''")
            engine.con.execute(f"ATTACH '{quoted}' AS {catalog} (READ_ONLY)")
    except Exception as error:
        message = f"{path} cannot be read as a DuckDB file: {str(error).splitlines()[0]}"
        raise DataError(message) from None
    schema, _, name = table.rpartition(".")
    schema = schema or "main"
    tables = "SELECT table_catalog, table_schema, table_name FROM information_schema.tables"
    rows = engine.con.execute(tables).fetchall()
    there = [each for *place, each in rows if place == [catalog, schema]]
    if name not in there:
        message = f"{path} has no table {table!r}: name one after a #.{did_you_mean(name, there)}"
        raise DataError(f"{message} It has: {', '.join(there)}.")
    return engine.table(name, database=(catalog, schema))


def _read_file(engine: Any, path: Path) -> Any:
    is_spark = engine.name == "pyspark"
    kind = "Parquet" if path.is_dir() or path.suffix in _PARQUET else "CSV"
    try:
        if kind == "Parquet":
            pattern = path / "**" / "*.parquet" if path.is_dir() and not is_spark else path
            return engine.read_parquet(str(pattern))
        if is_spark:
            return engine.read_csv(str(path), header=True, inferSchema=False)
        return engine.read_csv(str(path), header=True, all_varchar=True)
    except Exception as error:
        message = f"{path} cannot be read as {kind}: {str(error).splitlines()[0]}"
        raise DataError(message) from None
