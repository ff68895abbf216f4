"""A simulated CRM's tables as they stand on the day of the export, for a `History`."""

from typing import Any

import numpy as np
import pandas as pd

from leadml.data.demo import LOST, WON
from leadml.data.demo_world import (
    HORIZON_DAYS,
    MONTH_DAYS,
    WORLD,
    WORLD_START,
    check_size,
    draw_moves,
    hide_some,
    invent_people,
    simulate_world,
)

ID_COLUMN = "lead_id"
CREATED_COLUMN = "lead_created_at"
CONTACT_COLUMN = "contact_id"
ACCOUNT_COLUMN = "account_id"
OUTCOME_COLUMN = "status"
CLOSED_COLUMN = "closed_at"
#: Columns of the leads as they stand at the export, past the outcome: a model must not see them.
LEAK_COLUMNS = ("current_stage", "is_sql")
#: The tables of dated rows, each as `[[activities]]` of `leadml.toml` describes it. A call or an
#: e-mail is a touch in one table and work of a sales rep in another.
ACTIVITIES: dict[str, dict[str, Any]] = {
    "touches": {"at": "touch_timestamp", "kind": "touch_type"},
    "sessions": {
        "at": "session_timestamp",
        "kind": "session_type",
        "measures": [
            "page_views",
            "pricing_page_views",
            "demo_page_views",
            "session_duration_seconds",
        ],
    },
    "sales_activities": {"at": "activity_timestamp", "kind": "activity_type"},
    "opportunities": {"at": "created_at", "kind_value": "opportunity"},
}
#: The columns of each feature family once contacts and accounts are joined to the leads.
TABLE_FEATURES = {
    "demographic": ["job_title", "buyer_role", "seniority", "role_function", "phone"],
    "firmographic": [
        "country",
        "industry",
        "employee_band",
        "estimated_revenue_band",
        "process_maturity_band",
    ],
    "email": ["email"],
    "context": ["lead_source"],
}

_COLUMNS = {
    "leads": [
        ID_COLUMN,
        CONTACT_COLUMN,
        ACCOUNT_COLUMN,
        CREATED_COLUMN,
        "lead_source",
        "first_touch_channel",
        "owner_rep_id",
        *LEAK_COLUMNS,
    ],
    "contacts": [
        CONTACT_COLUMN,
        ACCOUNT_COLUMN,
        *TABLE_FEATURES["demographic"],
        "email",
        "created_at",
    ],
    "touches": [
        "touch_id",
        ID_COLUMN,
        "touch_timestamp",
        "touch_type",
        "touch_channel",
        "touch_direction",
    ],
    "opportunities": ["opportunity_id", ID_COLUMN, "created_at", "stage", "estimated_acv"],
    "outcomes": [ID_COLUMN, OUTCOME_COLUMN, CLOSED_COLUMN],
}


def export_date(months: int = 15) -> pd.Timestamp:
    """Return the day of the export, `months` of 30 days after the first lead.

    Examples
    --------
    >>> export_date()
    Timestamp('2025-03-26 00:00:00')
    """
    return WORLD_START + pd.Timedelta(days=months * MONTH_DAYS)


