"""Write scored rows into a database's table, all of them or none: update by key, else insert."""

# ruff: noqa: S608  names are quoted, and no value stands in a statement

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv as arrow_csv

from leadml.config_values import is_url
from leadml.data.engines import DUCKDB_SUFFIXES, connect, open_duckdb
from leadml.errors import DataError, all_problems, did_you_mean

_MEMORY = "1GB"  # while blocks are staged: beyond, they lie in a temporary folder
_BLOCK = 65_536  # rows that go to PostgreSQL as one text
_FILE, _LIKE, _STAGE, _ROWS = "leadml_file", "leadml_like", "leadml_stage", "leadml_rows"
# in an engine's message: a name, which may be shown, and other quoted texts, which may be a row's
_QUOTED = re.compile(
    r"((?:column|constraint|relation|schema|table|type) \"[^\"]*\")"
    r"|(?<!\w)'.*'|\".*\"",
    re.IGNORECASE | re.DOTALL,
)
_COPIED = re.compile(rf"^CONTEXT:  COPY {_STAGE}, line \d+, column (\w+)", re.MULTILINE)


@contextmanager
def open_upsert(target: str, key: str = "lead_id") -> Iterator["Upsert"]:
    """Open a database's table for rows that take the place of those with the same key.

    Blocks are staged in a temporary table. When the `with` block is left without an error, one
    transaction creates the table where there is none, updates the rows whose key is there and
    inserts the others. Columns that only the table has stay as they are. In PostgreSQL, readers
    see the old rows until the end, and other writers wait; DuckDB needs about 1 GB of memory for
    each million rows that it updates.

    Parameters
    ----------
    target : str
        `crm.duckdb#scores` or `postgresql://user:${PASSWORD}@host/database#schema.table`. A DuckDB
        file is kept from other programs at the start and for the moment of the change only.
    key : str, default="lead_id"
        The column that names a row, of text or whole numbers; the primary key of a new table.

    Yields
    ------
    Upsert
        Its `write` takes a block of rows.

    Raises
    ------
    DataError
        Where the address names no table, the table lacks a column or does not take the rows, or
        the key is empty or stands twice. Nothing has changed then.
    MissingExtraError
        Where the database's driver is not installed.

    Examples
    --------
    >>> import duckdb, tempfile
    >>> monday = pa.table({"lead_id": ["a", "b"], "score": [71, 40]})
    >>> tuesday = pa.table({"lead_id": ["b", "c"], "score": [55, 48]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for block in (monday, tuesday):
    ...         with open_upsert(f"{folder}/crm.duckdb#scores") as scores:
    ...             scores.write(block)
    ...     with duckdb.connect(f"{folder}/crm.duckdb") as crm:
    ...         print(crm.sql("FROM scores ORDER BY ALL").fetchall())
    [('a', 71), ('b', 55), ('c', 48)]
    """
    with _open_place(target) as place:
        upsert = Upsert(place, key)
        yield upsert
        upsert._finish()


