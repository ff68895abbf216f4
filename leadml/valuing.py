"""What deals are worth: the value model beside a training, and what ranking by it brings."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from leadml.config import Config
from leadml.data.lead_table import LeadTable
from leadml.evaluation.value import compute_value_at_capacity, compute_value_differences
from leadml.features.splits import Split
from leadml.judged import Judged, find_groups
from leadml.pipelines import MODEL
from leadml.scoring.scorer import LeadScorer
from leadml.scoring.value import LeadValueRegressor

FEWEST_DEALS = 50  # below, the interval of an error is as wide as the error
CALLED = 0.1  # of the leads, as the verdict has it
EXPECTED, PROBABILITY, VALUE = "expected value", "probability", "value alone"


@dataclass(frozen=True, eq=False)
class Valuing:
    """A model of deal values, and what it is worth to call leads by it.

    Attributes
    ----------
    model : Pipeline
        From raw columns to the value of a deal if it is won, learned from all won deals.
    errors : DataFrame
        Its cross-validated errors; see `LeadValueRegressor`.
    at_capacity : DataFrame
        As `compute_value_at_capacity` gives it, by probability, expected value (probability x
        predicted value) and predicted value alone, on the leads that were judged. Their values are
        predicted by models that learned from the older won deals alone.
    differences : DataFrame
        As `compute_value_differences` gives it: expected value against the two others.
    n_deals : int
        Won deals that the model learned from.
    """

    model: Pipeline
    errors: pd.DataFrame
    at_capacity: pd.DataFrame
    differences: pd.DataFrame
    n_deals: int

    @property
    def beats_mean(self) -> bool:
        """Whether deal values can be told apart; if not, each lead is given their mean."""
        return bool(self.model[-1].beats_mean_)

    @property
    def verdict(self) -> str:
        """What calling by expected value brings, in a plain sentence."""
        if not self.beats_mean:
            mean = _amount(self.model[-1].mean_)
            return (
                f"Deal values cannot be told apart: the mean of the won deals, {mean}, is used for "
                "every lead, and ranking by expected value is ranking by probability."
            )
        at = self.differences[self.differences["fraction"] == CALLED].set_index("other")
        row = at.loc[PROBABILITY].to_dict()
        low, high = row["lower"], row["upper"]
        called = f"the best 10 % of leads ({row['n_leads']:,.0f})"
        if low <= 0 <= high:
            gap, least, most = (_signed(row[name]) for name in ("difference", "lower", "upper"))
            return (
                "No difference can be shown between ranking by expected value and by probability: "
                f"among {called} it is {gap} in won deals, 95 % interval {least} to {most}."
            )
        more = "more" if row["difference"] > 0 else "less"
        least, most = (_amount(bound) for bound in sorted((abs(low), abs(high))))
        worth = self.at_capacity[self.at_capacity["fraction"] == CALLED].set_index("ranking")
        value = worth["value"].to_dict()
        return (
            f"Among {called}, ranking by expected value finds {_amount(abs(row['difference']))} "
            f"{more} in won deals than ranking by probability, 95 % interval {least} to {most} "
            f"({_amount(value[EXPECTED])} against {_amount(value[PROBABILITY])}; by value alone it "
            f"is {_amount(value[VALUE])})."
        )

    def describe_error(self) -> str:
        """Return how far forecasts of values were off, in a sentence."""
        rows = self.errors.set_index("metric").to_dict("index")
        off, low, high = (_amount(rows["mae"][name]) for name in ("value", "lower", "upper"))
        mean = _amount(rows["baseline_mae"]["value"])
        return (
            f"Values learned from {self.n_deals:,} won deals were off by {off} on average for "
            f"deals not learned from, 95 % interval {low} to {high}; their mean is off by {mean}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return every figure, as tables and numbers."""
        return {
            "verdict": self.verdict,
            "beats_mean": self.beats_mean,
            "mean": self.model[-1].mean_,
            "n_deals": self.n_deals,
            "errors": self.errors,
            "at_capacity": self.at_capacity,
            "differences": self.differences,
        }


