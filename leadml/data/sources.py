"""Read leads from files or frames, and write tables: every other module sees clean columns."""

import csv
import gzip
import io
import os
import zlib
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from math import nan
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv

from leadml.errors import DataError, all_problems, did_you_mean

WRITABLE = (".csv", ".csv.gz", ".parquet", ".jsonl")
DELIMITERS = ",;\t|"
ENCODINGS, LAST_ENCODING = ("utf-8", "cp1252"), "latin-1"  # which accepts every byte

# A text that is a number and nothing else: a leading zero ('007'), a leading plus ('+49...') or
# 16 and more digits (more than float64 holds) mark ids and telephone numbers, which stay text.
PLAIN_NUMBER = r"-?(?:(?:0|[1-9]\d{0,14})(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?"


def read_leads(
    path: str | Path | pd.DataFrame,
    *,
    missing: Iterable[str] = (),
    columns: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Read a table of leads and clean its cells.

    Parameters
    ----------
    path : str, Path or DataFrame
        A CSV file (`,` `;` tab or `|`; UTF-8, UTF-16 with a mark, else Windows-1252; `.gz` too),
        a Parquet file, or a folder of Parquet files. A frame is cleaned in the same way.
    missing : iterable of str
        Texts that mean "empty" in every column, whatever their case, such as `Select`.
    columns : iterable of str, optional
        The columns to keep, in this order; all by default.

    Returns
    -------
    DataFrame of shape (n_leads, n_columns)
        Texts are stripped; empty ones and those in `missing` are NaN. A column whose remaining
        texts are all plain numbers is numeric, unless one has a leading zero or plus or more than
        15 digits: ids such as `007` stay text. Dates stay as they are stored.

    Raises
    ------
    DataError
        Where the file is missing, unreadable, without rows, has a column name twice, or has rows
        longer or shorter than its header (each with its line).

    Examples
    --------
    >>> import pandas as pd
    >>> leads = pd.DataFrame({"id": ["007", "008"], "city": [" Ulm ", "Select"]})
    >>> leads["visits"] = ["3", ""]
    >>> read_leads(leads, missing=["select"])
        id city  visits
    0  007  Ulm     3.0
    1  008  NaN     NaN
    """
    if isinstance(path, pd.DataFrame):
        frame, name = path, "The frame"
    else:
        frame, name = _read_file(Path(path)), str(path)
    frame = frame.set_axis([str(column).strip() for column in frame.columns], axis=1)
    check_names(name, list(frame.columns))
    if frame.empty:
        message = f"{name} has no rows. Pass a table with one row a lead."
        raise DataError(message)
    if columns is not None:
        frame = frame[_known(name, list(columns), list(frame.columns))]
    return clean_cells(frame, missing)


def clean_cells(leads: pd.DataFrame, missing: Iterable[str] = ()) -> pd.DataFrame:
    """Return a copy with texts stripped, `missing` texts as NaN and number columns numeric.

    Examples
    --------
    >>> import pandas as pd
    >>> clean_cells(pd.DataFrame({"age": ["41", "unknown"]}), ["Unknown"])["age"].tolist()
    [41.0, nan]
    """
    empty = {text.strip().casefold() for text in missing} | {""}
    numbers = [float(text) for text in empty if _is_number(text)]
    cleaned = {column: _clean(leads[column], empty, numbers) for column in leads.columns}
    return pd.DataFrame(cleaned, index=leads.index)


def write_table(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a table in the format of its suffix; an existing file is replaced in one step.

    Parameters
    ----------
    frame : DataFrame
    path : str or Path
        Ending in `.csv`, `.csv.gz`, `.parquet` or `.jsonl`.

    Raises
    ------
    DataError
        On another suffix, or where the folder does not exist.

    Examples
    --------
    >>> import pandas as pd
    >>> write_table(pd.DataFrame({"a": [1]}), "scores.xlsx")
    Traceback (most recent call last):
        ...
    leadml.errors.DataError: Cannot write 'scores.xlsx'. Accepted endings: .csv, .csv.gz, ...
    """
    path = Path(path)
    suffix = check_writable(path)
    # beside the target, so that the rename stays on one disk and no reader sees half a file
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if suffix == ".parquet":
            frame.to_parquet(part, index=False)
        elif suffix == ".jsonl":
            frame.to_json(part, orient="records", lines=True, date_format="iso", force_ascii=False)
        elif suffix == ".csv":
            frame.to_csv(part, index=False)
        else:  # no time stamp: the same table gives the same bytes
            frame.to_csv(part, index=False, compression={"method": "gzip", "mtime": 0})
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def check_writable(path: Path) -> str:
    """Return the ending that says how a table is written.

    Raises
    ------
    DataError
        On another ending, or where the folder does not exist.
    """
    suffix = next((end for end in WRITABLE[::-1] if path.name.lower().endswith(end)), None)
    if suffix is None:
        message = f"Cannot write {path.name!r}. Accepted endings: {', '.join(WRITABLE)}."
        raise DataError(message)
    if not path.parent.is_dir():
        message = f"The folder {path.parent} does not exist. Create it, or write elsewhere."
        raise DataError(message)
    return suffix


def check_names(name: str, columns: list[str]) -> None:
    """Raise where a column name occurs more than once.

    Examples
    --------
    >>> check_names("leads.csv", ["id", "city", "city"])
    Traceback (most recent call last):
        ...
    leadml.errors.DataError: leads.csv has the column name 'city' more than once. ...
    """
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        named = ", ".join(map(repr, twice))
        message = f"{name} has the column name {named} more than once. Rename or remove the copies."
        raise DataError(message)


def all_files(path: Path) -> list[Path]:
    """Return the file, or the Parquet files of a folder in the order of their names.

    Raises
    ------
    DataError
        Where there is none.
    """
    if not path.exists():
        beside = [each.name for each in path.parent.glob("*")] if path.parent.is_dir() else []
        message = f"{path} does not exist. Pass the path of the leads."
        raise DataError(message + did_you_mean(path.name, beside))
    if not path.is_dir():
        return [path]
    files = sorted(path.rglob("*.parquet"))
    if not files:
        message = f"The folder {path} holds no .parquet file. Pass a CSV or Parquet file."
        raise DataError(message)
    return files


def _read_file(path: Path) -> pd.DataFrame:
    all_files(path)
    if path.is_dir() or path.suffix.lower() in (".parquet", ".pq"):
        return _read_parquet(path)
    return _read_csv(path)


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        message = f"{path} cannot be read as Parquet: {reason} Write the file again."
        raise DataError(message) from None


def _read_csv(path: Path) -> pd.DataFrame:
    data = _bytes_of(path)
    encoding = _encoding_of(data)
    head = data[:1_000_000].decode(encoding, errors="ignore").removeprefix("\ufeff")
    delimiter, header, names = read_header(path, head)
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            arrow_csv.ReadOptions(
                column_names=names, skip_rows_after_names=1, encoding=encoding, block_size=1 << 24
            ),
            arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.large_string())),
        )
    except pa.ArrowInvalid as error:
        text = data.decode(encoding).removeprefix("\ufeff")
        problems = _ragged_lines(text, delimiter, len(names)) or [str(error).splitlines()[0]]
        raise DataError(all_problems(str(path), problems)) from None
    check_quotes(path, data, encoding, delimiter)
    frame: pd.DataFrame = table.to_pandas()
    # exports often end every line with a delimiter: a column without a name or a value
    nameless = [name for name, given in zip(names, header, strict=True) if not given]
    return frame.drop(columns=[name for name in nameless if (frame[name] == "").all()])


