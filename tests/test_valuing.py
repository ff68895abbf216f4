# ruff: noqa: F811  fixtures are imported

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import small_sales
from small_values import make_leads, valued  # noqa: F401

from leadml import valuing
from leadml.config import Config, load_config
from leadml.data.history import open_history
from leadml.data.lead_table import read_table
from leadml.errors import DataError
from leadml.evaluation.value import compute_value_at_capacity
from leadml.features.snapshots import read_leads_at, read_snapshots
from leadml.features.splits import split_leads
from leadml.training import train
from leadml.valuing import EXPECTED, FEWEST_DEALS, PROBABILITY, VALUE, learn_values


def quick(config, leads, **options):
    return train(config, leads, structure="additive", **options)


@pytest.fixture
def fitted(monkeypatch):
    """The lists of deals that value models learned from, in their order."""
    seen, fit = [], valuing.fit_values

    def spy(scorer, deals, random_state=0):
        seen.append(deals)
        return fit(scorer, deals, random_state)

    monkeypatch.setattr(valuing, "fit_values", spy)
    return seen


def relearn(valued, change):
    """Learn values anew beside the same models, with values changed by lead id."""
    training = valued.training
    closed, judged = training.leads, training.judged
    value = change(closed.value.set_axis(closed.lead_ids))
    closed = replace(closed, value=value.set_axis(closed.X.index))
    newest = value[judged.leads.lead_ids].set_axis(judged.leads.X.index)
    judged = replace(judged, leads=replace(judged.leads, value=newest))
    split = split_leads(closed.y, closed.created, closed.account, horizon="90D")
    np.testing.assert_array_equal(closed.take(split.parts[0][1]).lead_ids, judged.leads.lead_ids)
    return learn_values(valued.config, closed, split, judged, training.model.scorer)


def without(config, **roles):
    return config.model_copy(update={"leads": config.leads.model_copy(update=roles)})


def test_values_are_numbers_or_nothing(valued):
    amounts = ["1200", " 7.5 ", "n/a", None, "inf"]
    leads = make_leads(5).assign(deal_value=amounts)
    table = read_table(leads, valued.config)
    assert table.value.index.equals(table.X.index)
    np.testing.assert_array_equal(table.value, [1200, 7.5, np.nan, np.nan, np.nan])
    assert table.take(np.array([1, 0])).value.tolist() == [7.5, 1200]
    assert read_table(leads.drop(columns="deal_value"), valued.config).value is None
    assert read_table(leads, without(valued.config, value=None)).value is None


def test_a_value_that_can_be_told_is_worth_its_calls(valued):
    found = valued.training.valuing
    assert found.beats_mean
    assert list(found.model.named_steps) == ["profile", "value"]
    assert found.at_capacity["ranking"].unique().tolist() == [PROBABILITY, EXPECTED, VALUE]
    assert set(zip(found.differences["ranking"], found.differences["other"], strict=True)) == {
        (EXPECTED, PROBABILITY),
        (EXPECTED, VALUE),
    }
    row = found.differences[found.differences["fraction"] == 0.1].iloc[0]
    assert 0 < row["lower"] < row["difference"] < row["upper"]
    assert "ranking by expected value finds" in found.verdict
    assert "more in won deals than ranking by probability, 95 % interval" in found.verdict
    errors = found.errors.set_index("metric")["value"]
    assert errors["mae"] < errors["baseline_mae"] / 2
    assert f"learned from {found.n_deals} won deals" in found.describe_error()


def test_no_model_learned_from_what_it_values(valued, fitted):
    leads, judged = make_leads(), valued.training.judged.leads
    now, _ = relearn(valued, lambda value: value)
    pd.testing.assert_frame_equal(now.at_capacity, valued.training.valuing.at_capacity)
    *parts, last = fitted
    assert len(parts) == 1
    assert parts[0].created.max() < judged.created.min()
    assert set(parts[0].lead_ids).isdisjoint(judged.lead_ids)
    won = leads.loc[leads["status"] == "won", "lead_id"]
    assert set(last.lead_ids) == set(won)
    assert len(last.y) == now.n_deals == len(won)
    assert (parts[0].y == 1).all()
    # what the judged deals brought changes what calls are worth, and not who is called
    again, _ = relearn(valued, lambda value: value.where(~value.index.isin(judged.lead_ids), 7.0))
    assert again.at_capacity["n_won"].tolist() == now.at_capacity["n_won"].tolist()
    np.testing.assert_allclose(again.at_capacity["value"], 7 * now.at_capacity["n_won"])


