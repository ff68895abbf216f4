"""The leak tests of a single column: each returns what it found and how sure it is, or None."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from leadml.data.kinds import is_date
from leadml.data.words import AFTER_OUTCOME, LOOK, LOST_TEXTS, WON_TEXTS, says, words_of
from leadml.features._leak_power import (
    MIN_LEVEL,
    Power,
    Z,
    as_numbers,
    is_number,
    one_sided,
    wilson,
)
from leadml.features._values import read_dates

#: Highest honest single column measured: 0.78 (bank, `cons.price.idx`), 0.76 (X Education, time on
#: website). Lowest that is a leak by itself: 0.815 (bank, `duration`); X Education's `Tags` 0.92.
AUC_LOOK, AUC_DROP = 0.80, 0.90
#: Share of all wins in such levels. X Education: `Tags` 0.71, `Lead Quality` 0.17, but the honest
#: `Lead Source` 0.04 and all other columns less.
WINS_LOOK, WINS_DROP = 0.06, 0.50
#: Share of all losses in levels that are (almost) never won. Honest counts measured reach 0.13.
LOSSES_LOOK, LOSSES_DROP = 0.40, 0.90
#: Filled this many times as often for one outcome: X Education's `Lead Profile` 2.7 times, the
#: honest columns measured up to 1.5 times.
FILLED_LOOK, FILLED_DROP = 2.0, 10.0
#: Difference of filled shares, closed less open leads; honest columns measured up to 0.06.
OPEN_LOOK = 0.25
#: Mean rank correlation with the days a lead ran. Touches until the export (leadforge): 0.35 and
#: more; counts at a fixed day: up to 0.2, and not in won and lost leads alike.
GROWTH_LOOK, GROWTH_EACH = 0.25, 0.05
#: Fewest leads that a share or a correlation of a group is judged on.
MIN_GROUP = 40
#: A lead's stage moves on while sales works it.
STAGE = (
    r"^((is|lead|deal|opportunity|current|lifecycle|life cycle|pipeline|sales|funnel) )*"
    r"(stage|status)$|\b(sql|mql|sal)\b"
)
_ANSWERS = {"1", "yes", "y", "true", "t", "0", "no", "n", "false", "f"}
_OUTCOME_TEXTS = (WON_TEXTS | LOST_TEXTS) - _ANSWERS
_OUTCOME_WORDS = (
    r"\b(won|lost|closed|converted|conversion|purchased|enrolled|churned|disqualified|rejected"
    r"|declined|cancell?ed)\b"
)

Severity = Literal["drop", "look", "fine"]


@dataclass(frozen=True)
class Finding:
    """What a test found: how bad, which test, and the sentence that shows it."""

    severity: Severity
    test: str
    evidence: str


@dataclass(frozen=True, eq=False)
class Column:
    """A column of all leads (won: 1, 0, NaN open), its levels, and its power on closed leads."""

    values: pd.Series
    won: np.ndarray
    levels: np.ndarray
    power: Power
    created: pd.Series | None
    closed: pd.Series | None
    horizon: pd.Timedelta | None

    @property
    def name(self) -> str:
        return str(self.values.name)

    @property
    def is_open(self) -> np.ndarray:
        return np.isnan(self.won)

    @property
    def filled(self) -> np.ndarray:
        return self.values.notna().to_numpy()

    def count_levels(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the closed and the won leads of each level."""
        levels, won = self.levels[~self.is_open], self.won[~self.is_open]
        size = int(self.levels.max()) + 1
        return np.bincount(levels, minlength=size), np.bincount(levels, won, minlength=size)

    def show_level(self, level: Any) -> str:
        """Return the value of a level, for numbers the range of its leads."""
        values = self.values[self.levels == level].dropna()
        if values.empty:
            return "(empty)"
        if not is_number(self.values):
            return repr(str(values.iloc[0])[:40])
        low, high = (
            f"{limit:g}" if isinstance(limit, float) else str(limit)[:10]
            for limit in (values.min(), values.max())
        )
        return low if low == high else f"{low} to {high}"


