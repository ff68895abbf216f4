"""Fetch activity features into a frame: from DuckDB in chunks, within its memory limit."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadml.data.engines import as_frame, computing
from leadml.features.activities import (
    compute_activity_features,
    date_events,
    find_active_people,
    sum_dated_events,
)
from leadml.features.activity_plan import ActivityPlan

DECIMALS = 6  # the order in which an engine adds must not be seen
CHUNK = 125_000  # snapshots: their sums by kind fit into the caches better than all at once


def collect_features(
    engine: Any, spine: Any, events: Sequence[Any], plan: ActivityPlan, people: Any, n_rows: int
) -> pd.DataFrame:
    """Return the plan's activity features in the order of `row`, shape (n_rows, n_features).

    Parameters
    ----------
    engine : Ibis backend
    spine, events, plan, people
        As `compute_activity_features` takes them; `row` counts from 0.
    n_rows : int
        Snapshots.
    """
    if engine.name == "duckdb" and n_rows > CHUNK:
        chunks = _chunks(engine, spine, events, plan, people, n_rows)
    else:
        chunks = iter([as_frame(engine, compute_activity_features(spine, events, plan, people))])
    columns: dict[str, np.ndarray] = {}
    for chunk in chunks:
        rows = chunk.pop("row").to_numpy()
        for name in chunk:
            values = chunk[name].to_numpy()
            if values.dtype.kind == "f":
                values = np.round(values, DECIMALS)
            # filled in place: joining frames would hold everything twice
            columns.setdefault(str(name), np.empty(n_rows, values.dtype))[rows] = values
    return pd.DataFrame(columns)


def _chunks(
    engine: Any, spine: Any, events: Sequence[Any], plan: ActivityPlan, people: Any, n_rows: int
) -> Iterator[pd.DataFrame]:
    """Date all events once, into narrow tables, and sum them chunk by chunk.

    One sum over all snapshots is held whole, and would be written to disk and read again.
    """
    kept = {
        f"leadml_dated_{place}": date_events(spine, table, place, plan)
        for place, table in enumerate(events)
    }
    parts = [f"{name}_part" for name in kept]
    if people is not None:
        kept["leadml_active"] = find_active_people(people, events, plan)
    kept["leadml_rows"] = spine.select("row")
    with computing(engine):
        for name, table in kept.items():
            engine.raw_sql(f"CREATE OR REPLACE TEMP TABLE {name} AS {engine.compile(table)}")
    sql = ""
    for start in range(0, n_rows, CHUNK):
        for name in kept:
            engine.raw_sql(
                f"CREATE OR REPLACE TEMP VIEW {name}_part AS "
                f"FROM {name} WHERE row >= {start} AND row < {start + CHUNK}"
            )
        if not sql:
            dated = [_view(engine, name) for name in parts]
            active = None if people is None else _view(engine, "leadml_active_part")
            rows = _view(engine, "leadml_rows_part")
            sql = str(engine.compile(sum_dated_events(rows, dated, plan, active)))
        with computing(engine):
            rows_of_chunk = engine.con.sql(sql).to_arrow_table()
        yield rows_of_chunk.to_pandas()
    for name in kept:
        engine.raw_sql(f"DROP VIEW {name}_part")
        engine.raw_sql(f"DROP TABLE {name}")


def _view(engine: Any, name: str) -> Any:
    return engine.table(name, database=("temp", "main"))
