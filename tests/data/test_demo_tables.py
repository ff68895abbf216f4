import pandas as pd
import pytest

from leadml.config import BantColumns, FeaturesTable
from leadml.data import demo_tables as demo
from leadml.data.demo import BANT, simulate_crm
from leadml.data.demo_tables import export_date, simulate_tables
from leadml.errors import DataError

N_LEADS, MONTHS = 600, 8
EXPORT_DATE = export_date(MONTHS)
DATES = {name: activity["at"] for name, activity in demo.ACTIVITIES.items()} | {
    "leads": demo.CREATED_COLUMN,
    "outcomes": demo.CLOSED_COLUMN,
}


@pytest.fixture(scope="module")
def tables():
    pytest.importorskip("leadforge")
    return simulate_tables(N_LEADS, MONTHS, random_state=3)


@pytest.fixture(scope="module")
def later():
    """Return the same world, exported when every lead's 90 days are over."""
    pytest.importorskip("leadforge")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "export_date", lambda months: export_date(months + 3))
        return simulate_tables(N_LEADS, MONTHS, random_state=3)


@pytest.fixture(scope="module")
def leads(tables):
    """Return the leads by id, beside their outcome."""
    outcomes = tables["outcomes"].set_index("lead_id")
    return tables["leads"].set_index("lead_id").join(outcomes)


def test_two_calls_are_equal_and_another_seed_is_not(tables):
    again = simulate_tables(N_LEADS, MONTHS, random_state=3)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, again[name])
    other = simulate_tables(N_LEADS, MONTHS, random_state=4)
    assert len(other["touches"]) != len(tables["touches"])


def test_tables_refer_to_each_other(tables):
    assert len(tables["leads"]) == N_LEADS
    for name, table in tables.items():
        assert table.iloc[:, 0].is_unique, name  # the first column is the table's own id
        assert not table.iloc[:, 0].isna().any()
        if name not in ("contacts", "accounts"):
            assert table["lead_id"].isin(tables["leads"]["lead_id"]).all()
    people = tables["leads"].merge(tables["contacts"], "left", on="contact_id")
    assert (people["account_id_x"] == people["account_id_y"]).all()
    assert tables["leads"]["account_id"].isin(tables["accounts"]["account_id"]).all()
    assert tables["leads"]["account_id"].nunique() < 0.5 * N_LEADS


def test_label_columns_stand_in_outcomes_only(tables):
    for name, table in tables.items():
        told = {"converted_within_90_days", "conversion_timestamp", "close_outcome"}
        assert not told & set(table.columns)
        assert (name == "outcomes") == ("closed_at" in table)


def test_joined_columns_are_those_that_the_constants_name(tables):
    joined = (
        tables["leads"]
        .merge(tables["contacts"].drop(columns=["account_id", "created_at"]), on="contact_id")
        .merge(tables["accounts"].drop(columns="created_at"), on="account_id")
    )
    families = FeaturesTable(**demo.TABLE_FEATURES, bant=BantColumns(**BANT)).families()
    roles = ["lead_id", "lead_created_at", "contact_id", "account_id"]
    same = ["first_touch_channel", "owner_rep_id"]  # the source again; drawn by chance
    assert sorted(joined) == sorted([*roles, *same, *families, *demo.LEAK_COLUMNS])
    for name, activity in demo.ACTIVITIES.items():
        named = [activity["at"], activity.get("kind", "lead_id"), *activity.get("measures", [])]
        assert set(named) <= set(tables[name])


@pytest.mark.parametrize("name", DATES)
def test_rows_are_in_order_and_none_is_of_the_export_day_or_later(tables, name):
    dates = tables[name][DATES[name]]
    assert dates.is_monotonic_increasing
    assert dates.max() < EXPORT_DATE


def test_leads_come_in_every_month_but_the_last(leads):
    month = (leads["lead_created_at"] - export_date(0)).dt.days // 30
    assert sorted(month.unique()) == list(range(MONTHS - 1))


@pytest.mark.parametrize("name", demo.ACTIVITIES)
def test_rows_of_a_lead_stay_with_it_from_creation_to_closing(tables, leads, name):
    dates = tables[name][DATES[name]]
    of_lead = leads.loc[tables[name]["lead_id"]].reset_index()
    assert (dates - of_lead["lead_created_at"]).dt.days.between(0, 89).all()
    assert not (dates > of_lead["closed_at"]).any()


