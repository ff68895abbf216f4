import json
import tomllib

import numpy as np
import pandas as pd
import pytest
import small_crm
import small_sales

from leadml.batch import check_book
from leadml.config import Config, load_config
from leadml.errors import DataError
from leadml.rule_learning import learn_rules
from leadml.scoring.rulebook import RuleBook


def without_dates(config):
    leads = config.leads.model_copy(update={"created": None})
    return config.model_copy(update={"leads": leads})


@pytest.fixture(scope="module")
def config(crm):
    return load_config(crm / "leadml.toml")


@pytest.fixture(scope="module")
def learned(config):
    return learn_rules(config, count=6)


def test_the_text_reads_back_as_the_book(learned, crm, config, tmp_path):
    assert RuleBook.model_validate(tomllib.loads(learned.text)) == learned.book
    path = tmp_path / "rules.toml"
    path.write_text(learned.text, encoding="utf-8")
    assert check_book(path, config, crm / "leads.csv") == learned.book


def test_the_rules_that_decide_are_found(learned):
    columns = [rule.column for rule in learned.book.rules]
    assert {"visits", "source"} <= set(columns)
    assert 1 <= len(columns) <= 6
    visits = [rule for rule in learned.book.rules if rule.column == "visits"]
    assert all(rule.family == "behavioral" for rule in visits)
    table = RuleBook(rules=visits).compile().decide(pd.DataFrame({"visits": range(20)}))
    assert np.all(np.diff(table) >= 0)  # as [features.monotone] asks


def test_the_text_tells_where_it_comes_from(learned):
    lines = learned.text.splitlines()
    head = "\n".join(lines[: lines.index("")])
    assert "from 360 closed leads" in head
    assert "points double the odds" in head
    assert "On leads that were not learned from" in head
    assert "base rate" in head
    assert max(map(len, head.splitlines())) <= 100
    assert learned.text.count("# Fires for ") == len(learned.book.rules)


def test_the_text_counts_the_leads_of_each_rule(learned, crm):
    leads = pd.read_csv(crm / "leads.csv")
    closed = leads[leads["status"] != "open"]
    [rule] = [rule for rule in learned.book.rules if rule.is_in == ["referral"]]
    mine = closed[closed["source"] == "referral"]
    won = (mine["status"] == "won").mean()
    note = (
        f"# Fires for {len(mine) / len(closed):.0%} of leads ({len(mine)}); {won:.0%} of them won."
    )
    lines = learned.text.splitlines()
    assert lines[lines.index(f'name = "{rule.name}"') - 2] == note


def test_the_text_names_nobody(learned, crm):
    leads = pd.read_csv(crm / "leads.csv", dtype=str)
    for name in ("lead_id", "account_id", "email", "phone", "free_note"):
        assert not [value for value in leads[name].dropna() if value in learned.text]


def test_figures_stand_beside_the_model(learned):
    figures = learned.figures.set_index(["recipe", "metric"])
    recipes = ["model", "rules", "5 rules", "base rate"]
    assert list(dict.fromkeys(learned.figures["recipe"])) == recipes
    for recipe in recipes[1:]:
        for metric in ("log_loss", "roc_auc", "gain_20"):
            row, model = figures.loc[(recipe, metric)], figures.loc[("model", metric)]
            assert row["difference"] == pytest.approx(row["value"] - model["value"])
            assert row["lower"] <= row["difference"] <= row["upper"]
    assert figures.loc[("base rate", "roc_auc"), "value"] == 0.5
    assert (
        figures.loc[("rules", "log_loss"), "value"]
        < figures.loc[("base rate", "log_loss"), "value"]
    )
    assert figures.loc["model", ["difference", "lower", "upper"]].isna().all(axis=None)


def test_the_split_is_by_time_where_dates_are_known(learned, config):
    assert learned.method.startswith("the newest 20 % of leads")
    folds = learn_rules(without_dates(config), count=1)
    assert folds.method == "5 random folds, accounts kept together"
    assert folds.comparison.n_leads == 360


