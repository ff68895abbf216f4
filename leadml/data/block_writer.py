"""Write a table block by block; a run that was killed goes on after its last complete block."""

import gzip
import io
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv as arrow_csv

from leadml.data.sources import check_writable
from leadml.errors import DataError

BAD_COLUMNS = "row,lead_id,reason,content\n"


OWN_VALUES = ("lead_id", "probability")  # of each lead: a dictionary of them would be of no use

Buffer = Any  # bytes, or what can be read as such


class BlockWriter:
    """A file in the making, in a folder beside it, renamed into place at the end.

    The folder holds the output so far, the rejected rows and a journal with a line a block: how
    far both files reached. What was written after the last line is cut off on resuming. Parquet
    keeps its table of contents at its end, so there the blocks are kept as they are too, and
    written anew. A journal called `done` says that the files only need to be put in place.

    Parameters
    ----------
    path : str or Path
        Ending in `.csv`, `.csv.gz`, `.parquet` or `.jsonl`.
    run : dict
        What makes a run the same one: its input, model and options, as JSON values.
    resume : bool, default=False
        Go on with what a run left; False starts anew.

    Attributes
    ----------
    n_blocks : int
        Blocks that are complete.
    state : dict
        What was handed to `append` with the last of them.

    Raises
    ------
    DataError
        Where there is nothing to resume, or it was left by another run.
    """

    def __init__(self, path: str | Path, run: Mapping[str, Any], *, resume: bool = False) -> None:
        self.path = Path(path)
        self._suffix = check_writable(self.path)
        if self.path.is_dir():
            message = f"{self.path} is a folder. Choose another name for the file."
            raise DataError(message)
        self._folder = self.path.with_name(f".{self.path.name}.part")
        self._run = json.dumps(run, sort_keys=True)
        self.n_blocks, self.state = 0, dict[str, Any]()
        self._parquet: Any = None
        self._files: list[Any] = []
        lines = self._read_journal() if resume else []
        if resume and self._is_done:
            return
        if not lines:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir()
            self._place("journal").write_text(self._run + "\n", encoding="utf-8")
        self._files = [self._place(name).open("ab") for name in ("journal", "blocks", "rejected")]
        self._journal, self._data, self._bad = self._files
        if self._suffix == ".parquet":
            self._add_again([line["data"] for line in lines])

    @property
    def rejected_path(self) -> Path:
        """Where the rejected rows go."""
        return self.path.with_name(f"{self.path.name}.rejected.csv")

    def encode(self, table: Any) -> Buffer:
        """Return a block as the file holds it; any thread may do so."""
        match self._suffix:
            case ".parquet":
                return _as_stream(table)
            case ".jsonl":
                if not len(table):
                    return b""
                frame = table.to_pandas(integer_object_nulls=True)  # 1 and null, not 1.0 and NaN
                text = frame.to_json(
                    orient="records", lines=True, date_format="iso", force_ascii=False
                )
                return str(text).encode()
            case ".csv":
                return _as_csv(table, header=False)
            case _:  # parts of a gzip file follow one another; no time stamp, so equal runs agree
                return gzip.compress(_as_csv(table, header=False), mtime=0)

    def append(self, table: Any, data: Buffer, bad: bytes, state: Mapping[str, Any]) -> None:
        """Add a block: the table, what `encode` made of it, its rejected rows, and the sums so far.

        All blocks have the columns of the first.
        """
        if self._suffix == ".parquet":
            self._add_to_parquet(pa.py_buffer(data))
        elif not self.n_blocks:
            self._data.write(self._header(table))
        if bad and not self._bad.tell():
            self._bad.write(BAD_COLUMNS.encode())
        self._data.write(data)
        self._bad.write(bad)
        # complete before the journal says so
        self._data.flush()
        self._bad.flush()
        line = {"data": self._data.tell(), "bad": self._bad.tell(), "state": dict(state)}
        self._journal.write(json.dumps(line).encode() + b"\n")
        self._journal.flush()
        self.n_blocks += 1
        self.state = dict(state)

    def finish(self) -> None:
        """Put the file in its place, and the rejected rows beside it."""
        if not self._is_done:
            has_bad = self._bad.tell() > 0
            self._close()
            if not has_bad:
                self._place("rejected").unlink()
                self.rejected_path.unlink(missing_ok=True)
            self._place("journal").replace(self._place("done"))
        # from here on a run that is killed only puts in place what is left
        name = "parquet" if self._suffix == ".parquet" else "blocks"
        for part, target in (("rejected", self.rejected_path), (name, self.path)):
            if self._place(part).exists():
                self._place(part).replace(target)
        self._place("blocks").unlink(missing_ok=True)
        shutil.rmtree(self._folder)  # `done` is all that is left

    def discard(self) -> None:
        """Take away what was written."""
        self._close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.finish()
        elif issubclass(kind, Exception):
            self.discard()
        else:  # interrupted: the next run may resume
            self._close()

    def _header(self, table: Any) -> bytes:
        if self._suffix == ".jsonl":
            return b""
        header = _as_csv(table.slice(0, 0), header=True)
        return header if self._suffix == ".csv" else gzip.compress(header, mtime=0)

    @property
    def _is_done(self) -> bool:
        return self._place("done").is_file()

    def _place(self, name: str) -> Path:
        return self._folder / name

    def _add_to_parquet(self, data: Any) -> None:
        """Write a block as it was encoded, so that a run that goes on writes the same bytes."""
        table = pa.ipc.open_stream(data).read_all()
        if self._parquet is None:
            # without Arrow's own schema, dictionaries are read back as the texts they stand for
            path = self._place("parquet")
            repeating = [name for name in table.schema.names if name not in OWN_VALUES]
            self._parquet = pq.ParquetWriter(
                path, table.schema, store_schema=False, use_dictionary=repeating
            )
        try:
            if table.schema != self._parquet.schema:
                table = table.cast(self._parquet.schema)
            self._parquet.write_table(table)
        except pa.ArrowException as error:
            message = (
                f"{self.path} cannot hold the rows, whose columns change their kind: "
                f"{str(error).splitlines()[0]}. Write .csv or .jsonl, or keep fewer columns."
            )
            raise DataError(message) from None

    def _read_journal(self) -> list[dict[str, Any]]:
        path = self._place("done" if self._is_done else "journal")
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        run, *lines = text.split("\n")
        if not lines:  # not even the first line is whole
            message = f"There is nothing to resume for {self.path}. Run it without --resume."
            raise DataError(message)
        if run != self._run:
            message = (
                f"What is left of {self.path} was written with another input, model, version or "
                "options. Run it with the same ones, or without --resume to start anew."
            )
            raise DataError(message)
        complete = [json.loads(line) for line in lines[:-1]]  # the last one has no line end
        if not self._is_done:
            data, bad = (self._size(name) for name in ("blocks", "rejected"))
            complete = [each for each in complete if each["data"] <= data and each["bad"] <= bad]
            last = complete[-1] if complete else {"data": 0, "bad": 0}
            ends = {"journal": sum(len(line) + 1 for line in [run, *lines[: len(complete)]])}
            for name, end in (ends | {"blocks": last["data"], "rejected": last["bad"]}).items():
                if self._size(name) > end:
                    os.truncate(self._place(name), end)
        self.n_blocks = len(complete)
        self.state = complete[-1]["state"] if complete else {}
        return complete

    def _size(self, name: str) -> int:
        path = self._place(name)
        return path.stat().st_size if path.is_file() else 0

    def _add_again(self, ends: Sequence[int]) -> None:
        """Write the blocks that are kept once more: a Parquet file is not gone on with."""
        if ends:
            with pa.memory_map(str(self._place("blocks"))) as file:
                for start, end in pairwise([0, *ends]):
                    self._add_to_parquet(file.read_buffer(end - start))

    def _close(self) -> None:
        for file in (*self._files, self._parquet):
            if file is not None:
                file.close()


def _as_csv(table: Any, *, header: bool) -> bytes:
    sink = io.BytesIO()
    plain = {
        name: column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        for name, column in zip(table.column_names, table.columns, strict=True)
    }
    try:
        arrow_csv.write_csv(pa.table(plain), sink, arrow_csv.WriteOptions(include_header=header))
    except pa.ArrowException as error:
        message = f"CSV cannot hold a column: {error}. Write .parquet or .jsonl, or leave it out."
        raise DataError(message) from None
    return sink.getvalue()


def _as_stream(table: Any) -> Any:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()
