"""A small CRM with dated activities, and its features counted one by one in plain pandas."""

import numpy as np
import pandas as pd

from leadml.config import Config

DAY = pd.Timedelta(days=1)
WINDOWS = (7, 30, 90)
HALF_LIFE = 14
KINDS = ("visit", "content_download", "demo", "email")


def make_config(**changes) -> Config:
    """Return a config of leads, accounts, outcomes and two activity tables."""
    settings = {
        "leads": {"path": "leads.csv", "id": "lead_id", "created": "created", "account": "account"},
        "accounts": {"path": "accounts.csv", "id": "account_id"},
        "outcome": {
            "path": "outcomes.csv",
            "lead": "lead_id",
            "column": "status",
            "won": ["won"],
            "lost": ["lost"],
            "closed": "closed",
            "horizon": "30D",
        },
        "activities": [
            {
                "path": "touches.parquet",
                "lead": "lead_id",
                "at": "at",
                "kind": "kind",
                "kinds": list(KINDS),
                "measures": ["seconds"],
            },
            {"path": "calls.csv", "lead": "lead", "at": "when", "kind_value": "call"},
        ],
        "snapshots": {"as_of": "2026-06-01"},
    }
    return Config.model_validate({**settings, **changes})


def make_tables(n_leads: int = 40, n_rows: int = 600, seed: int = 0) -> dict[str, pd.DataFrame]:
    """Return tables whose ids have leading zeros, and whose times are fine to the microsecond."""
    random = np.random.default_rng(seed)
    ids = np.array([f"{place:03d}" for place in range(n_leads)], dtype=object)
    start = pd.Timestamp("2026-01-01")
    created = start + pd.to_timedelta(random.integers(0, 90, n_leads), unit="D")
    accounts = np.array([None, *(f"A{place}" for place in range(n_leads // 4))], dtype=object)
    leads = pd.DataFrame(
        {
            "lead_id": ids,
            "created": created.astype("datetime64[us]"),
            "account": random.choice(accounts, n_leads),
            "source": random.choice(["web", "fair"], n_leads),
        }
    )
    touches = _make_events(ids, start, n_rows, random)
    touches["kind"] = random.choice([*KINDS, "unknown"], n_rows)
    touches["seconds"] = np.where(
        random.random(n_rows) < 0.1, np.nan, random.integers(0, 9999, n_rows) / 4
    )
    calls = _make_events(ids, start, n_rows // 4, random)
    closed = created + pd.to_timedelta(random.integers(1, 80, n_leads), unit="D")
    outcomes = pd.DataFrame(
        {
            "lead_id": ids,
            "status": random.choice(["won", "lost"], n_leads),
            "closed": closed.astype("datetime64[us]"),
        }
    )
    return {
        "leads": leads,
        "accounts": pd.DataFrame(
            {"account_id": accounts[1:], "size": np.arange(len(accounts) - 1)}
        ),
        "outcomes": outcomes[: n_leads * 2 // 3],
        "touches": touches,
        "calls": calls.rename(columns={"lead_id": "lead", "at": "when"}),
    }


def _make_events(ids, start, count, random):
    # some on whole days: at the very edge of a window
    moments = random.integers(0, 180 * 86_400 * 10**6, count)
    moments = np.where(random.random(count) < 0.2, moments // DAY.value * 1000 * DAY.value, moments)
    days = random.integers(0, 150, count) * 86_400 * 10**6
    moments = np.where(random.random(count) < 0.2, days, moments)
    at = start + pd.to_timedelta(moments, unit="us")
    return pd.DataFrame({"lead_id": random.choice(ids, count), "at": at.astype("datetime64[us]")})


def compute_by_hand(tables: dict[str, pd.DataFrame], X: pd.DataFrame) -> pd.DataFrame:
    """Return the activity features of the snapshots in `X`, lead by lead, in plain pandas."""
    touches = tables["touches"][["lead_id", "at", "kind", "seconds"]]
    calls = tables["calls"].set_axis(["lead_id", "at"], axis="columns").assign(kind="call")
    events = pd.concat([touches, calls], ignore_index=True)
    leads = tables["leads"].set_index("lead_id")
    rows = [_count_lead(events, leads, lead, day) for lead, day in X.index]
    return pd.DataFrame(rows, index=X.index)


def _count_lead(events, leads, lead, day):
    mine = events[(events["lead_id"] == lead) & (events["at"] < day)]
    age = day - mine["at"]
    row = {}
    for kind in (*KINDS, "call"):
        of_kind = mine["kind"] == kind
        for window in WINDOWS:
            inside = of_kind & (age < window * DAY)
            row[f"{kind}_{window}d"] = inside.sum()
            row[f"{kind}_active_days_{window}d"] = (age[inside] // DAY).nunique()
            if kind != "call":
                row[f"{kind}_seconds_{window}d"] = mine.loc[inside, "seconds"].sum()
        row[f"{kind}_decayed"] = (0.5 ** (age[of_kind] / (HALF_LIFE * DAY))).sum()
        row[f"days_since_{kind}"] = age[of_kind].min() / DAY
    counts = {window: (age < window * DAY).sum() for window in WINDOWS}
    row |= {f"activities_{window}d": count for window, count in counts.items()}
    row["activities_velocity_7d"] = counts[7] - (counts[30] - counts[7]) * 7 / 23
    row["days_since_activity"] = age.min() / DAY
    first = mine.groupby("kind")["at"].min()
    row["days_content_to_sales_ready"] = (
        first.get("demo", pd.NaT) - first.get("content_download", pd.NaT)
    ) / DAY
    account = leads.loc[lead, "account"]
    people = leads.index[(leads["account"] == account) & (leads["created"] <= day)]
    people = [lead] if pd.isna(account) else people
    theirs = events[events["lead_id"].isin(people) & (events["at"] < day)]
    for window in WINDOWS:
        row[f"active_people_{window}d"] = theirs.loc[
            day - theirs["at"] < window * DAY, "lead_id"
        ].nunique()
    return row
