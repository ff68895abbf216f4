"""Read a table of leads block by block: memory stays flat whatever the file's size."""

import codecs
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv as arrow_csv
from pyarrow import json as arrow_json

from leadml.data.chunks import BYTES, open_bytes, read_rows
from leadml.data.sources import (
    ENCODINGS,
    LAST_ENCODING,
    all_files,
    check_kind,
    check_names,
    read_header,
)
from leadml.errors import DataError

ROWS = 65_536  # of a block of Parquet


@dataclass(frozen=True)
class BadRow:
    """A row that could not be read: its place in the block, why, and what was there."""

    place: int
    reason: str
    content: str


@dataclass(frozen=True)
class Parsed:
    """A block as a table of its good rows, and the bad ones, which stood between them."""

    table: Any
    bad: Sequence[BadRow] = ()


@dataclass(frozen=True)
class RawBlock:
    """A part of a file; `parse` may run in any thread. `done` is the share of the file so far."""

    parse: Callable[[], Parsed]
    done: float


@dataclass(frozen=True)
class Wanted:
    """What is read: columns in order, those of numbers, and texts that mean missing."""

    columns: Sequence[str]
    numbers: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    missing: Sequence[str] = ()


@dataclass(frozen=True)
class TableFile:
    """A file, or a folder of Parquet files, of which blocks can be read.

    Attributes
    ----------
    path : Path
    columns : list of str
        Its columns, without blanks around their names.
    n_rows : int or None
        Where the file says so.
    """

    path: Path
    columns: list[str]
    n_rows: int | None
    _blocks: Callable[[Wanted], Iterator[RawBlock]] = field(repr=False)

    def blocks(self, wanted: Wanted) -> Iterator[RawBlock]:
        """Return the file's blocks in order: the same ones each time."""
        return self._blocks(wanted)


def open_file(path: str | Path) -> TableFile:
    r"""Open a CSV, Parquet or JSON Lines file, or a folder of Parquet files.

    Raises
    ------
    DataError
        Where it is missing, empty, of another kind, or has a column name twice.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "leads.csv"
    ...     _ = path.write_text("id,visits\n7,3\n8,\n")
    ...     leads = open_file(path)
    ...     [block] = leads.blocks(Wanted(["visits"], numbers=frozenset(["visits"])))
    ...     leads.columns, block.parse().table["visits"].to_pylist()
    (['id', 'visits'], [3.0, None])
    """
    path = Path(path)
    files = all_files(path)
    if files[0].suffix.lower() in (".parquet", ".pq"):
        return _open_parquet(path, files)
    with open_bytes(path) as stream:
        head = stream.read(1_000_000)
    check_kind(path, head)
    if path.name.lower().endswith((".jsonl", ".jsonl.gz", ".ndjson")):
        return _open_json(path, head)
    return _open_csv(path, head)


# Parquet


def _open_parquet(path: Path, files: Sequence[Path]) -> TableFile:
    opened = [_parquet(each) for each in files]
    stripped = [[name.strip() for name in each.schema_arrow.names] for each in opened]
    check_names(str(path), stripped[0])
    n_rows = sum(each.metadata.num_rows for each in opened)
    if not n_rows:
        message = f"{path} has no rows. Pass a table with one row a lead."
        raise DataError(message)
    for each, names in zip(files, stripped, strict=True):
        lacking = sorted(set(stripped[0]) - set(names))
        if lacking:
            message = f"{each} lacks the columns {lacking}, which {files[0].name} has."
            raise DataError(message)
    for each in opened:
        each.close()

    def blocks(wanted: Wanted) -> Iterator[RawBlock]:
        seen = 0
        for each in files:
            for batch in _batches(each, wanted):
                seen += batch.num_rows
                table = pa.Table.from_batches([batch])
                names = [name.strip() for name in table.column_names]
                parsed = Parsed(table.rename_columns(names).select(list(wanted.columns)))
                yield RawBlock(lambda parsed=parsed: parsed, seen / n_rows)  # type: ignore[misc]

    return TableFile(path, stripped[0], n_rows, blocks)