def test_equal_seeds_give_equal_books(learned, config):
    again = learn_rules(config, count=6)
    assert again.text == learned.text
    pd.testing.assert_frame_equal(again.figures, learned.figures)


def test_to_dict_is_json(learned):
    told = json.loads(json.dumps(learned.to_dict()))
    assert [rule["name"] for rule in told["rules"]] == [rule.name for rule in learned.book.rules]
    assert told["judged_on"] == learned.method
    assert {"recipe", "metric", "value", "difference", "lower", "upper"} == set(told["figures"][0])
    assert told["figures"][0]["difference"] is None


def test_what_knows_the_outcome_is_no_rule(tmp_path):
    used = small_crm.SETTINGS.replace('["visits"]', '["visits", "stage_note"]')
    used = used.replace('exclude = { stage_note = "written after the outcome" }\n', "")
    path = small_crm.write_crm(tmp_path, small_crm.make_leads(), used)
    learned = learn_rules(load_config(path), count=3)
    assert "stage_note" not in {rule.column for rule in learned.book.rules}
    assert any(warning.startswith("LEAK: stage_note is not used") for warning in learned.warnings)


def test_chance_is_told(config):
    learned = None
    try:
        learned = learn_rules(config, small_crm.make_leads(400, 3, effect=0), count=5)
    except DataError as error:
        assert "No rule earns a point" in str(error)
    assert learned is None or learned.warnings[0].startswith("NO SIGNAL")


def test_too_few_leads(config):
    with pytest.raises(DataError, match=r"won and \d+ lost leads; at least 40 of each"):
        learn_rules(config, small_crm.make_leads(60))


def test_columns_that_say_nothing_give_no_book():
    settings = {
        "leads": {"path": "x.csv", "id": "id"},
        "outcome": {"column": "won", "won": ["yes"], "lost": ["no"]},
        "features": {"context": ["place"]},
    }
    leads = pd.DataFrame({"id": range(200), "place": "Ulm", "won": ["yes", "no"] * 100})
    with pytest.raises(DataError, match="No rule earns a point"):
        learn_rules(Config.model_validate(settings), leads)


def test_a_history_gives_rules_of_activities(tmp_path):
    small_sales.write_tables(tmp_path, small_sales.make_tables(400))
    (tmp_path / "leadml.toml").write_text(small_sales.SETTINGS, encoding="utf-8")
    config = load_config(tmp_path / "leadml.toml")
    learned = learn_rules(config, count=4)
    families = {rule.family for rule in learned.book.rules if "demo" in rule.column}
    assert families == {"behavioral"}
    path = tmp_path / "rules.toml"
    path.write_text(learned.text, encoding="utf-8")
    assert check_book(path, config) == learned.book
    # snapshots share a lead: what a rule fires for is counted in leads
    counts = [
        int(line.split("(")[1].split(")")[0])
        for line in learned.text.splitlines()
        if "# Fires" in line
    ]
    assert max(counts) <= 400


def test_a_colleague_is_no_rule():
    settings = {
        "leads": {"path": "x.csv", "id": "id"},
        "outcome": {"column": "won", "won": ["yes"], "lost": ["no"]},
        "features": {"context": ["sales_agent", "visits"]},
    }
    random = np.random.default_rng(0)
    leads = pd.DataFrame({"id": range(400), "visits": random.poisson(3, 400)})
    leads["sales_agent"] = random.choice(["Ann", "Bo", "Cy"], 400)
    chance = np.where(leads["sales_agent"] == "Ann", 0.7, 0.2) + 0.03 * leads["visits"]
    leads["won"] = np.where(random.random(400) < chance, "yes", "no")
    learned = learn_rules(Config.model_validate(settings), leads, count=3)
    assert {rule.column for rule in learned.book.rules} == {"visits"}
