"""A simulated CRM export, to try everything on before one's own data is at hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from leadml.errors import DataError, MissingExtraError

ID_COLUMN = "lead_id"
CREATED_COLUMN = "created_at"
ACCOUNT_COLUMN = "account_id"
VALUE_COLUMN = "deal_value"
OUTCOME_COLUMN = "status"
WON, LOST, OPEN = "won", "lost", "open"
CLOSED_COLUMN = "closed_at"
#: Columns written after the outcome, as real exports have them: a model must not see them.
LEAK_COLUMNS = ("total_touches_all", "plan")
#: The columns of each feature family, as `[features]` of `leadml.toml` lists them.
FEATURES = {
    "demographic": ["job_title", "buyer_role", "phone"],
    "firmographic": ["country", "industry", "employee_band", "revenue_band", "process_maturity"],
    "behavioral": [
        "touches_30d",
        "touches_last_7d",
        "calls_30d",
        "linkedin_messages_30d",
        "content_downloads_30d",
        "webinars_30d",
        "web_sessions_30d",
        "page_views_30d",
        "pricing_page_views_30d",
        "demo_page_views_30d",
        "web_minutes_30d",
        "sales_activities_30d",
        "meetings_30d",
        "demos_30d",
        "has_opportunity",
        "days_since_last_touch",
    ],
    "email": ["email", "emails_30d"],
    "context": ["lead_source"],
}
BANT = {"authority": "buyer_role"}

# the kind of world where both matter: who the lead is (seniority, revenue) and what it does
WORLD = "buying_committee_friction"
# a world of leadforge is one cohort, created from this day on within this many days
WORLD_START = pd.Timestamp("2024-01-01")
MONTH_DAYS = 30
SNAPSHOT_DAYS = 30
HORIZON_DAYS = 90

_LANGUAGES = {"US": "en", "GB": "en", "DE": "de", "FR": "fr"}
# Numbers that the regulators keep free for films and books: NANPA 555-01xx, Ofcom 020 7946 0xxx,
# Bundesnetzagentur 030 23125 xxx, Arcep 01 99 00 xx xx. No such number can belong to a person.
_PHONES = {
    "US": "+1 202 555 01{:02d}",
    "GB": "+44 20 7946 0{:03d}",
    "DE": "+49 30 23125 {:03d}",
    "FR": "+33 1 99 00 0{:03d}",
}
_DEPARTMENTS = {
    "vp_finance": {"en": "Finance", "de": "Finanzen", "fr": "finance"},
    "ap_manager": {
        "en": "Accounts Payable",
        "de": "Kreditorenbuchhaltung",
        "fr": "comptabilité fournisseurs",
    },
    "it_director": {"en": "IT", "de": "IT", "fr": "informatique"},
    "procurement_manager": {"en": "Procurement", "de": "Einkauf", "fr": "achats"},
}
_TITLES = {
    "individual_contributor": {
        "en": ("{} Specialist", "{} Analyst"),
        "de": ("Sachbearbeiter {}", "Fachkraft {}"),
        "fr": ("Analyste {}", "Spécialiste {}"),
    },
    "manager": {
        "en": ("{} Manager", "Senior {} Manager"),
        "de": ("Teamleitung {}", "Senior Manager {}"),
        "fr": ("Responsable {}", "Manager {}"),
    },
    "director": {
        "en": ("Director of {}", "Head of {}"),
        "de": ("Leitung {}", "Abteilungsleiterin {}"),
        "fr": ("Directrice {}", "Directeur {}"),
    },
    "vp": {
        "en": ("VP {}", "Vice President {}"),
        "de": ("Bereichsleiter {}", "VP {}"),
        "fr": ("VP {}", "Vice-président {}"),
    },
}
_CHIEFS = {
    "vp_finance": ("CFO", "Chief Financial Officer"),
    "ap_manager": ("Chief Accounting Officer", "Chief Finance Officer"),
    "it_director": ("CIO", "Chief Information Officer"),
    "procurement_manager": ("Chief Procurement Officer", "Chief Purchasing Officer"),
}
# dollars a year, as leadforge guesses them too
_TYPICAL_DEALS = {
    "$1M-$10M": 25_000.0,
    "$10M-$50M": 55_000.0,
    "$50M-$200M": 85_000.0,
    "$200M+": 140_000.0,
}
_MISSING = {"job_title": 0.06, "phone": 0.35, "revenue_band": 0.12, "process_maturity": 0.3}


def simulate_crm(n_leads: int = 4000, months: int = 15, random_state: int = 0) -> pd.DataFrame:
    """Simulate a company's CRM export with the package leadforge, one row a lead.

    Each row shows a lead as it looked 30 days after it was created: counts are of events before
    that day, so no lead is younger than 30 days and none was closed sooner. A lead is won by a
    deal closed within 90 days; lost when its opportunity was closed without a deal, or after 90
    days with neither; open otherwise. Nothing that happened after the export date is known.

    Parameters
    ----------
    n_leads : int, default=4000
    months : int, default=15
        From the first lead to the export, months of 30 days, at least 4. Leads are created in
        all of them but the last.
    random_state : int, default=0
        Not negative.

    Returns
    -------
    DataFrame of shape (n_leads, 35)
        In order of `created_at`. The module's constants name the columns that have a role
        (`ID_COLUMN`, ...), the feature families (`FEATURES`) and the leaks (`LEAK_COLUMNS`).
        `deal_value` is in dollars: of the opportunity, or else typical for the revenue band.
        Names of companies, e-mail addresses and phone numbers cannot be real.

    Raises
    ------
    DataError
        If a parameter is out of range.
    MissingExtraError
        If leadforge is not installed.

    Examples
    --------
    >>> crm = simulate_crm(n_leads=200, months=6)
    >>> crm["status"].value_counts().index.tolist()
    ['lost', 'open', 'won']
    >>> bool(crm["created_at"].is_monotonic_increasing)
    True
    """
    for name, value, least in (
        ("n_leads", n_leads, 1),
        ("months", months, 4),
        ("random_state", random_state, 0),
    ):
        if value < least:
            message = f"`{name}` must be at least {least}. Got {value}. Pass a larger number."
            raise DataError(message)
    # about 5 % of leads are closed within 30 days and left out: simulate some more
    tables = _simulate_tables(n_leads + n_leads // 8 + 20, random_state)
    rng = np.random.default_rng(random_state)

    leads = _lead_days(tables)
    leads = leads[~(leads["close_day"] < SNAPSHOT_DAYS)].head(n_leads)
    moved = rng.integers(0, months - 1, len(leads)) * MONTH_DAYS
    leads = leads.assign(created_at=leads["created_at"] + pd.to_timedelta(moved, "D"))
    export_date = WORLD_START + pd.Timedelta(days=months * MONTH_DAYS)

    crm = pd.concat(
        [
            leads[["created_at"]],
            leads["account_id"].astype("str"),
            _profile(leads, tables, rng),
            _engagement(leads, tables),
            _outcome(leads, export_date),
        ],
        axis="columns",
    )
    crm["total_touches_all"] = _touches_until(leads, tables, export_date)
    # what a customer bought: a CRM fills it in once the deal is won
    crm["plan"] = _plans(tables).reindex(leads.index).where(crm[OUTCOME_COLUMN] == WON)
    crm.index = crm.index.astype("str")
    return crm.reset_index().sort_values([CREATED_COLUMN, ID_COLUMN], ignore_index=True)


def _simulate_tables(n_leads: int, random_state: int) -> dict[str, pd.DataFrame]:
    try:
        from leadforge.api import Generator
        from leadforge.core.rng import RNGRoot
        from leadforge.render.relational import to_dataframes
        from leadforge.structure.sampler import sample_hidden_graph
    except ImportError as error:
        message = "The demo needs the package leadforge. Install it: pip install 'leadml[demo]'"
        raise MissingExtraError(message) from error
    # the seed draws the kind of world too, one of five: take the first seed of the kind we want
    seeds = np.random.default_rng(random_state).integers(2**31, size=200).tolist()
    seed = next(s for s in seeds if sample_hidden_graph(RNGRoot(s)).motif_family == WORLD)
    spec = Generator.from_recipe(
        "b2b_saas_procurement_v1",
        seed=seed,
        difficulty="intro",
        n_leads=n_leads,
        # leadforge's own proportions
        n_contacts=max(1, round(n_leads * 0.84)),
        n_accounts=max(1, round(n_leads * 0.3)),
    ).world_spec
    market = replace(spec.narrative.market, geographies=tuple(_LANGUAGES))
    world = Generator(replace(spec, narrative=replace(spec.narrative, market=market)))
    # otherwise chance alone decides how often a lead is touched
    bundle = world.generate(latent_touch_intensity=True)
    tables: dict[str, pd.DataFrame] = to_dataframes(bundle.simulation_result, bundle.population)
    return tables


def _lead_days(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the leads by id, with the days from creation to opportunity, win and closing."""
    leads = tables["leads"].rename(columns={"lead_created_at": "created_at"}).set_index("lead_id")
    leads = leads.assign(created_at=pd.to_datetime(leads["created_at"]))
    deals = tables["opportunities"].set_index("lead_id")
    dates = {
        "opportunity_day": deals["created_at"],
        "close_day": deals["closed_at"],
        "win_day": leads["conversion_timestamp"],
    }
    days = {
        name: (pd.to_datetime(date.reindex(leads.index)) - leads["created_at"]).dt.days
        for name, date in dates.items()
    }
    return leads.assign(**days, acv=deals["estimated_acv"].astype(float))