def _parquet(path: Path, **options: Any) -> Any:
    try:
        return pq.ParquetFile(path, **options)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        message = f"{path} cannot be read as Parquet: {reason} Write the file again."
        raise DataError(message) from None


def _batches(path: Path, wanted: Wanted) -> Iterator[Any]:
    with _parquet(path) as plain:
        fields = {field.name.strip(): field for field in plain.schema_arrow}
    names = [fields[name].name for name in wanted.columns]
    # a text that comes by its place in a dictionary need not be hashed again
    coded = [fields[name].name for name in wanted.categories if _is_text(fields[name].type)]
    # pre-buffered row groups would stay in memory until the end of the file (apache/arrow#39808)
    options = {"read_dictionary": coded, "buffer_size": 1 << 20, "pre_buffer": False}
    with _parquet(path, **options) as file:
        try:
            yield from file.iter_batches(ROWS, columns=names)
        except (pa.ArrowException, OSError) as error:
            reason = str(error).splitlines()[0]
            message = f"{path} cannot be read to its end: {reason} Write the file again."
            raise DataError(message) from None


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


# CSV


def _open_csv(path: Path, head: bytes) -> TableFile:
    encoding = _encoding(path)
    text = head.decode(encoding, errors="ignore").removeprefix("\ufeff")
    delimiter, _, names = read_header(path, text)

    def blocks(wanted: Wanted) -> Iterator[RawBlock]:
        for number, (data, done) in enumerate(read_rows(path, encoding, delimiter)):
            skip = 1 if number == 0 else 0

            def parse(data: bytes = data, skip: int = skip) -> Parsed:
                try:
                    return _parse_csv(data, names, delimiter, skip, wanted)
                except pa.ArrowInvalid as error:
                    message = f"{path} cannot be read as CSV: {str(error).splitlines()[0]}"
                    raise DataError(message) from None

            yield RawBlock(parse, done)

    return TableFile(path, names, None, blocks)


def _parse_csv(
    data: bytes, names: Sequence[str], delimiter: str, skip: int, wanted: Wanted
) -> Parsed:
    bad: list[BadRow] = []

    def handle(row: Any) -> str:
        reason = f"{row.actual_columns} values, but the header names {row.expected_columns} columns"
        # counted from 1 with the header; after the bad rows before it there are that many good ones
        bad.append(BadRow(row.number - 1 - skip, reason, row.text))
        return "skip"

    categories = dict.fromkeys(wanted.categories, pa.dictionary(pa.int32(), pa.string()))
    texts = dict.fromkeys(wanted.columns, pa.string()) | categories
    numbers = dict.fromkeys(wanted.numbers, pa.float64())
    read = arrow_csv.ReadOptions(
        column_names=names,
        skip_rows_after_names=skip,
        block_size=max(len(data), 1) + 1,
        use_threads=False,
    )
    parse = arrow_csv.ParseOptions(
        delimiter=delimiter, newlines_in_values=b'"' in data, invalid_row_handler=handle
    )

    def parse_as(types: dict[str, Any]) -> Any:
        bad.clear()
        convert = arrow_csv.ConvertOptions(
            column_types=types,
            include_columns=list(wanted.columns),
            null_values=["", *wanted.missing],
            strings_can_be_null=False,
            check_utf8=False,  # the whole file's encoding is known
        )
        return arrow_csv.read_csv(pa.BufferReader(data), read, parse, convert)

    try:
        table = parse_as(texts | numbers)
    except pa.ArrowInvalid as error:
        if "conversion error" not in str(error):
            raise
        table = parse_as(texts)
    else:
        if all(_is_finite(table[name]) for name in wanted.numbers):
            return Parsed(table, tuple(bad))
        table = parse_as(texts)
    for name in wanted.numbers:
        place = table.column_names.index(name)
        table = table.set_column(place, name, as_numbers(table[name], wanted.missing))
    return Parsed(table, tuple(bad))


def as_numbers(values: Any, missing: Sequence[str]) -> Any:
    """Return texts as numbers where all of them are; `nan` and `inf` are none.

    Examples
    --------
    >>> as_numbers(pa.array(["1", " 2.5 ", "", "?"]), ["?"]).to_pylist()
    [1.0, 2.5, None, None]
    """
    if not _is_text(values.type):
        return values
    texts = pc.utf8_trim_whitespace(values)
    is_empty = pc.is_in(texts, pa.array(["", *missing], texts.type))
    try:
        numbers = pc.if_else(is_empty, None, texts).cast(pa.float64())
    except pa.ArrowInvalid:
        return values
    return numbers if _is_finite(numbers) else values


