"""The contenders of `benchmarks.history`: the same activity features, each in a process of its own.

`python -m benchmarks._history_peers NAME FOLDER MEMORY [OUT]` prints seconds and memory as JSON.
"""
# ruff: noqa: S608

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

AT = pd.Timestamp("2026-01-01")
KINDS = (
    "page view", "pricing page", "download", "webinar", "email open", "email click",
    "demo request", "form", "chat", "call",
)  # fmt: skip
CONTENT, SALES_READY = ("download", "webinar"), ("pricing page", "demo request")
WINDOWS = (7, 30, 90)
HALF_LIFE = 14
DAY = 86_400_000_000  # microseconds
MEASURE = "seconds"
DECAY = -0.6931471805599453 / HALF_LIFE / DAY
_BITS = 45
STEMS = {kind: kind.replace(" ", "_") for kind in KINDS}


def make_tables(folder: Path, n_activities: int) -> None:
    """Write `leads.parquet` and `activities.parquet`, one lead to 40 activities.

    A hash of the row's number stands for chance: the rows do not depend on the threads.
    """
    import duckdb

    n_leads = n_activities // 40
    engine = duckdb.connect(config={"temp_directory": str(folder), "memory_limit": "4GB"})
    engine.sql("SET enable_progress_bar = false")
    engine.sql("SET preserve_insertion_order = false")
    lead = "'00Q5f00000' || lpad(({})::VARCHAR, 8, '0')"  # as long as an id of Salesforce
    engine.sql(f"""
        COPY (
            SELECT {lead.format("i")} AS lead_id,
                TIMESTAMP '2025-01-01' + to_microseconds((hash(8 * i) % {370 * DAY})::BIGINT)
                    AS created,
                CASE WHEN hash(8 * i + 1) % 10 = 0 THEN 'won' END AS status
            FROM range({n_leads}) t(i)
        ) TO '{folder}/leads.parquet'
    """)
    # the first kinds are frequent, some leads are far more active than others
    active = f"floor({n_leads} * power(hash(8 * i + 2) / 2.0**64, 1.5))::BIGINT"
    engine.sql(f"""
        COPY (
            SELECT {lead.format(active)} AS lead_id,
                TIMESTAMP '2025-01-01'
                    + to_microseconds((hash(8 * i + 3) % {380 * DAY})::BIGINT) AS at,
                {list(KINDS)}[1 + floor(10 * power(hash(8 * i + 4) / 2.0**64, 1.5))::INT] AS kind,
                CASE WHEN hash(8 * i + 5) % 4 > 0 THEN (hash(8 * i + 6) % 6000) / 10 END
                    AS {MEASURE}
            FROM range({n_activities}) t(i)
        ) TO '{folder}/activities.parquet'
    """)


def build_with_leadml(folder: Path, memory: str, *, discover: bool = False) -> pd.DataFrame:
    """Return the features as a user gets them; `discover` leaves the kinds to be found."""
    from leadml.config import Config
    from leadml.data.history import open_history
    from leadml.features.snapshots import build_features

    activities = {
        "path": str(folder / "activities.parquet"),
        "lead": "lead_id", "at": "at", "kind": "kind", "measures": [MEASURE],
    }  # fmt: skip
    if not discover:
        activities["kinds"] = list(KINDS)
    config = Config.model_validate(
        {
            "leads": {
                "path": str(folder / "leads.parquet"), "id": "lead_id", "created": "created",
            },
            "outcome": {"column": "status", "won": ["won"], "lost": ["lost"]},
            "activities": [activities],
            "snapshots": {
                "ages": ["0D"],
                "windows": [f"{days}D" for days in WINDOWS],
                "half_life": f"{HALF_LIFE}D",
                "content": list(CONTENT),
                "sales_ready": list(SALES_READY),
                "memory": memory,
            },
        }
    )  # fmt: skip
    return build_features(open_history(config), AT)


def build_with_discovery(folder: Path, memory: str) -> pd.DataFrame:
    """Return the features of kinds found in a pass of their own."""
    return build_with_leadml(folder, memory, discover=True)


