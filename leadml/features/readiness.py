"""Say whether a table of leads is enough to learn from, and what to do where it is not."""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from leadml.errors import DataError
from leadml.features._values import read_dates

#: A figure is worth its name when its 95 % interval is no wider than this to each side.
AUC_MARGIN = 0.05
#: The AUC that leads needed are counted for; measured sets lie at 0.70 to 0.85.
TYPICAL_AUC = 0.75
#: Share of the newest closed leads that a test is made on.
TEST_SHARE = 0.2
#: At ten events a coefficient (Peduzzi et al., J. Clin. Epidemiol. 49, 1996) these carry four
#: coefficients: with fewer wins or losses there is no model to speak of.
LEAST_OUTCOMES = 40
_MANY_OPEN, _MANY_MISSING, _MANY_DUPLICATES = 0.5, 0.5, 0.05
_SHOWN = 5
_RULE_BOOK = "Score with the rule book until there are more: leadml score rules.toml LEADS."


class Fact(NamedTuple):
    """One row of the table."""

    check: str
    value: str
    verdict: Literal["ok", "warn", "stop"] = "ok"
    advice: str = ""


def compute_readiness(
    leads: pd.DataFrame,
    y: pd.Series,
    *,
    created: pd.Series | None = None,
    closed: pd.Series | None = None,
    account: pd.Series | None = None,
    horizon: str = "90D",
) -> pd.DataFrame:
    """Tell whether there are enough leads, of what span and quality, to train and to test on.

    Parameters
    ----------
    leads : DataFrame of shape (n_leads, n_columns)
        Columns to learn from, without ids, dates of creation and closing, and outcome.
    y : Series of shape (n_leads,)
        1 won, 0 lost, NaN open, in the order of `leads`.
    created, closed : Series of datetime, shape (n_leads,), default=None
        When each lead was created, and when it was won or lost.
    account : Series of shape (n_leads,), default=None
    horizon : str, default="90D"
        Days after creation in which a win counts.

    Returns
    -------
    DataFrame
        One row a check: `check`, `value` (text), `verdict` ('ok', 'warn' or 'stop') and `advice`,
        one sentence, empty where the verdict is 'ok'.

    Raises
    ------
    DataError
        Where the table is empty, lengths differ, or the horizon is no positive time.

    Notes
    -----
    Leads needed for an interval are counted with the standard error of Hanley & McNeil,
    Radiology 143 (1982).

    Examples
    --------
    >>> leads = pd.DataFrame({"source": ["web", "fair", "web"] * 10})
    >>> facts = compute_readiness(leads, pd.Series([1.0, 0.0, np.nan] * 10))
    >>> facts.loc[facts["check"] == "wins", ["value", "verdict"]].values.tolist()
    [['10', 'stop']]
    """
    _check(leads, y)
    length = _read_horizon(horizon)
    won = y.to_numpy(np.float64, na_value=np.nan)
    starts = None if created is None else read_dates(created, ()).reset_index(drop=True)
    ends = None if closed is None else read_dates(closed, ()).reset_index(drop=True)
    facts = [
        *_count_outcomes(won),
        *_check_dates(starts, ends, won, length),
        *_check_test(won, starts),
        *_check_rows(leads),
        *_check_accounts(account),
        *_check_columns(leads),
    ]
    return pd.DataFrame(facts, columns=list(Fact._fields))


def compute_auc_margin(auc: float, n_won: float, n_lost: float) -> float:
    """Return half the width of an AUC's 95 % interval (Hanley & McNeil 1982).

    Parameters
    ----------
    auc : float
    n_won, n_lost : float
        At least 1.

    Examples
    --------
    >>> round(compute_auc_margin(0.75, 50, 50), 4)  # 1.96 * sqrt(5.9625 / 2500)
    0.0957
    """
    both_won = auc / (2 - auc) - auc**2
    both_lost = 2 * auc**2 / (1 + auc) - auc**2
    variance = auc * (1 - auc) + (n_won - 1) * both_won + (n_lost - 1) * both_lost
    return float(norm.ppf(0.975) * np.sqrt(variance / (n_won * n_lost)))


def compute_leads_needed(win_rate: float, auc: float = TYPICAL_AUC) -> int:
    """Return the closed leads a test needs for an AUC within `AUC_MARGIN` of the truth.

    Examples
    --------
    >>> compute_leads_needed(0.5), compute_leads_needed(0.05)
    (364, 2532)
    """
    low, high = 2, 10**9
    while low < high:
        n = (low + high) // 2
        wins = max(n * win_rate, 1.0)
        enough = compute_auc_margin(auc, wins, max(n - wins, 1.0)) <= AUC_MARGIN
        low, high = (low, n) if enough else (n + 1, high)
    return low


def _check(leads: pd.DataFrame, y: pd.Series) -> None:
    if leads.empty or len(leads) != len(y):
        message = (
            f"`leads` must have rows and `y` one value each. Got {len(leads):,} leads of "
            f"{leads.shape[1]} columns and {len(y):,} values. Pass the outcomes of these leads."
        )
        raise DataError(message)


def _read_horizon(horizon: str) -> pd.Timedelta:
    try:
        length = pd.Timedelta(horizon)
    except ValueError:
        length = pd.Timedelta(0)
    if not length > pd.Timedelta(0):
        message = f"`horizon` must be a positive time. Got {horizon!r}. Pass for example '90D'."
        raise DataError(message)
    return length


