# ruff: noqa: F811  fixtures are imported

import gzip
import re
from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import small_sales
from bulk_files import assert_same, leads, odd_csv, read_back, tiny, write_leads  # noqa: F401

from leadml.batch import load_scorer, score_leads
from leadml.bulk.run import score_file
from leadml.config import load_config
from leadml.errors import DataError
from leadml.publishing import write_training
from leadml.registry.bundle import save_model
from leadml.scored import check_scored
from leadml.training import train


@pytest.fixture(scope="module")
def full_folder(crm, tmp_path_factory):
    """A model folder of the full structure."""
    config = load_config(crm / "leadml.toml")
    return write_training(train(config, structure="full"), tmp_path_factory.mktemp("full") / "full")


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("given", ["in.csv", "in.csv.gz", "in.parquet", "in", "in.jsonl"])
@pytest.mark.parametrize("by", ["model", "rules"])
def test_blocks_score_as_the_whole_file(model_folder, leads, tmp_path, given, by):
    path = write_leads(leads, tmp_path / given)
    if given == "in":
        leads = pd.concat([leads[number::3] for number in range(3)], ignore_index=True)
    expected = score_leads(model_folder, leads if given == "in.jsonl" else path, by=by)
    assert expected["score"].nunique() >= 10
    expected["lead_id"] = leads["lead_id"]
    seen = []
    done = score_file(model_folder, path, tmp_path / "out.parquet", by=by, progress=seen.append)
    found = pd.read_parquet(tmp_path / "out.parquet")
    check_scored(found)
    assert_same(found, expected)
    assert found["lead_id"].tolist() == leads["lead_id"].tolist()
    assert (done.n_rows, done.n_rejected, done.rejected) == (150, 0, None)
    assert done.bands == expected["band"].value_counts().to_dict()
    assert len(seen) > 5
    assert seen[-1].rows == 150
    assert seen[-1].done == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([given, "out.parquet"])


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.parquet", "out.jsonl"])
@pytest.mark.parametrize("rows", [11, 10**6])
def test_every_format_holds_the_scored_table(model_folder, leads, tmp_path, tiny, name, rows):
    tiny(rows=rows)
    path = write_leads(leads, tmp_path / "in.parquet")
    expected = score_leads(model_folder, path, n_reasons=2)
    score_file(model_folder, path, tmp_path / name, n_reasons=2)
    found = read_back(tmp_path / name)
    check_scored(found)
    assert_same(found, expected)


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("reasons_for", ["all", "warm", "hot", "none"])
def test_reasons_for_some_leads_of_a_full_model(full_folder, leads, tmp_path, reasons_for):
    path = write_leads(leads, tmp_path / "in.csv")
    expected = score_leads(full_folder, path)
    score_file(full_folder, path, tmp_path / "out.csv", reasons_for=reasons_for)
    found = read_back(tmp_path / "out.csv")
    told = ["reason_1", "reason_2", "reason_3", "fit", "engagement"]
    assert_same(found.drop(columns=told), expected.drop(columns=told))
    bands = {"all": ["hot", "warm", "cold"], "warm": ["hot", "warm"], "hot": ["hot"], "none": []}
    is_told = expected["band"].isin(bands[reasons_for])
    assert reasons_for == "none" or is_told.any()
    assert found.loc[~is_told, told].isna().all(axis=None)
    assert_same(found[is_told], expected[is_told])


