"""Leads with every awkward kind of value, and one fitted model a structure."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from leadml.scoring.boosting import LeadBoostingClassifier


def make_leads(count: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(seed)
    visits = random.poisson(3, count).astype(float)
    minutes = random.lognormal(2, 1, count)
    source = random.choice(["google", "chat", "referral", "fair"], count, p=[0.5, 0.3, 0.15, 0.05])
    industry = random.choice([f"sector {place}" for place in range(14)], count)
    z = 0.5 * visits - 2.5 + (source == "referral") * 2 + (source == "chat") * (visits > 3)
    z = z + 0.4 * np.log(minutes) * (industry < "sector 4")
    won = random.random(count) < expit(z)
    leads = pd.DataFrame(
        {"visits": visits, "minutes": minutes, "source": source, "industry": industry}
    )
    leads["opted out"] = random.random(count) < 0.2
    leads.loc[random.random(count) < 0.1, "visits"] = np.nan
    leads.loc[random.random(count) < 0.1, "industry"] = None
    return leads, won


def make_odd_leads() -> pd.DataFrame:
    """Values that no training lead has."""
    numbers = [np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-40, 1e300, -1e300, 3.0, 2.5]
    texts = ["google", "Google", "", "never seen", None, "sector 1", "2", "nan", "é", "chat"]
    random = np.random.default_rng(5)
    size = 200
    return pd.DataFrame(
        {
            "visits": random.choice(numbers, size),
            "minutes": random.choice(numbers, size),
            "source": random.choice(np.array(texts, dtype=object), size),
            "industry": random.choice(np.array(texts, dtype=object), size),
            "opted out": random.choice(np.array([True, False, None], dtype=object), size),
        }
    )


@pytest.fixture(scope="session")
def leads() -> pd.DataFrame:
    return make_leads(500, 0)[0]


@pytest.fixture(scope="session")
def won() -> np.ndarray:
    return make_leads(500, 0)[1]


@pytest.fixture(scope="session")
def odd_leads() -> pd.DataFrame:
    return make_odd_leads()


@pytest.fixture(scope="session")
def models(leads, won) -> dict[str, LeadBoostingClassifier]:
    """Return one fitted model a structure, `visits` and `minutes` monotone."""
    return {
        structure: LeadBoostingClassifier(
            structure,
            monotone={"visits": 1, "minutes": 1},
            n_repeats=1,
            max_rounds=120,
            n_jobs=2,
            random_state=0,
        ).fit(leads, won)
        for structure in ("additive", "pairwise", "full")
    }
