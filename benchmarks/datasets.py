"""Leads to measure on: public sets kept outside the project, and two simulations."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

# filled in by sales while or after they worked the lead, or an identifier
X_EDUCATION_LEFT_OUT = (
    "Prospect ID",
    "Lead Number",
    "Tags",
    "Lead Quality",
    "Lead Profile",
    "Last Activity",
    "Last Notable Activity",
    "Asymmetrique Activity Index",
    "Asymmetrique Profile Index",
    "Asymmetrique Activity Score",
    "Asymmetrique Profile Score",
)


@dataclass(frozen=True)
class LeadSet:
    """Leads, whether each was won, and which numbers may only raise the chance."""

    name: str
    X: pd.DataFrame
    y: np.ndarray
    monotone: dict[str, int] = field(default_factory=dict)

    def as_categories(self) -> pd.DataFrame:
        """Return the leads with texts as pandas categories, as the boosting peers want them."""
        texts = self.X.select_dtypes(exclude="number").columns
        return self.X.astype(dict.fromkeys(texts, "category"))


def find_data() -> Path:
    """Return the folder of the public sets: LEADML_DATA, or `../shared/data` beside the project."""
    default = Path(__file__).parents[1] / "../shared/data"
    return Path(os.environ.get("LEADML_DATA", default)).resolve()


def load_x_education() -> LeadSet:
    """Read the course seller's leads, without what sales wrote down later."""
    leads = pd.read_csv(find_data() / "x_education/Leads.csv", na_values=["Select"])
    leads["Lead Source"] = leads["Lead Source"].replace({"google": "Google"})
    y = leads.pop("Converted").to_numpy()
    X = leads.drop(columns=list(X_EDUCATION_LEFT_OUT))
    return LeadSet("X Education", X, y, {"Total Time Spent on Website": 1})


def load_bank() -> LeadSet:
    """Read the bank's calls in order of time, without the length of the call."""
    path = find_data() / "bank_marketing/bank-additional-full.csv.gz"
    leads = pd.read_csv(path, sep=";").drop(columns="duration")
    y = (leads.pop("y") == "yes").to_numpy(dtype=int)
    return LeadSet("Bank", leads, y)


def load_bank_sample() -> LeadSet:
    """Return a fixed tenth of the bank's calls."""
    bank = load_bank()
    X = bank.X.sample(4_119, random_state=0)
    return LeadSet("Bank 10 %", X.reset_index(drop=True), bank.y[X.index])


def load_maven() -> LeadSet:
    """Read the hardware seller's closed deals in order of engagement, joined with accounts."""
    folder = find_data() / "maven_crm"
    deals = pd.read_csv(folder / "sales_pipeline.csv", parse_dates=["engage_date"])
    deals = deals[deals["deal_stage"].isin(["Won", "Lost"])]
    deals = deals.sort_values("engage_date", kind="stable")
    deals["product"] = deals["product"].replace({"GTXPro": "GTX Pro"})
    firm = ["sector", "revenue", "employees", "year_established", "office_location"]
    accounts = pd.read_csv(folder / "accounts.csv")[["account", *firm]]
    X = deals[["product", "sales_agent", "account"]].merge(accounts, on="account", how="left")
    return LeadSet("Maven CRM", X, (deals["deal_stage"] == "Won").to_numpy(dtype=int))


def simulate_additive(n_leads: int = 4_000, seed: int = 0) -> LeadSet:
    """Simulate leads whose columns act one by one."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "visits": rng.poisson(4, n_leads),
            "minutes": rng.exponential(5, n_leads),
            "employees": np.exp(rng.normal(4, 1.5, n_leads)),
            "source": rng.choice(["search", "fair", "referral", "advert"], n_leads),
            "industry": rng.choice(["health", "retail", "energy", "finance", "other"], n_leads),
        }
    )
    effect = X["source"].map({"search": 0.2, "fair": -0.3, "referral": 1.0, "advert": -0.9})
    effect += X["industry"].map(
        {"health": 0.5, "retail": -0.4, "energy": 0.0, "finance": 0.6, "other": -0.7}
    )
    effect += 0.3 * (X["visits"] - 4) + np.tanh(X["minutes"] / 4 - 1)
    effect -= 0.3 * (np.log(X["employees"]) - 4) ** 2
    return LeadSet("additive simulation", X, _draw_wins(effect, rng))


def simulate_three_way(n_leads: int = 6_000, seed: int = 0) -> LeadSet:
    """Simulate leads where only the product of three signs matters, and no two columns do."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.uniform(-1, 1, (n_leads, 5)), columns=list("abcde"))
    sign = np.sign(X["a"] * X["b"] * X["c"])
    return LeadSet("three-way simulation", X, _draw_wins(2.0 * sign - 0.5, rng))


def _draw_wins(log_odds: pd.Series, rng: np.random.Generator) -> np.ndarray:
    return (rng.random(len(log_odds)) < 1 / (1 + np.exp(-log_odds))).to_numpy(dtype=int)