def _profile(
    leads: pd.DataFrame, tables: dict[str, pd.DataFrame], rng: np.random.Generator
) -> pd.DataFrame:
    people = tables["contacts"].merge(tables["accounts"], "left", on="account_id")
    people["number"] = rng.integers(0, 1000, len(people))
    profile = pd.DataFrame(
        {
            "job_title": [_job_title(person) for person in people.itertuples()],
            "buyer_role": people["buyer_role"],
            "email": [_email(person) for person in people.itertuples()],
            "phone": [_phone(person) for person in people.itertuples()],
            "country": people["region"],
            "industry": people["industry"],
            "employee_band": people["employee_band"],
            "revenue_band": people["estimated_revenue_band"],
            "process_maturity": people["process_maturity_band"],
        },
        dtype="str",
    )
    typical_deal = profile["revenue_band"].map(_TYPICAL_DEALS)
    for name, share in _MISSING.items():
        profile[name] = profile[name].mask(rng.random(len(people)) < share)
    profile = profile.assign(deal_value=typical_deal).set_index(people["contact_id"])
    profile = profile.loc[leads["contact_id"]].set_axis(leads.index)
    known = leads["opportunity_day"] < SNAPSHOT_DAYS
    return profile.assign(
        lead_source=leads["lead_source"].astype("str"),
        deal_value=leads["acv"].where(known, profile["deal_value"]),
    )


