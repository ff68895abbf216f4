"""Each fact says ok on a healthy table and something else where it should."""

import numpy as np
import pandas as pd
import pytest

from leadml.data.sources import read_leads
from leadml.errors import DataError
from leadml.features.readiness import (
    AUC_MARGIN,
    TYPICAL_AUC,
    compute_auc_margin,
    compute_leads_needed,
    compute_readiness,
)

N = 3000
rng = np.random.default_rng(5)
CREATED = pd.Series(pd.Timestamp("2023-01-01") + pd.to_timedelta(np.arange(N) // 4, "D"))
CLOSED = CREATED + pd.Timedelta(days=20)
IS_OPEN = (CREATED + pd.Timedelta(days=90) > CREATED.max()).to_numpy()
Y = pd.Series(np.where(IS_OPEN, np.nan, (rng.random(N) < 0.4).astype(float)))
LEADS = pd.DataFrame({"visits": rng.normal(size=N), "source": rng.choice(["web", "fair"], N)})
ACCOUNT = pd.Series(rng.integers(0, 800, N).astype(str))
HEALTHY = {"created": CREATED, "closed": CLOSED.where(~IS_OPEN), "account": ACCOUNT}


def facts(leads=LEADS, y=Y, **kwargs):
    return compute_readiness(leads, y, **kwargs).set_index("check")


def test_a_healthy_table_is_ok():
    table = facts(**HEALTHY)
    assert (table["verdict"] == "ok").all(), table
    assert (table["advice"] == "").all()
    assert table.index.tolist() == [
        *["rows", "wins", "losses", "open leads", "span", "newest 20 %", "duplicates"],
        *["accounts", "missing", "constant columns"],
    ]
    assert table.loc["rows", "value"] == "3,000"
    assert table.loc["span", "value"] == "749 days for a horizon of 90 days"


def test_few_wins_or_losses_stop_and_point_to_the_rule_book():
    first_39 = (Y == 1) & ((Y == 1).cumsum() <= 39)
    few_wins = Y.where((Y != 1) | first_39)
    for y, check, other in ((few_wins, "wins", "losses"), (1 - few_wins, "losses", "wins")):
        table = facts(y=y, **HEALTHY)
        assert table.loc[check, ["value", "verdict"]].tolist() == ["39", "stop"]
        assert "leadml score rules.toml LEADS" in table.loc[check, "advice"]
        assert table.loc[other, "verdict"] == "ok"


def test_many_open_leads_are_a_warning():
    y = Y.where(rng.random(N) < 0.5)
    assert facts(y=y).loc["open leads", "verdict"] == "warn"


def test_a_span_shorter_than_three_horizons_is_a_warning():
    assert facts(created=CREATED, horizon="250D").loc["span", "verdict"] == "warn"
    assert facts(created=CREATED, horizon="240D").loc["span", "verdict"] == "ok"
    assert facts().loc["span", "value"] == "no date of creation"


def test_young_closed_leads_and_dates_in_the_wrong_order_are_reported():
    y = Y.fillna(1.0)
    table = facts(y=y, created=CREATED, closed=CLOSED, horizon="180D")
    assert table.loc["young closed leads", "verdict"] == "warn"
    backwards = CLOSED.where(np.arange(N) > 2, CREATED - pd.Timedelta(days=1))
    table = facts(created=CREATED, closed=backwards)
    assert table.loc["closed before created", "value"] == "3 leads"


def test_too_small_a_test_says_how_many_leads_it_needs():
    table = facts(LEADS.head(400), Y.head(400))
    needed = compute_leads_needed(float(Y.head(400).mean()))
    assert table.loc["newest 20 %", "verdict"] == "warn"
    assert f"about {needed:,} leads must be tested" in table.loc["newest 20 %", "advice"]


def test_the_newest_leads_are_those_created_last():
    y = pd.Series(np.r_[np.zeros(800), np.ones(200)])
    y.iloc[::7] = 1 - y.iloc[::7]
    leads, created = LEADS.head(1000), CREATED.head(1000)
    by_date = facts(leads, y, created=created)
    turned = facts(leads, y, created=created.iloc[::-1].reset_index(drop=True))
    assert by_date.loc["newest 20 %", "value"].startswith("200 leads, 172 won")
    assert turned.loc["newest 20 %", "value"].startswith("200 leads, 29 won")


def test_copies_large_accounts_empty_and_constant_columns_are_warnings():
    copies = pd.concat([LEADS.head(2700), LEADS.head(300)], ignore_index=True)
    assert facts(copies).loc["duplicates", "verdict"] == "warn"
    one = ACCOUNT.mask(rng.random(N) < 0.3, "other")
    assert facts(account=one).loc["accounts", "verdict"] == "warn"
    assert facts(account=ACCOUNT.where(ACCOUNT == "")).loc["accounts", "value"] == "none"
    leads = LEADS.assign(fax=LEADS["visits"].where(LEADS["visits"] > 1), country="DE", empty=None)
    table = facts(leads)
    assert table.loc["missing", "verdict"] == table.loc["constant columns", "verdict"] == "warn"
    assert table.loc["missing", "value"].startswith("empty 100%, fax 8")
    assert table.loc["constant columns", "value"] == "country, empty"


def test_the_margin_agrees_with_simulated_tests():
    # exponential scores, for which Hanley and McNeil derived their formula: AUC = r / (1 + r)
    n_won, n_lost, ratio = 60, 140, 3.0
    won = rng.exponential(ratio, (2000, n_won, 1))
    aucs = (won > rng.exponential(1.0, (2000, 1, n_lost))).mean(axis=(1, 2))
    assert aucs.mean() == pytest.approx(0.75, abs=0.005)
    assert 1.96 * aucs.std() == pytest.approx(compute_auc_margin(0.75, n_won, n_lost), rel=0.06)


def test_leads_needed_are_the_least_that_suffice():
    for rate in (0.02, 0.3, 0.5, 0.98):
        n = compute_leads_needed(rate)
        margins = [compute_auc_margin(TYPICAL_AUC, m * rate, m - m * rate) for m in (n, n - 1)]
        assert margins[0] <= AUC_MARGIN < margins[1]


@pytest.mark.parametrize(
    ("leads", "kwargs", "match"),
    [
        (LEADS.head(0), {}, "Got 0 leads"),
        (LEADS.head(3), {}, "Got 3 leads of 2 columns and 3,000 values"),
        (LEADS, {"horizon": "-30D"}, "Got '-30D'. Pass for example '90D'"),
        (LEADS, {"horizon": "soon"}, "Got 'soon'"),
    ],
)
def test_what_cannot_be_read_is_refused(leads, kwargs, match):
    with pytest.raises(DataError, match=match):
        compute_readiness(leads, Y, **kwargs)


def test_x_education(real_data):
    leads = read_leads(real_data / "x_education" / "Leads.csv", missing=["Select"])
    y = leads.pop("Converted").astype(float)
    table = facts(leads.drop(columns=["Prospect ID", "Lead Number"]), y)
    assert table.loc["wins", "value"] == "3,561"
    assert table.loc["duplicates", "value"].startswith("1,296 rows (14%)")
    assert table.loc["newest 20 %", "verdict"] == "ok"
    assert "Magazine" in table.loc["constant columns", "value"]


def test_maven(real_data):
    leads = read_leads(real_data / "maven_crm" / "sales_pipeline.csv")
    y = leads.pop("deal_stage").map({"Won": 1.0, "Lost": 0.0})
    dates = {"created": leads.pop("engage_date"), "closed": leads.pop("close_date")}
    table = facts(leads.drop(columns="opportunity_id"), y, **dates, account=leads["account"])
    assert table.loc["open leads", "value"] == "24%"
    assert table.loc["span", "value"].startswith("433 days")
    assert table.loc["accounts", "value"].startswith("85 accounts")
