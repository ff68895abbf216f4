"""Models on the same leads: differences with intervals, and what they mean for sales."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from leadml.errors import DataError
from leadml.evaluation._counts import Cells
from leadml.evaluation._inputs import (
    Floats,
    checked_outcomes,
)
from leadml.evaluation._leads import Leads
from leadml.evaluation._models import checked_models
from leadml.evaluation._resample import (
    all_metrics,
    draw_counts,
    group_codes,
    intervals,
    with_intervals,
)
from leadml.evaluation.capacity import Capacity
from leadml.evaluation.cross import compute_cross_table
from leadml.evaluation.delong import compute_delong
from leadml.evaluation.display import jsonable
from leadml.evaluation.metrics import HIGHER_IS_BETTER, check_base_rate
from leadml.evaluation.net_benefit import compute_net_benefit
from leadml.evaluation.segments import compute_segments
from leadml.evaluation.top_leads import compute_mcnemar
from leadml.evaluation.verdict import make_verdict

_TABLES = (
    "metrics",
    "differences",
    "auc",
    "capacity",
    "capacity_differences",
    "top",
    "net_benefit",
    "cross",
    "segments",
)


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
    auc : DataFrame
        The difference of the AUCs by DeLong's test, as `compute_delong` gives it.
    capacity : DataFrame
        Wins among the best-scored leads: model, fraction, n_leads, n_won, lower, upper, and
        their share of all wins: gain, gain_lower, gain_upper.
    capacity_differences : DataFrame
        The first model's wins less each other's: model, other, fraction, n_leads, difference,
        lower, upper.
    top : DataFrame
        Which wins only one of two finds at the capacity, as `compute_mcnemar` gives it.
    net_benefit : DataFrame
        The decision curves, as `compute_net_benefit` gives them.
    cross : DataFrame or None
        Bands against bands, with conversion: model, other, and the columns of
        `compute_cross_table`; None where no bands were passed.
    segments : DataFrame or None
        Calibration and AUC by segment, as `compute_segments` gives it; None where none were passed.
    verdict : tuple of str
        One plain sentence for each other model, about the leads that can be called.
    chosen : int
        Leads that can be called.
    weeks : float or None
        In how many weeks the leads came in.
    n_leads, n_won : int
    n_groups : int or None
        How many groups were resampled; None where leads were.
    n_resamples : int
    """

    metrics: pd.DataFrame
    differences: pd.DataFrame
    auc: pd.DataFrame
    capacity: pd.DataFrame
    capacity_differences: pd.DataFrame
    top: pd.DataFrame
    net_benefit: pd.DataFrame
    cross: pd.DataFrame | None
    segments: pd.DataFrame | None
    verdict: tuple[str, ...]
    chosen: int
    weeks: float | None
    n_leads: int
    n_won: int
    n_groups: int | None
    n_resamples: int

    def __repr__(self) -> str:
        return f"<Comparison: {' '.join(self.verdict)}>"

    @property
    def models(self) -> list[str]:
        """Names of the models, the first one first."""
        return [str(name) for name in self.metrics["model"].unique()]

    @property
    def others(self) -> list[str]:
        """Names of the models that the first one is compared with."""
        return self.models[1:]

    def at_capacity(self) -> pd.DataFrame:
        """Return wins at the capacity: `capacity` where its n_leads is `chosen`."""
        share = self.chosen / float(self.capacity["n_leads"].max())
        return self.capacity[self.capacity["fraction"] == share]

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
        tables = {
            name: None if state[name] is None else pd.DataFrame(state[name]) for name in _TABLES
        }
        return cls(**{**state, "verdict": tuple(state["verdict"]), **tables})

    def _repr_html_(self) -> str:
        from leadml.evaluation.reprs import show_comparison

        return show_comparison(self)