def simulate_tables(
    n_leads: int = 4000,
    months: int = 15,
    random_state: int = 0,
    *,
    difficulty: str = "intro",
    world: str | None = WORLD,
) -> dict[str, pd.DataFrame]:
    """Simulate the tables of a company's CRM with the package leadforge, as of the export.

    No table holds a row dated on or after the export, nor a trace of what came later. Dates are
    whole days. leadforge follows each lead for 90 days from its creation or until it is closed:
    later there are neither activities nor outcomes.

    Parameters
    ----------
    n_leads : int, default=4000
    months : int, default=15
        From the first lead to the export, months of 30 days, at least 4. Leads are created in
        all of them but the last.
    random_state : int, default=0
        Not negative.
    difficulty : {"intro", "intermediate", "advanced"}, default="intro"
        The harder, the fewer leads are won and the less shows which.
    world : str or None, default="buying_committee_friction"
        leadforge's kind of world; None takes the one that it draws with the seed `random_state`.

    Returns
    -------
    dict of DataFrame
        - `leads` in order of `lead_created_at`, with `contact_id`, `account_id` and the leaks
          (`LEAK_COLUMNS`): the stage at the export;
        - `contacts` and `accounts`, also those without a lead; names, e-mail addresses and phone
          numbers cannot be real;
        - `touches`, `sessions`, `sales_activities` and `opportunities` by `lead_id`, in order of
          their date (`ACTIVITIES`), with `estimated_acv` in dollars a year;
        - `outcomes`: `lead_id`, `status` (won or lost) and `closed_at` of the leads that were
          closed. A lead lost before it had an opportunity has no date and so no row.

    Raises
    ------
    DataError
        If a parameter is out of range or leadforge does not know it.
    MissingExtraError
        If leadforge is not installed.

    Examples
    --------
    >>> tables = simulate_tables(n_leads=100, months=6)
    >>> print(*tables)
    leads contacts accounts touches sessions sales_activities opportunities outcomes
    >>> bool(tables["touches"]["touch_timestamp"].max() < export_date(6))
    True
    """
    check_size(n_leads, months, random_state)
    tables = simulate_world(n_leads, random_state, difficulty=difficulty, world=world)
    rng = np.random.default_rng(random_state)
    until = export_date(months)
    moves = pd.Series(draw_moves(n_leads, months, rng), index=tables["leads"][ID_COLUMN])
    for name, dates in (
        ("leads", [CREATED_COLUMN]),
        ("touches", ["touch_timestamp"]),
        ("sessions", ["session_timestamp"]),
        ("sales_activities", ["activity_timestamp"]),
        ("opportunities", ["created_at", CLOSED_COLUMN]),
    ):
        tables[name] = _move(tables[name], dates, moves, until)

    known = {
        "leads": _as_of(until, tables),
        "contacts": hide_some(invent_people(tables, rng), rng),
        "accounts": hide_some(tables["accounts"], rng),
        **{name: tables[name] for name in ACTIVITIES},
        "outcomes": _outcomes(until, tables["opportunities"]),
    }
    stages = known["leads"].set_index(ID_COLUMN)["current_stage"]
    deals = known["opportunities"]
    known["opportunities"] = deals.assign(stage=deals[ID_COLUMN].map(stages))
    return {name: table[_COLUMNS.get(name, list(table))] for name, table in known.items()}


def _move(
    table: pd.DataFrame, dates: list[str], moves: pd.Series, until: pd.Timestamp
) -> pd.DataFrame:
    """Move the rows of each lead alike, and leave out those that are not there yet."""
    moved = {date: table[date] + table[ID_COLUMN].map(moves) for date in dates}
    table = table.assign(**moved)
    table = table[table[dates[0]] < until]
    return table.sort_values([dates[0], table.columns[0]], ignore_index=True)


def _as_of(until: pd.Timestamp, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the leads with the stage that the CRM shows at the export."""
    leads, deals = tables["leads"], tables["opportunities"]
    closed = deals.loc[deals[CLOSED_COLUMN] < until, ID_COLUMN]
    over = leads[CREATED_COLUMN] + pd.Timedelta(days=HORIZON_DAYS) <= until
    # leadforge tells the last stage only: of a lead whose 90 days are not over we know what its
    # rows so far say, a deal (sql), the first sales activity (sal) or neither (mql)
    qualified = leads[ID_COLUMN].isin(deals[ID_COLUMN])
    worked = leads[ID_COLUMN].isin(tables["sales_activities"][ID_COLUMN])
    so_far = np.select([qualified, worked], ["sql", "sal"], "mql")
    stage = leads["current_stage"].where(over | leads[ID_COLUMN].isin(closed), so_far)
    return leads.assign(current_stage=stage, is_sql=leads["is_sql"] & qualified)


def _outcomes(until: pd.Timestamp, deals: pd.DataFrame) -> pd.DataFrame:
    deals = deals[deals[CLOSED_COLUMN] < until].sort_values([CLOSED_COLUMN, ID_COLUMN])
    status = deals["close_outcome"].map({"closed_won": WON, "closed_lost": LOST})
    return deals.assign(status=status.astype("str")).reset_index(drop=True)
