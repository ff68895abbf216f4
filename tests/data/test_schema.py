import numpy as np
import pandas as pd
import pytest

from leadml.data.columns import judge_column
from leadml.data.kinds import kind_of
from leadml.data.roles import guess_values, outcome_texts
from leadml.data.schema import infer_config
from leadml.data.sources import read_leads
from leadml.data.words import family_of, says
from leadml.errors import ConfigError, DataError


def crm(n: int = 40) -> pd.DataFrame:
    days = pd.date_range("2024-01-01", periods=n).strftime("%Y-%m-%d")
    rows = np.arange(n)
    return read_leads(
        pd.DataFrame(
            {
                "lead_id": [f"L{i:03d}" for i in rows],
                "Created Date": days,
                "Company": [f"Company {i % 9}" for i in rows],
                "First Name": [f"Ann {i}" for i in rows],
                "Email": [f"a{i}@firm{i}.example" for i in rows],
                "Phone": [f"+49 30 23125 {i:03d}" for i in rows],
                "Job Title": [f"Director of thing {i % 30}" for i in rows],
                "Gender": np.where(rows % 2, "f", "m"),
                "Salutation": np.where(rows % 2, "Mrs.", "Mr."),
                "Industry": np.where(rows % 3, "Steel", "Select"),
                "Number of Employees": rows * 10,
                "Zip": 10000 + rows % 7,
                "TotalVisits": rows % 6,
                "days_since_last_visit": rows % 9,
                "emails_bounced": rows % 2 + rows % 3,
                "Opted Out": np.where(rows % 5, "no", "yes"),
                "Lead Source": np.where(rows % 2, "Referral", "N/A"),
                "Budget": np.where(rows % 4, "unknown", "approved"),
                "Purchase timeframe": np.where(rows % 4, "1-3 months", "later"),
                "Notes": [f"They wrote a long message number {i} about their plans" for i in rows],
                "Campaign Kind": "spring",
                "Empty": "",
                "Lost Reason": np.where(rows % 2, "price", ""),
                "Deal Value": rows * 100.0,
                "Status": np.where(rows % 4 == 0, "Closed Won", "Closed Lost"),
                "Close Date": days,
            }
        )
    )


def test_a_whole_crm_export():
    config = infer_config(crm(), "leads.csv").config
    leads, outcome, features = config.leads, config.outcome, config.features
    assert leads.model_dump(exclude_none=True) == {
        "path": "leads.csv",
        "id": "lead_id",
        "created": "Created Date",
        "account": "Company",
        "value": "Deal Value",
        "missing": ["Select", "N/A", "unknown"],
    }
    assert (outcome.column, outcome.won, outcome.lost) == (
        "Status",
        ["Closed Won"],
        ["Closed Lost"],
    )
    assert outcome.closed == "Close Date"
    assert features.demographic == ["Email", "Phone", "Job Title", "Zip"]
    assert features.firmographic == ["Industry", "Number of Employees"]
    assert features.behavioral == ["TotalVisits", "days_since_last_visit"]
    assert features.email == ["emails_bounced", "Opted Out"]
    assert features.protected == ["Gender", "Salutation"]
    assert features.monotone == {"TotalVisits": 1}
    assert features.kinds == {
        "Email": "email",
        "Phone": "phone",
        "Job Title": "title",
        "Zip": "category",
        "Opted Out": "boolean",
    }
    assert features.bant.columns() == {"A": "Job Title", "T": "Purchase timeframe", "B": "Budget"}
    assert set(features.exclude) == {"First Name", "Notes", "Campaign Kind", "Empty", "Lost Reason"}


def test_every_column_has_a_note():
    leads = crm()
    notes = infer_config(leads, "leads.csv").notes
    assert list(notes) == list(leads.columns)
    assert all(note.endswith(".") for note in notes.values())