def compare(
    y_true: Any,
    probabilities: Mapping[str, Any],
    *,
    X: Any = None,
    groups: Any = None,
    lead_ids: Any = None,
    base_rate: float | None = None,
    bands: Mapping[str, Any] | None = None,
    segments: Mapping[str, Any] | pd.DataFrame | None = None,
    capacity: float | None = None,
    weeks: float | None = None,
    n_resamples: int = 500,
    random_state: int = 0,
) -> Comparison:
    """Compare the first model with each other one, on the same leads and the same resamples.

    Parameters
    ----------
    y_true : array-like of shape (n_leads,)
        1 for won, 0 for lost; leave open leads out.
    probabilities : mapping of str to array-like of shape (n_leads,), or to a fitted classifier
        Name of each model, as the verdict is to call it after "the", to its probabilities, or to
        any scikit-learn classifier, which is asked for those of `X`. The first one is compared
        with every other.
    X : DataFrame or array of shape (n_leads, n_columns), default=None
        What classifiers are asked about.
    groups : array-like of shape (n_leads,), default=None
        Accounts, drawn as wholes; a lead without one is its own.
    lead_ids : array-like of shape (n_leads,), default=None
        Where a lead has several rows. Wins at a capacity, bands and segments then count it once, as
        it stands where the model gives it most: by one edge for all rows it is called when it first
        passes it. Rows with a missing id are left out of these.
    base_rate : float, default=None
        Conversion of the training leads, for `log_loss_gain`; that of these leads where None.
    bands : mapping of str to array-like of shape (n_leads,), default=None
        `hot`, `warm` or `cold` by model.
    segments : mapping of str to array-like, or DataFrame, of shape (n_leads,), default=None
        Columns to compare the models within.
    capacity : float, default=None
        How many leads can be called: a week where `weeks` is known, else of these. None takes
        the best-scored 10 %.
    weeks : float, default=None
        In how many weeks these leads came in.
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
        0 to 1, lengths differ, or more leads can be called than there are.

    Notes
    -----
    Paired bootstrap: both models see the same draw, so what makes a draw easy for both cancels out
    (Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapters 8 and 13). A capacity of so
    many a week is taken as one edge over all weeks, as bands have it.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> good = rng.beta(1, 3, 2000)
    >>> y_true = rng.random(2000) < good
    >>> poor = np.clip(good + rng.normal(0, 0.3, 2000), 0.01, 0.99)
    >>> both = {"model": good, "rules": poor}
    >>> print(*compare(y_true, both, capacity=20, weeks=13).verdict)
    With 20 calls a week the model finds ... more deals a month than the rules, 95 % interval ...
    """
    outcomes = checked_outcomes(y_true)
    chances = _read_probabilities(probabilities, X, len(outcomes))
    check_base_rate(base_rate)
    codes = group_codes(lead_ids if groups is None else groups, len(outcomes))
    leads = Leads.find(outcomes, chances, lead_ids)
    asked = Capacity.choose(len(leads.outcomes), capacity, weeks)
    drawn = _draw(outcomes, chances, codes, leads, asked, base_rate, n_resamples, random_state)
    values, resamples, wins, drawn_wins, gains = drawn
    first, *others = chances
    metrics = [with_intervals(values[name], resamples[name]).assign(model=name) for name in chances]
    differences = [_differences(first, other, values, resamples) for other in others]
    found = asked.tabulate(wins, drawn_wins, gains)
    more = asked.tabulate_differences(wins, drawn_wins)
    once, n_won = leads.outcomes, int(leads.outcomes.sum())
    by_lead = {name: leads.take(chance, name) for name, chance in chances.items()}
    lead_groups = None if codes is None else codes[leads.rows]
    n_lead_groups = None if lead_groups is None else len(np.unique(lead_groups))
    given: Any = {} if segments is None else segments
    columns = {str(name): leads.take(given[name], first) for name in given}
    auc = compute_delong(outcomes, chances, groups=codes)
    return Comparison(
        metrics=pd.concat(metrics).reset_index()[["metric", "model", "value", "lower", "upper"]],
        differences=pd.concat(differences, ignore_index=True),
        auc=auc,
        capacity=found,
        capacity_differences=more,
        top=compute_mcnemar(
            once, by_lead, asked.chosen, groups=lead_groups, random_state=random_state
        ),
        net_benefit=compute_net_benefit(once, by_lead, groups=lead_groups),
        cross=_cross(once, {name: leads.take(band, name) for name, band in (bands or {}).items()}),
        segments=compute_segments(once, by_lead, columns, groups=lead_groups) if columns else None,
        verdict=make_verdict(asked, found, more, auc, n_won, n_lead_groups),
        chosen=asked.chosen,
        weeks=weeks,
        n_leads=len(outcomes),
        n_won=int(outcomes.sum()),
        n_groups=None if codes is None else int(codes.max()) + 1,
        n_resamples=n_resamples,
    )


