import sys

import numpy as np
import pandas as pd
import pytest

from leadml.config import BantColumns, Config, FeaturesTable, LeadsTable, OutcomeTable
from leadml.data import demo
from leadml.data.demo import simulate_crm
from leadml.errors import DataError, MissingExtraError

N_LEADS, MONTHS = 600, 8
EXPORT_DATE = demo.WORLD_START + pd.Timedelta(days=30 * MONTHS)


@pytest.fixture(scope="module")
def crm():
    pytest.importorskip("leadforge")
    return simulate_crm(N_LEADS, MONTHS, random_state=3)


def test_two_calls_are_equal_and_another_seed_is_not(crm):
    pd.testing.assert_frame_equal(crm, simulate_crm(N_LEADS, MONTHS, random_state=3))
    other = simulate_crm(N_LEADS, MONTHS, random_state=4)
    assert not crm["touches_30d"].equals(other["touches_30d"])


def test_one_row_a_lead_and_several_leads_an_account(crm):
    assert len(crm) == N_LEADS
    assert crm[demo.ID_COLUMN].is_unique
    assert 0.2 * N_LEADS < crm[demo.ACCOUNT_COLUMN].nunique() < 0.5 * N_LEADS


def test_columns_are_those_that_the_constants_name(crm):
    features = FeaturesTable(**demo.FEATURES, bant=BantColumns(**demo.BANT))
    config = Config(
        leads=LeadsTable(
            path="crm.csv",
            id=demo.ID_COLUMN,
            created=demo.CREATED_COLUMN,
            account=demo.ACCOUNT_COLUMN,
            value=demo.VALUE_COLUMN,
        ),
        outcome=OutcomeTable(
            column=demo.OUTCOME_COLUMN, won=demo.WON, lost=demo.LOST, closed=demo.CLOSED_COLUMN
        ),
        features=features,
    )
    named = [*config.role_columns(), *features.families(), *demo.LEAK_COLUMNS]
    assert sorted(crm.columns) == sorted(named)


def test_leads_come_in_every_month_but_the_last(crm):
    month = (crm["created_at"] - demo.WORLD_START).dt.days // 30
    assert sorted(month.unique()) == list(range(MONTHS - 1))
    assert crm["created_at"].is_monotonic_increasing


def test_outcome_is_what_was_known_at_the_export(crm):
    days = (crm["closed_at"] - crm["created_at"]).dt.days
    mature = crm["created_at"] + pd.Timedelta("90D") <= EXPORT_DATE
    status = crm["status"]
    assert set(status) == {"won", "lost", "open"}
    assert (crm["closed_at"].isna() == (status == "open")).all()
    assert (crm["closed_at"].dropna() <= EXPORT_DATE).all()
    assert days.dropna().between(30, 90).all()
    assert (days[status == "won"] < 90).all()
    assert not (mature & (status == "open")).any()
    # young leads: some still open, some closed early
    assert set(status[~mature]) == {"won", "lost", "open"}


def test_base_rate_and_signal_are_those_of_an_honest_demo(crm):
    mature = crm[crm["created_at"] + pd.Timedelta("90D") <= EXPORT_DATE]
    won = mature["status"] == "won"
    assert 0.25 < won.mean() < 0.5
    assert won[mature["pricing_page_views_30d"] >= 3].mean() > 1.3 * won.mean()


def test_leads_are_as_they_were_after_30_days(crm):
    kinds = ["calls", "linkedin_messages", "content_downloads", "webinars", "emails"]
    assert (crm[[f"{kind}_30d" for kind in kinds]].sum(axis=1) == crm["touches_30d"]).all()
    assert crm["days_since_last_touch"].dropna().between(1, 30).all()
    assert (crm["days_since_last_touch"].isna() == (crm["touches_30d"] == 0)).all()
    assert (crm["touches_last_7d"] <= crm["touches_30d"]).all()
    assert (crm["pricing_page_views_30d"] >= 0).all()


def test_longer_history_changes_no_count_of_the_first_30_days():
    pytest.importorskip("leadforge")
    counts = [name for name in demo.FEATURES["behavioral"] if name.endswith("_30d")]
    short, long = (
        simulate_crm(100, months, random_state=1).set_index("lead_id")[counts].sort_index()
        for months in (4, 12)
    )
    pd.testing.assert_frame_equal(short, long)


def test_leaks_run_past_the_snapshot(crm):
    assert (crm["total_touches_all"] >= crm["touches_30d"]).all()
    assert (crm["total_touches_all"] > crm["touches_30d"]).mean() > 0.8
    assert (crm["plan"].notna() == (crm["status"] == "won")).all()


def test_profile_is_plausible_and_nobody_real(crm):
    emails = crm["email"].dropna()
    assert emails.str.fullmatch(r"cnt_\d{6}@(company-\d{6}\.example|gmail\.com)").all()
    assert 0.02 < crm["email"].isna().mean() < 0.2
    assert 0.05 < emails.str.endswith("gmail.com").mean() < 0.25
    assert 0.2 < crm["phone"].isna().mean() < 0.5
    reserved = r"\+1 202 555 01\d\d|\+44 20 7946 0\d{3}|\+49 30 23125 \d{3}|\+33 1 99 00 0\d{3}"
    assert crm["phone"].dropna().str.fullmatch(reserved).all()
    titles = crm["job_title"].dropna()
    assert not titles.str.contains("[{}]").any()
    assert {"CFO", "Head of IT", "Leitung Einkauf", "Directrice achats"} & set(titles)


def test_types(crm):
    text = [name for name in crm if crm[name].dtype == "str"]
    assert {"lead_id", "account_id", "status", "job_title", "plan"} <= set(text)
    assert crm["created_at"].dtype.kind == crm["closed_at"].dtype.kind == "M"
    assert all(np.issubdtype(crm[name].dtype, np.integer) for name in crm if name.endswith("_30d"))
    assert (crm["deal_value"] > 10_000).all()


def test_one_lead_is_enough():
    pytest.importorskip("leadforge")
    assert len(simulate_crm(1, 4)) == 1


@pytest.mark.parametrize(
    ("parameter", "value", "least"), [("n_leads", 0, 1), ("months", 3, 4), ("random_state", -1, 0)]
)
def test_out_of_range_is_refused(parameter, value, least):
    with pytest.raises(DataError, match=f"`{parameter}` must be at least {least}. Got {value}"):
        simulate_crm(**{parameter: value})


def test_missing_package_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "leadforge", None)
    monkeypatch.setitem(sys.modules, "leadforge.api", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'leadml\[demo\]'"):
        simulate_crm(10)