def find_power(column: Column) -> Finding | None:
    """Find a single column that tells won from lost leads too well."""
    if column.power.lower < AUC_LOOK:
        return None
    severity: Severity = "drop" if column.power.lower >= AUC_DROP else "look"
    text = (
        f"On its own it tells won from lost leads with {show_power(column.power)}; a column "
        f"known beforehand rarely passes AUC {AUC_LOOK:.2f}."
    )
    return Finding(severity, "power", text)


def find_won_levels(column: Column) -> Finding | None:
    """Find a large share of all wins in values that are nearly always won."""
    leads, wins = column.count_levels()
    always, _ = one_sided(leads, wins)
    share = wins[always].sum() / wins.sum()
    # the far end of an honest strong number is nearly always won, too
    if share < (WINS_DROP if is_number(column.values) else WINS_LOOK):
        return None
    return Finding(
        "drop" if share >= WINS_DROP else "look",
        "won_levels",
        f"{share:.0%} of all wins {_show_levels(column, always, leads, wins)}.",
    )


def find_lost_levels(column: Column) -> Finding | None:
    """Find a large share of all losses in values that are nearly never won."""
    leads, wins = column.count_levels()
    _, never = one_sided(leads, wins)
    losses = leads - wins
    share = losses[never].sum() / losses.sum()
    if share < LOSSES_LOOK:
        return None
    return Finding(
        "drop" if share >= LOSSES_DROP else "look",
        "lost_levels",
        f"{share:.0%} of all losses {_show_levels(column, never, leads, wins)}.",
    )


def find_outcome_words(column: Column) -> Finding | None:
    """Find values that name the outcome and are one-sided: a name alone proves nothing.

    X Education's `Last Activity` = 'Converted to Lead' is 13 % won.
    """
    if is_number(column.values):
        return None
    leads, wins = column.count_levels()
    always, never = one_sided(leads, wins)
    speaks = np.zeros(len(leads), dtype=bool)
    for level in np.flatnonzero(always | never):
        speaks[level] = names_outcome(column.show_level(level).strip("'\""))
    if not speaks.any():
        return None
    share = leads[speaks].sum() / leads.sum()
    # one named value of many is a hint, half the pipeline is the outcome itself
    return Finding(
        "drop" if share >= 0.2 else "look",
        "outcome_words",
        f"Its values name the outcome: {share:.0%} of closed leads "
        f"{_show_levels(column, speaks, leads, wins)}.",
    )


def find_filled_for_one_outcome(column: Column) -> Finding | None:
    """Find a column that is filled mostly for won leads, or mostly for lost ones."""
    shares, limits = {}, {}
    for outcome in (1, 0):
        filled = column.filled[column.won == outcome]
        shares[outcome] = filled.mean()
        # half a lead each, so that a share of none has a logarithm
        share = (filled.sum() + 0.5) / (len(filled) + 1)
        limits[outcome] = (np.log(share), (1 - share) / (share * len(filled)))
    more, less = (1, 0) if shares[1] >= shares[0] else (0, 1)
    spread = Z * np.sqrt(limits[1][1] + limits[0][1])
    ratio = float(np.exp(limits[more][0] - limits[less][0] - spread))  # lower limit
    if ratio < FILLED_LOOK:
        return None
    names = {1: "won", 0: "lost"}
    # a rarely filled column is a leak too, but costs little
    severity: Severity = "drop" if ratio >= FILLED_DROP and shares[more] >= 0.05 else "look"
    text = (
        f"It is filled in {show_share(shares[more])} of {names[more]} but "
        f"{show_share(shares[less])} of {names[less]} leads."
    )
    return Finding(severity, "filled_for_one_outcome", text)


