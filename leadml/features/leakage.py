"""Find columns that were written after the outcome, or that give it away otherwise."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadml.errors import DataError
from leadml.features._leak_ablation import find_pairs, find_together
from leadml.features._leak_power import (
    Power,
    compute_power,
    encode_levels,
    make_folds,
    one_sided,
)
from leadml.features._leak_tests import (
    AUC_DROP,
    AUC_LOOK,
    TESTS,
    Column,
    Finding,
    show_power,
)
from leadml.features._values import read_dates

ROW_ORDER = "(row order)"
_ORDER = {"drop": 0, "look": 1}
#: A name that says "written after the outcome" and data that say so too are enough to drop.
_BY_NAME = "name"
_LEAST = 10
_SHOWN = 3  # findings in a row's evidence
_MAX_LEADS = 100_000


def compute_leaks(
    leads: pd.DataFrame,
    y: pd.Series,
    *,
    created: pd.Series | None = None,
    closed: pd.Series | None = None,
    ids: Sequence[str] = (),
    horizon: str | None = None,
    random_state: int = 0,
) -> pd.DataFrame:
    """Test every column for signs that it was written with or after the outcome.

    Parameters
    ----------
    leads : DataFrame of shape (n_leads, n_columns)
        Raw columns as `leadml.data.sources.read_leads` returns them, without the columns of
        outcome, creation and closing. Of more than 100,000 leads a random sample is looked at.
    y : Series of shape (n_leads,)
        1 won, 0 lost, NaN open, in the order of `leads`.
    created, closed : Series of datetime, shape (n_leads,), default=None
        When each lead was created, and when it was won or lost (NaT where it is open).
    ids : sequence of str, default=()
        Columns of `leads` that are ids. They and the row order are only tested for whether they
        encode the outcome.
    horizon : str, default=None
        Days after creation in which a win counts, such as '90D'.
    random_state : int, default=0

    Returns
    -------
    DataFrame
        One row a column, in their order; a last row '(row order)' only if it gives the outcome
        away.

        ============ ======================================================================
        column       name of the column
        severity     'drop': it gives the outcome away; 'look': someone who knows the column
                     should say when it is written; 'fine'
        evidence     sentences with the figures, the deciding one first
        test         'power', 'won_levels', 'lost_levels', 'outcome_words',
                     'filled_for_one_outcome', 'filled_when_closed', 'values_when_closed',
                     'later_dates', 'growth', 'name', 'state', 'counter_pair', 'ablation', 'id'
        auc          cross-validated AUC of the column alone on closed leads, ...
        auc_lower    ... with its 95 % interval (DeLong)
        auc_upper
        ============ ======================================================================

    Raises
    ------
    DataError
        Where there are fewer than 10 won or 10 lost leads, lengths differ, or an id is missing.

    Notes
    -----
    The limits stand beside the tests with what they were measured on: X Education, Maven's CRM
    sales opportunities, the UCI bank marketing set and leadforge's simulated CRM.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> won = pd.Series(rng.integers(0, 2, 400).astype(float))
    >>> leads = pd.DataFrame({"visits": rng.poisson(3, 400), "plan": won.map({1: "gold", 0: None})})
    >>> leaks = compute_leaks(leads, won)
    >>> leaks[["column", "severity", "test"]].values.tolist()
    [['visits', 'fine', 'power'], ['plan', 'drop', 'power']]
    >>> leaks["evidence"].iloc[1].split(";")[0]
    'On its own it tells won from lost leads with AUC 1.00 (1.00 to 1.00)'
    """
    _check(leads, y, ids)
    rng = np.random.default_rng(random_state)
    rows = np.sort(rng.permutation(len(leads))[:_MAX_LEADS])
    won = y.to_numpy(np.float64, na_value=np.nan)[rows]
    is_closed = ~np.isnan(won)
    folds = make_folds(won[is_closed], random_state)
    dates = {"created": _as_dates(created, rows), "closed": _as_dates(closed, rows)}
    length = None if horizon is None else pd.Timedelta(horizon)
    frame = leads.iloc[rows].reset_index(drop=True)
    names = [str(name) for name in frame.columns]
    frame.columns = pd.Index(names)

    def column_of(values: pd.Series) -> Column:
        levels = encode_levels(values)
        power = compute_power(levels[is_closed], won[is_closed], folds)
        return Column(values, won, levels, power, **dates, horizon=length)

    columns = {name: column_of(frame[name]) for name in names if name not in ids}
    found = {name: _find(column) for name, column in columns.items()}
    powers = {
        name: column.power for name, column in columns.items() if _judge(found[name]) != "drop"
    }
    closed_leads = frame[is_closed]
    for more in (
        find_pairs(closed_leads, won[is_closed], powers, folds),
        find_together(closed_leads, won[is_closed], _varied(powers, closed_leads), random_state),
    ):
        for name, finding in more.items():
            found[name].append(finding)
    judged = {
        name: _judge_id(name, frame[name], column_of)
        if name in ids
        else (found[name], columns[name])
        for name in names
    }
    order = _judge_id(ROW_ORDER, pd.Series(np.arange(len(frame)), name=ROW_ORDER), column_of)
    if order[0]:
        judged[ROW_ORDER] = order
    return pd.DataFrame([_row(name, *result) for name, result in judged.items()])


def _check(leads: pd.DataFrame, y: pd.Series, ids: Sequence[str]) -> None:
    if len(leads) != len(y):
        message = (
            f"`y` must have one value a lead. Got {len(y):,} values for {len(leads):,} leads. "
            "Pass the outcomes of these leads."
        )
        raise DataError(message)
    missing = [name for name in ids if name not in leads]
    if missing:
        message = (
            f"`ids` must name columns of `leads`. Got {missing}, which it does not have. "
            f"It has: {', '.join(map(str, leads.columns))}."
        )
        raise DataError(message)
    wins, losses = int((y == 1).sum()), int((y == 0).sum())
    if min(wins, losses) < _LEAST:
        message = (
            f"Leaks are judged on at least {_LEAST} won and {_LEAST} lost leads. Got {wins} won "
            f"and {losses} lost. Wait for more closed leads, or name the leaks yourself."
        )
        raise DataError(message)


def _as_dates(dates: pd.Series | None, rows: np.ndarray) -> pd.Series | None:
    if dates is None:
        return None
    # microseconds: a sum past the year 2262 would not fit nanoseconds
    return read_dates(dates.iloc[rows].reset_index(drop=True), ()).dt.as_unit("us")


def _varied(powers: dict[str, Power], leads: pd.DataFrame) -> dict[str, Power]:
    return {name: power for name, power in powers.items() if leads[name].nunique(dropna=False) > 1}


def _find(column: Column) -> list[Finding]:
    return [finding for test in TESTS if (finding := test(column)) is not None]


def _judge(found: list[Finding]) -> str:
    if not found:
        return "fine"
    named = any(finding.test == _BY_NAME for finding in found)
    if named and len(found) > 1:
        return "drop"
    return min((finding.severity for finding in found), key=_ORDER.__getitem__)


def _judge_id(name: str, values: pd.Series, column_of: Any) -> tuple[list[Finding], Column]:
    """Test what an id is made of: its last number, and the text before that."""
    texts = values.astype("str")
    last = pd.to_numeric(texts.str.extract(r"(\d{1,15})\D*$")[0]).rename(name)
    columns = [column_of(part) for part in (last, texts.str.extract(r"^(\D*)")[0].rename(name))]
    best = max(columns, key=lambda column: column.power.auc)
    if best.power.lower < AUC_LOOK:
        return [], best
    what = "The order of the rows" if name == ROW_ORDER else "The id"
    text = f"{what} gives the outcome away: {show_power(best.power)}."
    if name == ROW_ORDER:
        text += " Is the table sorted by the outcome?"
    return [Finding("drop" if best.power.lower >= AUC_DROP else "look", "id", text)], best


def _row(name: str, found: list[Finding], column: Column) -> dict[str, Any]:
    power = column.power
    ranked = sorted(found, key=lambda finding: _ORDER[finding.severity])
    evidence = " ".join(finding.evidence for finding in ranked[:_SHOWN]) or _say_fine(column)
    return {
        "column": name,
        "severity": _judge(found),
        "evidence": evidence,
        "test": ranked[0].test if ranked else "power",
        "auc": power.auc,
        "auc_lower": power.lower,
        "auc_upper": power.upper,
    }


def _say_fine(column: Column) -> str:
    """Return the strongest figure of a column that is fine, so that near misses are seen."""
    text = f"On its own: {show_power(column.power)}."
    leads, wins = column.count_levels()
    always, _ = one_sided(leads, wins)
    share = wins[always].sum() / wins.sum()
    if share >= 0.01:
        text += f" {share:.1%} of all wins sit in values that are nearly always won."
    return text