def build_in_one_pass(folder: Path, memory: str) -> pd.DataFrame:
    """Return the features by one aggregate with a filter for each column."""
    columns = []
    for kind, stem in STEMS.items():
        mine = f"kind = '{kind}'"
        columns += [
            f"coalesce(sum(decay) FILTER ({mine}), 0) AS {stem}_decayed",
            f"min(age) FILTER ({mine}) / {DAY} AS days_since_{stem}",
        ]
        for days in WINDOWS:
            where = f"FILTER ({mine} AND day < {days})"
            bits = f"bit_count(bit_or(bit) {where})"
            columns += [
                f"count(*) {where} AS {stem}_{days}d",
                f"coalesce({bits}, 0) AS {stem}_active_days_{days}d",
                f"coalesce(sum({MEASURE}) {where}, 0) AS {stem}_{MEASURE}_{days}d",
            ]
    columns += [f"count(*) FILTER (day < {days}) AS activities_{days}d" for days in WINDOWS]
    columns += [f"min(age) / {DAY} AS days_since_activity", _sql_first_to_first("max(age)")]
    return _run_duckdb(f"SELECT row, {', '.join(columns)} FROM past GROUP BY ALL", folder, memory)


def build_in_two_stages(folder: Path, memory: str) -> pd.DataFrame:
    """Return the features by sums of each lead and kind, joined side by side."""
    sums = ", ".join(
        f"count(*) {where} AS n{days}, sum({MEASURE}) {where} AS s{days}"
        for days in WINDOWS
        for where in [f"FILTER (day < {days})"]
    )
    stages = f"""
        WITH sums AS MATERIALIZED (
            SELECT row, kind, {sums}, bit_or(bit) AS bits, sum(decay) AS decayed,
                min(age) AS newest, max(age) AS oldest
            FROM past GROUP BY ALL
        )
    """
    columns, joins = [], []
    for kind, stem in STEMS.items():
        columns += [
            f"coalesce({stem}.decayed, 0) AS {stem}_decayed",
            f"{stem}.newest / {DAY} AS days_since_{stem}",
        ]
        for days in WINDOWS:
            bits = f"bit_count({stem}.bits & ((1::HUGEINT << {days}) - 1))"
            columns += [
                f"coalesce({stem}.n{days}, 0) AS {stem}_{days}d",
                f"coalesce({bits}, 0) AS {stem}_active_days_{days}d",
                f"coalesce({stem}.s{days}, 0) AS {stem}_{MEASURE}_{days}d",
            ]
        joins.append(
            f"LEFT JOIN (FROM sums WHERE kind = '{kind}') AS {stem} ON {stem}.row = total.row"
        )
    totals = ", ".join(f"sum(n{days})::BIGINT AS activities_{days}d" for days in WINDOWS)
    total = f"""
        (SELECT row, {totals}, min(newest) / {DAY} AS days_since_activity,
            {_sql_first_to_first("max(oldest)")} FROM sums GROUP BY ALL) AS total
    """
    query = f"{stages} SELECT total.*, {', '.join(columns)} FROM {total} {' '.join(joins)}"
    return _run_duckdb(query, folder, memory)


def _sql_first_to_first(oldest: str) -> str:
    content, ready = (f"{oldest} FILTER (kind IN {kinds})" for kinds in (CONTENT, SALES_READY))
    return f"({content} - {ready}) / {DAY} AS days_content_to_sales_ready"


def _run_duckdb(query: str, folder: Path, memory: str) -> pd.DataFrame:
    """Return the features of all leads in order; `past` holds the activities before."""
    import duckdb

    settings = {"memory_limit": memory, "temp_directory": tempfile.mkdtemp()}
    engine = duckdb.connect(config=settings)
    engine.sql("SET preserve_insertion_order = false")
    engine.sql(f"""
        CREATE TEMP TABLE leads AS SELECT (row_number() OVER () - 1)::INT AS row, lead_id
        FROM '{folder}/leads.parquet' WHERE created <= TIMESTAMP '{AT}'
    """)
    engine.sql(f"""
        CREATE TEMP VIEW past AS
        SELECT row, kind, {MEASURE}, age, age // {DAY} AS day,
            CASE WHEN day < {WINDOWS[-1]} THEN 1::HUGEINT << day::INT END AS bit,
            exp(age * {DECAY}) AS decay
        FROM (
            SELECT *, epoch_us(TIMESTAMP '{AT}') - epoch_us("at") AS age
            FROM '{folder}/activities.parquet' JOIN leads USING (lead_id)
            WHERE "at" < TIMESTAMP '{AT}'
        )
    """)
    found = engine.sql(f"""
        SELECT lead_id, found.* EXCLUDE (row) FROM leads LEFT JOIN ({query}) AS found
        ON found.row = leads.row ORDER BY leads.row
    """)
    frame = found.to_arrow_table().to_pandas(split_blocks=True, self_destruct=True)
    return _finish(frame)