def _job_title(person: Any) -> str:
    language = _LANGUAGES[person.region]
    role = person.role_function
    if person.seniority == "c_suite":
        return _CHIEFS[role][person.number % 2]
    title = _TITLES[person.seniority][language][person.number % 2]
    return title.format(_DEPARTMENTS[role][language])


def _email(person: Any) -> str | None:
    # .example is reserved (RFC 2606), and Gmail allows no underscore in a name
    domains = {
        "corporate": f"{person.account_id.replace('acct_', 'company-')}.example",
        "personal": "gmail.com",
    }
    domain = domains.get(person.email_domain_type)
    return domain and f"{person.contact_id}@{domain}"


def _phone(person: Any) -> str:
    number = person.number % 100 if person.region == "US" else person.number
    return _PHONES[person.region].format(number)


def _days_after_creation(
    events: pd.DataFrame, date: str, tables: dict[str, pd.DataFrame]
) -> pd.Series:
    created = tables["leads"].set_index("lead_id")["lead_created_at"]
    passed = pd.to_datetime(events[date]) - pd.to_datetime(events["lead_id"].map(created))
    return passed.dt.days


def _engagement(leads: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Count each lead's events strictly before its 30th day."""
    events = {}
    for name, date in (
        ("touches", "touch_timestamp"),
        ("sessions", "session_timestamp"),
        ("sales_activities", "activity_timestamp"),
    ):
        table = tables[name].assign(day=_days_after_creation(tables[name], date, tables))
        events[name] = table[table["day"] < SNAPSHOT_DAYS]
    touches, activities = events["touches"], events["sales_activities"]
    touch_kinds = pd.crosstab(touches["lead_id"], touches["touch_type"])
    activity_kinds = pd.crosstab(activities["lead_id"], activities["activity_type"])
    web = events["sessions"].groupby("lead_id")
    web_totals = web.sum(numeric_only=True)
    counts = pd.DataFrame(
        {
            "touches_30d": touch_kinds.sum(axis="columns"),
            "touches_last_7d": touches[touches["day"] >= SNAPSHOT_DAYS - 7].value_counts("lead_id"),
            "calls_30d": touch_kinds["call"],
            "linkedin_messages_30d": touch_kinds["linkedin_message"],
            "content_downloads_30d": touch_kinds["content_download"],
            "webinars_30d": touch_kinds["webinar"],
            "emails_30d": touch_kinds["email"],
            "web_sessions_30d": web.size(),
            "page_views_30d": web_totals["page_views"],
            "pricing_page_views_30d": web_totals["pricing_page_views"],
            "demo_page_views_30d": web_totals["demo_page_views"],
            "web_minutes_30d": web_totals["session_duration_seconds"] // 60,
            "sales_activities_30d": activity_kinds.sum(axis="columns"),
            "meetings_30d": activity_kinds["meeting"],
            "demos_30d": activity_kinds["demo"],
        },
        index=leads.index,
    )
    return (
        counts.fillna(0)
        .astype("int64")
        .assign(
            has_opportunity=leads["opportunity_day"] < SNAPSHOT_DAYS,
            days_since_last_touch=SNAPSHOT_DAYS - touches.groupby("lead_id")["day"].max(),
        )
    )


def _outcome(leads: pd.DataFrame, export_date: pd.Timestamp) -> pd.DataFrame:
    # with neither a win nor a loss a lead is lost on the day its 90 days are over
    days = leads["win_day"].fillna(leads["close_day"]).fillna(HORIZON_DAYS)
    closed = leads["created_at"] + pd.to_timedelta(days, "D")
    known = closed <= export_date
    ended = leads["win_day"].notna().map({True: WON, False: LOST})
    return pd.DataFrame(
        {OUTCOME_COLUMN: ended.where(known, OPEN), CLOSED_COLUMN: closed.where(known)}
    )


def _touches_until(
    leads: pd.DataFrame, tables: dict[str, pd.DataFrame], export_date: pd.Timestamp
) -> pd.Series:
    touches = tables["touches"]
    day = _days_after_creation(touches, "touch_timestamp", tables)
    age = (export_date - leads["created_at"]).dt.days
    known = touches[day < touches["lead_id"].map(age)]
    return known.value_counts("lead_id").reindex(leads.index, fill_value=0)


def _plans(tables: dict[str, pd.DataFrame]) -> pd.Series:
    bought = tables["subscriptions"].merge(tables["customers"]).merge(tables["opportunities"])
    return bought.set_index("lead_id")["plan_name"].astype("str")
