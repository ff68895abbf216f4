import builtins
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import small_crm
import small_sales
from servers import spark  # noqa: F401

import leadml.spark
from leadml.config import load_config
from leadml.data.history import open_history
from leadml.errors import DataError, MissingExtraError, ModelFolderError
from leadml.features.snapshots import build_features
from leadml.pipelines import make_model, make_scorer
from leadml.registry.bundle import LeadModel, load_model, save_model
from leadml.rows import read_rows

pytestmark = [
    # PySpark and Ibis call old names of pandas, and py4j leaves its sockets to the collector
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

# before the session starts: the workers need the packages of this Python

STRUCTURES = ["additive", "pairwise", "full"]


def fit_model(config, structure, folder):
    table, config = read_rows(config)
    closed = table.closed()
    scorer = make_scorer(config, make_model(config, structure), name=structure)
    save_model(folder, LeadModel(scorer.fit(closed.X, closed.y), None, config, {}))


@pytest.fixture(scope="module")
def folders(crm, training, model_folder, tmp_path_factory):
    """A model folder of each structure, and of the rule book on the model's scale."""
    folder = tmp_path_factory.mktemp("models")
    for structure in STRUCTURES[1:]:
        fit_model(load_config(crm / "leadml.toml"), structure, folder / structure)
    rules = replace(training.model, scorer=training.model.rules, rules=None)
    save_model(folder / "rules", rules)
    return {"additive": model_folder} | {name: folder / name for name in [*STRUCTURES[1:], "rules"]}


@pytest.fixture(scope="module")
def leads():
    """Leads with empty cells and values that no training lead has."""
    leads = small_crm.make_leads(200, seed=9)
    leads.loc[::5, "source"] = "never seen"
    leads.loc[1::5, "source"] = ""
    leads.loc[::7, "employees"] = 10**9
    leads.loc[1::7, ["visits", "job_title", "email", "budget"]] = None
    leads.loc[2::7, "visits"] = 1e-40
    return leads


@pytest.fixture
def put(spark, tmp_path):  # noqa: F811
    """A function that brings a frame into Spark."""

    def put_frame(frame, name="leads"):
        frame.to_parquet(tmp_path / f"{name}.parquet", index=False)
        return spark.read.parquet(str(tmp_path / f"{name}.parquet"))

    return put_frame


def assert_same(found, expected):
    """Compare every row and column, by lead."""
    found = found.toPandas().sort_values("lead_id", ignore_index=True)
    expected = expected.sort_values("lead_id", ignore_index=True)
    empty = [name for name in expected if expected[name].isna().all()]
    assert found[empty].isna().all(axis=None)  # whatever the type of what is not there
    found[empty] = expected[empty]
    assert list(found) == list(expected)
    pd.testing.assert_frame_equal(found, expected, rtol=0, atol=1e-9, check_dtype=False)


@pytest.mark.parametrize("name", [*STRUCTURES, "rules"])
def test_the_workers_score_as_this_process_does(folders, leads, put, name):
    expected = load_model(folders[name]).score_leads(leads)
    assert expected["score"].nunique() >= 10
    whole = put(leads)
    for frame in (whole.coalesce(1), whole.repartition(20, "source")):  # most of these are empty
        assert_same(leadml.spark.score(frame, folders[name]), expected)


def test_types_are_those_of_the_scored_table(folders, leads, put):
    scored = leadml.spark.score(put(leads), str(folders["additive"]), n_reasons=1)
    assert scored.dtypes == [
        ("lead_id", "string"),
        ("probability", "double"),
        ("score", "bigint"),
        ("band", "string"),
        ("stage", "string"),
        ("fit", "double"),
        ("engagement", "double"),
        ("qualified", "boolean"),
        ("bant", "string"),
        ("reason_1", "string"),
        ("points", "double"),
        ("model", "string"),
        ("version", "string"),
    ]
    expected = load_model(folders["additive"]).score_leads(leads)
    assert_same(scored, expected.drop(columns=["reason_2", "reason_3"]))
    assert scored.filter("points IS NULL AND reason_1 IS NOT NULL").count() == len(leads)


def test_ids_of_numbers_times_and_columns_carried_through(folders, leads, put):
    extra = {
        "lead_id": np.arange(len(leads)) * 10**12,
        "created_at": pd.to_datetime(leads["created_at"]).dt.tz_localize("UTC").dt.as_unit("us"),
        "a `b`.c": [None, 1, 2, 3] * 50,
        "deal_value": leads["deal_value"].astype("int32"),
    }
    changed = leads.assign(**extra)
    kept = ["a `b`.c", "created_at", "deal_value"]
    scored = leadml.spark.score(put(changed).repartition(3), folders["additive"], keep=kept)
    types = dict(scored.dtypes)
    assert types["lead_id"] == "bigint"
    assert [types[name] for name in kept] == ["double", "timestamp", "int"]
    expected = load_model(folders["additive"]).score_leads(changed)
    assert_same(scored.drop(*kept), expected)
    found = scored.select("lead_id", "`a ``b``.c`", "deal_value").toPandas()
    found = found.sort_values("lead_id", ignore_index=True)
    pd.testing.assert_frame_equal(
        found, changed[["lead_id", kept[0], "deal_value"]], check_dtype=False
    )
    wrong = scored.selectExpr("sum(unix_micros(created_at))").collect()[0][0]
    assert wrong == int(changed["created_at"].astype("int64").sum())


def test_the_other_columns_stay_in_the_jvm(folders, leads, put):
    scored = leadml.spark.score(put(leads), folders["additive"])
    plan = scored._jdf.queryExecution().optimizedPlan().toString()
    read = re.search(r"Project \[(.*)\]", plan)[1]
    assert "visits#" in read
    assert "free_note#" not in read
    assert "deal_value#" not in read


def test_a_frame_without_leads(folders, leads, put):
    assert leadml.spark.score(put(leads).filter("1 = 0"), folders["additive"]).collect() == []


@pytest.fixture(scope="module")
def sales(tmp_path_factory):
    """A folder of a history and its model."""
    folder = tmp_path_factory.mktemp("sales")
    settings = small_sales.write_tables(folder, small_sales.make_tables())
    fit_model(load_config(settings), "pairwise", folder / "model")
    return folder


def test_a_model_that_counts_activities(sales, put):
    history = open_history(load_config(sales / "leadml.toml"))
    features = build_features(history, small_sales.AS_OF)
    expected = load_model(sales / "model").score_leads(features)
    assert expected["score"].nunique() > 10
    frame = put(features.reset_index()).repartition(3)
    assert_same(leadml.spark.score(frame, sales / "model"), expected)
    with pytest.raises(DataError, match=r"'snapshot_date' is missing"):
        leadml.spark.score(frame.drop("snapshot_date"), sales / "model")


def test_columns_that_are_not_there(folders, leads, put):
    frame = put(leads).drop("phone").withColumnRenamed("visits", "Visit")
    with pytest.raises(DataError) as caught:
        leadml.spark.score(frame, folders["additive"], keep=["deal_valeu", "score", "reason_9"])
    told = str(caught.value)
    assert "The Spark frame has 5 problems:" in told
    assert "'visits' is missing. Did you mean 'Visit'?" in told
    assert "'phone' is missing." in told
    assert "'deal_valeu' is missing. Did you mean 'deal_value'?" in told
    assert "It has: lead_id, " in told


def test_what_is_no_spark_frame_or_no_model(folders, leads, put, tmp_path):
    with pytest.raises(
        DataError, match=r"`df` must be a Spark DataFrame. Got a DataFrame of pandas"
    ):
        leadml.spark.score(leads, folders["additive"])
    with pytest.raises(ModelFolderError, match="is no model folder"):
        leadml.spark.score(put(leads), tmp_path)


def test_without_pyspark(folders, leads, monkeypatch):
    load = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.startswith("pyspark"):
            raise ImportError(name)
        return load(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtraError, match=re.escape("pip install 'leadml[spark]'")):
        leadml.spark.score(leads, folders["additive"])


def test_a_worker_parses_a_model_once(model_folder, monkeypatch):
    monkeypatch.setattr("gc.freeze", lambda: None)  # this process ends by itself
    files = leadml.spark._read_files(model_folder)
    assert {name for name, _ in files} == {"model.json", "SHA256SUMS"}
    again = leadml.spark._read_files(model_folder)
    assert leadml.spark._load(files) is leadml.spark._load(again)
    broken = tuple((name, data.replace(b"visits", b"visitz")) for name, data in files)
    with pytest.raises(ModelFolderError, match="was changed"):
        leadml.spark._load(broken)
