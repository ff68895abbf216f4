"""What is done with one block of leads; blocks do not depend on each other."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from leadml.data.block_writer import Buffer
from leadml.data.blocks import BadRow
from leadml.registry.bundle import LeadModel
from leadml.scoring.bands import Bands
from leadml.scoring.columns import Floats
from leadml.scoring.raw_columns import RawColumn
from leadml.scoring.scale import round_scores
from leadml.scoring.scorer import LeadScorer

ReasonsFor = Literal["all", "warm", "hot", "none"]
OnError = Literal["stop", "reject"]


@dataclass(frozen=True)
class Choices:
    """How files are scored. See `leadml.bulk.run.score_file`."""

    n_reasons: int | None = None
    reasons_for: ReasonsFor = "all"
    keep: Sequence[str] = ()
    on_error: OnError = "stop"
    extras: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the choices as JSON values."""
        return {**asdict(self), "keep": list(self.keep), "extras": list(self.extras)}


@dataclass(frozen=True)
class Part:
    """The leads of a block as columns; `places` are those of its good rows among all."""

    lead_ids: Any
    columns: Mapping[str, Any]
    index: pd.Index | None
    kept: Mapping[str, Any]
    bad: Sequence[BadRow]
    odd: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)  # by reason

    @property
    def n_rows(self) -> int:
        """Rows of the block, the bad ones too."""
        return len(self.lead_ids) + len(self.bad)

    def places(self) -> NDArray[np.intp]:
        """Return where each lead is among all rows of the block."""
        taken = [row.place for row in self.bad]
        return np.setdiff1d(np.arange(self.n_rows), taken)

    def to_frame(self, names: Sequence[str]) -> pd.DataFrame:
        """Return columns as a DataFrame."""
        index = pd.RangeIndex(len(self.lead_ids)) if self.index is None else self.index
        columns = {name: RawColumn(_without_codes(self.columns[name])) for name in names}
        return pd.DataFrame({name: column.series(index) for name, column in columns.items()}, index)


@dataclass(frozen=True)
class ReadBlock:
    """A block to read in any thread; `done` is the share of the input up to its end."""

    read: Callable[[], Part]
    done: float


@dataclass(frozen=True)
class ScoredBlock:
    """A block that is done: the table of its good rows, their bytes, and the bad rows."""

    table: Any
    data: Buffer
    bad: Sequence[BadRow]
    ids: Mapping[int, str]  # of the bad rows that have one
    n_rows: int
    bands: Counter[str]
    done: float


@dataclass(frozen=True)
class Job:
    """Score a block and make the bytes of it that a file takes."""

    scorer: LeadScorer
    choices: Choices
    encode: Callable[[Any], Buffer] | None
    model: LeadModel | None = None  # gives the extra columns

    def run(self, block: ReadBlock) -> ScoredBlock:
        """Read, check and score a block."""
        part = block.read()
        table, verdicts = self.scorer.score_columns(
            part.columns,
            part.lead_ids,
            index=part.index,
            n_reasons=self.choices.n_reasons,
            explained=self._explained(),
        )
        for name, values in {**self._extras(part, verdicts.probability), **part.kept}.items():
            table = table.append_column(name, values)
        odd = {**_find_bad_ids(part.lead_ids), **part.odd, **verdicts.unread}
        odd = {reason: mask for reason, mask in odd.items() if mask.any()}
        bad, ids = list(part.bad), dict[int, str]()
        if odd:
            places, is_bad = part.places(), np.any([*odd.values()], axis=0)
            for row in np.flatnonzero(is_bad):
                reason = "; ".join(reason for reason, mask in odd.items() if mask[row])
                content = {name: _value_at(values, row) for name, values in part.columns.items()}
                text = json.dumps(content, ensure_ascii=False, default=str)
                bad.append(BadRow(int(places[row]), reason, text))
                ids[int(places[row])] = str(_value_at(part.lead_ids, row) or "")
            table = table.filter(pa.array(~is_bad))
        bad.sort(key=lambda row: row.place)
        stops = bad and self.choices.on_error == "stop"
        data = b"" if stops or self.encode is None else self.encode(table)
        counts = pc.value_counts(table.column("band")).to_pylist()
        bands = Counter({str(each["values"]): int(each["counts"]) for each in counts})
        return ScoredBlock(table, data, bad, ids, part.n_rows, bands, block.done)

    def _extras(self, part: Part, probability: Floats) -> dict[str, Any]:
        if self.model is None or not self.choices.extras:
            return {}
        X = part.to_frame(self.model.scorer.get_column_names())
        more = self.model.compute_extras(X, self.choices.extras, probability)
        return {str(name): pa.array(more[name], from_pandas=True) for name in more}

    def _explained(self) -> Callable[[Floats], NDArray[np.bool_]] | None:
        bands = self.scorer.bands or Bands()
        least = {"none": np.inf, "hot": bands.hot, "warm": bands.warm}
        if self.choices.reasons_for == "all":
            return None
        edge = least[self.choices.reasons_for]
        return lambda raw_scores: round_scores(raw_scores) >= edge


def _find_bad_ids(lead_ids: Any) -> dict[str, NDArray[np.bool_]]:
    is_empty = pc.is_null(lead_ids, nan_is_null=True).to_numpy(zero_copy_only=False)
    found = {"the lead's id is empty": is_empty}
    if pc.count_distinct(lead_ids, mode="only_valid").as_py() < len(lead_ids):
        repeated = lead_ids.to_pandas().duplicated().to_numpy()
        found["the lead's id stands in an earlier row"] = repeated & ~is_empty
    return found


def _without_codes(values: Any) -> Any:
    is_coded = isinstance(values, pa.DictionaryArray)
    return values.dictionary_decode() if is_coded else values


def _value_at(values: Any, row: Any) -> Any:
    value = values[int(row)]
    return value.as_py() if isinstance(value, pa.Scalar) else value


def write_bad(block: ScoredBlock, n_before: int) -> bytes:
    """Return the bad rows of a block as lines of CSV: row, lead id, reason, content."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    for row in block.bad:
        lead_id = block.ids.get(row.place, "")
        lines.writerow([n_before + row.place + 1, lead_id, row.reason, row.content])
    return text.getvalue().encode()