class Upsert:
    """Rows on their way into a table; `open_upsert` makes one.

    Parameters
    ----------
    place : the table and its engine
    key : str
    """

    def __init__(self, place: "_DuckDBFile | _Postgres", key: str) -> None:
        self._place, self._key = place, key
        self._schema: pa.Schema | None = None
        with _telling(place.name), place.looking():
            self._is_there = bool(_find_columns(place))
            if self._is_there:
                # an empty copy: its types hold, and a DuckDB file is free until the end
                place.run(f"CREATE TEMP TABLE {_LIKE} AS SELECT * FROM {place.table} WHERE false")

    def write(self, table: pa.Table) -> None:
        """Stage a block of rows; the table itself changes at the end.

        Parameters
        ----------
        table : pyarrow.Table of shape (n_rows, n_columns)
            With the key among its columns; the same columns in every block.

        Raises
        ------
        DataError
            Where the table in the database lacks one of the columns, or cannot hold a value.
        """
        with _telling(self._place.name):
            rows = _plain(table)
            if self._schema is None:
                self._create_stage(rows.schema)
                self._schema = rows.schema
            self._place.load(rows.select(self._schema.names).cast(self._schema))

    def _finish(self) -> None:
        """Change the table in one transaction."""
        if self._schema is None:  # no row was written
            return
        place, names = self._place, self._schema.names
        with _telling(place.name):
            self._check_keys()
            with place.changing():
                there = _find_columns(place)
                if there:
                    _check_columns(place.name, names, there)
                    self._update(names)
                else:
                    columns = ", ".join(_define(self._schema, place.dialect))
                    key = f"PRIMARY KEY ({_quote(self._key)})"
                    place.run(f"CREATE TABLE {place.table} ({columns}, {key})")
                self._insert(names)

    def _create_stage(self, schema: pa.Schema) -> None:
        place, names = self._place, schema.names
        if self._key not in names:
            message = f"The rows have no column {self._key!r}, which tells them apart."
            raise DataError(message)
        if self._is_there:
            there = place.run(f"SELECT * FROM {_LIKE}").description
            _check_columns(place.name, names, [column[0] for column in there])
            columns = ", ".join(map(_quote, names))
            place.run(f"CREATE TEMP TABLE {_STAGE} AS SELECT {columns} FROM {_LIKE}")
        else:
            columns = ", ".join(_define(schema, place.dialect))
            place.run(f"CREATE TEMP TABLE {_STAGE} ({columns})")

    def _check_keys(self) -> None:
        key = _quote(self._key)
        counts = f"count(*) - count({key}), count({key}) - count(DISTINCT {key})"
        empty, repeated = self._place.run(f"SELECT {counts} FROM {_STAGE}").fetchone()
        problems = []
        if empty:
            problems.append(f"{self._key!r} is empty in {empty} rows. Give every row its own.")
        if repeated:
            problems.append(f"{self._key!r} repeats in {repeated} rows. Pass one row of each.")
        if problems:
            raise DataError(all_problems(f"What goes into {self._place.name!r}", problems))

    def _update(self, names: list[str]) -> None:
        quoted = [_quote(name) for name in names if name != self._key]
        changes = ", ".join(f"{name} = {_STAGE}.{name}" for name in quoted)
        self._place.run(
            f"UPDATE {self._place.table} AS t SET {changes} FROM {_STAGE} WHERE {self._same}"
        )

    def _insert(self, names: list[str]) -> None:
        columns = ", ".join(map(_quote, names))
        known = f"SELECT 1 FROM {self._place.table} AS t WHERE {self._same}"
        self._place.run(
            f"INSERT INTO {self._place.table} ({columns}) "
            f"SELECT {columns} FROM {_STAGE} WHERE NOT EXISTS ({known})"
        )

    @property
    def _same(self) -> str:
        return f"t.{_quote(self._key)} = {_STAGE}.{_quote(self._key)}"


@dataclass(frozen=True)
class _DuckDBFile:
    """A table of a DuckDB file, which is attached to an embedded engine while it is needed."""

    connection: Any
    name: str
    file: Path
    dialect = "duckdb"

    @property
    def schema(self) -> str:
        """Return the schema as a text of SQL, with the database that it lies in."""
        return f"{_literal(self.name.rpartition('.')[0] or 'main')} AND table_catalog = '{_FILE}'"

    @property
    def table(self) -> str:
        """Return the quoted name."""
        schema, _, table = self.name.rpartition(".")
        return f"{_FILE}.{_quote(schema or 'main')}.{_quote(table)}"

    def run(self, query: str) -> Any:
        """Run one statement."""
        return self.connection.execute(query)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Hold the file, where it is there, to read it; to write fails now and not at the end."""
        if not self.file.exists():
            yield
            return
        self.run(f"ATTACH {_literal(str(self.file))} AS {_FILE} (READ_WRITE)")
        yield
        self.run(f"DETACH {_FILE}")

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the file for one transaction."""
        is_new = not self.file.exists()
        self.run("RESET memory_limit")  # DuckDB keeps the rows that it updates in memory
        try:
            self.run(f"ATTACH {_literal(str(self.file))} AS {_FILE} (READ_WRITE)")
            self.run("BEGIN")
            yield
            self.run("COMMIT")
            self.run(f"DETACH {_FILE}")
        except BaseException:
            self.connection.close()  # undoes it, and lets go of the file
            if is_new:
                self.file.unlink(missing_ok=True)
            raise

    def load(self, rows: pa.Table) -> None:
        """Add rows to the stage."""
        self.connection.register(_ROWS, rows)
        self.run(f"INSERT INTO {_STAGE} FROM {_ROWS}")
        self.connection.unregister(_ROWS)


