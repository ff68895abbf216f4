"""The parts of `leadml.toml` on a history: linked tables, activities and snapshots."""

from pathlib import Path
from typing import Annotated, Literal, Self

import pandas as pd
from pydantic import Field, model_validator

from leadml.config_values import ConfigTable, Date, Days, Source, TimeSpan

OTHER_TABLES = ("leads", "accounts", "contacts", "outcomes")


class LinkedTable(ConfigTable):
    """`[accounts]`, `[contacts]`: a table with one row a company or person, joined by its id."""

    path: Source
    id: str


class ActivityTable(ConfigTable):
    """One of `[[activities]]`: a table with one row an event of a lead.

    Attributes
    ----------
    lead, at : str
        Columns with the lead's id and the time of the event.
    kind : str
        Column that says what happened; or `kind_value`, the one kind of the whole table.
    kinds : list of str
        The kinds to make features of; empty means those found in the history.
    measures : list of str
        Numbers to sum by window.
    """

    path: Source
    name: str = ""
    lead: str
    at: str
    kind: str | None = None
    kind_value: str | None = None
    kinds: list[str] = []
    measures: list[str] = []
    family: Literal["behavioral", "email"] | None = None

    @property
    def title(self) -> str:
        """Return its name, or else the name of its file or database table."""
        path, _, table = self.path.partition("#")
        return self.name or table.rpartition(".")[2] or Path(path).name.partition(".")[0]

    @model_validator(mode="after")
    def _one_kind_or_a_column(self) -> Self:
        if (self.kind is None) == (self.kind_value is None):
            message = (
                "takes one of `kind`, the column that says what happened, and `kind_value`, the "
                "one kind of the whole table."
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _has_its_own_name(self) -> Self:
        if self.title in OTHER_TABLES:
            message = f"is called {self.title!r}, as another table is. Give it a `name`."
            raise ValueError(message)
        return self


class SnapshotsTable(ConfigTable):
    """`[snapshots]`: when a lead is looked at, and over which time its activities count.

    Attributes
    ----------
    ages : list of str
        Days after its creation at which a lead is looked at while still open.
    every : str
        In place of `ages`: again and again, up to the age `until`.
    windows : list of str
        Days before the snapshot over which activities are counted.
    half_life : str
        After which an activity counts half in the decayed counts.
    content, sales_ready : list of str
        Kinds of activity that show interest, and that show readiness to buy.
    as_of : str
        The day the data was exported; the newest day a lead was created or closed by default.
    immature : {"leave_out", "weigh"}
        What to do about leads whose horizon is not over; see `leadml.features.censoring`.
    equal_leads : bool
        Whether each lead counts once, however soon it was closed; see `read_snapshots`.
    memory : str
        Most memory of the embedded engine, such as "1GB"; it spills to disk beyond.
    """

    ages: Annotated[list[Days], Field(min_length=1)] = ["0D", "14D", "30D"]
    every: Days | None = None
    until: Days = "360D"
    windows: Annotated[list[Days], Field(min_length=1)] = ["7D", "30D", "90D"]
    half_life: TimeSpan = "14D"
    content: list[str] | None = None
    sales_ready: list[str] | None = None
    as_of: Date | None = None
    immature: Literal["leave_out", "weigh"] = "leave_out"
    equal_leads: bool = False
    memory: str | None = None

    def age_days(self) -> list[int]:
        """Return the ages in days, ascending."""
        if self.every is None:
            return sorted({pd.Timedelta(age).days for age in self.ages})
        return list(range(0, pd.Timedelta(self.until).days + 1, pd.Timedelta(self.every).days))

    def window_days(self) -> list[int]:
        """Return the windows in days, ascending."""
        return sorted({pd.Timedelta(window).days for window in self.windows})

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.every is not None and pd.Timedelta(self.every).days == 0:
            message = "`every` must be at least '1D'."
            raise ValueError(message)
        if 0 in self.window_days():
            message = "`windows` must be at least '1D' long."
            raise ValueError(message)
        return self
