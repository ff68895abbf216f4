"""Which features are made of activities: their names, families and direction."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from leadml.config import Config, Family
from leadml.data.words import family_of, says

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
            for days in self.windows:
                names[f"{kind.stem}_{days}d"] = kind.family
                names[f"{kind.stem}_active_days_{days}d"] = kind.family
                for measure in kind.measures:
                    names[self.sum_name(kind, measure, days)] = kind.family
            names[f"{kind.stem}_decayed"] = kind.family
            names[f"days_since_{kind.stem}"] = kind.family
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

    @property
    def content(self) -> list[int]:
        """Return the places of the kinds that show interest."""
        return [place for place, kind in enumerate(self.kinds) if kind.is_content]

    @property
    def sales_ready(self) -> list[int]:
        """Return the places of the kinds that show readiness to buy."""
        return [place for place, kind in enumerate(self.kinds) if kind.is_sales_ready]

    @staticmethod
    def sum_name(kind: ActivityKind, measure: str, days: int) -> str:
        """Return the name of a measure's sum; a measure that names its kind is not told twice."""
        stem = make_stem(measure)
        prefix = "" if stem.startswith(kind.stem) else f"{kind.stem}_"
        return f"{prefix}{stem}_{days}d"


def make_plan(config: Config) -> ActivityPlan:
    """Return the plan of a config whose activity tables list their kinds.

    Kinds that differ in case alone are one; where two tables have a kind of the same name, the
    later table's is called by its table too.
    """
    snapshots = config.snapshots_or_default()
    kinds: dict[str, ActivityKind] = {}
    for place, table in enumerate(config.activities):
        by_stem: dict[str, list[str]] = {}
        for value in [table.kind_value] if table.kind_value else table.kinds:
            by_stem.setdefault(make_stem(value), []).append(value)
        for stem, values in by_stem.items():
            own = stem if stem not in kinds else f"{make_stem(table.title)}_{stem}"
            kinds[own] = ActivityKind(
                table=place,
                values=tuple(values),
                stem=own,
                family=table.family or ("email" if family_of(stem) == "email" else "behavioral"),
                measures=tuple(table.measures),
                is_content=_is_one(values, stem, snapshots.content, CONTENT),
                is_sales_ready=_is_one(values, stem, snapshots.sales_ready, SALES_READY),
            )
    return ActivityPlan(
        kinds=tuple(kinds.values()),
        windows=tuple(snapshots.window_days()),
        half_life=pd.Timedelta(snapshots.half_life) / pd.Timedelta(days=1),
        with_people=config.leads.account is not None and bool(config.activities),
        with_age=len(snapshots.age_days()) > 1,
    )


def make_stem(text: str) -> str:
    """Return a text as ASCII snake case, for a feature's name.

    Examples
    --------
    >>> make_stem("E-Mail geöffnet"), make_stem("PageView")
    ('e_mail_geoffnet', 'page_view')
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", plain)
    return "_".join(re.findall(r"[a-z0-9]+", split.lower()))[:_LONGEST].strip("_") or "other"


def _is_one(values: Iterable[str], stem: str, listed: list[str] | None, words: str) -> bool:
    if listed is not None:
        return bool(set(values) & set(listed))
    return says(words, stem)