@pytest.mark.usefixtures("tiny")
def test_reasons_for_some_leads_of_a_points_model(model_folder, leads, tmp_path):
    path = write_leads(leads, tmp_path / "in.csv")
    expected = score_leads(model_folder, path)
    score_file(model_folder, path, tmp_path / "out.csv", reasons_for="hot")
    found = read_back(tmp_path / "out.csv")
    reasons = ["reason_1", "reason_2", "reason_3"]
    assert found.loc[found["band"] != "hot", reasons].isna().all(axis=None)
    expected.loc[expected["band"] != "hot", reasons] = None
    assert_same(found, expected)


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("given", ["in.csv", "in.parquet", "in.jsonl"])
@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.jsonl"])
def test_columns_are_carried_through(model_folder, leads, tmp_path, given, name):
    path = write_leads(leads.assign(source=leads["source"].str.strip()), tmp_path / given)
    keep = ["deal_value", "source", "visits", "free_note", "created_at", "source"]
    score_file(model_folder, path, tmp_path / name, keep=keep)
    found = read_back(tmp_path / name)
    own = list(dict.fromkeys(keep))
    assert list(found)[-5:] == own
    expected = score_leads(model_folder, leads if given == "in.jsonl" else path)
    assert_same(found.drop(columns=own), expected.assign(lead_id=leads["lead_id"]))
    assert found["deal_value"].astype(int).tolist() == leads["deal_value"].tolist()
    assert found["free_note"].tolist() == leads["free_note"].tolist()
    visits = pd.to_numeric(found["visits"]).astype("Float64")
    assert visits.fillna(-1).tolist() == leads["visits"].fillna(-1).tolist()
    assert (pd.to_datetime(found["created_at"]) == pd.to_datetime(leads["created_at"])).all()


def test_columns_that_cannot_be_carried_through(model_folder, leads, tmp_path):
    path = write_leads(leads, tmp_path / "in.csv")
    with pytest.raises(DataError, match="has 4 problems") as caught:
        score_file(
            model_folder, path, tmp_path / "out.csv", keep=["deal_valeu", "lead_id", "reason_9"]
        )
    assert "no column 'deal_valeu'. Did you mean 'deal_value'?" in str(caught.value)
    assert "has a column 'lead_id' of its own" in str(caught.value)


def test_the_first_bad_block_stops_with_all_its_problems(model_folder, odd_csv, tmp_path, tiny):
    path, _, _ = odd_csv
    out = tmp_path / "out.csv"
    with pytest.raises(DataError) as caught:
        score_file(model_folder, path, out)
    assert re.search(r"values, but the header names \d+ columns \(row 20\)\.", str(caught.value))
    assert "(row 31" not in str(caught.value)
    tiny(10**6)
    with pytest.raises(DataError, match="has 5 problems") as caught:
        score_file(model_folder, path, out)
    told = str(caught.value)
    assert "'visits' is no number (row 31)." in told
    assert "the lead's id is empty (row 32)." in told
    assert "'created_at' is no date (as 2026-01-31) (row 33)." in told
    assert "1 values, but the header names" in told
    assert "(row 100)." in told
    assert "--on-error reject" in told
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("n_bytes", [300, 1_000, 10**6])
def test_bad_rows_are_put_aside(model_folder, odd_csv, tmp_path, tiny, n_bytes):
    tiny(n_bytes)
    path, bad, good = odd_csv
    done = score_file(model_folder, path, tmp_path / "out.csv", on_error="reject")
    assert (done.n_rows, done.n_rejected) == (145, 5)
    assert done.rejected == tmp_path / "out.csv.rejected.csv"
    found = read_back(tmp_path / "out.csv")
    assert_same(found, score_leads(model_folder, good))
    assert sum(done.bands.values()) == 145
    rejected = pd.read_csv(done.rejected, dtype="str", keep_default_na=False)
    assert list(rejected) == ["row", "lead_id", "reason", "content"]
    assert rejected["row"].tolist() == [str(row) for row in bad]
    assert rejected["lead_id"].tolist() == ["", "00030", "", "00032", ""]
    assert rejected["reason"][1] == "'visits' is no number"
    assert rejected["content"][4] == "short"
    assert '"visits": "many"' in rejected["content"][1]


def test_an_id_that_stands_twice(model_folder, leads, tmp_path):
    twice = pd.concat([leads, leads[3:5].assign(lead_id=[" 00003 ", "x"])], ignore_index=True)
    path = write_leads(twice, tmp_path / "in.csv")
    with pytest.raises(DataError, match=r"stands in an earlier row \(row 151\)"):
        score_file(model_folder, path, tmp_path / "out.csv")
    done = score_file(model_folder, path, tmp_path / "out.csv", on_error="reject")
    assert (done.n_rows, done.n_rejected) == (151, 1)
    assert read_back(tmp_path / "out.csv")["lead_id"].tolist()[-2:] == ["00149", "x"]


