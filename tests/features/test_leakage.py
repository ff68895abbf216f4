"""Planted leaks of every kind are found, honest columns are not; then the real sets."""

import numpy as np
import pandas as pd
import pytest

from leadml.data.demo import LEAK_COLUMNS, simulate_crm
from leadml.data.sources import read_leads
from leadml.errors import DataError
from leadml.features import leakage
from leadml.features._leak_ablation import find_together
from leadml.features._leak_power import compute_delong, compute_power, encode_levels, make_folds
from leadml.features._leak_tests import names_outcome
from leadml.features.leakage import ROW_ORDER, compute_leaks

N = 2000
rng = np.random.default_rng(7)
INTEREST = rng.normal(size=N)
CREATED = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.uniform(0, 400, N), "D"))
CLOSED = CREATED + pd.to_timedelta(rng.uniform(5, 60, N), "D")
AGE_AT_END = (pd.Timestamp("2025-02-04") - CREATED).dt.days.to_numpy()
EXPORT = pd.Timestamp("2025-01-15")
IS_OPEN = (CLOSED > EXPORT).to_numpy()
WON = (INTEREST + rng.logistic(size=N) > 0.5).astype(float)
Y = pd.Series(np.where(IS_OPEN, np.nan, WON))
DAYS_RUN = np.where(IS_OPEN, AGE_AT_END, (CLOSED - CREATED).dt.days)
VISITS = rng.poisson(np.exp(1 + 0.4 * INTEREST))


def some(share):
    return rng.random(N) < share


def texts(values):
    return pd.Series(values, dtype="str")


def honest():
    return pd.DataFrame(
        {
            "interest": INTEREST,
            "visits": VISITS,
            "visits_last_week": rng.binomial(VISITS, 0.3),
            "source": texts(np.where(INTEREST > 1.5, "referral", "web")),
            "city": texts(rng.choice(list("abcdefgh"), N)),
            "phone": pd.Series(rng.integers(10**6, 10**7, N).astype(float)).where(
                INTEREST + rng.normal(size=N) > -0.5
            ),
            "signed_up": CREATED - pd.to_timedelta(rng.uniform(0, 9, N), "D"),
            "subscribed": rng.random(N) < 0.3,
            "empty": np.full(N, np.nan),
            "constant": 1,
        }
    )


def judge(column, y=Y, name="x", **dates):
    """The row of one column beside the honest ones."""
    leaks = compute_leaks(honest().assign(**{name: column}), y, **dates)
    return leaks.set_index("column").loc[name]


DATES = {"created": CREATED, "closed": CLOSED.where(~IS_OPEN), "horizon": "90D"}
WORD = texts(np.where(WON == 1, "up", "down"))
PLANTED = {
    "power": (np.where(some(0.97), WON, 1 - WON), "drop"),
    "won_levels": (texts(np.where((WON == 1) & some(0.2), "hot", "none")), "look"),
    "lost_levels": (texts(np.where((WON == 0) & some(0.5), "cold", "none")), "look"),
    "outcome_words": (
        texts(np.where((WON == 1) & some(0.05), "Deal won", rng.choice(list("abc"), N))),
        "look",
    ),
    "filled_for_one_outcome": (
        pd.Series(np.ones(N)).where(some(np.where(WON == 1, 0.4, 0.15))),
        "look",
    ),
    "filled_when_closed": (pd.Series(rng.normal(size=N)).where(~IS_OPEN), "drop"),
    "values_when_closed": (texts(np.where(IS_OPEN, "new", rng.choice(["old", "new"], N))), "look"),
    "later_dates": (CLOSED.dt.strftime("%Y-%m-%d %H:%M:%S"), "drop"),
    "growth": (rng.poisson(3 + 0.3 * DAYS_RUN), "drop"),
    "counter_pair": (VISITS + rng.poisson(np.where(WON == 1, 1.0, 1.9)), "look"),
}


@pytest.mark.parametrize("test", PLANTED)
def test_a_planted_leak_is_found_by_its_test(test):
    column, severity = PLANTED[test]
    found = judge(column, **DATES)
    assert (found["test"], found["severity"]) == (test, severity), found["evidence"]


@pytest.mark.parametrize("test", PLANTED)
def test_the_same_column_in_random_order_is_fine(test):
    column, _ = PLANTED[test]
    shuffled = pd.Series(column).sample(frac=1, random_state=1).to_numpy()
    if test == "later_dates":  # a date of closing is later than most creations in any order
        shuffled = (CREATED - pd.Timedelta(days=3)).dt.strftime("%Y-%m-%d")
    assert judge(shuffled, **DATES)["severity"] == "fine"


def test_honest_columns_are_fine_with_and_without_dates():
    for dates in ({}, {"created": CREATED}, DATES):
        leaks = compute_leaks(honest(), Y, **dates)
        assert leaks["column"].tolist() == [*honest().columns]
        assert (leaks["severity"] == "fine").all(), leaks["evidence"].tolist()


