"""A small CRM export with personal data, dates, accounts and open leads, for end-to-end tests."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

SETTINGS = """\
[leads]
path = "leads.csv"
id = "lead_id"
created = "created_at"
account = "account_id"
value = "deal_value"
missing = ["Select"]

[outcome]
column = "status"
won = ["won"]
lost = ["lost"]

[features]
demographic = ["job_title", "email", "phone"]
firmographic = ["industry", "employees"]
behavioral = ["visits"]
context = ["source"]
bant = { budget = "budget" }
exclude = { stage_note = "written after the outcome" }
monotone = { visits = 1 }

[features.kinds]
job_title = "title"
email = "email"
phone = "phone"

[handoff]
required = ["phone"]
"""

RULES = """\
# Written by hand.
[caps]
behavioral = 40

[[rules]]
name = "Visits"
family = "behavioral"
column = "visits"
per_unit = 5
cap = 40

[[rules]]
name = "Referral"
family = "context"
column = "source"
is_in = ["referral"]
points = 20

[[rules]]
name = "Student"
family = "demographic"
column = "job_title_seniority"
is_in = ["student"]
disqualify = true
"""


def make_leads(count: int = 400, seed: int = 0, effect: float = 1.0) -> pd.DataFrame:
    """Return leads whose visits and source decide, as strongly as `effect` says."""
    random = np.random.default_rng(seed)
    places = np.arange(count)
    visits = random.poisson(3, count)
    source = random.choice(["google", "chat", "referral"], count, p=[0.5, 0.3, 0.2])
    z = effect * (0.8 * (visits - 3) + 1.5 * (source == "referral")) - 0.3
    status = np.where(random.random(count) < expit(z), "won", "lost")
    status[places >= 0.9 * count] = "open"
    industry = random.choice(["steel", "retail", "Select", "banking"], count)
    titles = ["CFO", "Head of IT", "Student", "Sales Manager", None]
    return pd.DataFrame(
        {
            "lead_id": [f"lead-{place:04d}-{seed}x" for place in places],
            "created_at": pd.date_range("2025-01-01", periods=count, freq="12h").astype("str"),
            "account_id": [f"account-{code:04d}" for code in random.integers(0, count, count)],
            "job_title": random.choice(np.array(titles, dtype=object), count),
            "email": [f"ann.{place}@firm{place % 7}.example" for place in places],
            "phone": [f"+49 30 23125 {place:03d}" if place % 3 else None for place in places],
            "industry": industry,
            "employees": random.integers(1, 500, count),
            "visits": visits,
            "source": source,
            "budget": random.choice(["yes", "no"], count),
            "stage_note": status,
            "free_note": [f"They called from desk {place}" for place in places],
            "deal_value": random.integers(100, 900, count),
            "status": status,
        }
    )


def write_crm(folder: Path, leads: pd.DataFrame, settings: str = SETTINGS) -> Path:
    """Write leads, settings and rules into a folder; return the path of the settings."""
    leads.to_csv(folder / "leads.csv", index=False)
    (folder / "leadml.toml").write_text(settings, encoding="utf-8")
    (folder / "rules.toml").write_text(RULES, encoding="utf-8")
    return folder / "leadml.toml"