def test_blanks_and_texts_that_mean_missing_in_ids_and_dates(model_folder, leads, tmp_path):
    dates = leads["created_at"].where(leads.index > 1, " ")
    dates = dates.where(leads.index != 2, "SELECT").where(leads.index != 3, " 2025-01-01 ")
    changed = leads.assign(created_at=dates, lead_id=" " + leads["lead_id"])
    path = write_leads(changed, tmp_path / "in.csv")
    score_file(model_folder, path, tmp_path / "out.csv")
    expected = score_leads(model_folder, changed)
    assert_same(read_back(tmp_path / "out.csv"), expected)
    write_leads(changed.assign(lead_id="select"), path)
    with pytest.raises(DataError, match=r"id is empty \(rows 1, 2, 3, 4, 5 and 145 more\)"):
        score_file(model_folder, path, tmp_path / "out.csv")


@pytest.mark.parametrize("odd", ["nan", "inf", "n/a"])
def test_a_bad_row_is_bad_in_any_block(model_folder, leads, tmp_path, tiny, odd):
    visits = leads["visits"].astype(object)
    visits[[4, 140]] = [odd, "many"]
    path = write_leads(leads.assign(visits=visits), tmp_path / "in.csv")
    for n_bytes in (300, 10**6):
        tiny(n_bytes)
        done = score_file(model_folder, path, tmp_path / "out.csv", on_error="reject")
        assert pd.read_csv(done.rejected)["row"].tolist() == [5, 141]


def test_values_that_training_could_not_read_either_are_missing(model_folder, leads, tmp_path):
    # a training that met none is strict; one that met some is not
    strict, model = load_scorer(model_folder)
    profile = strict.estimator_[0]
    profile.unreadable_ = {"visits": 2}
    folder = save_model(tmp_path / "lenient", replace(model, scorer=strict))
    visits = leads["visits"].astype(object)
    visits[4] = "many"
    path = write_leads(leads.assign(visits=visits), tmp_path / "in.csv")
    assert score_file(folder, path, tmp_path / "out.csv").n_rows == 150
    visits[4] = None
    expected = score_leads(folder, leads.assign(visits=visits))
    assert_same(read_back(tmp_path / "out.csv"), expected)


def test_ids_of_every_type(model_folder, leads, tmp_path):
    table = pa.Table.from_pandas(leads, preserve_index=False)
    place = table.column_names.index("lead_id")
    kinds = {
        "dictionary": table["lead_id"].dictionary_encode(),
        "int64": pa.chunked_array([np.arange(150) * 10**12]),
        "date": pa.chunked_array([pa.array(np.arange(150), pa.int32()).cast(pa.date32())]),
        "large": table["lead_id"].cast(pa.large_string()),
    }
    for name, ids in kinds.items():
        pq.write_table(table.set_column(place, "lead_id", ids), tmp_path / "in.parquet")
        score_file(model_folder, tmp_path / "in.parquet", tmp_path / "out.parquet")
        found = pd.read_parquet(tmp_path / "out.parquet")["lead_id"]
        assert found.tolist() == ids.to_pylist(), name
    nothing = table.set_column(place, "lead_id", pa.nulls(150))
    pq.write_table(nothing, tmp_path / "in.parquet")
    with pytest.raises(DataError, match="id is empty"):
        score_file(model_folder, tmp_path / "in.parquet", tmp_path / "out.parquet")


def test_files_that_do_not_fit(model_folder, leads, tmp_path):
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    write_leads(leads.drop(columns=["visits", "phone"]), path)
    with pytest.raises(DataError, match="has 2 problems") as caught:
        score_file(model_folder, path, out)
    assert "'visits' is missing." in str(caught.value)
    write_leads(leads[:0], path)
    with pytest.raises(DataError, match="has no rows"):
        score_file(model_folder, path, out)
    with pytest.raises(DataError, match="does not exist"):
        score_file(model_folder, tmp_path / "none.csv", out)
    with pytest.raises(DataError, match="Say where the scores go"):
        score_file(model_folder, path)
    with pytest.raises(DataError, match="Only a file can be resumed"):
        score_file(model_folder, path, out, to="crm.duckdb#scores", resume=True)
    path.write_bytes(gzip.compress(leads.to_csv(index=False).encode())[:-30])
    with pytest.raises(DataError, match="cannot be read"):
        score_file(model_folder, path, out)
    assert [each.name for each in tmp_path.iterdir()] == ["in.csv"]


