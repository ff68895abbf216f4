"""`leadml.toml`: what each column means, what winning means, the bands and the hand-off policy."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import pandas as pd
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from leadml.errors import did_you_mean
from leadml.toml_file import validate_toml

BANT_LETTERS = {"budget": "B", "authority": "A", "need": "N", "time": "T"}

Kind = Literal["number", "category", "boolean", "date", "title", "email", "phone", "text"]
Family = Literal["demographic", "firmographic", "behavioral", "email", "context", "bant"]
FAMILIES: tuple[Family, ...] = get_args(Family)


def _texts(values: Any) -> Any:
    """Accept `won = [1]` and `won = 1` for `won = ["1"]`: outcomes are compared as text."""
    items = values if isinstance(values, list) else [values]
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in items]


def _positive_timedelta(text: str) -> str:
    try:
        # a number without a unit would be nanoseconds
        positive = not text.strip().isdigit() and pd.Timedelta(text) > pd.Timedelta(0)
    except ValueError:
        positive = False
    if not positive:
        message = "must be a positive time span such as '90D'."
        raise ValueError(message)
    return text


Texts = Annotated[list[str], BeforeValidator(_texts), Field(min_length=1)]
Edge = Annotated[float, Field(ge=0, le=100)]
TimeSpan = Annotated[str, AfterValidator(_positive_timedelta)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LeadsTable(_Table):
    """`[leads]`: where the leads are and which columns say who and when."""

    path: str
    id: str
    created: str | None = None
    account: str | None = None
    value: str | None = None
    missing: list[str] = []


class OutcomeTable(_Table):
    """`[outcome]`: which values mean won and lost; every other value, and empty, is open."""

    column: str
    won: Texts
    lost: Texts
    closed: str | None = None
    horizon: TimeSpan = "90D"

    @model_validator(mode="after")
    def _won_is_not_lost(self) -> Self:
        both = sorted(set(self.won) & set(self.lost))
        if both:
            message = f"`won` and `lost` share {both}. A value means one of the two."
            raise ValueError(message)
        return self


class BantColumns(_Table):
    """Which column answers each BANT question."""

    budget: str | None = None
    authority: str | None = None
    need: str | None = None
    time: str | None = None

    def columns(self) -> dict[str, str]:
        """Return the mapped letters, `{"B": "budget_column", ...}`."""
        values = self.model_dump()
        return {BANT_LETTERS[key]: column for key, column in values.items() if column}


class FeaturesTable(_Table):
    """`[features]`: the columns of each family; a column in none of the lists is not used."""

    demographic: list[str] = []
    firmographic: list[str] = []
    behavioral: list[str] = []
    email: list[str] = []
    context: list[str] = []
    bant: BantColumns = BantColumns()
    exclude: dict[str, str] = {}
    protected: list[str] = []
    monotone: dict[str, Literal[-1, 1]] = {}
    kinds: dict[str, Kind] = {}

    def families(self) -> dict[str, Family]:
        """Return `{column: family}` for every column that is used, in the file's order."""
        # a column can answer a BANT question and belong to a family: the family wins
        families: dict[str, Family] = dict.fromkeys(self.bant.columns().values(), "bant")
        for family in FAMILIES[:-1]:
            families.update(dict.fromkeys(getattr(self, family), family))
        return families

    @model_validator(mode="after")
    def _one_family_a_column(self) -> Self:
        seen: dict[str, str] = {}
        problems = []
        for family in (*FAMILIES[:-1], "protected", "exclude"):
            for column in getattr(self, family):
                if column in seen:
                    problems.append(f"{column!r} stands in `{seen[column]}` and in `{family}`.")
                seen[column] = family
        problems += [
            f"{column!r} stands in `{seen[column]}` and in `bant`."
            for column in self.bant.columns().values()
            if seen.get(column) in ("protected", "exclude")
        ]
        used = self.families()
        for key in ("monotone", "kinds"):
            problems += [
                f"`{key}` names {column!r}, which is in no family.{did_you_mean(column, used)}"
                for column in getattr(self, key)
                if column not in used
            ]
        if problems:
            raise ValueError(" ".join(problems))
        return self


class BandsTable(_Table):
    """`[bands]`: the scores at which a lead is hot or warm."""

    hot: Edge = 65.0
    warm: Edge = 45.0

    @model_validator(mode="after")
    def _hot_above_warm(self) -> Self:
        if self.hot < self.warm:
            message = f"`hot` must not lie below `warm`, but {self.hot:g} < {self.warm:g}."
            raise ValueError(message)
        return self


class HandoffTable(_Table):
    """`[handoff]`: what marketing and sales agreed a lead needs before sales gets it."""

    required: list[str] = []
    min_fit: Edge = 0.0
    min_engagement: Edge = 0.0
    sales_ready: list[str] = []


class Config(_Table):
    """A whole `leadml.toml`."""

    leads: LeadsTable
    outcome: OutcomeTable
    features: FeaturesTable = FeaturesTable()
    bands: BandsTable = BandsTable()
    handoff: HandoffTable = HandoffTable()

    def role_columns(self) -> list[str]:
        """Return the columns that are ids, dates, outcome or value, never features."""
        leads, outcome = self.leads, self.outcome
        roles = [leads.id, leads.created, leads.account, leads.value, outcome.column]
        return [name for name in [*roles, outcome.closed] if name]

    @model_validator(mode="after")
    def _roles_are_not_features(self) -> Self:
        roles = self.role_columns()
        twice = sorted({name for name in roles if roles.count(name) > 1})
        if twice:
            message = f"{twice} have two roles in [leads] and [outcome]. Give each column one."
            raise ValueError(message)
        both = [name for name in self.role_columns() if name in self.features.families()]
        if both:
            message = (
                f"{both} have a role in [leads] or [outcome] and stand in a family too. "
                "Take them out of [features]."
            )
            raise ValueError(message)
        return self


def load_config(path: str | Path) -> Config:
    """Read `leadml.toml`.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Config
        With `leads.path` made relative to the folder that the file lies in.

    Raises
    ------
    ConfigError
        Every problem of the file, each with its line, key, value and what is accepted.
    """
    path = Path(path)
    config = validate_toml(path, Config)
    leads = config.leads.model_copy(update={"path": str(path.parent / config.leads.path)})
    return config.model_copy(update={"leads": leads})
