"""A history is trained on, scored and judged from its leadml.toml, and from frames."""

import numpy as np
import pandas as pd
import pytest
import small_crm
import small_sales

from leadml.assessment import compare_leads, evaluate_leads
from leadml.batch import explain_leads, score_leads
from leadml.config import load_config
from leadml.data.engines import as_frame
from leadml.data.history import open_history
from leadml.errors import DataError
from leadml.features.snapshots import build_features, read_snapshots
from leadml.judging import Optimism
from leadml.publishing import write_training
from leadml.registry.bundle import load_model, save_model
from leadml.rows import open_model_history, read_judged_rows, read_rows, read_rows_at
from leadml.scored import check_scored
from leadml.training import train

DAY = "2025-10-20"
TABLES = small_sales.make_tables(400)
OTHERS = {name: table for name, table in TABLES.items() if name != "leads"}
SETTINGS = small_sales.SETTINGS.replace('kind = "kind"', 'kind = "kind"\nmeasures = ["seconds"]')


@pytest.fixture(scope="module")
def sales(tmp_path_factory):
    """A folder with the tables of a history, its settings and its rules."""
    folder = tmp_path_factory.mktemp("sales")
    small_sales.write_tables(folder, TABLES, SETTINGS)
    return folder


@pytest.fixture(scope="module")
def config(sales):
    return load_config(sales / "leadml.toml")


@pytest.fixture(scope="module")
def learned(config):
    return train(config, TABLES["leads"], tables=OTHERS, structure="additive", name="sales")


@pytest.fixture(scope="module")
def folder(learned, sales):
    return write_training(learned, sales / "model")


@pytest.fixture(scope="module")
def model(folder):
    return load_model(folder)


def test_what_a_training_on_a_history_tells(learned, config):
    history = open_history(config, tables={**OTHERS, "leads": TABLES["leads"]})
    table, _ = read_snapshots(history)
    n_used = int((table.weight > 0).sum())
    assert learned.notes == table.notes
    assert f"{len(table.X):,} snapshots of 400 leads until 2025-12-01: {n_used:,}" in table.notes[0]
    assert "horizon of 30D is not over" in table.notes[0]
    assert len(learned.leads.X) == n_used
    info = learned.model.info
    assert info["n_leads"] == 400
    assert info["n_closed"] == learned.leads.lead_ids.nunique() == info["n_leads"] - info["n_open"]
    assert info["n_won"] == learned.leads.outcomes_by_lead().sum()
    assert "after a gap of 30 days" in info["split"]
    assert not learned.no_signal
    assert isinstance(learned.optimism, Optimism)
    assert learned.optimism.random.n_leads > 0
    assert learned.optimism.describe(learned.evaluations["model"]).startswith("Optimism: a random")


def test_a_model_lists_what_it_counts(model):
    features = model.config.features
    assert model.config.activities[0].kinds == ["demo", "email", "visit"]
    assert {"demo_30d", "visit_seconds_30d", "days_since_demo", "activities_30d"} <= set(
        features.behavioral
    )
    assert {"email_30d", "days_since_email"} <= set(features.email)
    assert "days_since_created" in features.context
    assert features.monotone["demo_30d"] == 1
    assert model.scorer.feature_names_in_.tolist() == list(features.families())


def test_equal_histories_give_equal_models(config, learned):
    """From frames or from files, in whatever order."""
    shuffled = {name: table.sample(frac=1, random_state=1) for name, table in OTHERS.items()}
    again = train(config, tables=shuffled, structure="additive", name="again")
    assert again.model.scorer.version == learned.model.scorer.version
    assert again.model.config == learned.model.config.model_copy(
        update={"leads": again.model.config.leads}
    )


def test_scores_are_those_of_features_built_by_hand(folder, sales, learned):
    scored = score_leads(folder, sales / "leadml.toml", sales / "scored.csv", at=DAY)
    check_scored(pd.read_csv(sales / "scored.csv"))
    history = open_history(learned.model.config, tables={**OTHERS, "leads": TABLES["leads"]})
    X = build_features(history, DAY)
    day = pd.Timestamp(DAY)
    closed = TABLES["outcomes"].set_index("lead_id")["closed"]
    is_open = ~(X.index.get_level_values("lead_id").map(closed) <= day)
    assert 10 < is_open.sum() < len(X) < 400
    scorer = learned.model.scorer
    expected = scorer.score_leads(scorer.select(X[is_open]))
    assert scored["lead_id"].tolist() == expected["lead_id"].tolist()
    np.testing.assert_allclose(scored["probability"], expected["probability"], rtol=1e-12)
    assert scored["score"].tolist() == expected["score"].tolist()
    assert scored["reason_1"].tolist() == expected["reason_1"].tolist()