@pytest.mark.usefixtures("tiny")
def test_all_rows_rejected(model_folder, leads, tmp_path):
    path = write_leads(leads.assign(visits="many"), tmp_path / "in.csv")
    for name in ("out.csv", "out.parquet", "out.jsonl"):
        done = score_file(model_folder, path, tmp_path / name, on_error="reject")
        assert (done.n_rows, done.n_rejected) == (0, 150)
    assert pd.read_csv(tmp_path / "out.csv").empty
    assert pd.read_parquet(tmp_path / "out.parquet").empty
    assert (tmp_path / "out.jsonl").read_bytes() == b""


@pytest.mark.usefixtures("tiny")
def test_a_rule_book_alone(crm, leads, tmp_path):
    path = write_leads(leads, tmp_path / "in.csv")
    expected = score_leads(crm / "rules.toml", path)
    done = score_file(crm / "rules.toml", path, tmp_path / "out.jsonl", n_reasons=1)
    found = read_back(tmp_path / "out.jsonl")
    assert_same(found, expected.drop(columns=["reason_2", "reason_3"]))
    assert done.bands == expected["band"].value_counts().to_dict()


@pytest.fixture(scope="module")
def sales(tmp_path_factory):
    """A folder of a history and its model."""
    folder = tmp_path_factory.mktemp("sales")
    settings = small_sales.write_tables(folder, small_sales.make_tables())
    write_training(train(load_config(settings), structure="additive"), folder / "model")
    return folder


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("leads_of", ["leadml.toml", "leads.csv"])
def test_a_history(sales, tmp_path, leads_of):
    given = {"history": sales / "leadml.toml"} if leads_of == "leads.csv" else {}
    expected = score_leads(sales / "model", sales / leads_of, at=small_sales.AS_OF, **given)
    notes = []
    done = score_file(
        sales / "model",
        sales / leads_of,
        tmp_path / "out.parquet",
        at=small_sales.AS_OF,
        keep=["source"],
        tell=notes.append,
        **given,
    )
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert found.pop("source").isin(["web", "fair", "partner"]).all()
    assert_same(found, expected)
    assert done.n_rows == len(expected) > 50


def test_a_table_of_a_database(model_folder, leads, tmp_path):
    with duckdb.connect(tmp_path / "crm.duckdb") as crm:
        crm.execute("CREATE TABLE leads AS FROM leads")
    expected = score_leads(model_folder, leads)
    score_file(model_folder, f"{tmp_path}/crm.duckdb#leads", tmp_path / "out.parquet")
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert_same(found.sort_values("lead_id", ignore_index=True), expected)


@pytest.mark.usefixtures("tiny")
def test_scores_go_into_a_database(model_folder, leads, tmp_path):
    path = write_leads(leads, tmp_path / "in.csv")
    expected = score_leads(model_folder, leads)
    for _ in range(2):  # the second time rows are updated
        done = score_file(
            model_folder, path, tmp_path / "out.csv", to=f"{tmp_path}/crm.duckdb#scores"
        )
    assert done.n_rows == 150
    with duckdb.connect(tmp_path / "crm.duckdb") as crm:
        found = crm.sql("FROM scores ORDER BY lead_id").df()
    assert_same(found, expected)
    assert_same(read_back(tmp_path / "out.csv"), expected)


@pytest.mark.usefixtures("tiny")
def test_an_error_changes_neither_file_nor_database(model_folder, odd_csv, tmp_path):
    with pytest.raises(DataError, match="row 20"):
        score_file(
            model_folder, odd_csv[0], tmp_path / "out.csv", to=f"{tmp_path}/crm.duckdb#scores"
        )
    assert not list(tmp_path.iterdir())


def test_no_row_depends_on_its_block(model_folder, full_folder, leads, tmp_path, tiny):
    path = write_leads(leads, tmp_path / "in.csv")
    for folder in (model_folder, full_folder):
        made = []
        for n_bytes in (150, 3_000, 10**6):
            tiny(n_bytes)
            score_file(folder, path, tmp_path / "out.csv")
            made.append((tmp_path / "out.csv").read_bytes())
        assert made[0] == made[1] == made[2]
