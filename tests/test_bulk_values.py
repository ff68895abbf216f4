# ruff: noqa: F811  fixtures are imported

from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd
import pytest
import small_sales
from bulk_files import assert_same, leads, odd_csv, read_back, tiny, write_leads  # noqa: F401
from small_values import valued  # noqa: F401

from leadml.batch import open_scorer, score_leads
from leadml.bulk.run import score_file
from leadml.config import load_config
from leadml.data.lead_table import read_table
from leadml.errors import DataError
from leadml.publishing import write_training
from leadml.registry.bundle import load_model, save_model
from leadml.scored import check_scored
from leadml.training import train


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("given", ["in.csv", "in.parquet", "in.jsonl"])
@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.jsonl"])
def test_blocks_are_valued_as_the_whole_file(valued, leads, tmp_path, given, name):
    path = write_leads(leads, tmp_path / given)
    expected = score_leads(valued.model, leads if given == "in.jsonl" else path, extras=["value"])
    expected["lead_id"] = leads["lead_id"]
    keep = ["status", "employees"]
    score_file(valued.model, path, tmp_path / name, extras=["value", "value"], keep=keep)
    found = read_back(tmp_path / name)
    check_scored(found)
    assert [*found][-4:] == ["deal_value", "expected_value", *keep]
    values = expected[["deal_value", "expected_value"]]
    assert values.notna().all(axis=None)
    assert values["deal_value"].nunique() > 50
    assert_same(found.drop(columns=keep), expected)


@pytest.mark.usefixtures("tiny")
def test_valued_rows_go_into_a_database_and_bad_ones_aside(valued, odd_csv, tmp_path):
    path, _, good = odd_csv
    out, crm = tmp_path / "out.csv", tmp_path / "crm.duckdb"
    done = score_file(
        valued.model, path, out, to=f"{crm}#scores", extras=["value"], on_error="reject"
    )
    assert (done.n_rows, done.n_rejected) == (145, 5)
    expected = score_leads(valued.model, good, extras=["value"])
    assert_same(read_back(out), expected)
    with duckdb.connect(crm) as database:
        assert_same(database.sql("FROM scores ORDER BY lead_id").df(), expected)


def test_values_depend_on_no_block(valued, leads, tmp_path, tiny):
    path, made = write_leads(leads, tmp_path / "in.csv"), []
    for n_bytes in (150, 10**6):
        tiny(n_bytes)
        score_file(valued.model, path, tmp_path / "out.csv", by="rules", extras=["value"])
        made.append((tmp_path / "out.csv").read_bytes())
    assert made[0] == made[1]


def test_a_rule_book_without_chances_expects_nothing(valued, leads, tmp_path):
    """Of a folder whose book was never calibrated."""
    model = load_model(valued.model)
    X = read_table(leads, model.config).X
    book, _ = open_scorer(valued.folder / "rules.toml", leads)
    folder = save_model(tmp_path / "book", replace(model, rules=book))
    path = write_leads(leads, tmp_path / "in.parquet")
    score_file(folder, path, tmp_path / "out.parquet", by="rules", extras=["value"])
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert found["probability"].isna().all()
    assert found["expected_value"].isna().all()
    values = model.compute_extras(X, ["value"])["deal_value"]
    np.testing.assert_array_equal(found["deal_value"], values)


def test_values_that_cannot_be_put_behind(valued, crm, leads, tmp_path):
    path, out = write_leads(leads, tmp_path / "in.csv"), tmp_path / "out.csv"
    score_file(valued.model, path, out, keep=["deal_value"])  # the leads' own, without extras
    with pytest.raises(DataError, match="has a column 'deal_value' of its own"):
        score_file(valued.model, path, out, keep=["deal_value"], extras=["value"])
    with pytest.raises(DataError, match="'valeu' is not known"):
        score_file(valued.model, path, out, extras=["valeu"])
    with pytest.raises(DataError, match="a rule book alone has none"):
        score_file(crm / "rules.toml", path, out, extras=["value"])
    bare = save_model(tmp_path / "bare", replace(load_model(valued.model), value=None))
    with pytest.raises(DataError, match="trained without deal values"):
        score_file(bare, path, out, extras=["value"])


@pytest.mark.usefixtures("tiny")
def test_a_valued_history(tmp_path):
    tables = small_sales.make_tables()
    worth = tables["leads"]["source"].map({"web": 100.0, "fair": 1_000.0, "partner": 5_000.0})
    noise = np.random.default_rng(3).lognormal(sigma=0.2, size=len(worth))
    tables["leads"]["amount"] = worth * noise
    settings = small_sales.write_tables(tmp_path, tables)
    settings.write_text(settings.read_text().replace("created =", 'value = "amount"\ncreated =', 1))
    folder = write_training(train(load_config(settings), structure="additive"), tmp_path / "model")
    given = {"at": small_sales.AS_OF, "extras": ["value"]}
    expected = score_leads(folder, settings, **given)
    score_file(folder, settings, tmp_path / "out.parquet", keep=["source"], **given)
    found = pd.read_parquet(tmp_path / "out.parquet")
    means = found.groupby("source")["deal_value"].mean()
    assert means["web"] < 300 < means["fair"] < 2_500 < means["partner"]
    assert_same(found.drop(columns="source"), expected)
