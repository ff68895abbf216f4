"""Write a table block by block; a run that was killed goes on after its last complete block."""

import gzip
import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv as arrow_csv

from leadml.data.sources import check_writable
from leadml.errors import DataError

BAD_COLUMNS = "row,lead_id,reason,content\n"


class BlockWriter:
    """A file in the making, in a folder beside it, renamed into place at the end.

    The folder holds the output so far, the rejected rows and a journal with a line a block: how
    far both files reached. What was written after the last line is cut off on resuming. Parquet
    keeps its table of contents at its end, so there the blocks are kept as they are too, and
    written anew.

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
        self._folder = self.path.with_name(f".{self.path.name}.part")
        self._run = json.dumps(run, sort_keys=True)
        self.n_blocks, self.state = 0, dict[str, Any]()
        self._parquet: Any = None
        ends = self._read_journal() if resume else None
        if ends is None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir()
            (self._folder / "journal").write_text(self._run + "\n", encoding="utf-8")
        self._journal = (self._folder / "journal").open("ab")
        self._data = (self._folder / "blocks").open("ab")
        self._bad = (self._folder / "rejected").open("ab")
        if ends is not None:
            self._return_to(ends)

    @classmethod
    def can_resume(cls, path: str | Path) -> bool:
        """Return whether a run left something for this path."""
        path = Path(path)
        return (path.with_name(f".{path.name}.part") / "journal").is_file()

    @property
    def rejected_path(self) -> Path:
        """Where the rejected rows go."""
        return self.path.with_name(f"{self.path.name}.rejected.csv")

    def encode(self, table: Any) -> bytes:
        """Return a block as the file holds it; any thread may do so."""
        match self._suffix:
            case ".parquet":
                return _as_stream(table)
            case ".jsonl":
                frame = table.to_pandas()
                text = frame.to_json(
                    orient="records", lines=True, date_format="iso", force_ascii=False
                )
                return str(text).encode()
            case ".csv":
                return _as_csv(table, header=False)
            case _:  # parts of a gzip file follow one another; no time stamp, so equal runs agree
                return gzip.compress(_as_csv(table, header=False), mtime=0)

    def append(self, table: Any, data: bytes, bad: bytes, state: Mapping[str, Any]) -> None:
        """Add a block: the table, what `encode` made of it, its rejected rows, and the sums so far.

        All blocks have the columns of the first.
        """
        if self._parquet is None and self._suffix == ".parquet":
            self._open_parquet(table.schema)
        if self._parquet is not None:
            self._parquet.write_table(table)
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
        has_bad = self._bad.tell() > 0
        self._close()
        if has_bad:
            (self._folder / "rejected").replace(self.rejected_path)
        else:
            self.rejected_path.unlink(missing_ok=True)
        name = "parquet" if self._suffix == ".parquet" else "blocks"
        (self._folder / name).replace(self.path)
        shutil.rmtree(self._folder)

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

    def _open_parquet(self, schema: Any) -> None:
        # without Arrow's own schema, dictionaries are read back as the texts they stand for
        path = self._folder / "parquet"
        self._parquet = pq.ParquetWriter(path, schema, store_schema=False)

    def _read_journal(self) -> dict[str, Any] | None:
        path = self._folder / "journal"
        if not path.is_file():
            message = f"There is nothing to resume for {self.path}. Run it without --resume."
            raise DataError(message)
        run, *lines = path.read_text(encoding="utf-8").split("\n")
        if run != self._run:
            message = (
                f"What is left of {self.path} was written with another input, model, version or "
                "options. Run it with the same ones, or without --resume to start anew."
            )
            raise DataError(message)
        complete = [json.loads(line) for line in lines[:-1]]  # the last one has no line end
        self.n_blocks = len(complete)
        if not complete:
            return None
        self.state = complete[-1]["state"]
        # the journal too: what follows is written after its last complete line
        kept = "\n".join([run, *lines[:-1], ""])
        path.write_text(kept, encoding="utf-8")
        return {"blocks": [line["data"] for line in complete], **complete[-1]}

    def _return_to(self, ends: Mapping[str, Any]) -> None:
        self._data.truncate(ends["data"])
        self._bad.truncate(ends["bad"])
        if self._suffix == ".parquet":
            starts = [0, *ends["blocks"][:-1]]
            with pa.memory_map(str(self._folder / "blocks")) as file:
                for start, end in zip(starts, ends["blocks"], strict=True):
                    table = pa.ipc.open_stream(file.read_buffer(end - start)).read_all()
                    if self._parquet is None:
                        self._open_parquet(table.schema)
                    self._parquet.write_table(table)

    def _close(self) -> None:
        for file in (self._journal, self._data, self._bad, self._parquet):
            if file is not None:
                file.close()


def _as_csv(table: Any, *, header: bool) -> bytes:
    sink = io.BytesIO()
    plain = pa.table(
        {
            name: column.cast(column.type.value_type)
            if pa.types.is_dictionary(column.type)
            else column
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
    )
    arrow_csv.write_csv(plain, sink, arrow_csv.WriteOptions(include_header=header))
    return sink.getvalue()


def _as_stream(table: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    data: bytes = sink.getvalue().to_pybytes()
    return data
