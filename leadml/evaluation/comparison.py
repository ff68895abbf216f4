"""Models on the same leads: differences with intervals, and what they mean for sales."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from leadml.errors import DataError
from leadml.evaluation._counts import Cells
from leadml.evaluation._inputs import checked_outcomes, checked_probabilities
from leadml.evaluation._resample import (
    all_metrics,
    draw_weights,
    group_codes,
    intervals,
    resample_metrics,
    with_intervals,
)
from leadml.evaluation.display import html_table, jsonable
from leadml.evaluation.metrics import HIGHER_IS_BETTER, check_base_rate


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """How models differ on the same leads.

    Attributes
    ----------
    metrics : DataFrame
        One row a metric and model: metric, model, value, lower, upper (95 % bootstrap interval).
    differences : DataFrame
        The first model less each other, paired on the same resamples: metric, model, other,
        difference, lower, upper (95 %), higher_is_better, excludes_zero, and better: the model
        that the interval shows to be better, None where it includes 0.
    verdict : tuple of str
        One plain sentence for each other model, about the best-scored 10 %.
    n_leads, n_won : int
    n_groups : int or None
        How many groups were resampled; None where leads were.
    n_resamples : int
    """

    metrics: pd.DataFrame
    differences: pd.DataFrame
    verdict: tuple[str, ...]
    n_leads: int
    n_won: int
    n_groups: int | None
    n_resamples: int

    def __repr__(self) -> str:
        return f"<Comparison: {' '.join(self.verdict)}>"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-able values; what is not defined is None.

        Examples
        --------
        >>> both = {"model": [0.9, 0.2], "rules": [0.6, 0.7]}
        >>> compare([1, 0], both, n_resamples=20).to_dict()["n_won"]
        1
        """
        return jsonable(vars(self))

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """Return the comparison that `to_dict` wrote."""
        tables = {name: pd.DataFrame(state[name]) for name in ("metrics", "differences")}
        return cls(**{**state, "verdict": tuple(state["verdict"]), **tables})

    def _repr_html_(self) -> str:
        wide = self.metrics.pivot(index="metric", columns="model", values="value")
        order = [self.metrics["metric"].unique(), self.metrics["model"].unique()]
        wide = wide.loc[order[0], order[1]].rename_axis(index=None, columns=None)
        sentences = pd.DataFrame({"verdict": self.verdict}).to_html(
            index=False, header=False, border=0
        )
        return sentences + html_table(wide, index=True) + html_table(self.differences)


def compare(
    y_true: Any,
    probabilities: Mapping[str, Any],
    *,
    groups: Any = None,
    base_rate: float | None = None,
    n_resamples: int = 500,
    random_state: int = 0,
) -> Comparison:
    """Compare the first model with each other one, on the same leads and the same resamples.

    Parameters
    ----------
    y_true : array-like of shape (n_leads,)
        1 for won, 0 for lost; leave open leads out.
    probabilities : mapping of str to array-like of shape (n_leads,)
        Name of each model, as the verdict is to call it after "the", to its probabilities. The
        first one is compared with every other.
    groups : array-like of shape (n_leads,), default=None
        Accounts, drawn as wholes; a lead without one is its own.
    base_rate : float, default=None
        Conversion of the training leads, for `log_loss_gain`; that of these leads where None.
    n_resamples : int, default=500
    random_state : int, default=0
        Equal numbers give equal intervals.

    Returns
    -------
    Comparison

    Raises
    ------
    DataError
        Where there are fewer than two models, outcomes are not 0 and 1, probabilities lie outside
        0 to 1, or lengths differ.

    Notes
    -----
    Paired bootstrap: both models see the same draw, so what makes a draw easy for both cancels out
    (Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapters 8 and 13).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> good = rng.beta(1, 3, 2000)
    >>> y_true = rng.random(2000) < good
    >>> poor = np.clip(good + rng.normal(0, 0.3, 2000), 0.01, 0.99)
    >>> print(*compare(y_true, {"model": good, "rules": poor}).verdict)
    Among the best-scored 10 % the model found ... wins, the rules ...
    """
    if len(probabilities) < 2:
        message = (
            f"`probabilities` holds {len(probabilities)} model(s): {list(probabilities)}. Accepted "
            "are two or more. Pass for example {'model': y_prob, 'rules': y_prob_of_the_rules}."
        )
        raise DataError(message)
    outcomes = checked_outcomes(y_true)
    n_leads, n_won = len(outcomes), int(outcomes.sum())
    check_base_rate(base_rate)
    codes = group_codes(groups, n_leads)
    ones = np.ones(n_leads)
    cells = {
        str(name): Cells.build(outcomes, checked_probabilities(y_prob, n_leads, str(name)), ones)
        for name, y_prob in probabilities.items()
    }
    weights = draw_weights(n_leads, codes, n_resamples, random_state)
    resamples, _ = resample_metrics(cells, weights, base_rate)
    values = {
        name: pd.DataFrame(all_metrics(model.count(ones[None, :]), base_rate)).iloc[0]
        for name, model in cells.items()
    }
    first, *others = cells
    metrics = [with_intervals(values[name], resamples[name]).assign(model=name) for name in cells]
    differences = {other: _differences(first, other, values, resamples) for other in others}
    return Comparison(
        metrics=pd.concat(metrics).reset_index()[["metric", "model", "value", "lower", "upper"]],
        differences=pd.concat(differences.values(), ignore_index=True),
        verdict=tuple(_sentence(table, values, n_won) for table in differences.values()),
        n_leads=n_leads,
        n_won=n_won,
        n_groups=None if codes is None else int(codes.max()) + 1,
        n_resamples=n_resamples,
    )


