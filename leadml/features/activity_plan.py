"""Which features are made of activities: their names, families and direction."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pandas as pd

from leadml.config import Config, Family
from leadml.data.words import ENGAGED, NOT_ENGAGED, family_of, says

_LONGEST = 40  # letters of a kind in a feature's name
CONTENT = (
    r"\b(content|downloads?|webinars?|blog|papers?|reports?|guides?|e ?books?|videos?|posts?)\b"
)
SALES_READY = r"\b(demos?|trials?|pricing|prices?|quotes?|meetings?|proposals?|call ?backs?)\b"


@dataclass(frozen=True)
class ActivityKind:
    """One kind of activity of one table, and the word for it in feature names.

    `values` are the kind's spellings in the table, `measures` the numbers to sum.
    """

    table: int
    values: tuple[str, ...]
    stem: str
    family: Family
    measures: tuple[str, ...]
    is_content: bool
    is_sales_ready: bool

    def names(self, windows: Iterable[int]) -> list[str]:
        """Return the features of this kind, in the order of the columns."""
        names = []
        for days in windows:
            names += [f"{self.stem}_{days}d", f"{self.stem}_active_days_{days}d"]
            names += [self.sum_name(measure, days) for measure in self.measures]
        return [*names, f"{self.stem}_decayed", f"days_since_{self.stem}"]

    def sum_name(self, measure: str, days: int) -> str:
        """Return the name of a measure's sum; a measure that names its kind is not told twice."""
        stem = make_stem(measure)
        prefix = "" if stem.startswith(f"{self.stem}_") else f"{self.stem}_"
        return f"{prefix}{stem}_{days}d"


@dataclass(frozen=True)
class ActivityPlan:
    """What to compute of the activities before a snapshot.

    Attributes
    ----------
    kinds : tuple of ActivityKind
    windows : tuple of int
        Days, ascending.
    half_life : float
        Days.
    with_people : bool
        Whether companies are known, so that their active people can be counted.
    with_age : bool
        Whether leads are looked at at more than one age.
    """

    kinds: tuple[ActivityKind, ...]
    windows: tuple[int, ...]
    half_life: float
    with_people: bool
    with_age: bool

    def names(self) -> dict[str, Family]:
        """Return every feature with its family, in the order of the columns.

        Of each kind: `X_30d` how often, `X_active_days_30d` on how many days, `X_<measure>_30d`
        sums, `X_decayed` how often, an activity losing half its weight each half-life, and
        `days_since_X`. Over all kinds: `activities_30d`, `activities_velocity_7d` (activities a
        week in the shortest window less those in the rest of the next), `days_since_activity`,
        `days_content_to_sales_ready` and `active_people_30d` of the company.
        """
        names: dict[str, Family] = {}
        for kind in self.kinds:
            names |= dict.fromkeys(kind.names(self.windows), kind.family)
        if self.kinds:
            names |= dict.fromkeys(self.overall_names(), "behavioral")
        if self.with_age:
            names["days_since_created"] = "context"
        return names

    def overall_names(self) -> list[str]:
        """Return the features over all kinds."""
        names = [f"activities_{days}d" for days in self.windows]
        if len(self.windows) > 1:
            names.append(f"activities_velocity_{self.windows[0]}d")
        names.append("days_since_activity")
        if self.content and self.sales_ready:
            names.append("days_content_to_sales_ready")
        if self.with_people:
            names += [f"active_people_{days}d" for days in self.windows]
        return names

    def rising_names(self) -> list[str]:
        """Return the counts of what shows engagement: more of it never speaks against a lead."""
        return [
            f"{kind.stem}_{days}d"
            for kind in self.kinds
            if says(ENGAGED, kind.stem) and not says(NOT_ENGAGED, kind.stem)
            for days in self.windows
        ]

    @property
    def content(self) -> list[int]:
        """Return the places of the kinds that show interest."""
        return [place for place, kind in enumerate(self.kinds) if kind.is_content]

    @property
    def sales_ready(self) -> list[int]:
        """Return the places of the kinds that show readiness to buy."""
        return [place for place, kind in enumerate(self.kinds) if kind.is_sales_ready]


def make_plan(config: Config) -> ActivityPlan:
    """Return the plan of a config whose activity tables list their kinds.

    Kinds that differ in case alone are one; where the features of a kind would have the name of
    others, such as those of another table's kind, it is called by its table too.
    """
    snapshots = config.snapshots_or_default()
    windows = tuple(snapshots.window_days())
    kinds: list[ActivityKind] = []
    taken = _names_over_kinds(windows)
    for place, table in enumerate(config.activities):
        by_stem: dict[str, list[str]] = {}
        listed = [table.kind_value] if table.kind_value else table.kinds
        for number, value in enumerate(listed, start=1):
            # a kind in letters that ASCII does not have is numbered
            stem = make_stem(value) if re.search(r"\w", _as_ascii(value)) else f"kind_{number}"
            by_stem.setdefault(stem, []).append(value)
        for stem, values in by_stem.items():
            kind = ActivityKind(
                table=place,
                values=tuple(values),
                stem=stem,
                family=table.family or ("email" if family_of(stem) == "email" else "behavioral"),
                measures=tuple(table.measures),
                is_content=_is_one(values, stem, snapshots.content, CONTENT),
                is_sales_ready=_is_one(values, stem, snapshots.sales_ready, SALES_READY),
            )
            while taken & {*kind.names(windows)}:
                kind = replace(kind, stem=f"{make_stem(table.title)}_{kind.stem}")
            taken |= {*kind.names(windows)}
            kinds.append(kind)
    return ActivityPlan(
        kinds=tuple(kinds),
        windows=windows,
        half_life=pd.Timedelta(snapshots.half_life) / pd.Timedelta(days=1),
        with_people=config.leads.account is not None and bool(config.activities),
        with_age=len(snapshots.age_days()) > 1,
    )


def _names_over_kinds(windows: tuple[int, ...]) -> set[str]:
    """Return the names that no kind's features may have, whether or not there are such features."""
    names = {"days_since_activity", "days_since_created", "days_content_to_sales_ready"}
    for days in windows:
        names |= {f"{stem}_{days}d" for stem in ("activities", "activities_velocity")}
        names.add(f"active_people_{days}d")
    return names


def make_stem(text: str) -> str:
    """Return a text as ASCII snake case, for a feature's name.

    Examples
    --------
    >>> make_stem("E-Mail geöffnet"), make_stem("PageView")
    ('e_mail_geoffnet', 'page_view')
    """
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", _as_ascii(text))
    return "_".join(re.findall(r"[a-z0-9]+", split.lower()))[:_LONGEST].strip("_") or "other"


def _as_ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _is_one(values: Iterable[str], stem: str, listed: list[str] | None, words: str) -> bool:
    if listed is not None:
        return bool(set(values) & set(listed))
    return says(words, stem)