def test_the_day_is_that_of_the_export_by_default(folder, sales):
    settings = sales / "leadml.toml"
    scored = score_leads(folder, settings)
    dated = score_leads(folder, settings, at=pd.Timestamp(small_sales.AS_OF, tz="UTC"))
    pd.testing.assert_frame_equal(scored, dated)
    assert scored["lead_id"].is_unique
    assert set(scored["lead_id"]) == set(TABLES["leads"]["lead_id"]) - set(
        TABLES["outcomes"]["lead_id"]
    )


def test_without_a_day_leads_are_looked_at_now(folder, tmp_path):
    undated = SETTINGS.replace(f'as_of = "{small_sales.AS_OF}"', "")
    settings = small_sales.write_tables(tmp_path, TABLES, undated)
    notes = []
    scored = score_leads(folder, settings, tell=notes.append)
    assert len(scored) == 400 - len(TABLES["outcomes"])
    [note] = [note for note in notes if "The newest lead was created on 2025-11-28" in note]
    assert "pass its day (--at)" in note


def test_later_leads_are_left_out_and_counted(folder, sales):
    notes = []
    scored = score_leads(folder, sales / "leadml.toml", at=DAY, tell=notes.append)
    later = TABLES["leads"]["created"] > DAY
    assert f"{later.sum()} leads were created after {DAY} and are left out." in notes
    assert not set(scored["lead_id"]) & set(TABLES["leads"].loc[later, "lead_id"])


def test_a_table_of_leads_with_its_history(folder, sales):
    """Each lead of a table is scored, open or closed, as in the whole history."""
    settings = sales / "leadml.toml"
    some = TABLES["leads"].iloc[100:140]
    scored = score_leads(folder, some, history=settings, at=DAY)
    assert scored["lead_id"].tolist() == some["lead_id"].tolist()
    some.to_csv(sales / "some.csv", index=False)
    from_file = score_leads(folder, sales / "some.csv", history=settings, at=DAY)
    pd.testing.assert_frame_equal(scored, from_file)
    one, other = score_leads(folder, some.iloc[[3]], history=settings, at=DAY), scored.iloc[[3]]
    # the people of an account are counted among the leads given
    assert abs(one["probability"].iloc[0] - other["probability"].iloc[0]) < 0.2
    [(row, lines)] = explain_leads(folder, some, ["L0103"], history=settings, at=DAY)
    assert row["score"] == scored["score"].iloc[3]
    assert "demo_30d" in " ".join(lines["feature"])


def test_activities_are_asked_for(folder):
    with pytest.raises(DataError, match=r"counts activities: it needs their.*\(--history\)"):
        score_leads(folder, TABLES["leads"])
    with pytest.raises(DataError, match="counts activities"):
        evaluate_leads(folder, TABLES["leads"])


def test_an_activity_table_that_is_not_named(folder, tmp_path):
    for written, there in (
        (SETTINGS.replace('"touches.parquet"', '"touches.parquet"\nname = "clicks"'), "clicks"),
        (SETTINGS.partition("[[activities]]")[0] + '[snapshots]\nages = ["0D"]\n', "none"),
    ):
        settings = small_sales.write_tables(tmp_path, TABLES, written)
        with pytest.raises(DataError) as caught:
            score_leads(folder, settings)
        assert str(caught.value) == (
            f"The model counts the activities of touches, which {settings} does not name. "
            f"It has: {there}."
        )


def test_days_are_dates(folder, sales):
    with pytest.raises(DataError, match=r"`at` must be a date. Got 'yesterday week'"):
        score_leads(folder, sales / "leadml.toml", at="yesterday week")
    with pytest.raises(DataError, match=r"No lead was created by 2020-01-01"):
        score_leads(folder, sales / "leadml.toml", at="2020-01-01")


def test_a_day_is_of_no_use_to_a_flat_model(model_folder, crm):
    with pytest.raises(DataError, match=r"`at` is of use where a model counts activities"):
        score_leads(model_folder, crm / "leads.csv", at=DAY)
    by_settings = score_leads(model_folder, crm / "leadml.toml")
    pd.testing.assert_frame_equal(by_settings, score_leads(model_folder, crm / "leads.csv"))


