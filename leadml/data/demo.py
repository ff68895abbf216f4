"""A simulated CRM export, to try everything on before one's own data is at hand."""

import numpy as np
import pandas as pd

from leadml.data.demo_world import (
    HORIZON_DAYS,
    MONTH_DAYS,
    WORLD_START,
    check_size,
    draw_moves,
    hide_some,
    invent_people,
    simulate_world,
)

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

SNAPSHOT_DAYS = 30
_SHORTER = {"estimated_revenue_band": "revenue_band", "process_maturity_band": "process_maturity"}
# dollars a year, as leadforge guesses them too
_TYPICAL_DEALS = {
    "$1M-$10M": 25_000.0,
    "$10M-$50M": 55_000.0,
    "$50M-$200M": 85_000.0,
    "$200M+": 140_000.0,
}


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
    check_size(n_leads, months, random_state)
    # about 5 % of leads are closed within 30 days and left out: simulate some more
    tables = simulate_world(n_leads + n_leads // 8 + 20, random_state)
    rng = np.random.default_rng(random_state)

    leads = _lead_days(tables)
    leads = leads[~(leads["close_day"] < SNAPSHOT_DAYS)].head(n_leads)
    leads = leads.assign(created_at=leads["created_at"] + draw_moves(len(leads), months, rng))
    export_date = WORLD_START + pd.Timedelta(days=months * MONTH_DAYS)

    crm = pd.concat(
        [
            leads[["created_at", "account_id"]],
            _profile(leads, tables, rng),
            _engagement(leads, tables),
            _outcome(leads, export_date),
        ],
        axis="columns",
    )
    crm["total_touches_all"] = _touches_until(leads, tables, export_date)
    # what a customer bought: a CRM fills it in once the deal is won
    crm["plan"] = _plans(tables).reindex(leads.index).where(crm[OUTCOME_COLUMN] == WON)
    return crm.reset_index().sort_values([CREATED_COLUMN, ID_COLUMN], ignore_index=True)


def _lead_days(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the leads by id, with the days from creation to opportunity, win and closing."""
    leads = tables["leads"].rename(columns={"lead_created_at": "created_at"}).set_index("lead_id")
    deals = tables["opportunities"].set_index("lead_id")
    dates = {
        "opportunity_day": deals["created_at"],
        "close_day": deals["closed_at"],
        "win_day": leads["conversion_timestamp"],
    }
    days = {
        name: (date.reindex(leads.index) - leads["created_at"]).dt.days
        for name, date in dates.items()
    }
    return leads.assign(**days, acv=deals["estimated_acv"].astype(float))


def _profile(
    leads: pd.DataFrame, tables: dict[str, pd.DataFrame], rng: np.random.Generator
) -> pd.DataFrame:
    people = invent_people(tables, rng)
    shown = hide_some(people, rng).rename(columns=_SHORTER)
    profile = shown[["job_title", "buyer_role", "email", "phone", *FEATURES["firmographic"]]]
    typical_deal = people["estimated_revenue_band"].map(_TYPICAL_DEALS)
    profile = profile.assign(deal_value=typical_deal).set_index(people["contact_id"])
    profile = profile.loc[leads["contact_id"]].set_axis(leads.index)
    known = leads["opportunity_day"] < SNAPSHOT_DAYS
    return profile.assign(
        lead_source=leads["lead_source"],
        deal_value=leads["acv"].where(known, profile["deal_value"]),
    )


def _days_after_creation(
    events: pd.DataFrame, date: str, tables: dict[str, pd.DataFrame]
) -> pd.Series:
    created = tables["leads"].set_index("lead_id")["lead_created_at"]
    return (events[date] - events["lead_id"].map(created)).dt.days


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
    return bought.set_index("lead_id")["plan_name"]