def test_without_dates_accounts_are_kept_apart(valued, fitted):
    leads = make_leads(400).drop(columns="created_at")
    leads["account_id"] = [f"account-{place % 60}" for place in leads.index]
    training = quick(without(valued.config, created=None), leads)
    assert len(fitted) == 6
    assert training.forecast is None
    for (places, _), deals in zip(training.judged.parts, fitted, strict=False):
        judged = training.judged.leads.take(places)
        assert set(deals.account).isdisjoint(judged.account)
        assert not set(deals.lead_ids) & set(judged.lead_ids)


def test_the_table_is_that_of_the_older_models(valued, fitted):
    """What is ranked by are the forecasts of the model that learned from older deals."""
    training, judged = valued.training, valued.training.judged
    relearn(valued, lambda value: value)
    [(_, scorers)] = judged.parts
    older = valuing.fit_values(scorers["model"], fitted[0])
    worth = older.predict(judged.leads.X[older[0].feature_names_in_])
    assert not np.allclose(worth, training.valuing.model.predict(judged.leads.X))
    chance = judged.scored["model"]["probability"].to_numpy()
    expected = compute_value_at_capacity(
        judged.leads.y,
        judged.leads.value,
        {PROBABILITY: chance, EXPECTED: chance * worth, VALUE: worth},
        groups=judged.leads.account,
    )
    columns = ["ranking", "fraction", "n_leads", "n_won", "value"]
    pd.testing.assert_frame_equal(training.valuing.at_capacity[columns], expected[columns])


def test_hopes_for_lost_leads_count_nothing(valued):
    closed = valued.training.leads
    is_lost = (closed.y == 0).to_numpy()
    assert closed.value[is_lost].max() == 10**9
    found, _ = relearn(valued, lambda value: value.where(~is_lost))
    pd.testing.assert_frame_equal(found.at_capacity, valued.training.valuing.at_capacity)
    assert found.at_capacity["value"].max() < 10**8


def test_won_leads_without_a_value_are_left_out_and_counted(valued):
    judged = valued.training.judged.leads
    won = judged.lead_ids[(judged.y == 1).to_numpy()]

    def change(value):
        return value.where(~value.index.isin(won[:2])).where(value.index != won[2], -5.0)

    found, notes = relearn(valued, change)
    everyone = found.at_capacity.set_index("fraction").loc[1.0]
    assert (everyone["n_leads"] == len(judged.y) - 3).all()
    assert (everyone["n_won"] == len(won) - 3).all()
    [note] = notes
    assert note.startswith("3 won leads among those judged have no value in 'deal_value'")
    assert found.n_deals == valued.training.valuing.n_deals - 3


def test_values_that_cannot_be_told_apart_are_their_mean(training):
    found = training.valuing  # of the small CRM: amounts at random
    assert not found.beats_mean
    assert found.verdict.startswith("Deal values cannot be told apart: the mean of the won deals")
    values = found.model.predict(training.leads.X)
    won = training.leads.value[training.leads.y == 1]
    assert values == pytest.approx(np.full(len(values), won.mean()))
    assert training.model.value is found.model


@pytest.mark.parametrize("count", [0, FEWEST_DEALS - 1])
def test_too_few_values_are_told(valued, count):
    won = valued.training.leads.lead_ids[(valued.training.leads.y == 1).to_numpy()]
    found, [note] = relearn(valued, lambda value: value.where(value.index.isin(won[:count])))
    assert found is None
    assert f"Deal values are not learned: {count} of {len(won)} won leads" in note
    assert "above 0 in 'deal_value'. 50 are needed" in note


def test_values_of_the_newest_deals_alone_cannot_be_judged(valued):
    leads = valued.training.leads
    won = leads.lead_ids[(leads.y == 1).to_numpy()]
    found, [note] = relearn(valued, lambda value: value.where(value.index.isin(won[-60:])))
    assert found is None
    assert "Deal values are not learned: 60 of" in note
    assert "half of them before the leads that are judged" in note


