"""Leads with every odd value that a CRM export may hold, and models of them."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from leadml.config import Config
from leadml.data.lead_table import LeadTable
from leadml.pipelines import make_model, make_rules, make_scorer
from leadml.registry.bundle import LeadModel, load_model, save_model
from leadml.scoring.rulebook import RuleBook

SETTINGS = """\
[leads]
path = "leads.csv"
id = "Lead Id"
created = "created_at"
missing = ["Select", "-1"]

[outcome]
column = "status"
won = ["won"]
lost = ["lost"]

[features]
demographic = ["email", "phone", "zip", "Kraj / Straße"]
firmographic = ["employees", "revenue"]
behavioral = ["visits_30d", "share"]
email = ["opted_in"]
context = ["Lead Source", "last_seen", "note"]
bant = { budget = "budget", time = "last_seen" }
monotone = { visits_30d = 1 }

[features.kinds]
email = "email"
phone = "phone"
zip = "category"
opted_in = "boolean"
last_seen = "date"
note = "text"

[handoff]
required = ["phone", "note"]
sales_ready = ["budget", "opted_in"]
min_fit = 20
"""

RULES = """\
[caps]
behavioral = 30
context = 12

[[rules]]
name = "Visits"
family = "behavioral"
column = "visits_30d"
per_unit = 3.5
cap = 25

[[rules]]
name = "Much of the site"
family = "behavioral"
column = "share"
at_least = 0.25
below = 0.75
points = 11

[[rules]]
name = "Visits that cost"
family = "context"
column = "visits_30d"
per_unit = -0.35
cap = 2

[[rules]]
name = "Reference"
family = "context"
column = "Lead Source"
is_in = ["REFERENCE", "Straße"]
points = 20

[[rules]]
name = "Speaks of a price"
family = "context"
column = "note"
contains = ["price", "ÜBER"]
points = 7

[[rules]]
name = "Large"
family = "firmographic"
column = "employees"
is_in = [250, 500]
points = 4.25

[[rules]]
name = "No telephone"
family = "demographic"
column = "phone"
is_missing = true
points = -6

[[rules]]
name = "Opted in"
family = "email"
column = "opted_in"
is_true = true
points = 3

[[rules]]
name = "Far code"
family = "demographic"
column = "zip"
at_least = 50000
points = 2

[[rules]]
name = "Throw-away address"
family = "demographic"
column = "email_domain"
is_in = ["disposable"]
disqualify = true

[[rules]]
name = "No budget yet"
family = "context"
column = "budget"
contains = ["later"]
disqualify = true