def _differences(
    first: str, other: str, values: dict[str, pd.Series], resamples: dict[str, pd.DataFrame]
) -> pd.DataFrame:
    names = list(HIGHER_IS_BETTER)
    table = (
        intervals(values[first][names] - values[other][names], resamples[first] - resamples[other])
        .reset_index()
        .rename(columns={"value": "difference"})
    )
    higher = table["metric"].map(HIGHER_IS_BETTER)
    excludes = (table["lower"] > 0) | (table["upper"] < 0)
    winner = np.where((table["difference"] > 0) == higher, first, other)
    table.insert(1, "model", first)
    table.insert(2, "other", other)
    return table.assign(
        higher_is_better=higher,
        excludes_zero=excludes,
        better=pd.Series(winner, dtype=object).where(excludes, None),
    )


def _sentence(differences: pd.DataFrame, values: dict[str, pd.Series], n_won: int) -> str:
    """Say how many more wins the first model found in the best-scored tenth."""
    row = differences.set_index("metric").loc["gain_10"].to_dict()
    first, other = row["model"], row["other"]
    if not n_won:
        return f"The {first} and the {other} cannot be compared: none of these leads was won."
    found, others = (round(values[name]["gain_10"] * n_won) for name in (first, other))
    low, high = (_whole(row[bound] * n_won) for bound in ("lower", "upper"))
    counts = (
        f"mong the best-scored 10 % the {first} found {found:,} of {n_won:,} wins, "
        f"the {other} {others:,}"
    )
    if not row["excludes_zero"]:
        counts += f" (difference {found - others:,}, 95 % interval {low} to {high})"
        ranking = _ranking(differences, values)
        if ranking:
            return f"{ranking} A{counts}: too few to tell them apart there."
        start = f"No difference can be shown between the {first} and the {other}: a"
        return f"{start}{counts}."
    if found >= others:
        return f"A{counts}: {found - others:,} more, 95 % interval {low} to {high}."
    low, high = (_whole(-row[bound] * n_won) for bound in ("upper", "lower"))
    return f"A{counts}: {others - found:,} fewer, 95 % interval {low} to {high}."


def _ranking(differences: pd.DataFrame, values: dict[str, pd.Series]) -> str:
    """Say who orders all leads better, where the interval of the AUC's difference shows it."""
    row = differences.set_index("metric").loc["roc_auc"].to_dict()
    if not row["excludes_zero"]:
        return ""
    best = row["better"]
    worse = row["other"] if best == row["model"] else row["model"]
    low, high = sorted(abs(row[bound]) for bound in ("lower", "upper"))
    return (
        f"Over all leads the {best} ranked better than the {worse}: it put a won lead before a "
        f"lost one in {values[best]['roc_auc']:.0%} of pairs, against "
        f"{values[worse]['roc_auc']:.0%} (difference {low:.1%} to {high:.1%}, 95 % interval)."
    )


def _whole(wins: float) -> str:
    # an interval that excludes 0 must not read as if it held it
    return f"{wins:,.0f}" if abs(wins) >= 0.5 or wins == 0 else f"{wins:.1f}"