def test_earlier_export_is_the_later_one_cut_off(tables, later):
    for name in ("touches", "sessions", "sales_activities"):
        cut = later[name][later[name][DATES[name]] < EXPORT_DATE]
        pd.testing.assert_frame_equal(tables[name], cut)
        assert len(later[name]) > len(tables[name])
    cut = later["outcomes"][later["outcomes"]["closed_at"] < EXPORT_DATE]
    pd.testing.assert_frame_equal(tables["outcomes"], cut)
    for name in ("contacts", "accounts"):
        pd.testing.assert_frame_equal(tables[name], later[name])
    clean = tables["leads"].drop(columns=list(demo.LEAK_COLUMNS))
    pd.testing.assert_frame_equal(clean, later["leads"][clean.columns])


def test_outcomes_are_within_90_days_and_as_often_as_in_an_honest_demo(leads):
    assert (leads["status"].isna() == leads["closed_at"].isna()).all()
    assert set(leads["status"].dropna()) == {"won", "lost"}
    days = (leads["closed_at"] - leads["lead_created_at"]).dt.days
    assert days.dropna().between(0, 89).all()
    mature = leads["lead_created_at"] + pd.Timedelta("90D") <= EXPORT_DATE
    assert 0.25 < (leads.loc[mature, "status"] == "won").mean() < 0.5
    assert set(leads.loc[~mature, "status"].dropna()) == {"won", "lost"}


def test_stage_tells_the_outcome_but_not_the_future(tables, leads, later):
    stage, status = leads["current_stage"], leads["status"]
    assert ((stage == "closed_won") == (status == "won")).all()
    assert (stage[status == "lost"] == "closed_lost").all()
    young = leads["lead_created_at"] + pd.Timedelta("90D") > EXPORT_DATE
    assert set(stage[young & status.isna()]) <= {"mql", "sal", "sql"}
    in_the_end = later["leads"].set_index("lead_id").loc[leads.index]
    assert (stage == in_the_end["current_stage"])[~young].all()
    assert (in_the_end["current_stage"] == "closed_won")[young & status.isna()].any()
    deals = tables["opportunities"]
    assert (deals["stage"] == deals["lead_id"].map(stage)).all()
    with_deal = leads.index.isin(deals["lead_id"])
    assert not leads.loc[~with_deal, "is_sql"].any()


def test_people_are_plausible_and_nobody_real(tables):
    crm = simulate_crm(N_LEADS, MONTHS, random_state=3)
    contacts = tables["contacts"]
    emails = contacts["email"].dropna()
    assert emails.str.fullmatch(r"cnt_\d{6}@(company-\d{6}\.example|gmail\.com)").all()
    assert set(contacts["job_title"].dropna()) & set(crm["job_title"].dropna())
    assert set(tables["accounts"]["country"]) == set(crm["country"])
    assert 0.2 < contacts["phone"].isna().mean() < 0.5
    assert 0.02 < tables["accounts"]["estimated_revenue_band"].isna().mean() < 0.25
    assert "company_name" not in tables["accounts"]


def test_types(tables):
    for name, table in tables.items():
        for column, dtype in table.dtypes.items():
            if column.endswith(("_at", "_timestamp")):
                assert dtype == "datetime64[us]", (name, column)
            else:
                assert str(dtype) in ("str", "int64", "bool"), (name, column)
    assert (tables["opportunities"]["estimated_acv"] > 10_000).all()


def test_difficulty_and_world_change_the_world(tables):
    hard = simulate_tables(N_LEADS, MONTHS, random_state=3, difficulty="intermediate")
    assert (hard["outcomes"]["status"] == "won").sum() < 0.8 * (
        tables["outcomes"]["status"] == "won"
    ).sum()
    drawn = simulate_tables(N_LEADS, MONTHS, random_state=3, world=None)
    assert len(drawn["touches"]) != len(tables["touches"])


def test_one_lead_is_enough():
    pytest.importorskip("leadforge")
    tables = simulate_tables(1, 4)
    assert len(tables["leads"]) == 1
    assert list(tables["outcomes"]) == ["lead_id", "status", "closed_at"]


@pytest.mark.parametrize(
    ("parameter", "value", "problem"),
    [
        ("n_leads", 0, "`n_leads` must be at least 1. Got 0"),
        ("months", 3, "`months` must be at least 4. Got 3"),
        ("difficulty", "intermediat", "Got 'intermediat'. Did you mean 'intermediate'?"),
        ("world", "fit", "`world` must be one of fit_dominant, .* Got 'fit'"),
    ],
)
def test_out_of_range_is_refused(parameter, value, problem):
    pytest.importorskip("leadforge")
    with pytest.raises(DataError, match=problem.replace("?", r"\?")):
        simulate_tables(**{parameter: value})