def test_options_take_the_place_of_guesses():
    config = infer_config(
        crm(),
        "leads.csv",
        id="Email",
        outcome="Opted Out",
        won=["no"],
        lost=["yes"],
        created="Close Date",
        account="Industry",
        value="Number of Employees",
        missing=["Select"],
        exclude=["TotalVisits"],
        horizon="30D",
    ).config
    leads = config.leads
    roles = (leads.id, leads.created, leads.account, leads.value)
    assert roles == ("Email", "Close Date", "Industry", "Number of Employees")
    assert (config.outcome.column, config.outcome.won) == ("Opted Out", ["no"])
    assert (config.outcome.horizon, config.leads.missing) == ("30D", ["Select"])
    assert config.features.exclude["TotalVisits"] == "Excluded on request."


def test_all_wrong_options_at_once():
    match = (
        r"(?s)2 problems.*`created` names 'Created'.*Did you mean 'Created Date'"
        r".*`exclude` names 'Vists'"
    )
    with pytest.raises(ConfigError, match=r"(?s)`exclude` and `id` both name 'lead_id'"):
        infer_config(crm(), "x", id="lead_id", exclude=["lead_id"])
    with pytest.raises(ConfigError, match=match.replace("2 problems", "3 problems")):
        infer_config(crm(), "x", created="Created", exclude=["Vists"])


def test_wrong_outcomes_list_the_values():
    with pytest.raises(ConfigError, match=r"(?s)'Status' never holds 'Win'.*'Closed Lost'"):
        infer_config(crm(), "x", won=["Win"])
    with pytest.raises(ConfigError, match=r"(?s)known to mean won.*known to mean lost.*'Referral'"):
        infer_config(crm(), "x", outcome="Lead Source")
    with pytest.raises(ConfigError, match="share"):
        infer_config(crm(), "x", won=["Closed Won"], lost=["Closed Won"])


def test_no_outcome_and_no_id_say_what_to_do():
    leads = pd.DataFrame({"age": [1, 1], "city": ["Ulm", "Ulm"]})
    with pytest.raises(DataError, match=r"(?s)2 problems.*Add a column that numbers.*`outcome`"):
        infer_config(leads, "x")
    with pytest.raises(DataError, match="the id 'city' repeats in 1 leads"):
        infer_config(leads.assign(won=["yes", "no"]), "x", id="city")


def test_a_bad_horizon_is_a_plain_error():
    with pytest.raises(ConfigError, match="positive time span"):
        infer_config(crm(), "x", horizon="soon")


@pytest.mark.parametrize(
    ("values", "won", "lost"),
    [
        ([1, 0, 0], ["1"], ["0"]),
        ([1.0, 0.0, None], ["1"], ["0"]),
        ([True, False, False], ["true"], ["false"]),
        (["Yes", "No", "maybe"], ["Yes"], ["No"]),
        (["converted", "open", "disqualified"], ["converted"], ["disqualified"]),
    ],
)
def test_values_of_won_and_lost(values, won, lost):
    leads = pd.DataFrame({"id": [1, 2, 3], "outcome": values, "city": ["a", "b", "a"]})
    outcome = infer_config(leads, "x").config.outcome
    assert (outcome.won, outcome.lost) == (won, lost)
    assert set(outcome.won) <= set(outcome_texts(leads["outcome"]).dropna())


def test_two_values_need_only_one_name():
    leads = pd.DataFrame({"id": [1, 2, 3], "result": ["A", "B", "B"], "city": ["a", "b", "a"]})
    outcome = infer_config(leads, "x", outcome="result", won=["A"]).config.outcome
    assert (outcome.won, outcome.lost) == (["A"], ["B"])
    assert guess_values(["A", "B"]) == ([], [])


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("How did you hear about us", "context"),
        ("utm_campaign", "context"),
        ("Do Not Email", "email"),
        ("newsletter_opens_30d", "email"),
        ("pricing_page_views_30d", "behavioral"),
        ("product_page_visits", "behavioral"),
        ("company_country", "firmographic"),
        ("annual_revenue", "firmographic"),
        ("JobTitle", "demographic"),
        ("sales_agent", "context"),
        ("x17", None),
    ],
)
def test_families_by_words(name, family):
    assert family_of(name) == family