def test_the_table_is_deterministic_and_leaves_its_input_alone():
    leads = honest()
    first = compute_leaks(leads, Y, **DATES)
    pd.testing.assert_frame_equal(first, compute_leaks(leads, Y, **DATES))
    assert list(first.columns[:4]) == ["column", "severity", "evidence", "test"]
    assert list(first.columns[4:]) == ["auc", "auc_lower", "auc_upper"]
    assert ((first["auc_lower"] <= first["auc"]) & (first["auc"] <= first["auc_upper"])).all()


def test_a_total_that_is_weak_alone_and_strong_together_is_found():
    before = rng.normal(0, 3, N)
    total = before + np.where(WON == 1, 0.35, -0.35) + rng.normal(0, 0.5, N)
    leads = honest().assign(before=before, total=total)
    leaks = compute_leaks(leads, Y).set_index("column")
    assert leaks.loc["total", "auc"] < 0.62
    assert leaks.loc["total", "test"] == leaks.loc["before", "test"] == "ablation"
    assert "`before`" in leaks.loc["total", "evidence"]
    others = leaks.drop(index=["total", "before"])
    assert (others["severity"] == "fine").all()


def test_the_strongest_honest_column_is_no_ablation_leak():
    won = (2 * INTEREST + rng.logistic(size=N) > 0).astype(float)
    leads = honest()
    folds = make_folds(won, 0)
    powers = {name: compute_power(encode_levels(leads[name]), won, folds) for name in leads}
    assert powers["interest"].auc > 0.8
    assert find_together(leads, won, powers, 0) == {}


def test_dates_later_than_creation_are_worth_a_look_and_later_than_the_horizon_a_drop():
    next_step = CREATED + pd.Timedelta(days=10)
    assert judge(next_step, created=CREATED)["severity"] == "look"
    renewal = CREATED + pd.Timedelta(days=100)
    found = judge(renewal, created=CREATED, horizon="90D")
    assert found["severity"] == "drop"
    assert "90 days or more after creation" in found["evidence"]


def test_a_column_empty_only_in_open_leads_is_worth_a_look():
    account = texts(rng.choice(list("abcdef"), N)).where(~IS_OPEN | some(0.3))
    found = judge(account)
    assert (found["severity"], found["test"]) == ("look", "filled_when_closed")
    assert "all of closed" in found["evidence"]


def test_a_count_that_open_leads_do_not_show_growing_is_only_worth_a_look():
    count = np.where(IS_OPEN, 8, rng.poisson(3 + 0.3 * DAYS_RUN))
    found = judge(count, **DATES)
    assert (found["severity"], found["test"]) == ("look", "growth")


def test_a_count_that_grows_in_lost_leads_alone_is_fine():
    count = np.where(WON == 0, rng.poisson(3 + 0.1 * DAYS_RUN), rng.poisson(6, N))
    assert judge(count, **DATES)["severity"] == "fine"


def test_a_telling_name_needs_power_and_with_data_it_is_enough_to_drop():
    useless, weak = rng.normal(size=N), INTEREST + rng.normal(size=N)
    assert judge(useless, name="Lost Reason")["severity"] == "fine"
    assert judge(weak, name="lead_grade")["severity"] == "look"
    assert judge(weak, name="Last Activity")["test"] == "state"
    assert judge(weak, name="current_stage")["severity"] == "look"
    filled, _ = PLANTED["filled_for_one_outcome"]
    assert judge(filled, name="lead_grade")["severity"] == "drop"


def test_an_expected_amount_that_open_leads_have_too_is_fine():
    amount = INTEREST + rng.normal(size=N)
    assert judge(amount, name="deal_value")["severity"] == "fine"
    assert judge(amount, name="deal_value", y=pd.Series(WON))["severity"] == "look"


def test_a_value_that_only_sounds_like_the_outcome_is_fine():
    assert judge(np.where(INTEREST > 0, "Converted to Lead", "Email"))["severity"] == "fine"
    assert names_outcome("closed_lost")
    assert names_outcome("Closed by Horizzon")
    assert not names_outcome("no")


def test_ids_are_only_tested_for_what_they_encode():
    leads = honest().assign(
        number=np.arange(N), coded=[f"{'W' if won else 'L'}-{i}" for i, won in enumerate(WON)]
    )
    leaks = compute_leaks(leads, Y, ids=["number", "coded"]).set_index("column")
    assert leaks.loc["number", "severity"] == "fine"
    assert (leaks.loc["coded", "severity"], leaks.loc["coded", "test"]) == ("drop", "id")
    assert ROW_ORDER not in leaks.index


def test_a_table_sorted_by_the_outcome_is_reported():
    order = np.argsort(np.nan_to_num(Y, nan=2), kind="stable")
    leads = honest().iloc[order].assign(id=np.arange(N))
    leaks = compute_leaks(leads, Y.iloc[order], ids=["id"]).set_index("column")
    assert leaks.loc[ROW_ORDER, "severity"] == leaks.loc["id", "severity"] == "drop"
    assert leaks.drop(index=[ROW_ORDER, "id"])["severity"].eq("fine").all()


