"""Leads to score, block by block: from a file, or from a table in memory."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadml.bulk.block import Choices, Part, ReadBlock
from leadml.config import Config
from leadml.data.blocks import ROWS, RawBlock, Wanted, as_numbers, open_file
from leadml.data.lead_table import LEAD_ID, SNAPSHOT_LEVEL, LeadTable, read_dates
from leadml.data.sources import all_files, clean_cells
from leadml.errors import DataError, all_problems, did_you_mean
from leadml.registry.bundle import index_columns
from leadml.registry.extras import find_columns
from leadml.scored import LAST_COLUMNS, SCORED_COLUMNS
from leadml.scoring.scorer import LeadScorer


@dataclass(frozen=True)
class LeadParts:
    """Leads that can be read in blocks, the same ones each time.

    Attributes
    ----------
    name : str
        For messages.
    identity : list
        What tells whether the leads are the same as in another run, as JSON values.
    blocks : callable
        Returns an iterator over the blocks.
    notes : sequence of str
        What to know of the leads.
    """

    name: str
    identity: list[Any]
    blocks: Callable[[], Iterator[ReadBlock]]
    notes: Sequence[str] = ()

    @classmethod
    def of_table(cls, name: str, table: LeadTable, choices: Choices) -> "LeadParts":
        """Return the leads of a table in memory."""
        X = table.X
        there = [str(column) for column in X.columns]
        check_kept(choices.keep, there, name, find_columns(choices.extras))
        content = int(pd.util.hash_pandas_object(X).sum())  # activities are in other files
        identity = [*_identity(Path(name)), len(X), content]

        def blocks() -> Iterator[ReadBlock]:
            for start in range(0, len(X), ROWS):
                rows = slice(start, start + ROWS)
                yield ReadBlock(
                    partial(_part_of_frame, X.iloc[rows], choices),
                    min(start + ROWS, len(X)) / len(X),
                )

        return cls(name, identity, blocks, table.notes)


def open_leads(path: str | Path, config: Config, scorer: LeadScorer, choices: Choices) -> LeadParts:
    """Open a file of leads as a model reads them.

    Raises
    ------
    DataError
        Where there is no such file, or it lacks columns.
    """
    file = open_file(path)
    id_column, date_column = index_columns(config)
    roles = [id_column, *([date_column] if date_column else [])]
    lacking = [name for name in [*roles, *scorer.get_column_names()] if name not in file.columns]
    if lacking:
        problems = [f"{name!r} is missing.{did_you_mean(name, file.columns)}" for name in lacking]
        there = ", ".join(file.columns)
        raise DataError(f"{all_problems(str(path), problems)}\nIt has: {there}.")
    check_kept(choices.keep, file.columns, str(path), find_columns(choices.extras))
    # extra columns may read what the scorer itself does not look at
    sources = scorer.get_column_names() if choices.extras else scorer.compile().sources
    profile = scorer.estimator_[0]
    numbers = {name for name in sources if profile.kinds_.get(name) == "number"}
    apart = {*roles, *choices.keep}  # which stay as they are
    wanted = Wanted(
        columns=list(dict.fromkeys([*roles, *sources, *choices.keep])),
        numbers=frozenset(numbers - apart),
        categories=frozenset({*sources} - numbers - apart),
        missing=config.leads.missing,
    )
    reader = _PartReader(id_column, date_column, sources, numbers & apart, wanted, choices.keep)

    def blocks() -> Iterator[ReadBlock]:
        for block in file.blocks(wanted):
            yield ReadBlock(partial(reader.read, block), block.done)

    return LeadParts(str(path), _identity(Path(path)), blocks)


def check_kept(
    keep: Sequence[str], there: Sequence[str], name: str, extras: Sequence[str] = ()
) -> None:
    """Raise where columns to keep are not there, or are called as those of the scored table.

    Parameters
    ----------
    keep, there : sequences of str
    name : str
        Of the leads, for the message.
    extras : sequence of str, default=()
        Extra columns that the scored table will have.

    Raises
    ------
    DataError
    """
    problems = [
        f"--columns: there is no column {column!r}.{did_you_mean(column, there)}"
        for column in keep
        if column not in there
    ]
    taken = {*SCORED_COLUMNS, *LAST_COLUMNS, *extras}
    problems += [
        f"--columns: the scored table has a column {column!r} of its own. Rename yours."
        for column in keep
        if column in taken or column.startswith("reason_")
    ]
    if problems:
        raise DataError(all_problems(name, problems))


@dataclass(frozen=True)
class _PartReader:
    """What makes parts of a file's blocks; `texts` are number columns that may come as texts."""

    id_column: str
    date_column: str | None
    sources: Sequence[str]
    texts: Collection[str]
    wanted: Wanted
    keep: Sequence[str]

    def read(self, block: RawBlock) -> Part:
        """Return the leads of a block."""
        parsed = block.parse()
        table, missing = parsed.table, self.wanted.missing
        index, odd = None, {}
        if self.date_column is not None:
            name = self.date_column
            values = clean_cells(table.select([name]).to_pandas(), missing)[name]
            dates, _ = read_dates(values)
            index = pd.Index(dates, name=SNAPSHOT_LEVEL)
            is_odd = (dates.isna() & values.notna()).to_numpy(dtype=bool)
            odd = {f"{name!r} is no date (as 2026-01-31)": is_odd}
        columns = {
            name: as_numbers(table.column(name), missing)
            if name in self.texts
            else table.column(name)
            for name in self.sources
        }
        return Part(
            lead_ids=_read_ids(table.column(self.id_column), missing),
            columns={name: _whole(column) for name, column in columns.items()},
            index=index,
            kept={name: table.column(name) for name in self.keep},
            bad=parsed.bad,
            odd=odd,
        )


def _read_ids(column: Any, missing: Sequence[str]) -> Any:
    """Return ids as `read_leads` cleans them: without blanks around them, null where missing."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_null(kind) or pa.types.is_string_view(kind):
        kind = pa.string()
    ids = _whole(column.cast(kind))
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return ids
    ids = pc.utf8_trim_whitespace(ids)
    empty = pa.array(["", *(text.strip().lower() for text in missing)], kind)
    return pc.if_else(pc.is_in(pc.utf8_lower(ids), empty), pa.scalar(None, kind), ids)


def _part_of_frame(X: pd.DataFrame, choices: Choices) -> Part:
    ids = X.index.get_level_values(LEAD_ID if LEAD_ID in X.index.names else 0)
    plain = X.reset_index(drop=True)
    return Part(
        lead_ids=pa.array(ids),
        columns={str(name): plain[name] for name in plain.columns},
        index=X.index,
        kept={name: pa.array(plain[name]) for name in choices.keep},
        bad=(),
    )


def _whole(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _identity(path: Path) -> list[Any]:
    """Return the path, sizes and times of change of the files that the leads are read from."""
    if not path.exists():
        return [str(path)]
    stats = [each.stat() for each in all_files(path)]
    return [str(path.resolve()), *([stat.st_size, stat.st_mtime_ns] for stat in stats)]