def _count_outcomes(won: np.ndarray) -> Iterator[Fact]:
    yield Fact("rows", f"{len(won):,}")
    for check, outcome in (("wins", 1), ("losses", 0)):
        count = int((won == outcome).sum())
        few = f"Fewer than {LEAST_OUTCOMES} {check} teach a model nothing. {_RULE_BOOK}"
        enough = count >= LEAST_OUTCOMES
        yield Fact(check, f"{count:,}", "ok" if enough else "stop", "" if enough else few)
    share = float(np.isnan(won).mean())
    many = "Check that lost leads are closed in the CRM: an open lead teaches nothing."
    good = share <= _MANY_OPEN
    yield Fact("open leads", f"{share:.0%}", "ok" if good else "warn", "" if good else many)


def _check_dates(
    created: pd.Series | None, closed: pd.Series | None, won: np.ndarray, horizon: pd.Timedelta
) -> Iterator[Fact]:
    days = f"a horizon of {horizon.days} days"
    if created is None or created.isna().all():
        advice = "Name the date of creation, or the test cannot be made on newer leads."
        yield Fact("span", "no date of creation", "warn", advice)
        return
    span = created.max() - created.min()
    # train and test need a period each, with a horizon between them
    verdict: Any = "ok" if span >= 3 * horizon else "warn"
    advice = "Take in older leads: training, the horizon and the test each need a part of the span."
    value = f"{span.days:,} days for {days}"
    yield Fact("span", value, verdict, "" if verdict == "ok" else advice)
    ends = created if closed is None else pd.concat([created, closed])
    young = created > ends.max() - horizon
    closed_young = int((young.to_numpy() & ~np.isnan(won)).sum())
    if closed_young:
        share = closed_young / max(int((~np.isnan(won)).sum()), 1)
        text = (
            "Leads closed before their horizon was over are the quick ones: leave the newest out."
        )
        worse: Any = "warn" if share > 0.1 else "ok"
        value = f"{closed_young:,} closed leads ({share:.0%}) are younger than the horizon"
        yield Fact("young closed leads", value, worse, text if worse == "warn" else "")
    if closed is None:
        return
    early = int((closed < created).sum())
    if early:
        advice = "Mend these dates: such a lead cannot be used for anything that counts days."
        yield Fact("closed before created", f"{early:,} leads", "warn", advice)


def _check_test(won: np.ndarray, created: pd.Series | None) -> Iterator[Fact]:
    closed = won[~np.isnan(won)]
    if len(np.unique(closed)) < 2:
        return
    if created is not None:
        order = created[~np.isnan(won)].to_numpy().argsort(kind="stable")
        closed = closed[order]
    needed = compute_leads_needed(float(closed.mean()))
    newest = closed[-max(int(TEST_SHARE * len(closed)), 1) :]
    wins, losses = int(newest.sum()), int((1 - newest).sum())
    value = f"{len(newest):,} leads, {wins:,} won"
    margin = compute_auc_margin(TYPICAL_AUC, wins, losses) if wins and losses else 0.5
    if margin > AUC_MARGIN:
        advice = (
            f"For an AUC within {AUC_MARGIN} about {needed:,} leads must be tested, "
            f"{needed / TEST_SHARE:,.0f} closed leads in all: read the interval, not the figure."
        )
        yield Fact("newest 20 %", f"{value}: AUC within {margin:.2f}", "warn", advice)
    else:
        yield Fact("newest 20 %", f"{value}: AUC within {margin:.2f}")


def _check_rows(leads: pd.DataFrame) -> Iterator[Fact]:
    copies = int(leads.duplicated().sum())
    share = copies / len(leads)
    advice = "See whether one lead stands twice, since copies in training and test flatter a model."
    many = share > _MANY_DUPLICATES
    value = f"{copies:,} rows ({share:.0%}) repeat another but for ids"
    yield Fact("duplicates", value, "warn" if many else "ok", advice if many else "")


def _check_accounts(account: pd.Series | None) -> Iterator[Fact]:
    if account is None:
        return
    sizes = account.dropna().value_counts()
    if sizes.empty:
        yield Fact("accounts", "none", "warn", "The column of accounts is empty: leave it out.")
        return
    largest = sizes.iloc[0] / sizes.sum()
    value = f"{len(sizes):,} accounts, {sizes.mean():.1f} leads each, at most {sizes.iloc[0]:,}"
    # a split by account cannot balance a test of a fifth around an account that large
    if largest > TEST_SHARE:
        advice = f"One account has {largest:.0%} of the leads: see whether it is a real one."
        yield Fact("accounts", value, "warn", advice)
    else:
        yield Fact("accounts", value)


def _check_columns(leads: pd.DataFrame) -> Iterator[Fact]:
    missing = leads.isna().mean().sort_values(ascending=False, kind="stable")
    worst = missing[missing > 0].head(_SHOWN)
    value = ", ".join(f"{name} {share:.0%}" for name, share in worst.items()) or "none"
    many = int((missing > _MANY_MISSING).sum())
    advice = (
        f"See whether the mostly empty columns ({many}) are still filled in today, and whether "
        "texts such as 'unknown' hide more."
    )
    yield Fact("missing", value, "warn" if many else "ok", advice if many else "")
    constant = [str(name) for name in leads if leads[name].nunique(dropna=False) <= 1]
    value = ", ".join(constant[:_SHOWN]) or "none"
    value += f" and {len(constant) - _SHOWN} more" if len(constant) > _SHOWN else ""
    advice = "Leave them out: a column with one value tells no lead from another."
    yield Fact("constant columns", value, "warn" if constant else "ok", advice if constant else "")
