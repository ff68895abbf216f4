"""A small sales history as five tables: demos and visits in the first weeks decide who buys."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

DAY = pd.Timedelta(days=1)
AS_OF = "2025-12-01"

SETTINGS = f"""\
[leads]
path = "leads.csv"
id = "lead_id"
created = "created"
account = "account_id"

[accounts]
path = "accounts.csv"
id = "account_id"

[outcome]
path = "outcomes.csv"
lead = "lead_id"
column = "status"
won = ["won"]
lost = ["lost"]
closed = "closed"
horizon = "30D"

[[activities]]
path = "touches.parquet"
lead = "lead_id"
at = "at"
kind = "kind"

[snapshots]
ages = ["0D", "14D"]
windows = ["7D", "30D"]
as_of = "{AS_OF}"

[features]
context = ["source"]
firmographic = ["industry"]
"""

RULES = """\
[[rules]]
name = "Demos"
family = "behavioral"
column = "demo_30d"
per_unit = 10
cap = 30
"""


def make_tables(n_leads: int = 600, seed: int = 0) -> dict[str, pd.DataFrame]:
    """Return leads of ten months, their accounts, outcomes and touches until the export."""
    random = np.random.default_rng(seed)
    as_of = pd.Timestamp(AS_OF)
    ids = np.array([f"L{place:04d}" for place in range(n_leads)], dtype=object)
    created = pd.Series(pd.date_range("2025-02-01", "2025-11-28", n_leads)).dt.floor("s")
    companies = np.array([f"A{place:03d}" for place in range(n_leads)], dtype=object)
    leads = pd.DataFrame(
        {
            "lead_id": ids,
            "created": created,
            "account_id": random.choice(companies, n_leads),
            "source": random.choice(["web", "fair", "partner"], n_leads),
        }
    )
    interest = random.normal(size=n_leads)
    counts = random.poisson(5 * np.exp(0.6 * interest))
    who = np.repeat(np.arange(n_leads), counts)
    age = pd.to_timedelta(random.integers(-10 * 86_400, 25 * 86_400, len(who)), unit="s")
    demo = random.random(len(who)) < 0.4 * expit(1.5 * interest[who])
    other = random.choice(["visit", "email"], len(who))
    touches = pd.DataFrame(
        {
            "lead_id": ids[who],
            "at": created.to_numpy()[who] + age,
            "kind": np.where(demo, "demo", other),
            "seconds": random.integers(0, 600, len(who)),
        }
    )
    touches = touches[touches["at"] < as_of].reset_index(drop=True)
    z = 2 * interest + 1.5 * (leads["source"] == "partner") - 0.5
    won = random.random(n_leads) < expit(z)
    days = np.where(won, random.integers(16, 40, n_leads), random.integers(5, 60, n_leads))
    closed = (created + pd.to_timedelta(days, unit="D")).dt.floor("D")
    outcomes = pd.DataFrame(
        {"lead_id": ids, "status": np.where(won, "won", "lost"), "closed": closed}
    )
    return {
        "leads": leads,
        "accounts": pd.DataFrame(
            {
                "account_id": companies,
                "industry": random.choice(["steel", "retail", "bank"], len(companies)),
            }
        ),
        "outcomes": outcomes[outcomes["closed"] < as_of].reset_index(drop=True),
        "touches": touches,
    }


def write_tables(folder: Path, tables: dict[str, pd.DataFrame], settings: str = SETTINGS) -> Path:
    """Write tables, settings and rules into a folder; return the path of the settings."""
    for name, table in tables.items():
        if name == "touches":
            table.to_parquet(folder / "touches.parquet")
        else:
            table.to_csv(folder / f"{name}.csv", index=False)
    (folder / "leadml.toml").write_text(settings, encoding="utf-8")
    (folder / "rules.toml").write_text(RULES, encoding="utf-8")
    return folder / "leadml.toml"