@pytest.mark.parametrize(
    ("name", "rises"),
    [
        ("TotalVisits", True),
        ("Total Time Spent on Website", True),
        ("email_clicks_30d", True),
        ("webinars_attended", True),
        ("demo_requests", True),
        ("replies", True),
        ("bounce_rate", False),
        ("emails_bounced", False),
        ("unsubscribes", False),
        ("days_since_last_visit", False),
        ("opt_outs", False),
        ("session_age", False),
        ("page_views_trend", False),
        ("first_visit_hour", False),
    ],
)
def test_engagement_counts_rise(name, rises):
    assert judge_column(name, pd.Series([0, 1, 2, 5])).rises is rises


@pytest.mark.parametrize(
    "name", ["age", "Age Group", "marital_status", "Date of Birth", "RELIGION"]
)
def test_protected(name):
    assert judge_column(name, pd.Series(["a", "b", "a"])).use == "protected"


@pytest.mark.parametrize("name", ["lead_age_days", "language", "page", "trace", "embrace"])
def test_not_protected(name):
    assert judge_column(name, pd.Series([1, 2, 2])).use == "used"


@pytest.mark.parametrize(
    "name", ["Close Value", "loss_reason", "wonAmount", "days_to_close", "Tags", "Lead Quality"]
)
def test_written_after_the_outcome(name):
    assert judge_column(name, pd.Series(["a", "b", "a"])).use == "excluded"


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("size", ["11-50", "51-200", "11-50"], "category"),
        ("day", ["2024-01-31", "2024-02-01T10:00:00+01:00", None], "date"),
        ("flag", [0, 1, 1], "boolean"),
        ("flag", [0, 1, 2], "number"),
        ("phone", [49301234567, 49301234568], "phone"),
        ("page", ["https://a.example", "https://b.example"], "text"),
        ("empty", [None, None], "category"),
    ],
)
def test_kinds(name, values, kind):
    column = read_leads(pd.DataFrame({name: values, "x": range(len(values))}))[name]
    assert kind_of(name, column) == kind


def test_dates_of_a_country_are_left_out():
    column = pd.Series(["31/05/2024", "01/06/2024"], dtype="str")
    assert "2024-05-31" in judge_column("first_contact", column).note


def test_words_in_capitals_and_underscores():
    assert says(r"\bpage views\b", "PageViews") is says(r"\bpage views\b", "page_views") is True


def test_x_education(real_data):
    leads = read_leads(real_data / "x_education" / "Leads.csv", missing=["Select"])
    config = infer_config(leads, "x", missing=["Select"], exclude=["Tags"]).config
    features = config.features
    assert (config.leads.id, config.outcome.column) == ("Prospect ID", "Converted")
    assert (config.outcome.won, config.outcome.lost) == (["1"], ["0"])
    assert "Last Activity" in features.behavioral
    assert "Lead Source" in features.context
    assert set(features.monotone) == {
        "TotalVisits",
        "Total Time Spent on Website",
        "Page Views Per Visit",
    }
    assert {"Lead Number", "Magazine", "Lead Quality", "Tags"} <= set(features.exclude)


def test_maven_leaves_open_deals_open(real_data):
    leads = read_leads(real_data / "maven_crm" / "sales_pipeline.csv")
    proposal = infer_config(leads, "x")
    config = proposal.config
    assert (config.outcome.won, config.outcome.lost) == (["Won"], ["Lost"])
    assert (config.leads.created, config.outcome.closed) == ("engage_date", "close_date")
    assert (config.leads.account, config.leads.value) == ("account", "close_value")
    assert list(config.features.families()) == ["sales_agent", "product"]
    assert "2,089 still open" in proposal.notes["deal_stage"]


def test_bank_needs_an_id(real_data):
    leads = read_leads(real_data / "bank_marketing" / "bank-additional-full.csv.gz")
    with pytest.raises(DataError, match="Add a column that numbers the leads"):
        infer_config(leads, "x")
    config = infer_config(leads.assign(lead_id=range(len(leads))), "x").config
    assert (config.outcome.column, config.leads.missing) == ("y", ["unknown"])
    assert config.features.protected == ["age", "marital"]
    assert list(config.features.exclude) == ["duration"]
