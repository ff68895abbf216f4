"""A comparison in one plain sentence, with its interval."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from leadml.evaluation.capacity import WEEKS_A_MONTH, Capacity
from leadml.wording import MINUS, number

FEWEST_GROUPS = 20


def make_verdict(
    capacity: Capacity,
    wins: pd.DataFrame,
    differences: pd.DataFrame,
    ranking: pd.DataFrame,
    n_won: int,
    n_groups: int | None = None,
) -> tuple[str, ...]:
    """Return a sentence for each other model, about what can be called.

    Parameters
    ----------
    capacity : Capacity
    wins, differences : DataFrame
        As `Comparison.capacity` and `Comparison.capacity_differences`.
    ranking : DataFrame
        As `Comparison.auc`.
    n_won : int
    n_groups : int or None
        How many accounts there are: of fewer than 20 no interval is taken for proof (Cameron &
        Miller 2015, Journal of Human Resources 50, 317-372, section 6).
    """
    at = _row_at(wins, capacity).set_index("model")["n_won"]
    auc = ranking.set_index("other", drop=False)
    return tuple(
        _sentence(capacity, row, at, auc.loc[str(row["other"])].to_dict(), n_won, n_groups)
        for row in _row_at(differences, capacity).to_dict("records")
    )


def _row_at(table: pd.DataFrame, capacity: Capacity) -> pd.DataFrame:
    return table[table["fraction"] == capacity.fraction]


def _sentence(
    capacity: Capacity,
    row: Mapping[Any, Any],
    wins: pd.Series,
    auc: Mapping[Any, Any],
    n_won: int,
    n_groups: int | None,
) -> str:
    first, other = str(row["model"]), str(row["other"])
    if not n_won:
        return f"The {first} and the {other} cannot be compared: none of these leads was won."
    is_shown = row["lower"] > 0 or row["upper"] < 0
    if n_groups is not None and n_groups < FEWEST_GROUPS:
        counts = (
            _by_month(capacity, row) if capacity.weeks else _by_lead(capacity, row, wins, n_won)
        )
        return (
            f"The {first} and the {other} cannot be told apart by {n_groups} accounts: {counts}, "
            "too narrow for so few."
        )
    counts = _by_month(capacity, row) if capacity.weeks else _by_lead(capacity, row, wins, n_won)
    if is_shown:
        return f"{counts[0].upper()}{counts[1:]}."
    better = _ranking(auc)
    if better:
        return f"{better} {counts[0].upper()}{counts[1:]}: too few to tell them apart there."
    return f"No difference can be shown between the {first} and the {other}: {counts}."


def _by_month(capacity: Capacity, row: Mapping[Any, Any]) -> str:
    weeks = capacity.weeks or 1.0
    calls = number(capacity.given or capacity.chosen / weeks)
    calls += " call" if calls == "1" else " calls"
    deals = [row[name] / weeks * WEEKS_A_MONTH for name in ("difference", "lower", "upper")]
    if deals[1] <= 0 <= deals[2]:
        value, low, high = map(_signed, deals)
        return (
            f"with {calls} a week the difference is {value} {_deals(value)} a month, 95 % "
            f"interval {low} to {high}"
        )
    count = number(abs(deals[0]))
    more = f"{count} {'more' if deals[0] >= 0 else 'fewer'} {_deals(count)}"
    return (
        f"with {calls} a week the {row['model']} finds {more} a month than the "
        f"{row['other']}, 95 % interval {_interval(*deals)}"
    )


def _by_lead(capacity: Capacity, row: Mapping[Any, Any], wins: pd.Series, n_won: int) -> str:
    called = f"{capacity.chosen:,} best-scored leads" if capacity.given else "best-scored 10 %"
    found, others = (round(wins[row[name]]) for name in ("model", "other"))
    low, high = row["lower"], row["upper"]
    counts = (
        f"among the {called} the {row['model']} found {found:,} of {n_won:,} wins, "
        f"the {row['other']} {others:,}"
    )
    if low <= 0 <= high:
        gap = f"difference {_signed(found - others)}"
        return f"{counts} ({gap}, 95 % interval {_signed(low)} to {_signed(high)})"
    more = f"{abs(found - others):,} {'more' if row['difference'] >= 0 else 'fewer'}"
    return f"{counts}: {more}, 95 % interval {_interval(row['difference'], low, high)}"


def _ranking(row: Mapping[Any, Any]) -> str:
    """Say who orders all leads better, where the interval of the AUC's difference shows it."""
    if not (row["lower"] > 0 or row["upper"] < 0):
        return ""
    pair = [(row["model"], row["roc_auc"]), (row["other"], row["other_roc_auc"])]
    (best, high), (worse, low) = sorted(pair, key=lambda one: -one[1])
    least, most = sorted(abs(row[bound]) for bound in ("lower", "upper"))
    return (
        f"Over all leads the {best} ranked better than the {worse}: it put a won lead before a "
        f"lost one in {_percent(high)} of pairs, against {_percent(low)} (difference "
        f"{100 * least:.1f} to {100 * most:.1f} percentage points, 95 % interval)."
    )


def _interval(value: float, low: float, high: float) -> str:
    """Return an interval in the direction of its value: `4 fewer` has `1 to 7`, not `-7 to -1`."""
    if value < 0:
        low, high = -high, -low
    return f"{_signed(low)} to {_signed(high)}"


def _deals(count: str) -> str:
    return "deal" if count.removeprefix(MINUS) == "1" else "deals"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _signed(value: float) -> str:
    # an interval that leaves 0 out must not read as if it held it
    text = number(value)
    if text == "0" and value:
        text = f"{value:.2f}".replace("-", MINUS)
    return text