@dataclass(frozen=True)
class _Postgres:
    """A table of PostgreSQL; one transaction holds the stage too: a pooler may stand between."""

    connection: Any
    name: str
    dialect = "postgres"

    @property
    def schema(self) -> str:
        """Return the schema as an expression of SQL."""
        schema = self.name.rpartition(".")[0]
        return _literal(schema) if schema else "current_schema()"

    @property
    def table(self) -> str:
        """Return the quoted name."""
        schema, _, table = self.name.rpartition(".")
        return f"{_quote(schema)}.{_quote(table)}" if schema else _quote(table)

    def run(self, query: str) -> Any:
        """Run one statement."""
        return self.connection.execute(query)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Begin the transaction."""
        self.run("BEGIN")
        self.run("SET LOCAL TimeZone = 'UTC'")
        yield

    @contextmanager
    def changing(self) -> Iterator[None]:
        """End the transaction; other writers wait for it, readers see the old rows meanwhile."""
        if _find_columns(self):
            self.run(f"LOCK TABLE {self.table} IN SHARE ROW EXCLUSIVE MODE")
        yield
        self.run("COMMIT")

    def load(self, rows: pa.Table) -> None:
        """Add rows to the stage."""
        # a text in quotes is never NULL, so that an empty one stays one
        options = arrow_csv.WriteOptions(include_header=False, quoting_style="all_valid")
        command = f"COPY {_STAGE} FROM STDIN (FORMAT csv, ENCODING 'UTF8')"
        with self.connection.cursor() as cursor, cursor.copy(command) as copy:
            for batch in rows.to_batches(max_chunksize=_BLOCK):
                arrow_csv.write_csv(batch, text := pa.BufferOutputStream(), options)
                copy.write(memoryview(text.getvalue()))


@contextmanager
def _open_place(target: str) -> Iterator[_DuckDBFile | _Postgres]:
    address, _, name = target.partition("#")
    is_postgres = address.startswith(("postgres://", "postgresql://"))
    path = Path(address)
    if not is_postgres and (is_url(address) or path.suffix not in DUCKDB_SUFFIXES):
        message = (
            f"Cannot write into a table of {address.partition('://')[0]!r}. Accepted are "
            "crm.duckdb#table and postgresql://user:${PASSWORD}@host/database#schema.table."
        )
        raise DataError(message)
    if not name:
        message = f"{address.partition('://')[0]} names no table. Add it: ...#table."
        raise DataError(message)
    if not is_postgres and not path.parent.is_dir():
        message = f"The folder {path.parent} does not exist. Create it, or write elsewhere."
        raise DataError(message)
    engine = connect(address) if is_postgres else open_duckdb(_MEMORY)
    try:
        if is_postgres:
            yield _Postgres(engine.con, name)
        else:
            yield _DuckDBFile(engine.con, name, path)
    finally:
        engine.disconnect()  # what is not committed is undone


def _find_columns(place: _DuckDBFile | _Postgres) -> list[str]:
    """Return the columns of the table, none where there is no such table."""
    rows = place.run(
        "SELECT column_name FROM information_schema.columns "
        f"WHERE table_name = {_literal(place.name.rpartition('.')[2])} "
        f"AND table_schema = {place.schema} ORDER BY ordinal_position"
    )
    return [name for (name,) in rows.fetchall()]


def _check_columns(table: str, names: list[str], there: list[str]) -> None:
    problems = [
        f"there is no column {name!r}.{did_you_mean(name, there)}"
        for name in names
        if name not in there
    ]
    if problems:
        told = all_problems(f"The table {table!r}", problems)
        message = f"{told}\nAdd them, or name another table. It has: {', '.join(there)}."
        raise DataError(message)


def _plain(table: pa.Table) -> pa.Table:
    """Return the rows with types that every database has."""
    return table.cast(
        pa.schema([field.with_type(_plain_type(field.type)) for field in table.schema])
    )


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if pa.types.is_null(kind):
        return pa.string()
    return pa.int64() if pa.types.is_unsigned_integer(kind) else kind


def _define(schema: pa.Schema, dialect: str) -> list[str]:
    """Return the definitions of a new table's columns."""
    import ibis

    columns = ibis.Schema.from_pyarrow(schema).to_sqlglot_column_defs(dialect)
    return [column.sql(dialect) for column in columns]


def _quote(name: str) -> str:
    """Return a name for both engines, which quote alike."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _literal(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


@contextmanager
def _telling(table: str) -> Iterator[None]:
    """Turn what an engine raises into a `DataError` that repeats no text of a row."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        reason = _QUOTED.sub(lambda found: found[1] or "...", str(error)).splitlines()[0]
        column = _COPIED.search(str(error))
        reason += f" (column {column[1]})" if column else ""
        message = f"The table {table!r} cannot be written: {reason}"
        raise DataError(message) from None
