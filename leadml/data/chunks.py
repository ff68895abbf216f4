"""Bytes of a file in chunks of whole rows; what is compressed is unpacked on the way."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from leadml.data.sources import check_quotes
from leadml.errors import DataError

BYTES = 16 << 20  # of a chunk
LONGEST_ROW = 256 << 20  # bytes, beyond which a quote is taken to be never closed

_QUOTE, _LINE_FEED, _CARRIAGE_RETURN = b'"\n\r'


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open a file to read its bytes, unpacked where they are compressed by gzip.

    Raises
    ------
    DataError
        Where it cannot be opened, or read to its end.
    """
    try:
        with path.open("rb") as file:
            is_gzip = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if is_gzip else path.open("rb") as stream:
            yield stream  # type: ignore[misc]
    except (OSError, EOFError, zlib.error) as error:
        message = f"{path} cannot be read: {error}. Check the file, or export it again."
        raise DataError(message) from None


def read_chunks(path: Path, encoding: str) -> Iterator[tuple[bytes, float]]:
    """Yield a file as UTF-8 in chunks, without its mark, and the share of it that was read.

    Raises
    ------
    DataError
        As `open_bytes`.
    """
    size = max(path.stat().st_size, 1)
    with open_bytes(path) as stream:
        under = getattr(stream, "fileobj", stream)  # of compressed data, what was taken in
        text: Any = stream
        if encoding != "utf-8":
            text = io.TextIOWrapper(stream, encoding=encoding, newline="")
        mark = codecs.BOM_UTF8
        while chunk := text.read(BYTES):
            data = chunk if isinstance(chunk, bytes) else chunk.encode()
            yield data.removeprefix(mark), min(under.tell() / size, 1.0)
            mark = b""


def read_rows(
    path: Path, encoding: str, delimiter: str | None = None
) -> Iterator[tuple[bytes, float]]:
    """Yield a file in parts that start with a row; with a delimiter, quotes hold line ends.

    Raises
    ------
    DataError
        As `open_bytes`, and where a quote never closes.
    """
    pending, done, lines = b"", 0.0, 0
    for chunk, done in read_chunks(path, encoding):
        pending += chunk
        end = find_end_of_rows(pending, delimiter)
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
        yield pending if pending.endswith(b"\n") else pending + b"\n", 1.0


def find_end_of_rows(data: bytes, delimiter: str | None = None) -> int:
    r"""Return the place after the last line end, of CSV one in no quotes; 0 where there is none.

    Examples
    --------
    >>> find_end_of_rows(b'a,b\nc,"d\n', ",")
    4
    """
    last = data.rfind(b"\n")
    if delimiter is None or b'"' not in data:
        return last + 1
    codes = np.frombuffer(data, np.uint8)
    quotes = _find_borders(codes, ord(delimiter))
    if np.searchsorted(quotes, last) % 2 == 0:
        return last + 1
    ends = np.flatnonzero(codes == _LINE_FEED)
    free = ends[np.searchsorted(quotes, ends) % 2 == 0]
    return int(free[-1]) + 1 if len(free) else 0


def _find_borders(codes: NDArray[np.uint8], delimiter: int) -> NDArray[np.intp]:
    """Return where quotes open and close, in turns.

    As in Arrow, a quote opens at the start of a value alone, and two inside stand for one; any
    other is a letter, as in `19" rack`.
    """
    quotes = np.flatnonzero(codes == _QUOTE)
    before = codes[quotes - 1]
    opens = (before == delimiter) | (before == _LINE_FEED) | (before == _CARRIAGE_RETURN)
    opens |= quotes == 0
    is_second = np.diff(quotes, prepend=-2) == 1
    if (opens | is_second)[::2].all():  # no quote is a letter: pairs inside open and close too
        return quotes
    borders, inside, skipped = [], False, False
    follows = np.append(is_second[1:], False)
    for place, may_open, is_pair in zip(quotes, opens, follows, strict=True):
        if skipped:
            skipped = False
        elif inside and is_pair:
            skipped = True
        elif inside or may_open:
            borders.append(place)
            inside = not inside
    return np.array(borders, dtype=np.intp)
