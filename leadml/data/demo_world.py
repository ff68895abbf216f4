"""The world behind the demo: leadforge's tables, with people who cannot be real."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from leadml.errors import DataError, MissingExtraError, did_you_mean

# the kind of world where both matter: who the lead is (seniority, revenue) and what it does
WORLD = "buying_committee_friction"
# a world of leadforge is one cohort, created from this day on within this many days
WORLD_START = pd.Timestamp("2024-01-01")
MONTH_DAYS = 30
#: leadforge simulates each lead for so many days, and calls it won if it is won within them.
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
_MISSING = {
    "job_title": 0.06,
    "phone": 0.35,
    "estimated_revenue_band": 0.12,
    "process_maturity_band": 0.3,
}


def check_size(n_leads: int, months: int, random_state: int) -> None:
    """Refuse a demo that cannot be simulated.

    Raises
    ------
    DataError
        If a parameter is out of range.

    Examples
    --------
    >>> check_size(n_leads=4000, months=15, random_state=0)
    """
    for name, value, least in (
        ("n_leads", n_leads, 1),
        ("months", months, 4),
        ("random_state", random_state, 0),
    ):
        if value < least:
            message = f"`{name}` must be at least {least}. Got {value}. Pass a larger number."
            raise DataError(message)


def simulate_world(
    n_leads: int, random_state: int, *, difficulty: str = "intro", world: str | None = WORLD
) -> dict[str, pd.DataFrame]:
    """Simulate one cohort of leads, each for 90 days from its creation, with leadforge.

    Parameters
    ----------
    n_leads : int
    random_state : int
    difficulty : {"intro", "intermediate", "advanced"}, default="intro"
    world : str or None, default="buying_committee_friction"
        The kind of world; None takes the one that leadforge draws with the seed `random_state`.

    Returns
    -------
    dict of DataFrame
        leadforge's nine tables by name, its columns with dates and plain types; `region` is
        called `country` and no company has a name.

    Raises
    ------
    DataError
        If leadforge knows no such difficulty or world.
    MissingExtraError
        If leadforge is not installed.

    Examples
    --------
    >>> tables = simulate_world(50, random_state=0)
    >>> len(tables["leads"]), sorted(tables["accounts"]["country"].unique())
    (50, ['DE', 'FR', 'GB', 'US'])
    """
    try:
        from leadforge.api import Generator
        from leadforge.core.enums import DifficultyProfile
        from leadforge.render.relational import to_dataframes
        from leadforge.structure.motifs import MOTIF_FAMILY_NAMES
    except ImportError as error:
        message = "The demo needs the package leadforge. Install it: pip install 'leadml[demo]'"
        raise MissingExtraError(message) from error
    _check_known("difficulty", difficulty, [str(level) for level in DifficultyProfile])
    if world is not None:
        _check_known("world", world, list(MOTIF_FAMILY_NAMES))
    spec = Generator.from_recipe(
        "b2b_saas_procurement_v1",
        seed=random_state if world is None else _find_seed(world, random_state),
        difficulty=difficulty,
        n_leads=n_leads,
        # leadforge's own proportions
        n_contacts=max(1, round(n_leads * 0.84)),
        n_accounts=max(1, round(n_leads * 0.3)),
    ).world_spec
    market = replace(spec.narrative.market, geographies=tuple(_LANGUAGES))
    generator = Generator(replace(spec, narrative=replace(spec.narrative, market=market)))
    # otherwise chance alone decides how often a lead is touched
    bundle = generator.generate(latent_touch_intensity=True)
    tables = to_dataframes(bundle.simulation_result, bundle.population)
    return {name: _with_types(table) for name, table in tables.items()}


def draw_moves(n_leads: int, months: int, rng: np.random.Generator) -> pd.TimedeltaIndex:
    """Draw by how many whole months of 30 days each lead moves, so that the cohort fills `months`.

    The last month stays without new leads.

    Examples
    --------
    >>> sorted(set(draw_moves(100, 4, np.random.default_rng(0)).days))
    [0, 30, 60]
    """
    return pd.to_timedelta(rng.integers(0, months - 1, n_leads) * MONTH_DAYS, "D")


def invent_people(tables: dict[str, pd.DataFrame], rng: np.random.Generator) -> pd.DataFrame:
    """Return the contacts with job title, e-mail and phone of their country, beside their account.

    Titles are English, German or French. No address and no number can belong to a person.

    Parameters
    ----------
    tables : dict of DataFrame
        As `simulate_world` returns them.
    rng : Generator

    Returns
    -------
    DataFrame of shape (n_contacts, n_columns)
        The columns of the contacts (`created_at` is theirs), `email` and `phone`, and those of
        the accounts.

    Examples
    --------
    >>> people = invent_people(simulate_world(50, random_state=0), np.random.default_rng(0))
    >>> bool(people["phone"].str.contains("555|7946|23125|99 00").all())
    True
    """
    accounts = tables["accounts"].drop(columns="created_at")
    people = tables["contacts"].merge(accounts, "left", on="account_id")
    people["number"] = rng.integers(0, 1000, len(people))
    invented = {
        name: pd.Series([make(person) for person in people.itertuples()], dtype="str")
        for name, make in (("job_title", _job_title), ("email", _email), ("phone", _phone))
    }
    return people.drop(columns="number").assign(**invented)


def hide_some(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the table with some titles, phones, revenue and maturity bands missing.

    Examples
    --------
    >>> phones = pd.DataFrame({"phone": ["+1 202 555 0100"] * 4})
    >>> int(hide_some(phones, np.random.default_rng(0))["phone"].isna().sum())
    3
    """
    hidden = {
        name: table[name].mask(rng.random(len(table)) < share)
        for name, share in _MISSING.items()
        if name in table
    }
    return table.assign(**hidden)


def _check_known(name: str, got: str, accepted: list[str]) -> None:
    if got not in accepted:
        message = (
            f"`{name}` must be one of {', '.join(accepted)}. Got {got!r}."
            f"{did_you_mean(got, accepted)} Pass one of them."
        )
        raise DataError(message)


def _find_seed(world: str, random_state: int) -> int:
    """Return a seed of the kind of world we want: it is the seed that draws one of five."""
    from leadforge.core.rng import RNGRoot
    from leadforge.structure.sampler import sample_hidden_graph

    seeds: list[int] = np.random.default_rng(random_state).integers(2**31, size=200).tolist()
    return next(s for s in seeds if sample_hidden_graph(RNGRoot(s)).motif_family == world)


def _with_types(table: pd.DataFrame) -> pd.DataFrame:
    plain = {"string": "str", "Int64": "int64", "boolean": "bool"}
    types = {
        name: "datetime64[us]"
        if name.endswith(("_at", "_timestamp"))
        else plain[str(table[name].dtype)]
        for name in map(str, table)
    }
    table = table.astype(types)
    return table.drop(columns="company_name", errors="ignore").rename(columns={"region": "country"})


def _job_title(person: Any) -> str:
    language = _LANGUAGES[person.country]
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
    number = person.number % 100 if person.country == "US" else person.number
    return _PHONES[person.country].format(number)
