"""Read a table of leads block by block: memory stays flat whatever the file's size."""

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv as arrow_csv
from pyarrow import json as arrow_json

from leadml.data.sources import (
    ENCODINGS,
    LAST_ENCODING,
    all_files,
    check_names,
    check_quotes,
    find_delimiter,
    split_rows,
)
from leadml.errors import DataError

ROWS = 65_536  # of a block of Parquet
BYTES = 16 << 20  # of a block of text
LONGEST_ROW = 256 << 20  # bytes, beyond which a quote is taken to be never closed


@dataclass(frozen=True)
class BadRow:
    """A row that could not be read: its place in the block, why, and what was there."""

    place: int
    reason: str
    content: str


@dataclass(frozen=True)
class Parsed:
    """A block as a table; `places` tells each row's place in the block where some were bad."""

    table: Any
    bad: Sequence[BadRow] = ()

    @property
    def n_rows(self) -> int:
        """Rows of the block, the bad ones too."""
        return self.table.num_rows + len(self.bad)


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
    with _stream(path) as stream:
        head = stream.read(1_000_000)
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
    with _parquet(path, read_dictionary=coded, buffer_size=1 << 20) as file:
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
    if not text.strip():
        message = f"{path} is empty. Pass a table with a header and one row a lead."
        raise DataError(message)
    if text.splitlines()[0].strip() == "":
        message = f"{path}, line 1: it is empty. Delete the lines above the header."
        raise DataError(message)
    delimiter = find_delimiter(text)
    header = [name.strip() for name in next(split_rows(text, delimiter))]
    names = [name or f"unnamed_{place}" for place, name in enumerate(header, start=1)]
    check_names(str(path), names)

    def blocks(wanted: Wanted) -> Iterator[RawBlock]:
        parts = _split(_chunks(path, encoding), path, delimiter)
        for number, (data, done) in enumerate(parts):
            skip = 1 if number == 0 else 0

            def parse(data: bytes = data, skip: int = skip) -> Parsed:
                return _parse_csv(data, names, delimiter, skip, wanted)

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
    for types in (texts | numbers, texts):
        bad.clear()
        convert = arrow_csv.ConvertOptions(
            column_types=types,
            include_columns=list(wanted.columns),
            null_values=["", *wanted.missing],
            strings_can_be_null=False,
        )
        try:
            table = arrow_csv.read_csv(pa.BufferReader(data), read, parse, convert)
        except pa.ArrowInvalid as error:
            if types is texts or "conversion error" not in str(error):
                raise DataError(str(error).splitlines()[0]) from None
        else:
            return Parsed(table, tuple(bad))
    raise AssertionError  # the second way returns or raises


def _encoding(path: Path) -> str:
    with _stream(path) as stream:
        if stream.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            return "utf-16"
    return next((each for each in ENCODINGS if _is_all(path, each)), LAST_ENCODING)


def _is_all(path: Path, encoding: str) -> bool:
    """Return whether every byte of a file can be read by an encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with _stream(path) as stream:
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
    first = head[: head.rfind(b"\n") + 1] or head
    table = _read_json(path, first)
    names = [str(name) for name in table.column_names]

    def blocks(wanted: Wanted) -> Iterator[RawBlock]:
        for data, done in _split(_chunks(path, "utf-8"), path):
            yield RawBlock(lambda data=data: _parse_json(path, data, wanted), done)  # type: ignore[misc]

    return TableFile(path, names, None, blocks)


def _parse_json(path: Path, data: bytes, wanted: Wanted) -> Parsed:
    table = _read_json(path, data)
    columns = {
        name: table[name] if name in table.column_names else pa.nulls(table.num_rows)
        for name in wanted.columns
    }
    return Parsed(pa.table(columns))


def _read_json(path: Path, data: bytes) -> Any:
    options = arrow_json.ReadOptions(use_threads=False, block_size=len(data) + 1)
    try:
        return arrow_json.read_json(pa.BufferReader(data), options)
    except pa.ArrowInvalid as error:
        message = f"{path} cannot be read as JSON Lines: {str(error).splitlines()[0]}"
        raise DataError(message) from None


# bytes


def _stream(path: Path) -> BinaryIO:
    try:
        with path.open("rb") as file:
            is_gzip = file.read(2) == b"\x1f\x8b"
        return gzip.open(path) if is_gzip else path.open("rb")  # type: ignore[return-value]
    except OSError as error:
        message = f"{path} cannot be read: {error}. Check the file."
        raise DataError(message) from None


def _chunks(path: Path, encoding: str) -> Iterator[tuple[bytes, float]]:
    """Return the file as UTF-8 in chunks, with the share of the file that was read."""
    size = max(path.stat().st_size, 1)
    with _stream(path) as stream:
        under = getattr(stream, "fileobj", stream)  # of compressed data, what was taken in
        text: Any = stream
        if encoding != "utf-8":
            text = io.TextIOWrapper(stream, encoding=encoding, newline="")
        mark = codecs.BOM_UTF8
        try:
            while chunk := text.read(BYTES):
                data = chunk if isinstance(chunk, bytes) else chunk.encode()
                yield data.removeprefix(mark), min(under.tell() / size, 1.0)
                mark = b""
        except (OSError, EOFError, zlib.error) as error:
            message = f"{path} cannot be read: {error}. Check the file, or export it again."
            raise DataError(message) from None


def _split(
    chunks: Iterator[tuple[bytes, float]], path: Path, delimiter: str | None = None
) -> Iterator[tuple[bytes, float]]:
    """Cut chunks where rows end, so that each part starts with a row; of CSV with a delimiter."""
    pending, done, lines = b"", 0.0, 0
    for chunk, done in chunks:
        pending += chunk
        end = _end_of_rows(pending, quotes=delimiter is not None)
        if end:
            yield pending[:end], done
            lines += pending.count(b"\n", 0, end)
            pending = pending[end:]
        elif len(pending) > LONGEST_ROW:
            message = f"{path} has a row of over {LONGEST_ROW >> 20} MB. Close its quotes."
            raise DataError(message)
    if delimiter is not None:
        check_quotes(path, pending, "utf-8", delimiter, lines)
    if pending.strip():
        yield pending, 1.0


def _end_of_rows(data: bytes, *, quotes: bool) -> int:
    """Return the place after the last line end that is in no quotes, 0 where there is none."""
    end = data.rfind(b"\n")
    if not quotes or b'"' not in data:
        return end + 1
    while end >= 0 and data.count(b'"', 0, end) % 2:
        end = data.rfind(b"\n", 0, end)
    return end + 1
