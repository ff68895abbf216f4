"""Score a Spark frame where it lies: the model goes to the rows."""

import gc
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from leadml.data.engines import missing_extra
from leadml.errors import DataError, all_problems, did_you_mean
from leadml.registry.bundle import MODEL, SUMS, LeadModel, index_columns, load_model
from leadml.scored import LAST_COLUMNS, SCORED_COLUMNS, reason_columns

_Files = tuple[tuple[str, bytes], ...]
_TYPES = {
    "probability": "double",
    "score": "long",
    "fit": "double",
    "engagement": "double",
    "qualified": "boolean",
    "points": "double",
}  # the others are texts


def score(
    df: Any, model: str | Path, *, n_reasons: int | None = None, keep: Sequence[str] = ()
) -> Any:
    """Return the scored table of a Spark frame of leads, computed by the cluster's workers.

    Only the columns that the model reads leave the JVM. The model's folder travels as text with
    the job, and each worker process parses it once.

    Parameters
    ----------
    df : Spark DataFrame
        A row a lead, with the columns of the model's `leadml.toml`. For a model that counts
        activities: what `build_features` returns, with `lead_id` and `snapshot_date` as columns.
    model : str or Path
        A model folder. The workers need no access to it, but leadml installed.
    n_reasons : int, default=None
        None takes the model's own, 3.
    keep : sequence of str, default=()
        Columns of `df` to carry through, after those of the scored table.

    Returns
    -------
    Spark DataFrame
        The columns of `leadml.scored`: `lead_id` of the type that it has in `df`, `probability`,
        `fit`, `engagement` and `points` double, `score` bigint, `qualified` boolean, the others
        string. Lazy, as all Spark frames are.

    Raises
    ------
    DataError
        Where `df` is no Spark frame or lacks columns, or `keep` names a column of the scored table.
    ModelFolderError
        Where the folder is not there, or not as it was written.
    MissingExtraError
        Where PySpark is not installed.

    Examples
    --------
    >>> scored = score(spark.table("crm.leads"), "models/q3", keep=["owner"])  # doctest: +SKIP
    >>> scored.write.mode("overwrite").saveAsTable("crm.scores")  # doctest: +SKIP
    """
    try:
        from pyspark.sql.pandas.types import to_arrow_schema
    except ImportError as error:
        raise missing_extra("pyspark") from error
    if not hasattr(df, "mapInArrow"):
        kind = f"{type(df).__name__} of {type(df).__module__.partition('.')[0]}"
        message = (
            f"`df` must be a Spark DataFrame. Got a {kind}. "
            "Here it is load_model(folder).score_leads(leads)."
        )
        raise DataError(message)
    loaded = load_model(model)
    names = _find_columns(loaded, df, keep)
    types = {field.name: field.dataType for field in df.schema}
    schema = _make_schema(loaded, types[names[0]], n_reasons, {name: types[name] for name in keep})
    # PySpark cannot hand over columns whose names hold a dot or a quote
    read = dict.fromkeys([*names, *keep])
    columns = {name: f"`{name.replace('`', '``')}` AS c{place}" for place, name in enumerate(read)}
    # Spark broadcasts a function above `spark.broadcast.UDFCompressionThreshold`, 1 MB, by itself;
    # with Spark Connect there is no context to broadcast by
    score_blocks = partial(
        _score_blocks,
        files=_read_files(Path(model)),
        names=list(columns),
        schema=to_arrow_schema(schema),
        n_reasons=n_reasons,
        keep=tuple(keep),
    )
    return df.selectExpr(*columns.values()).mapInArrow(score_blocks, schema)


def _find_columns(model: LeadModel, df: Any, keep: Sequence[str]) -> list[str]:
    """Return the columns that the model reads, the lead's id first."""
    lead_id, date = index_columns(model.config)
    names = [lead_id, *([date] if date else []), *model.scorer.get_column_names()]
    fixed = [*SCORED_COLUMNS, *LAST_COLUMNS]
    clashing = [name for name in keep if name in fixed or name.startswith("reason_")]
    problems = [
        f"{name!r} is missing.{did_you_mean(name, df.columns)}"
        for name in dict.fromkeys([*names, *keep])
        if name not in df.columns and name not in clashing
    ]
    problems += [f"{name!r} is a column of the scored table. Rename it." for name in clashing]
    if problems:
        message = f"{all_problems('The Spark frame', problems)}\nIt has: {', '.join(df.columns)}."
        raise DataError(message)
    return names


def _make_schema(
    model: LeadModel, id_type: Any, n_reasons: int | None, kept: dict[str, Any]
) -> Any:
    from pyspark.sql.types import StructType

    schema = StructType().add("lead_id", id_type)
    count = model.scorer.n_reasons if n_reasons is None else n_reasons
    for name in [*SCORED_COLUMNS[1:], *reason_columns(count), *LAST_COLUMNS]:
        schema = schema.add(name, _TYPES.get(name, "string"))
    for name, kind in kept.items():
        schema = schema.add(name, kind)
    return schema


def _read_files(folder: Path) -> _Files:
    """Return the files that `load_model` reads, and their hashes alone: no report, no card."""
    names = [MODEL, *sorted(path.name for path in folder.glob("booster_*.txt"))]
    sums = (folder / SUMS).read_text(encoding="utf-8").splitlines(keepends=True)
    mine = "".join(line for line in sums if line.rstrip("\n").partition("  ")[2] in names)
    files = [(name, (folder / name).read_bytes()) for name in names]
    return (*files, (SUMS, mine.encode()))


@lru_cache(maxsize=2)  # a worker process serves many partitions, and seldom two models
def _load(files: _Files) -> LeadModel:
    with TemporaryDirectory(prefix="leadml-") as folder:
        for name, data in files:
            (Path(folder) / name).write_bytes(data)
        model = load_model(folder)
    gc.freeze()  # PySpark collects garbage after every task: not what stays loaded
    return model


def _score_blocks(
    batches: Iterator[pa.RecordBatch],
    *,
    files: _Files,
    names: list[str],
    schema: pa.Schema,
    n_reasons: int | None,
    keep: Sequence[str],
) -> Iterator[pa.RecordBatch]:
    """Score the blocks of one partition; this runs in a worker."""
    model = _load(files)
    for batch in batches:
        named = batch.rename_columns(names)
        scored = model.score_arrow(named, n_reasons=n_reasons, keep=keep)
        yield from scored.cast(schema).to_batches()