def _is_finite(numbers: Any) -> bool:
    return pc.all(pc.is_finite(numbers)).as_py() is not False


def _encoding(path: Path) -> str:
    with open_bytes(path) as stream:
        if stream.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            return "utf-16"
    return next((each for each in ENCODINGS if _is_all(path, each)), LAST_ENCODING)


def _is_all(path: Path, encoding: str) -> bool:
    """Return whether every byte of a file can be read by an encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with open_bytes(path) as stream:
        try:
            while chunk := stream.read(BYTES):
                # plain text is told at once, unless a letter was begun before it
                if not chunk.isascii() or decoder.getstate()[0]:
                    decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


# JSON Lines


def _open_json(path: Path, head: bytes) -> TableFile:
    head = head.removeprefix(codecs.BOM_UTF8)
    try:
        found = _read_json(head[: head.rfind(b"\n") + 1] or head)
    except pa.ArrowInvalid:
        found = _read_lines(head.splitlines()[:-1] or [head]).table
    if not found.num_columns:
        message = f"{path} is no JSON Lines file. Pass one with an object a line."
        raise DataError(message)
    # a text that reads as a date stays the text it is
    known = {
        name: pa.string() if pa.types.is_timestamp(column.type) else column.type
        for name, column in zip(found.column_names, found.columns, strict=True)
        if not pa.types.is_null(column.type)
    }

    def blocks(wanted: Wanted) -> Iterator[RawBlock]:
        numbers = {
            name: pa.float64()
            for name in wanted.numbers
            if pa.types.is_integer(known.get(name, pa.null()))
        }
        own = {name: kind for name, kind in known.items() if name in wanted.columns} | numbers
        for data, done in read_rows(path, "utf-8"):
            yield RawBlock(lambda data=data: _parse_json(data, own, wanted), done)  # type: ignore[misc]

    return TableFile(path, [str(name) for name in found.column_names], None, blocks)


def _parse_json(data: bytes, known: dict[str, Any], wanted: Wanted) -> Parsed:
    try:
        parsed = Parsed(_read_json(data, known))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        parsed = _read_lines(data.splitlines())
    table = parsed.table
    columns = {
        name: table[name] if name in table.column_names else pa.nulls(table.num_rows)
        for name in wanted.columns
    }
    return Parsed(pa.table(columns), parsed.bad)


def _read_json(data: bytes, known: dict[str, Any] | None = None) -> Any:
    read = arrow_json.ReadOptions(use_threads=False, block_size=len(data) + 1)
    parse = arrow_json.ParseOptions(explicit_schema=pa.schema(known or {}))
    return arrow_json.read_json(pa.BufferReader(data), read, parse)


def _read_lines(lines: Sequence[bytes]) -> Parsed:
    """Read JSON line by line: some lines are none, or values of a column differ in kind."""
    rows: list[dict[str, Any]] = []
    bad: list[BadRow] = []
    for line in filter(bytes.strip, lines):
        try:
            row = json.loads(line)
        except ValueError as error:
            row = error
        if isinstance(row, dict):
            rows.append(row)
        else:
            reason = f"no JSON: {row}" if isinstance(row, ValueError) else "no JSON object"
            place = len(rows) + len(bad)
            bad.append(BadRow(place, reason, line.decode(errors="replace").strip()))
    names = dict.fromkeys(str(name) for row in rows for name in row)
    columns = {name: _as_column([row.get(name) for row in rows]) for name in names}
    table = pa.table(columns) if columns else pa.table({"": pa.nulls(len(rows))}).select([])
    return Parsed(table, tuple(bad))


def _as_column(values: Sequence[Any]) -> Any:
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError):  # of several kinds
        texts = [
            value if isinstance(value, str) or value is None else json.dumps(value)
            for value in values
        ]
        return pa.array(texts, pa.string())
