"""Score files of any size: blocks in, blocks out, on all cores, in flat memory."""

import hashlib
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joblib import cpu_count

import leadml
from leadml.batch import load_scorer, open_all
from leadml.bulk.block import Choices, Job, OnError, ReasonsFor, ScoredBlock, write_bad
from leadml.bulk.parts import LeadParts, open_leads
from leadml.data.block_writer import BlockWriter
from leadml.data.engines import is_in_database
from leadml.data.upsert import open_upsert
from leadml.errors import DataError, all_problems
from leadml.pipelines import MODEL, RULES
from leadml.registry.bundle import SUMS, LeadModel
from leadml.registry.extras import check_extras
from leadml.scoring.scorer import LeadScorer

SLOW = (
    "The model's structure is `full`: its reasons take about as long as its scores. "
    "--reasons-for hot gives them to hot leads alone."
)
AHEAD = 2  # blocks a thread that are read before they are asked for
SHOWN = 5  # rows with the same problem that are named


@dataclass(frozen=True)
class Progress:
    """How far a run is: rows done, and the share of the input."""

    rows: int
    done: float


@dataclass(frozen=True)
class ScoredFile:
    """What a run did.

    Attributes
    ----------
    n_rows : int
        Rows scored.
    bands : dict of band to count
    n_rejected : int
    rejected : Path or None
        Where the rejected rows are.
    """

    n_rows: int
    bands: dict[str, int]
    n_rejected: int = 0
    rejected: Path | None = None


def score_file(
    source: str | Path,
    leads: str | Path,
    out: str | Path | None = None,
    *,
    to: str | None = None,
    by: str = MODEL,
    n_reasons: int | None = None,
    reasons_for: ReasonsFor = "all",
    keep: Sequence[str] = (),
    on_error: OnError = "stop",
    history: str | Path | None = None,
    at: str | None = None,
    resume: bool = False,
    extras: Sequence[str] = (),
    tell: Callable[[str], None] = lambda note: None,  # noqa: ARG005
    progress: Callable[[Progress], None] = lambda done: None,  # noqa: ARG005
) -> ScoredFile:
    """Score a file of leads and write the scored table, in blocks.

    Parameters
    ----------
    source : str or Path
        A model folder, or a `rules.toml` with its `leadml.toml` beside it.
    leads : str or Path
        CSV, Parquet or JSON Lines, or a folder of Parquet; a database's table; or the `leadml.toml`
        of a history. Ids of a CSV file are texts: `007` stays `007`.
    out : str or Path, default=None
        `.csv`, `.csv.gz`, `.parquet` or `.jsonl`.
    to : str, default=None
        A database's table, `crm.duckdb#scores` or `postgresql://...#schema.table`: rows are
        updated or inserted by lead id, in one transaction.
    by : {"model", "rules"}, default="model"
    n_reasons : int, default=None
        None takes the model's own.
    reasons_for : {"all", "warm", "hot", "none"}, default="all"
        The leads that get reasons: those of this band and of the bands above. A `full` model then
        gives fit and engagement to these leads alone, unless the hand-off asks for them.
    keep : sequence of str, default=()
        Columns of the leads to put behind those of the scored table.
    on_error : {"stop", "reject"}, default="stop"
        What to do with rows that cannot be read; "reject" puts them into `OUT.rejected.csv`. An id
        that stands twice is seen within a block alone.
    history, at : optional
        For a model that counts activities; see `leadml.batch.open_scorer`.
    resume : bool, default=False
        Go on with what a run that was killed left beside `out`.
    extras : sequence of {"value", "interval"}, default=()
        Columns to put behind those of the scored table, before those that are kept; see
        `LeadModel.compute_extras`.
    tell : callable, default does nothing
        Called with what to know of the leads.
    progress : callable, default does nothing
        Called after each block.

    Raises
    ------
    DataError
        Where the leads do not fit the model; with all problems of the first block that has some,
        unless they are rejected. Then nothing is written.
    """
    kept, more = (tuple(dict.fromkeys(names)) for names in (keep, extras))
    choices = Choices(n_reasons, reasons_for, kept, on_error, more)
    if out is None and to is None:
        message = "Say where the scores go: `out` takes a file, `to` a database's table."
        raise DataError(message)
    if resume and (out is None or to is not None):
        message = "Only a file can be resumed: a database takes all rows or none. Leave it out."
        raise DataError(message)
    scorer, model, parts = _open(Path(source), leads, choices, by, history, at)
    if scorer.compile().is_slow_to_explain and reasons_for == "all":
        tell(SLOW)
    for note in parts.notes:
        tell(note)
    with ExitStack() as stack:
        writer = None
        if out is not None:
            run = _describe_run(Path(source), parts, choices, by)
            writer = stack.enter_context(BlockWriter(out, run, resume=resume))
        upsert = stack.enter_context(open_upsert(to)) if to is not None else None
        job = Job(scorer, choices, writer.encode if writer else None, model)
        total = _Total(writer)
        for block in _run_in_order(job, parts, total.n_blocks):
            if block.bad and choices.on_error == "stop":
                raise DataError(_describe_bad(parts.name, block, total.n_seen))
            total.add(block)
            if writer is not None:
                bad = write_bad(block, total.n_seen - block.n_rows)
                writer.append(block.table, block.data, bad, total.state())
            if upsert is not None:
                upsert.write(block.table)
            progress(Progress(total.n_seen, block.done))
        if not total.n_seen:
            message = f"{parts.name} has no rows. Pass a table with one row a lead."
            raise DataError(message)
    rejected = writer.rejected_path if writer is not None and total.n_bad else None
    return ScoredFile(total.n_seen - total.n_bad, dict(total.bands), total.n_bad, rejected)