def test_evaluate_and_compare_on_a_history(folder, sales, learned):
    settings = sales / "leadml.toml"
    found = evaluate_leads(folder, settings)
    evaluation, warnings = found.evaluations["model"], found.warnings
    assert evaluation.n_leads == len(learned.leads.X)
    assert "has learned from these leads" in warnings[0]
    from_table = evaluate_leads(folder, TABLES["leads"], history=settings).evaluations
    assert from_table["model"].to_dict() == evaluation.to_dict()
    with pytest.raises(DataError, match="holds no rule book"):
        compare_leads(folder, "rules", settings)
    other = load_model(folder)
    other.scorer.set_params(name="other")
    both = compare_leads(folder, save_model(sales / "other", other), settings)
    assert both.evaluations["model sales"].to_dict() == evaluation.to_dict()
    assert len(both.comparison.verdict) == 1


def test_judged_rows_are_the_snapshots_with_a_known_outcome(model, sales, learned):
    rows = read_judged_rows(model.config, sales / "leadml.toml")
    pd.testing.assert_frame_equal(rows.X, learned.leads.X, check_dtype=False)
    np.testing.assert_array_equal(rows.y, learned.leads.y)
    np.testing.assert_array_equal(rows.weight, learned.leads.weight)


def test_the_tables_of_another_export_are_read(model, tmp_path):
    """The model's features, the leadml.toml's tables and day."""
    changed = SETTINGS.replace('as_of = "2025-12-01"', 'as_of = "2025-11-15"')
    changed = changed.replace('"7D", "30D"', '"5D"').replace("industry", "source_of_all")
    tables = {**TABLES, "touches": TABLES["touches"].iloc[:100]}
    settings = small_sales.write_tables(tmp_path, tables, changed)
    history, told = open_model_history(model.config, settings)
    assert history.as_of == pd.Timestamp("2025-11-15")
    counted = as_frame(history.engine, history.events[0].count().name("rows").as_table())
    assert counted["rows"].tolist() == [100]
    assert history.config.snapshots.windows == ["7D", "30D"]
    assert told.snapshots.windows == ["5D"]
    table, _ = read_rows_at(model.config, settings, at=DAY)
    assert list(table.X) == model.scorer.feature_names_in_.tolist()


def test_rules_alone_score_a_history(sales):
    """Before any training, and leads of whom nobody had a demo."""
    scored = score_leads(sales / "rules.toml", sales / "leadml.toml", at=DAY)
    check_scored(scored)
    assert scored["probability"].isna().all()
    assert scored["score"].nunique() > 1
    some = TABLES["leads"].iloc[:3]
    few = score_leads(sales / "rules.toml", some, at=some["created"].min() - pd.Timedelta(0))
    assert few["lead_id"].tolist() == ["L0000"]


def test_rows_of_a_flat_table_and_its_account(crm):
    config = load_config(crm / "leadml.toml")
    table, same = read_rows(config)
    assert same is config
    assert table.weight is None
    assert table.notes == ()
    with pytest.raises(DataError, match="The leads have no column 'account_id'"):
        read_rows(config, small_crm.make_leads().drop(columns="account_id"))


def test_a_company_without_activities_and_dates(tmp_path):
    """As before there was a history: a random split, all columns, nothing promised."""
    settings = small_crm.SETTINGS.replace('created = "created_at"\n', "")
    settings = settings.replace("exclude = {", 'exclude = { created_at = "no date", ')
    config = load_config(small_crm.write_crm(tmp_path, small_crm.make_leads(), settings))
    result = train(config, structure="additive")
    assert result.model.info["split"] == "5 random folds, accounts kept together"
    assert result.model.info["newest_lead"] is None
    assert result.optimism is None
    assert result.notes == ()
    assert result.leads.weight is None
    assert result.model.config == config
    assert set(result.model.scorer.feature_names_in_) == {
        "job_title", "email", "phone", "industry", "employees", "visits", "source", "budget"
    }  # fmt: skip
    assert any("No `created` dates" in warning for warning in result.warnings)
    folder = write_training(result, tmp_path / "model")
    scored = score_leads(folder, tmp_path / "leads.csv")
    assert len(scored) == 400
    evaluation = evaluate_leads(folder, tmp_path / "leads.csv").evaluations["model"]
    assert evaluation.n_leads == 360