def find_filled_when_closed(column: Column) -> Finding | None:
    """Find a column that is filled (or empty) in closed leads and not so in open ones."""
    is_open = column.is_open
    if min(is_open.sum(), (~is_open).sum()) < MIN_GROUP:
        return None
    of_closed, of_open = column.filled[~is_open].mean(), column.filled[is_open].mean()
    variance = of_closed * (1 - of_closed) / (~is_open).sum() + of_open * (1 - of_open) / (
        is_open.sum()
    )
    difference = abs(of_closed - of_open) - Z * np.sqrt(variance)
    text = (
        f"It is filled in {show_share(of_closed)} of closed but {show_share(of_open)} of open leads"
    )
    _, highest = wilson(column.filled[is_open].sum(), is_open.sum())
    if of_closed >= 0.05 and highest <= of_closed / FILLED_DROP:
        return Finding("drop", "filled_when_closed", f"{text}: it is written at the end.")
    if difference < OPEN_LOOK:
        return None
    return Finding(
        "look",
        "filled_when_closed",
        f"{text}: whether it is empty tells closed from open leads, so a model would judge open "
        "leads by something it has never seen.",
    )


def find_values_when_closed(column: Column) -> Finding | None:
    """Find values that many closed leads hold and no open one of the same time."""
    is_open = column.is_open
    if is_number(column.values) or column.created is None or not is_open.any():
        return None
    # months and campaigns come and go, so older closed leads are no measure
    oldest = column.created[is_open].quantile(0.05)
    closed = ~is_open & (column.created >= oldest).to_numpy()
    if min(is_open.sum(), closed.sum()) < MIN_GROUP:
        return None
    size = int(column.levels.max()) + 1
    shares = np.bincount(column.levels[closed], minlength=size) / closed.sum()
    opens = np.bincount(column.levels[is_open], minlength=size)
    only_closed = (opens == 0) & (shares * is_open.sum() >= MIN_LEVEL)
    only_closed[column.levels[~column.filled]] = False
    share = shares[only_closed].sum()
    if share < OPEN_LOOK:
        return None
    values = ", ".join(column.show_level(level) for level in np.flatnonzero(only_closed)[:3])
    text = f"{share:.0%} of closed leads hold values that no open lead of that time has: {values}."
    return Finding("drop" if share >= 0.5 else "look", "values_when_closed", text)


def find_later_dates(column: Column) -> Finding | None:
    """Find dates on or after the outcome, or after the lead was created."""
    if not is_date(column.values):
        return None
    dates = read_dates(column.values, ()).dt.as_unit("us")
    for start, what in _ends(column):
        both = dates.notna() & start.notna()
        # a date of the same day may be written without its hour
        late = dates[both] >= start[both].dt.floor("D")
        after = float(late.mean()) if both.sum() >= MIN_LEVEL else 0.0
        if after >= 0.05:
            severity: Severity = "drop" if after >= 0.5 else "look"
            return Finding(severity, "later_dates", f"{after:.0%} of its dates lie {what}.")
    if column.created is None:
        return None
    both = dates.notna() & column.created.notna()
    # the same day may be written without its hour, or in another time zone
    late = dates[both] > column.created[both] + pd.Timedelta(days=1)
    if both.sum() < MIN_LEVEL or late.mean() < 0.05:
        return None
    text = f"{late.mean():.0%} of its dates lie more than a day after the lead was created."
    return Finding("look", "later_dates", text)


def find_growth(column: Column) -> Finding | None:
    """Find a count that is larger the longer a lead ran, in leads of the same outcome."""
    if column.created is None or not is_count(column.values):
        return None
    numbers, days = as_numbers(column.values), _days_run(column, column.created)
    found = {}
    for name, group in (
        ("won", column.won == 1),
        ("lost", column.won == 0),
        ("open", column.is_open),
    ):
        rows = group & ~np.isnan(numbers) & ~np.isnan(days)
        if rows.sum() < MIN_GROUP or np.ptp(days[rows]) == 0 or np.ptp(numbers[rows]) == 0:
            continue
        rank = float(spearmanr(days[rows], numbers[rows]).statistic)
        found[name] = (rank, rank - Z / np.sqrt(rows.sum() - 3))
    each = [lower for _, lower in found.values()]
    mean = np.mean([rank for rank, _ in found.values()]) if found else 0.0
    if mean < GROWTH_LOOK or min(each) < GROWTH_EACH:
        return None
    ranks = ", ".join(f"{rank:.2f} in {name} leads" for name, (rank, _) in found.items())
    text = f"It grows with the days a lead ran (rank correlation {ranks}): it counts until later."
    # a large company also takes longer to decide, but does not grow while its lead is open
    sure = "open" in found and len(found) > 1
    return Finding("drop" if sure else "look", "growth", text)