def learn_values(
    config: Config,
    leads: LeadTable,
    split: Split,
    judged: Judged,
    final: LeadScorer,
    random_state: int = 0,
) -> tuple[Valuing | None, tuple[str, ...]]:
    """Learn what deals are worth, and judge it on the leads that the models were judged on.

    Parameters
    ----------
    config : Config
    leads : LeadTable
        The closed leads, with their values.
    split : Split
        Of these leads. The values of each part are predicted by what its older won deals taught.
    judged : Judged
        What came of the split.
    final : LeadScorer
        Learned from all of them.
    random_state : int, default=0

    Returns
    -------
    Valuing or None
        None with fewer than 50 won deals whose value is above 0, or fewer than 25 to learn from
        before leads are judged, or where all are of one account.
    tuple of str
        Why there is none; or how many won leads are left out for want of a value.
    """
    deals = find_deals(leads)
    olders = [find_deals(leads.take(older)) for older, _ in split.parts]
    rows, n_without = _find_valued(judged)
    known = judged.leads.take(rows)
    found = known.value.to_numpy()[(known.y == 1).to_numpy()]  # type: ignore[union-attr]
    enough = all(_can_learn(older, FEWEST_DEALS / 2) for older in olders)
    if not (_can_learn(deals, FEWEST_DEALS) and enough and found.any()):
        n_won = int(leads.outcomes_by_lead().sum())
        return None, (
            f"Deal values are not learned: {len(deals.y):,} of {n_won:,} won leads have a number "
            f"above 0 in {config.leads.value!r}. {FEWEST_DEALS} are needed, of two accounts at "
            "least, half of them before the leads that are judged, and one among these.",
        )
    predicted = np.empty(len(judged.leads.y))
    for older, (places, scorers) in zip(olders, judged.parts, strict=True):
        scorer = scorers[MODEL]
        X = scorer.select(judged.leads.X.iloc[places])
        predicted[places] = fit_values(scorer, older, random_state).predict(X)
    worth = predicted[rows]
    chance = judged.scored[MODEL]["probability"].to_numpy(float)[rows]
    rankings = {PROBABILITY: chance, EXPECTED: chance * worth, VALUE: worth}
    given: dict[str, Any] = {"groups": find_groups(known), "random_state": random_state}
    at_capacity = compute_value_at_capacity(known.y, known.value, rankings, **given)
    rankings = {EXPECTED: chance * worth, PROBABILITY: chance, VALUE: worth}
    differences = compute_value_differences(known.y, known.value, rankings, **given)
    model = fit_values(final, deals, random_state)
    notes: tuple[str, ...] = ()
    if n_without:
        notes = (
            f"{n_without:,} won leads among those judged have no value in {config.leads.value!r}: "
            "they are left out where values are compared.",
        )
    valuing = Valuing(model, model[-1].errors_, at_capacity, differences, len(deals.y))
    return valuing, notes


def find_deals(leads: LeadTable) -> LeadTable:
    """Return the won leads whose value is above 0, each as it was first looked at."""
    is_deal = ((leads.y == 1) & (leads.value > 0)).to_numpy()  # type: ignore[operator]
    won = leads.take(is_deal)
    return won.take(~won.lead_ids.duplicated())


def fit_values(scorer: LeadScorer, deals: LeadTable, random_state: int = 0) -> Pipeline:
    """Return a model of deal values that reads its columns as a scorer of the same leads does."""
    profile = scorer.estimator_[0]  # all leads tell what a column is, the won ones may be few
    features = profile.transform(scorer.select(deals.X))
    regressor = LeadValueRegressor(random_state)
    regressor.fit(features, deals.value, groups=find_groups(deals))
    return Pipeline([("profile", profile), ("value", regressor)])


def _can_learn(deals: LeadTable, fewest: float) -> bool:
    groups = find_groups(deals)
    # of one account alone no error can be told
    return len(deals.y) >= fewest and (groups is None or len(set(groups)) > 1)


def _find_valued(judged: Judged) -> tuple[np.ndarray, int]:
    """Return the row of each lead, but of won leads without a value; and how many these are."""
    rows = judged.lead_rows()
    first = judged.leads.take(rows)
    # a lost lead brings nothing, whatever it was hoped to be worth
    lacks = ((first.y == 1) & ~(first.value >= 0)).to_numpy()  # type: ignore[operator]
    return rows[~lacks], int(lacks.sum())


def _amount(value: float) -> str:
    """Return money as one says it, to four figures; small amounts with cents."""
    rounded = float(f"{value:.4g}")
    return f"{rounded:,.2f}" if abs(value) < 100 and rounded % 1 else f"{rounded:,.0f}"


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + _amount(value).replace("-", "−")