def read_header(path: Path, head: str) -> tuple[str, list[str], list[str]]:
    """Return the delimiter of a CSV text, its header, and a name for each of its columns.

    Raises
    ------
    DataError
        Where there is no header, or a name stands in it twice.
    """
    if not head.strip():
        message = f"{path} is empty. Pass a table with a header and one row a lead."
        raise DataError(message)
    if head.splitlines()[0].strip() == "":
        message = f"{path}, line 1: it is empty. Delete the lines above the header."
        raise DataError(message)
    delimiter = find_delimiter(head)
    header = [name.strip() for name in next(split_rows(head, delimiter))]
    names = [name or f"unnamed_{place}" for place, name in enumerate(header, start=1)]
    check_names(str(path), names)
    return delimiter, header, names


def _bytes_of(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (OSError, EOFError, zlib.error) as error:
        message = f"{path} cannot be read: {error}. Check the file, or export it again."
        raise DataError(message) from None
    check_kind(path, data)
    return data


def check_kind(path: Path, data: bytes) -> None:
    """Raise where the first bytes of a file say that it is no text.

    Raises
    ------
    DataError
    """
    if data[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        message = f"{path} is an Excel workbook or a ZIP archive. Save it as CSV and pass that."
        raise DataError(message)
    if data[:4] == b"PAR1":
        message = f"{path} is a Parquet file. Give it the ending .parquet."
        raise DataError(message)


def _encoding_of(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    for encoding in ENCODINGS:
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return LAST_ENCODING


def find_delimiter(head: str) -> str:
    """Return the delimiter that splits the first rows into the most columns of one width."""

    def agreement(delimiter: str) -> tuple[bool, int]:
        widths = [len(row) for row in islice(split_rows(head, delimiter), 50) if row]
        return len(set(widths)) == 1 and widths[0] > 1, widths[0]

    try:
        return max(DELIMITERS, key=agreement)
    except csv.Error:  # a quote that never closes: the reader below says so
        return ","


def check_quotes(
    path: Path, data: bytes, encoding: str, delimiter: str, lines_before: int = 0
) -> None:
    """Raise where a quote never closes: the rest of the file was read as one text."""
    if data.count(b'"') % 2 == 0:
        return
    line = 1
    rows = split_rows(data.decode(encoding).removeprefix("\ufeff"), delimiter, strict=True)
    try:
        for _ in rows:
            line = rows.line_num + 1
    except csv.Error as error:
        if "end of data" in str(error):
            message = (
                f"{path}, line {lines_before + line}: a quote opens and never closes. Close it."
            )
            raise DataError(message) from None


def split_rows(text: str, delimiter: str, *, strict: bool = False) -> Any:
    """Return an iterator over the rows of a CSV text."""
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)


def _ragged_lines(text: str, delimiter: str, width: int) -> list[str]:
    """Say where rows differ from the header; five examples are enough to find the cause."""
    rows = split_rows(text, delimiter)
    problems: list[str] = []
    line = 1
    try:
        for row in rows:
            if row and len(row) != width:
                problems.append(
                    f"line {line}: {len(row)} values, but the header names {width} columns. "
                    "Quote texts that hold the delimiter, or mend the line."
                )
            line = rows.line_num + 1
    except csv.Error as error:
        problems.append(f"line {line}: {error}. Close the quotes of this line.")
    more = [f"and {len(problems) - 5} more lines like these"] if len(problems) > 5 else []
    return problems[:5] + more


def _known(name: str, columns: list[str], accepted: list[str]) -> list[str]:
    problems = [
        f"there is no column {column!r}.{did_you_mean(column, accepted)}"
        for column in columns
        if column not in accepted
    ]
    if problems:
        raise DataError(all_problems(name, problems))
    return columns


def _clean(column: pd.Series, empty: set[str], numbers: list[float]) -> pd.Series:
    """Return one column as text, bool, date or a NumPy number."""
    column = _plain(column)
    if pd.api.types.is_string_dtype(column):
        text = column.astype("str").str.strip()
        text = text.mask(text.str.casefold().isin(empty))
        if text.isna().all() or not text.dropna().str.fullmatch(PLAIN_NUMBER).all():
            return text
        column = pd.to_numeric(text)
    if numbers and pd.api.types.is_numeric_dtype(column) and column.dtype != bool:
        return column.mask(column.isin(numbers))
    return column.copy()


def _plain(column: pd.Series) -> pd.Series:
    """Turn objects, categories and nullable types, which hold the same values, into plain ones."""
    if column.dtype == object:
        kind = pd.api.types.infer_dtype(column, skipna=True)
        if kind in ("decimal", "integer", "floating", "mixed-integer-float"):
            return pd.to_numeric(column, errors="coerce").astype("float64")
        if kind in ("date", "datetime"):
            return pd.to_datetime(column)
        return column.astype("str")
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _plain(column.astype(column.cat.categories.dtype))
    if pd.api.types.is_bool_dtype(column) and column.hasnans:
        return column.astype("str")
    if pd.api.types.is_numeric_dtype(column) and pd.api.types.is_extension_array_dtype(column):
        values = column.to_numpy("float64", na_value=nan) if column.hasnans else column.to_numpy()
        return pd.Series(values, index=column.index)
    return column


def _is_number(text: str) -> bool:
    return bool(pd.Series([text], dtype="str").str.fullmatch(PLAIN_NUMBER).all())