def find_name(column: Column) -> Finding | None:
    """Find a name that says it is written while or after sales works the lead, and some power."""
    if column.power.lower <= 0.5:
        return None
    told = f"By its name ({show_power(column.power)} on its own)"
    for place, (words, reason) in enumerate(AFTER_OUTCOME):
        # an expected amount is there from the start: open leads have it just as often
        if says(words, column.name) and not (place == 0 and _open_leads_have_it(column)):
            return Finding("look", "name", f"{told}: {reason[:1].lower()}{reason[1:]}")
    if says(LOOK, column.name) or says(STAGE, column.name):
        text = f"{told}: it is a state as of the export, which may be after the outcome."
        return Finding("look", "state", text)
    return None


TESTS: tuple[Callable[[Column], Finding | None], ...] = (
    find_power,
    find_won_levels,
    find_lost_levels,
    find_outcome_words,
    find_filled_for_one_outcome,
    find_filled_when_closed,
    find_values_when_closed,
    find_later_dates,
    find_growth,
    find_name,
)


def names_outcome(value: str) -> bool:
    """Return whether a value names the outcome.

    Examples
    --------
    >>> [names_outcome(text) for text in ("closed_won", "Closed by Horizzon", "yes", "Google")]
    [True, True, False, False]
    """
    words = words_of(value)
    return words in _OUTCOME_TEXTS or re.search(_OUTCOME_WORDS, words) is not None


def is_count(values: pd.Series) -> bool:
    """Return whether a column holds counts: whole numbers from 0 on, more than a few of them."""
    if not is_number(values) or is_date(values):
        return False
    numbers = as_numbers(values)
    numbers = numbers[~np.isnan(numbers)]
    whole = (numbers >= 0) & (numbers == np.round(numbers))
    return bool(whole.all()) and len(np.unique(numbers)) > 5


def show_power(power: Power) -> str:
    """Return an AUC with its interval as text."""
    return f"AUC {power.auc:.2f} ({power.lower:.2f} to {power.upper:.2f})"


def show_share(share: float) -> str:
    """Return a share as text, where none and all are words."""
    return {0.0: "none", 1.0: "all"}.get(float(share), f"{share:.1%}")


def _show_levels(
    column: Column, shown: np.ndarray, leads: np.ndarray, wins: np.ndarray, most: int = 3
) -> str:
    first = sorted(np.flatnonzero(shown), key=lambda level: -leads[level])[:most]
    texts = [
        f"{column.show_level(level)} ({wins[level] / leads[level]:.0%} of {leads[level]:,} won)"
        for level in first
    ]
    rest = int(shown.sum()) - len(first)
    return f"sit in {', '.join(texts)}" + (f" and {rest} more" if rest else "")


def _open_leads_have_it(column: Column) -> bool:
    is_open = column.is_open
    if is_open.sum() < MIN_GROUP:
        return False
    return bool(column.filled[is_open].mean() >= 0.9 * column.filled[~is_open].mean())


def _ends(column: Column) -> list[tuple[pd.Series, str]]:
    """Return the dates from which on a value is no longer known in time."""
    ends = []
    if column.closed is not None:
        ends.append((column.closed, "on or after the day the lead was closed"))
    if column.created is not None and column.horizon is not None:
        days = f"{column.horizon.days} days"
        ends.append((column.created + column.horizon, f"{days} or more after creation"))
    return ends


def _days_run(column: Column, created: pd.Series) -> np.ndarray:
    """Return the days from creation to closing, or to the newest date where a lead is open."""
    dates = created if column.closed is None else pd.concat([created, column.closed])
    end = pd.Series(dates.max(), index=created.index)
    if column.closed is not None:
        end = column.closed.where(~column.is_open, end)
    return (end - created).dt.total_seconds().to_numpy(np.float64) / 86_400