def test_of_many_leads_a_sample_is_looked_at(monkeypatch):
    monkeypatch.setattr(leakage, "_MAX_LEADS", 800)
    leaks = compute_leaks(honest().assign(x=PLANTED["power"][0]), Y, **DATES).set_index("column")
    assert leaks.loc["x", "severity"] == "drop"
    assert leaks.drop(index="x")["severity"].eq("fine").all()


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"y": Y.where(Y != 1)}, "Got 0 won and .* lost"),
        ({"y": Y.head(5)}, "Got 5 values for 2,000 leads"),
        ({"y": Y, "ids": ["nr"]}, r"Got \['nr'\], which it does not have"),
    ],
)
def test_what_cannot_be_judged_is_refused(kwargs, match):
    with pytest.raises(DataError, match=match):
        compute_leaks(honest(), **kwargs)


def test_delong_agrees_with_pairs_counted_one_by_one():
    won = np.array([1, 1, 1, 0, 0, 0, 0])
    score = np.array([0.9, 0.5, 0.4, 0.5, 0.4, 0.2, 0.1])
    pairs = (score[:3, None] > score[3:]) + 0.5 * (score[:3, None] == score[3:])
    expected = pairs.mean(1).var(ddof=1) / 3 + pairs.mean(0).var(ddof=1) / 4
    assert compute_delong(won, score) == pytest.approx((pairs.mean(), expected))


def test_a_useless_column_never_looks_useful():
    won = (rng.random(N) < 0.2).astype(float)
    folds = make_folds(won, 0)
    assert compute_power(np.zeros(N, dtype=int), won, folds).auc == 0.5
    noise = [compute_power(rng.integers(0, n, N), won, folds) for n in (2, 5, 20, 100, 300) * 8]
    assert max(power.lower for power in noise) < 0.53
    assert max(power.auc for power in noise) < 0.56


def flagged(leaks, severity=("drop", "look")):
    return set(leaks.loc[leaks["severity"].isin(severity), "column"])


def test_x_education(real_data):
    leads = read_leads(real_data / "x_education" / "Leads.csv", missing=["Select"])
    y = leads.pop("Converted").astype(float)
    leaks = compute_leaks(leads, y, ids=["Prospect ID", "Lead Number"])
    assert flagged(leaks, ["drop"]) == {"Tags", "Lead Quality"}
    looks = {"Lead Profile", "Last Notable Activity", "Last Activity"}
    assert flagged(leaks, ["look"]) == looks
    evidence = leaks.set_index("column")["evidence"]
    assert "71% of all wins sit in" in evidence["Tags"]
    assert "3.9% of all wins" in evidence["Lead Source"]


def test_maven_with_its_closing_date_as_a_column_and_as_a_role(real_data):
    leads = read_leads(real_data / "maven_crm" / "sales_pipeline.csv")
    y = leads.pop("deal_stage").map({"Won": 1.0, "Lost": 0.0})
    created = pd.to_datetime(leads.pop("engage_date"))
    for closed in (None, pd.to_datetime(leads["close_date"])):
        leaks = compute_leaks(leads, y, created=created, closed=closed, ids=["opportunity_id"])
        assert flagged(leaks, ["drop"]) == {"close_value", "close_date"}
        assert flagged(leaks, ["look"]) == {"account"}


def test_bank(real_data):
    path = real_data / "bank_marketing" / "bank-additional-full.csv.gz"
    leads = read_leads(path, missing=["unknown"])
    leaks = compute_leaks(leads, leads.pop("y").eq("yes").astype(float))
    assert flagged(leaks, ["drop"]) == {"duration"}
    assert flagged(leaks, ["look"]) == set()


def test_the_demo():
    pytest.importorskip("leadforge")
    leads = simulate_crm(4000, random_state=3)
    y = leads.pop("status").map({"won": 1.0, "lost": 0.0})
    dates = {"created": leads.pop("created_at"), "closed": leads.pop("closed_at")}
    leaks = compute_leaks(leads, y, **dates, ids=["lead_id"], horizon="90D")
    assert flagged(leaks, ["drop"]) == set(LEAK_COLUMNS)
    assert flagged(leaks, ["look"]) == set()


def test_what_leadforge_shows_its_instructors():
    api = pytest.importorskip("leadforge.api")
    from leadforge.render.relational import to_dataframes
    from leadforge.render.snapshots import build_snapshot

    world = api.Generator.from_recipe(
        "b2b_saas_procurement_v1",
        seed=11,
        difficulty="intermediate",
        n_leads=3000,
        n_contacts=2500,
        n_accounts=900,
        exposure_mode="research_instructor",
    ).generate()
    leads = build_snapshot(world.simulation_result, world.population, snapshot_day=30)
    more = to_dataframes(world.simulation_result, world.population)["leads"].set_index("lead_id")
    leads["conversion_timestamp"] = leads["lead_id"].map(more["conversion_timestamp"])
    leads = read_leads(leads)
    y = leads.pop("converted_within_90_days").astype(float)
    created = pd.to_datetime(leads.pop("lead_created_at"))
    leaks = compute_leaks(leads, y, created=created, ids=["lead_id"], horizon="90D")
    assert flagged(leaks, ["drop"]) == {"current_stage", "conversion_timestamp"}
    assert flagged(leaks, ["look"]) == {"is_sql", "total_touches_all"}
