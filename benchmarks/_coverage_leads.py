"""Leads for `benchmarks.coverage`: worlds of known log-odds, and real sets in order of time."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks import datasets
from leadml.scoring.columns import Floats

EFFECTS = np.random.default_rng(77).normal(0, 0.6, 12)


def _draw_leads(n_leads: int, rng: np.random.Generator) -> pd.DataFrame:
    shares = 1 / np.arange(1, 13)
    return pd.DataFrame(
        {
            "visits": rng.poisson(4, n_leads).astype(float),
            "minutes": rng.exponential(5, n_leads),
            "employees": np.exp(rng.normal(4, 1.5, n_leads)),
            "source": rng.choice(
                ["search", "fair", "referral", "advert"], n_leads, p=[0.5, 0.25, 0.05, 0.2]
            ),
            "industry": rng.choice(12, n_leads, p=shares / shares.sum()).astype(str),
        }
    )


def _add_up(X: pd.DataFrame) -> Floats:
    z = X["source"].map({"search": 0.2, "fair": -0.3, "referral": 1.0, "advert": -0.9})
    z = z + EFFECTS[X["industry"].astype(int)] + 0.3 * (X["visits"] - 4)
    z = z + np.tanh(X["minutes"] / 4 - 1) - 0.3 * (np.log(X["employees"]) - 4) ** 2
    return z.to_numpy() - 0.3


def _additive(n_leads: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Floats]:
    X = _draw_leads(n_leads, rng)
    return X, _add_up(X)


def _interaction(n_leads: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Floats]:
    X = _draw_leads(n_leads, rng)
    sign = np.where(X["source"].isin(["search", "referral"]), 1, -1)
    large = np.where(np.log(X["employees"]) > 4, 1, -0.5)
    joint = 1.2 * np.tanh(X["minutes"] / 4 - 1) * sign + 0.35 * (X["visits"] - 4) * large
    return X, 0.5 * _add_up(X) + joint.to_numpy()


def _irrelevant(n_leads: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Floats]:
    X = _draw_leads(n_leads, rng)
    noise = {f"noise {place}": rng.normal(size=n_leads) for place in range(8)}
    levels = {
        f"level {size}": rng.integers(0, size, n_leads).astype(str)
        for size in (3, 5, 8, 12, 20, 40, 60)
    }
    return X.assign(**noise, **levels), _add_up(X)


def _rare_wins(n_leads: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Floats]:
    X = _draw_leads(n_leads, rng)
    return X, _add_up(X) - 3


def _no_signal(n_leads: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Floats]:
    return _draw_leads(n_leads, rng), np.full(n_leads, -1.0)


def _gaps(n_leads: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Floats]:
    """Missing values that say something themselves."""
    X = _draw_leads(n_leads, rng)
    z = _add_up(X)
    minutes, visits = (rng.random(n_leads) < share for share in (0.3, 0.1))
    z = z - np.where(minutes, np.tanh(X["minutes"] / 4 - 1) + 0.8, 0)
    z = z - np.where(visits, 0.3 * (X["visits"] - 4) - 0.5, 0)
    gaps = {"minutes": X["minutes"].mask(minutes), "visits": X["visits"].mask(visits)}
    return X.assign(**gaps), z


def _three_way(n_leads: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Floats]:
    X = pd.DataFrame(rng.uniform(-1, 1, (n_leads, 5)), columns=list("abcde"))
    return X, 2.0 * np.sign(X["a"] * X["b"] * X["c"]).to_numpy() - 0.5


WORLDS: dict[str, Callable[..., tuple[pd.DataFrame, Floats]]] = {
    "additive": _additive,
    "interaction": _interaction,
    "irrelevant columns": _irrelevant,
    "rare wins": _rare_wins,
    "no signal": _no_signal,
    "gaps": _gaps,
    "three-way": _three_way,
}


def _load_x_education() -> tuple[pd.DataFrame, np.ndarray]:
    leads = datasets.load_x_education()  # newest first
    return leads.X.iloc[::-1].reset_index(drop=True), leads.y[::-1]


def _load_bank() -> tuple[pd.DataFrame, np.ndarray]:
    leads = datasets.load_bank()
    return leads.X, leads.y


def _load_maven() -> tuple[pd.DataFrame, np.ndarray]:
    leads = datasets.load_maven()
    return leads.X.reset_index(drop=True), leads.y


def _load_bpi() -> tuple[pd.DataFrame, np.ndarray]:
    """Return credit applications as they stood when they were accepted for a first look."""
    path = datasets.find_data() / "bpi_challenge_2012/events_flat.csv.gz"
    events = pd.read_csv(path, dtype={"case_id": str, "resource": str})
    events["at"] = pd.to_datetime(events["timestamp"], utc=True)
    closing = {"A_APPROVED": 1, "A_DECLINED": 0, "A_CANCELLED": 0}
    ends = events[events["activity"].isin([*closing])].drop_duplicates("case_id")
    outcome = ends.set_index("case_id")["activity"].map(closing)
    looked = events[events["activity"] == "A_PREACCEPTED"].groupby("case_id")["event_index"].min()
    before = events[events["event_index"] <= events["case_id"].map(looked)]
    cases = before.groupby("case_id")
    first = cases["at"].min()
    by_hand = before[before["activity"].str.startswith("W_")].groupby("case_id").size()
    X = pd.DataFrame(
        {
            "amount": cases["amount_req"].first().astype(float),
            "events": cases.size().astype(float),
            "hours": (cases["at"].max() - first).dt.total_seconds() / 3_600,
            "by hand": by_hand.reindex(first.index).fillna(0.0),
            "first resource": cases["resource"].first(),
            "last resource": cases["resource"].last(),
            "weekday": first.dt.day_name(),
            "hour": first.dt.hour.astype(float),
        }
    )
    X = X.loc[first.sort_values(kind="stable").index]
    X = X[X.index.isin(outcome.index)]
    return X.reset_index(drop=True), outcome.loc[X.index].to_numpy()


LOADERS: dict[str, Callable[[], tuple[pd.DataFrame, np.ndarray]]] = {
    "X Education": _load_x_education,
    "Bank": _load_bank,
    "BPI 2012": _load_bpi,
    "Maven CRM": _load_maven,
}