[[rules]]
name = "Budget"
family = "context"
column = "revenue"
at_least = 100000
points = 1
bant = "budget"
"""

SOURCES = ["Google", "Direct Traffic", "Reference", "Straße", "Órgano x", 'it\'s 50 % \\ "new"']
ODD_TEXTS = {
    "Lead Source": [
        None, "", "  ", "google", "GOOGLE", " Google ", "Direct\u00a0 Traffic", "never seen",
        "select", "Select ", "STRASSE", "straße", "órgano X", "ÓRGANO  X", "-1", "1.50",
    ],
    "Kraj / Straße": [None, "", "POLSKA", "Österreich", "österreich", "ÖSTERREICH ", "Łódź", "XX"],
    "email": [
        None, "", "no address", "ann@gmail.com", "Ann@GMail.COM", "x@a.yopmail.com", "a b@x.com",
        "ann@müller.de", "ann@x", "ann@1.2", "<ann@acme.com>", "ann@acme.co.uk ", "a@@acme.com",
        "x@yopmail.com", "x@notyopmail.com", "select",
    ],
    "phone": [None, "", "Select", "+49 30 1", " "],
    "opted_in": [
        None, "", "YES", "No", "true", "False", "1", "0", "maybe", "Sí", " oui ", "T", "nein",
    ],
    "budget": [None, "", "Yes", "no", "NEIN", "later", "0", "1"],
    "note": [None, "", "asks for the PRICE", "Er fragt über alles", "ÜBERALL", "nothing"],
    "zip": [None, "", "10115", "10115.0", "007", "80331", "99999", "select", "-1", "1e4"],
    "last_seen": [
        None, "", "2024-12-01", "2025-01-01 10:30", "2025-01-01T10:30:15.250", "20241130",
        "2025-01-01T10:30:15+02:00", "2025-01-01 10:30:15.123456789 -0530", "2024-02-30",
        "2023-02-29", "2024-02-29", "9999-12-31", "yesterday", "2025-01-01T10:30Z", "1900-03-01",
        "2025-13-01", "2024-12-01 24:00", "2024/12/01", "2025-01-02 00:00:00+00",
    ],
}  # fmt: skip
ODD_NUMBERS = [
    np.nan,
    0.0,
    -0.0,
    -1.0,
    1.0,
    2.0,
    2.5,
    123456.5,
    1234567.0,
    0.000123456789,
    -3.75,
    999999.5,
    12345.65,
    1e5,
    1000.0,
    999.9995,
    0.1 + 0.2,
    9.87654321e8,
    -1234567.5,
    2e-6,
]
#: Reasons write these as the engine does.
EXTREME_NUMBERS = [np.inf, -np.inf, 1e-40, -1e-12, 1e15, 1.5e18, -1e300, 5e-324, 1e308]


def make_leads(count: int = 900, seed: int = 0) -> pd.DataFrame:
    """Return leads to learn from."""
    random = np.random.default_rng(seed)
    visits = random.poisson(3, count)
    source = random.choice(np.array(SOURCES, dtype=object), count)
    share = random.random(count).round(3)
    created = pd.Timestamp("2025-01-01") + pd.to_timedelta(random.integers(0, 10**7, count), "s")
    seen = created - pd.to_timedelta(random.integers(0, 90 * 86_400, count), unit="s")
    domains = ["acme.com", "gmail.com", "yopmail.com"]
    z = 0.6 * (visits - 3) + 1.2 * (source == "Reference") * (share > 0.5) - 0.2
    status = np.where(random.random(count) < expit(z), "won", "lost")
    leads = pd.DataFrame(
        {
            "Lead Id": np.arange(count) + 10 * count * seed,
            "created_at": created.strftime("%Y-%m-%d %H:%M:%S"),
            "email": [f"a{place}@{domains[place % 3]}" for place in range(count)],
            "phone": np.where(random.random(count) < 0.6, "+49 30 123", None),
            "zip": random.choice(["10115", "80331", "50667"], count),
            "Kraj / Straße": random.choice(["Polska", "Österreich", "Łódź"], count),
            "employees": random.choice([10, 50, 250, 500], count).astype(float),
            "revenue": random.lognormal(12, 3, count).round(2),
            "visits_30d": visits.astype(float),
            "share": share,
            "opted_in": random.choice(["yes", "no"], count),
            "Lead Source": source,
            "last_seen": seen.strftime("%Y-%m-%d"),
            "note": np.where(random.random(count) < 0.5, "asks for a price", None),
            "budget": random.choice(["Yes", "No", "later"], count),
            "status": status,
        }
    )
    leads.loc[random.random(count) < 0.1, ["share", "Lead Source", "employees"]] = np.nan
    return leads


def make_odd_leads(
    edges: list[float], count: int = 700, *, numbers: list[float] = ODD_NUMBERS
) -> pd.DataFrame:
    """Return leads of which most hold odd values; `edges` are numbers that decide a bin."""
    seed = 5
    random = np.random.default_rng(seed)
    leads = make_leads(count, seed)
    for name, texts in ODD_TEXTS.items():
        rows = random.random(count) < 0.6
        leads[name] = leads[name].astype(object)
        leads.loc[rows, name] = random.choice(np.array(texts, dtype=object), rows.sum())
    numbers = np.array([*numbers, *edges, *np.nextafter(edges, -np.inf)])
    for name in ("employees", "revenue", "visits_30d", "share"):
        rows = random.random(count) < 0.6
        leads.loc[rows, name] = random.choice(numbers, rows.sum())
    return leads


def write_crm(folder: Path) -> Path:
    """Write leads, settings and rules; return the path of the settings."""
    make_leads().to_csv(folder / "leads.csv", index=False)
    (folder / "leadml.toml").write_text(SETTINGS, encoding="utf-8")
    (folder / "rules.toml").write_text(RULES, encoding="utf-8")
    return folder / "leadml.toml"


def write_model(
    folder: Path, config: Config, table: LeadTable, structure: str, book: RuleBook | None = None
) -> LeadModel:
    """Fit a model and a rule book without judging them, and write the model folder."""
    table = table.closed()
    model = make_scorer(config, make_model(config, structure), name=structure, rules=book)
    model.fit(table.X, table.y)
    rules = None
    if book is not None:
        pipeline = make_rules(config, book)
        rules = make_scorer(config, pipeline, name="rules", rules=book, scale=model.scale_)
        rules.fit(table.X, table.y)
    save_model(folder, LeadModel(model, rules, config, {}))
    return load_model(folder)