def _finish(frame: pd.DataFrame) -> pd.DataFrame:
    short, long = WINDOWS[:2]
    recent, before = frame[f"activities_{short}d"], frame[f"activities_{long}d"]
    velocity = 7 * (recent / short - (before - recent) / (long - short))
    velocity = velocity.rename(f"activities_velocity_{short}d")
    return pd.concat([frame, velocity], axis="columns").set_index("lead_id")


def build_with_polars(folder: Path, memory: str) -> pd.DataFrame:
    """Return the features by sums of each lead and kind, joined side by side, in Polars."""
    import polars as pl

    del memory  # Polars takes no limit
    at = AT.to_pydatetime()
    leads = pl.scan_parquet(folder / "leads.parquet").filter(pl.col("created") <= at)
    leads = leads.select("lead_id").with_row_index("row")
    age, day = pl.col("age"), pl.col("day")
    ages = pl.lit(at).cast(pl.Datetime("us")).cast(pl.Int64) - pl.col("at").cast(pl.Int64)
    bits = {  # a 64-bit number holds 45 days
        f"bits{start}": pl.when((day >= start) & (day < start + _BITS)).then(
            pl.lit(2, pl.Int64) ** (day - start).clip(0, _BITS)
        )
        for start in range(0, WINDOWS[-1], _BITS)
    }
    sums = (
        pl.scan_parquet(folder / "activities.parquet")
        .filter(pl.col("at") < at)
        .join(leads, on="lead_id")
        .select("row", "kind", MEASURE, age=ages, day=ages // DAY)
        .with_columns(decayed=(age * DECAY).exp(), **bits)
        .group_by("row", "kind")
        .agg(
            *[(day < days).sum().alias(f"n{days}") for days in WINDOWS],
            *[pl.col(MEASURE).filter(day < days).sum().alias(f"s{days}") for days in WINDOWS],
            *[pl.col(name).bitwise_or() for name in bits],
            pl.col("decayed").sum(),
            newest=age.min(),
            oldest=age.max(),
        )
        .collect(engine="streaming")
        .lazy()
    )
    wide = leads
    for kind, stem in STEMS.items():
        mine = sums.filter(pl.col("kind") == kind).select("row", *_polars_columns(stem))
        wide = wide.join(mine, on="row", how="left")
    content, ready = (
        pl.col("oldest").filter(pl.col("kind").is_in(kinds)).max()
        for kinds in (CONTENT, SALES_READY)
    )
    total = sums.group_by("row").agg(
        *[pl.col(f"n{days}").sum().alias(f"activities_{days}d") for days in WINDOWS],
        days_since_activity=pl.col("newest").min() / DAY,
        days_content_to_sales_ready=(content - ready) / DAY,
    )
    wide = wide.join(total, on="row", how="left").sort("row").drop("row")
    zeros = pl.selectors.numeric() - pl.selectors.starts_with("days_")
    return _finish(wide.with_columns(zeros.fill_null(0)).collect(engine="streaming").to_pandas())


def _polars_columns(stem: str) -> list[Any]:
    import polars as pl

    columns = {
        f"{stem}_decayed": pl.col("decayed"),
        f"days_since_{stem}": pl.col("newest") / DAY,
    }
    for days in WINDOWS:
        words = [
            pl.col(f"bits{start}").fill_null(0) & (2 ** min(days - start, _BITS) - 1)
            for start in range(0, days, _BITS)
        ]
        columns[f"{stem}_{days}d"] = pl.col(f"n{days}")
        columns[f"{stem}_active_days_{days}d"] = sum(w.bitwise_count_ones() for w in words)
        columns[f"{stem}_{MEASURE}_{days}d"] = pl.col(f"s{days}")
    return [value.alias(name) for name, value in columns.items()]


CONTENDERS: dict[str, Callable[[Path, str], pd.DataFrame]] = {
    "leadml": build_with_leadml,
    "leadml, kinds found": build_with_discovery,
    "DuckDB, two stages": build_in_two_stages,
    "DuckDB, one pass": build_in_one_pass,
    "Polars": build_with_polars,
}


def main(name: str, folder: str, memory: str, out: str = "") -> None:
    """Run a contender, print its cost and write its features."""
    wall, cpu = time.perf_counter(), time.process_time()
    features = CONTENDERS[name](Path(folder), memory)
    cost = {
        "seconds": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "bytes": _peak_memory(),
        "rows": len(features),
    }
    print(json.dumps(cost))
    if out:
        features = features.droplevel([n for n in features.index.names if n != "lead_id"])
        features.sort_index(axis="columns").to_parquet(out)


def _peak_memory() -> int:
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count the memory of the process that started this one
        text = status.read_text(encoding="ascii")
        return 1024 * int(text.partition("VmHWM:")[2].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