def _read_probabilities(models: Mapping[str, Any], X: Any, n_leads: int) -> dict[str, Floats]:
    asked = {}
    for name, given in models.items():
        is_classifier = hasattr(given, "predict_proba")
        if is_classifier and X is None:
            message = f"`{name}` is a classifier, but there is no `X` to ask it about. Pass X=..."
            raise DataError(message)
        asked[name] = given.predict_proba(X)[:, 1] if is_classifier else given
    return checked_models(asked, n_leads, at_least=2)


def _draw(
    outcomes: Floats,
    chances: Mapping[str, Floats],
    codes: Any,
    leads: Leads,
    asked: Capacity,
    base_rate: float | None,
    n_resamples: int,
    random_state: int,
) -> tuple[
    dict[str, pd.Series],
    dict[str, pd.DataFrame],
    dict[str, Floats],
    dict[str, Floats],
    dict[str, Floats],
]:
    """Return each model's metrics and wins, of the leads and of the same resamples."""
    ones = np.ones(len(outcomes))
    rows = {name: Cells.build(outcomes, chance, ones) for name, chance in chances.items()}
    calls, key = rows, "rows"
    if len(leads.rows) < len(outcomes):
        won, key = leads.spread(leads.outcomes, len(outcomes)), "leads"
        calls = {
            name: Cells.build(
                won,
                leads.spread(leads.take(chance, name), len(outcomes)),
                ones,
                rows=leads.rows,
            )
            for name, chance in chances.items()
        }
    cells = {("rows", name): rows[name] for name in chances}
    cells |= {(key, name): calls[name] for name in chances}
    frames: dict[str, list[pd.DataFrame]] = {name: [] for name in chances}
    wins: dict[str, list[tuple[Floats, Floats]]] = {name: [] for name in chances}
    for chunk in draw_counts(cells, len(outcomes), codes, n_resamples, random_state):
        for name in chances:
            frames[name].append(pd.DataFrame(all_metrics(chunk["rows", name], base_rate)))
            wins[name].append(asked.count_wins(chunk[key, name]))
    once = ones[None, :]
    exact = {name: all_metrics(one.count(once), base_rate) for name, one in rows.items()}
    return (
        {name: pd.DataFrame(metrics).iloc[0] for name, metrics in exact.items()},
        {name: pd.concat(parts, ignore_index=True) for name, parts in frames.items()},
        {name: asked.count_wins(calls[name].count(once))[0][0] for name in calls},
        {name: np.vstack([each for each, _ in parts]) for name, parts in wins.items()},
        {name: np.vstack([share for _, share in parts]) for name, parts in wins.items()},
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


def _cross(outcomes: Floats, bands: Mapping[str, Any]) -> pd.DataFrame | None:
    if len(bands) < 2:
        return None
    first, *others = bands
    parts = []
    for other in others:
        table = compute_cross_table(outcomes, bands[first], bands[other])
        table.insert(0, "model", first)
        table.insert(1, "other", other)
        parts.append(table)
    return pd.concat(parts, ignore_index=True)
