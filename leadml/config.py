"""`leadml.toml`: what each column means, what winning means, the bands and the hand-off policy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import model_validator

from leadml.config_history import ActivityTable, LinkedTable, SnapshotsTable
from leadml.config_values import ConfigTable, Edge, Source, Texts, TimeSpan, is_url
from leadml.errors import did_you_mean
from leadml.toml_file import validate_toml

BANT_LETTERS = {"budget": "B", "authority": "A", "need": "N", "time": "T"}

Kind = Literal["number", "category", "boolean", "date", "title", "email", "phone", "text"]
Family = Literal["demographic", "firmographic", "behavioral", "email", "context", "bant"]
FAMILIES: tuple[Family, ...] = get_args(Family)


class LeadsTable(ConfigTable):
    """`[leads]`: where the leads are and which columns say who and when."""

    path: Source
    id: str
    created: str | None = None
    account: str | None = None
    contact: str | None = None
    value: str | None = None
    contacted: str | None = None
    missing: list[str] = []


class OutcomeTable(ConfigTable):
    """`[outcome]`: which values mean won and lost; every other value, and empty, is open.

    Where the outcomes are in a table of their own, `path` names it and `lead` its lead ids.
    """

    path: Source | None = None
    lead: str | None = None
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
        if (self.path is None) != (self.lead is None):
            message = "`path` and `lead` go together: a table of outcomes and its lead ids."
            raise ValueError(message)
        return self


class BantColumns(ConfigTable):
    """Which column answers each BANT question."""

    budget: str | None = None
    authority: str | None = None
    need: str | None = None
    time: str | None = None

    def columns(self) -> dict[str, str]:
        """Return the mapped letters, `{"B": "budget_column", ...}`."""
        values = self.model_dump()
        return {BANT_LETTERS[key]: column for key, column in values.items() if column}


class FeaturesTable(ConfigTable):
    """`[features]`: the columns of each family; a column in none of the lists is not used.

    `exclude` says why a column is not used; `keep` names those to use whatever the check says.
    """

    demographic: list[str] = []
    firmographic: list[str] = []
    behavioral: list[str] = []
    email: list[str] = []
    context: list[str] = []
    bant: BantColumns = BantColumns()
    exclude: dict[str, str] = {}
    keep: list[str] = []
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


class BandsTable(ConfigTable):
    """`[bands]`: the scores at which a lead is hot or warm."""

    hot: Edge = 65.0
    warm: Edge = 45.0

    @model_validator(mode="after")
    def _hot_above_warm(self) -> Self:
        if self.hot < self.warm:
            message = f"`hot` must not lie below `warm`, but {self.hot:g} < {self.warm:g}."
            raise ValueError(message)
        return self


class HandoffTable(ConfigTable):
    """`[handoff]`: what marketing and sales agreed a lead needs before sales gets it."""

    required: list[str] = []
    min_fit: Edge = 0.0
    min_engagement: Edge = 0.0
    sales_ready: list[str] = []


class Config(ConfigTable):
    """A whole `leadml.toml`."""

    leads: LeadsTable
    accounts: LinkedTable | None = None
    contacts: LinkedTable | None = None
    activities: list[ActivityTable] = []
    outcome: OutcomeTable
    snapshots: SnapshotsTable | None = None
    features: FeaturesTable = FeaturesTable()
    bands: BandsTable = BandsTable()
    handoff: HandoffTable = HandoffTable()

    def role_columns(self) -> list[str]:
        """Return the columns that are ids, dates, outcome or value, never features."""
        leads, outcome = self.leads, self.outcome
        roles = [leads.id, leads.created, leads.account, leads.contact, leads.value]
        known = [*roles, leads.contacted, outcome.column, outcome.closed]
        return [name for name in known if name]

    def with_paths(self, change: Callable[[str], str]) -> "Config":
        """Return a copy with every source changed by a function."""

        def moved(table: Any) -> Any:
            if table is None or table.path is None:
                return table
            return table.model_copy(update={"path": change(table.path)})

        update = {name: moved(getattr(self, name)) for name in ("leads", "accounts", "contacts")}
        activities = [moved(table) for table in self.activities]
        return self.model_copy(
            update={**update, "outcome": moved(self.outcome), "activities": activities}
        )

    def snapshots_or_default(self) -> SnapshotsTable:
        """Return `[snapshots]`, or its defaults."""
        return self.snapshots or SnapshotsTable()

    @property
    def has_history(self) -> bool:
        """Whether leads are looked at on several dates, and not as they stand in one table."""
        return bool(self.activities) or self.snapshots is not None

    @model_validator(mode="after")
    def _tables_are_linked(self) -> Self:
        problems = [
            f"[{table}] needs `{key}` in [leads]: the column of the leads that names its id."
            for table, key in (("accounts", "account"), ("contacts", "contact"))
            if getattr(self, table) is not None and getattr(self.leads, key) is None
        ]
        if self.has_history and self.leads.created is None:
            problems.append(
                "[snapshots] and [[activities]] need `created` in [leads]: the day a lead came in."
            )
        titles = [activity.title for activity in self.activities]
        problems += [
            f"[[activities]] {title!r} stands there twice. Give each its own `name`."
            for title in sorted({title for title in titles if titles.count(title) > 1})
        ]
        if problems:
            raise ValueError(" ".join(problems))
        return self

    @model_validator(mode="after")
    def _contact_needs_a_start(self) -> Self:
        if self.leads.contacted is not None and self.leads.created is None:
            message = "`contacted` needs `created` in [leads]: the days to the first contact."
            raise ValueError(message)
        return self

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
        With the paths of files taken from the folder that the file lies in.

    Raises
    ------
    ConfigError
        Every problem of the file, each with its line, key, value and what is accepted.
    """
    path = Path(path)
    config = validate_toml(path, Config)
    return config.with_paths(lambda source: _beside(path.parent, source))


def _beside(folder: Path, source: str) -> str:
    return source if is_url(source) else str(folder / source)