def test_deals_of_one_account_tell_no_error(valued):
    training = valued.training
    one = pd.Series("the only one", index=training.leads.X.index)
    closed = replace(training.leads, account=one)
    split = split_leads(closed.y, closed.created, horizon="90D")
    found, [note] = learn_values(
        valued.config, closed, split, training.judged, training.model.scorer
    )
    assert found is None
    assert "of two accounts at least" in note


def test_no_column_of_values(valued):
    leads = make_leads(200).drop(columns="deal_value")
    with pytest.raises(DataError, match=r"no column 'deal_value', the \[leads\] value"):
        quick(valued.config, leads)
    training = quick(without(valued.config, value=None), leads)
    assert training.valuing is None
    assert not any("Deal values" in note for note in training.notes)


def test_a_lost_and_a_won_verdict(valued):
    found = valued.training.valuing
    signs = found.differences.copy()
    signs[["lower", "upper"]] = [-1234567.0, 50.0]
    signs["difference"] = -7.25
    verdict = valuing.Valuing(found.model, found.errors, found.at_capacity, signs, 9).verdict
    assert verdict.startswith("No difference can be shown between ranking by expected value and")
    assert verdict.endswith("it is −7.25 in won deals, 95 % interval −1,235,000 to +50.")
    signs[["difference", "lower", "upper"]] = [-300.0, -400.0, -200.0]
    verdict = valuing.Valuing(found.model, found.errors, found.at_capacity, signs, 9).verdict
    assert "finds 300 less in won deals than" in verdict
    assert "95 % interval 200 to 400" in verdict


@pytest.fixture(scope="module")
def sales(tmp_path_factory):
    """A history whose leads have values, and its config."""
    folder = tmp_path_factory.mktemp("sales")
    tables = small_sales.make_tables()
    leads = tables["leads"]
    worth = {"web": 100.0, "fair": 1_000.0, "partner": 5_000.0}
    noise = np.random.default_rng(3).lognormal(sigma=0.2, size=len(leads))
    leads["amount"] = leads["source"].map(worth) * noise
    settings = small_sales.write_tables(folder, tables)
    text = settings.read_text().replace(
        'account = "account_id"', 'account = "account_id"\nvalue = "amount"', 1
    )
    settings.write_text(text)
    return settings


def test_a_history_counts_each_deal_once(sales, fitted):
    config = load_config(sales)
    assert isinstance(config, Config)
    history = open_history(config)
    table, _ = read_snapshots(history)
    amounts = history.leads.set_index("lead_id")["amount"]
    assert "amount" not in table.X
    assert table.lead_ids.has_duplicates
    assert table.value.tolist() == amounts[table.lead_ids].tolist()
    now = read_leads_at(history, small_sales.AS_OF, only_open=True)
    assert now.value.tolist() == amounts[now.lead_ids].tolist()
    training = quick(config, None)
    assert all(deals.lead_ids.is_unique for deals in fitted)
    assert training.valuing.beats_mean
    # those that came in during the period judged
    n_leads = len(training.judged.first_rows())
    assert training.valuing.at_capacity["n_leads"].max() == n_leads < len(training.judged.leads.y)
    predicted = training.valuing.model.predict(training.leads.X)
    means = pd.Series(predicted).groupby(training.leads.X["source"].to_numpy()).mean()
    assert means["web"] < 300 < means["fair"] < 2_500 < means["partner"]


def test_maven_deals_are_worth_what_their_product_costs(real_data):
    folder = real_data / "maven_crm"
    deals = pd.read_csv(folder / "sales_pipeline.csv")
    deals["product"] = deals["product"].replace({"GTXPro": "GTX Pro"})
    config = Config.model_validate(
        {
            "leads": {
                "path": "deals.csv",
                "id": "opportunity_id",
                "created": "engage_date",
                "account": "account",
                "value": "close_value",
            },
            "outcome": {"column": "deal_stage", "won": ["Won"], "lost": ["Lost"]},
            "features": {"context": ["product", "sales_agent"]},
        }
    )
    training = quick(config, deals)
    found = training.valuing
    assert found.n_deals == 4_238
    assert found.beats_mean
    predicted = found.model.predict(training.leads.X)
    prices = pd.read_csv(folder / "products.csv").set_index("product")["sales_price"]
    by_product = pd.Series(predicted).groupby(training.leads.X["product"].to_numpy()).mean()
    np.testing.assert_allclose(by_product, prices[by_product.index], rtol=0.1)
