"""Run an exported SELECT in an engine, and compare its rows with the scored table."""

import duckdb
import numpy as np
import pandas as pd

from leadml.data.engines import as_table


def run_duckdb(sql: str, leads: pd.DataFrame) -> pd.DataFrame:
    with duckdb.connect() as connection:
        connection.register("leads", leads)
        return connection.execute(sql).df()


def run_postgres(backend, sql: str, leads: pd.DataFrame) -> pd.DataFrame:
    backend.raw_sql("DROP TABLE IF EXISTS leads").close()
    backend.create_table("leads", as_table(leads))
    with backend.raw_sql(sql) as cursor:
        names = [column.name for column in cursor.description]
        return pd.DataFrame(cursor.fetchall(), columns=names)


def run_spark(session, sql: str, leads: pd.DataFrame) -> pd.DataFrame:
    numbers = [name for name in leads if pd.api.types.is_numeric_dtype(leads[name])]
    leads = leads.astype({name: "float64" for name in numbers if leads[name].dtype != np.int64})
    kinds = {name: "double" if name in numbers else "string" for name in leads}
    kinds |= {name: "bigint" for name in numbers if leads[name].dtype == np.int64}
    rows = leads.astype(object).where(leads.notna(), None)
    rows[numbers] = leads[numbers].astype(object)  # NaN stays NaN
    schema = ", ".join(f"`{name}` {kind}" for name, kind in kinds.items())
    session.createDataFrame(rows.to_numpy().tolist(), schema).createOrReplaceTempView("leads")
    table = session.sql(sql)
    return pd.DataFrame([row.asDict() for row in table.collect()], columns=table.columns)


def assert_scored_alike(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert list(found) == list(expected)
    # an engine gives rows in any order
    found = found.set_index("lead_id").loc[expected["lead_id"]].reset_index()
    for name in expected:
        here, there = found[name], expected[name]
        if there.dtype.kind == "f":
            numbers = here.astype("float64")
            np.testing.assert_allclose(numbers, there, rtol=0, atol=1e-6, err_msg=name)
        else:
            missing = here.isna().to_numpy() & there.isna().to_numpy()
            odd = ~missing & (here.astype("object") != there.astype("object")).to_numpy()
            pairs = list(zip(here[odd], there[odd], strict=True))
            assert not odd.any(), f"{name}: {odd.sum()} rows differ, such as {pairs[:3]}"