class _Total:
    """Sums over the blocks so far; those of a run that is resumed are known to its writer."""

    def __init__(self, writer: BlockWriter | None) -> None:
        self.n_blocks = writer.n_blocks if writer is not None else 0
        state = writer.state if writer is not None else {}
        self.n_seen, self.n_bad = int(state.get("seen", 0)), int(state.get("bad", 0))
        self.bands: Counter[str] = Counter(state.get("bands", {}))

    def add(self, block: ScoredBlock) -> None:
        self.n_seen += block.n_rows
        self.n_bad += len(block.bad)
        self.bands += block.bands

    def state(self) -> dict[str, Any]:
        return {"seen": self.n_seen, "bad": self.n_bad, "bands": dict(self.bands)}


def _open(
    source: Path,
    leads: str | Path,
    choices: Choices,
    by: str,
    history: str | Path | None,
    at: str | None,
) -> tuple[LeadScorer, LeadModel | None, LeadParts]:
    if source.suffix != ".toml":
        scorer, model = load_scorer(source, by=by)
        # before leads are read
        check_extras(model, choices.extras, by_rules=by == RULES)
        is_file = Path(leads).suffix != ".toml" and not is_in_database(str(leads))
        if not model.config.has_history and is_file and at is None and history is None:
            return scorer, model, open_leads(leads, model.config, scorer, choices)
    # what was counted is in memory anyway; a rule book alone looks at all leads first
    else:
        check_extras(None, choices.extras)
    scorer, table, opened = open_all(source, leads, by=by, history=history, at=at)
    return scorer, opened, LeadParts.of_table(str(leads), table, choices)


def _run_in_order(job: Job, parts: LeadParts, n_done: int) -> Iterator[ScoredBlock]:
    """Score blocks on all cores and return them in order; a few are read ahead."""
    n_threads = cpu_count()
    waiting: deque[Future[ScoredBlock]] = deque()
    with ThreadPoolExecutor(n_threads) as pool:
        try:
            for number, part in enumerate(parts.blocks()):
                if number < n_done:
                    continue
                waiting.append(pool.submit(job.run, part))
                if len(waiting) >= AHEAD * n_threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _describe_run(source: Path, parts: LeadParts, choices: Choices, by: str) -> dict[str, Any]:
    """Return what two runs must share for one to go on with the other's blocks."""
    made = [source / SUMS] if source.is_dir() else [source, source.with_name("leadml.toml")]
    return {
        "leadml": leadml.__version__,
        "model": [hashlib.sha256(path.read_bytes()).hexdigest() for path in made],
        "by": by,
        "leads": parts.identity,
        **choices.as_json(),
    }


def _describe_bad(name: str, block: ScoredBlock, n_before: int) -> str:
    """Say what is wrong with the rows of a block, by problem, with the first rows of each."""
    rows: dict[str, list[int]] = {}
    for row in block.bad:
        rows.setdefault(row.reason, []).append(n_before + row.place + 1)
    problems = []
    for reason, places in rows.items():
        shown = ", ".join(f"{place:,}" for place in places[:SHOWN])
        more = f" and {len(places) - SHOWN:,} more" if len(places) > SHOWN else ""
        problems.append(f"{reason} (row{'s' if len(places) > 1 else ''} {shown}{more}).")
    hint = "Mend the rows, or pass --on-error reject to score the others."
    return f"{all_problems(name, problems)}\n{hint}"
