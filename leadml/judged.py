"""What models said of leads whose outcome is known, and what it was worth."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leadml.data.lead_table import LeadTable
from leadml.errors import DataError, all_problems, did_you_mean
from leadml.evaluation._leads import Leads
from leadml.evaluation.comparison import Comparison, compare
from leadml.evaluation.forecast import forecast_weeks
from leadml.evaluation.response import compute_response_times
from leadml.evaluation.summary import Evaluation, evaluate
from leadml.scoring.attribution import split_pipeline
from leadml.scoring.known_values import find_levels
from leadml.scoring.scorer import LeadScorer

SCORED = ["probability", "score", "band", "fit", "engagement", "qualified"]
MOST_SEGMENTS = 8  # columns that are looked at unasked
ENOUGH = 50_000  # leads to choose them by
DAY = pd.Timedelta(days=1)
LARGEST_ACCOUNT = 0.2
FAR = 6  # widths of the middle half

Part = tuple[np.ndarray, Mapping[str, LeadScorer]]


@dataclass(frozen=True, eq=False)
class Judged:
    """Leads with outcomes, and what each model said of them.

    Attributes
    ----------
    leads : LeadTable
        The rows that were judged.
    scored : dict of str to DataFrame of shape (n_rows, 6)
        By model: probability, score, band, fit, engagement, qualified.
    parts : tuple of (places, scorers by model)
        Which scorers judged which rows; of several folds each has its own.
    base_rate : float or None
        Share of wins among the leads learned from, where these are known.
    inputs : dict of str to DataFrame of shape (n_rows, n_columns)
        What each model reads of these rows.
    is_new : array of bool, shape (n_rows,), or None
        Rows that are the first look at a lead; None: those where it first occurs here.
    """

    leads: LeadTable
    scored: Mapping[str, pd.DataFrame]
    parts: Sequence[Part]
    base_rate: float | None
    inputs: Mapping[str, pd.DataFrame]
    is_new: np.ndarray | None = None

    @classmethod
    def score(
        cls,
        leads: LeadTable,
        parts: Sequence[Part],
        base_rate: float | None = None,
        inputs: Mapping[str, pd.DataFrame] | None = None,
        is_new: np.ndarray | None = None,
    ) -> "Judged":
        """Score each part's rows, which follow one another, by its scorers."""
        read = inputs or dict.fromkeys(parts[0][1], leads.X)
        scored = {
            name: pd.concat(
                [score_rows(scorers[name], X.iloc[places]) for places, scorers in parts],
                ignore_index=True,
            )
            for name, X in read.items()
        }
        return cls(leads, scored, parts, base_rate, read, is_new)

    @property
    def models(self) -> list[str]:
        """Names of the models, the first one first."""
        return [*self.scored]

    def call_ids(self) -> np.ndarray:
        """Return the lead of each row, None for those that came in before the period judged.

        They were there to be called before, and would make the weeks look fuller than they are.
        """
        ids = self.leads.lead_ids
        named = pd.Series(ids.to_numpy(object))
        if self.is_new is not None:
            named = named.where(named.isin(ids[self.is_new]), None)
        return named.to_numpy(object)

    def first_rows(self) -> np.ndarray:
        """Return the place of the first row of each lead that `call_ids` names."""
        ids = pd.Series(self.call_ids())
        return np.flatnonzero(ids.notna() & ~ids.duplicated())

    def lead_rows(self) -> np.ndarray:
        """Return the place of the row that stands for each lead of `call_ids`, in their order.

        It is where the first model gives the lead most.
        """
        if not self.has_snapshots:
            return np.arange(len(self.leads.y))
        chances = {name: table["probability"].to_numpy() for name, table in self.scored.items()}
        leads = Leads.find(self.leads.y.to_numpy(), chances, self.call_ids())
        return leads.best[self.models[0]]

    def evaluate(self) -> dict[str, Evaluation]:
        """Return each model's figures, with accounts or leads resampled whole."""
        groups = find_groups(self.leads)
        return {
            name: evaluate(
                self.leads.y.to_numpy(),
                table["probability"].to_numpy(),
                score=table["score"].to_numpy(),
                band=table["band"].to_numpy(),
                groups=groups,
                base_rate=self.base_rate,
            )
            for name, table in self.scored.items()
        }

    def compare(
        self,
        *,
        capacity: float | None = None,
        weeks: float | None = None,
        segments: Iterable[str] | None = None,
    ) -> Comparison:
        """Compare the first model with each other one.

        Parameters
        ----------
        capacity : float, default=None
            Leads that can be called: a week where the weeks are known, else of these; None takes
            the best-scored 10 %.
        weeks : float, default=None
            In how many weeks the leads came in; None takes it from their dates, if they have any.
        segments : iterable of str, default=None
            Features to compare within; None takes the 8 categories whose conversions lie
            furthest apart.

        Raises
        ------
        DataError
            Where a feature is not known, or more leads can be called than there are.
        """
        return compare(
            self.leads.y.to_numpy(),
            {name: table["probability"].to_numpy() for name, table in self.scored.items()},
            groups=find_groups(self.leads),
            lead_ids=self.call_ids() if self.has_snapshots else None,
            base_rate=self.base_rate,
            bands={name: table["band"].to_numpy() for name, table in self.scored.items()},
            segments=self.find_segments(segments),
            capacity=capacity,
            weeks=weeks or self.find_weeks(),
        )

    @property
    def has_snapshots(self) -> bool:
        """Whether a lead has several rows."""
        return bool(self.leads.lead_ids.has_duplicates)

    @property
    def unit(self) -> str:
        """What a row is: "leads" or "snapshots"."""
        return "snapshots" if self.has_snapshots else "leads"

    def find_weeks(self) -> float | None:
        """Return in how many weeks the leads came in, None where their dates are not known."""
        if self.leads.created is None:
            return None
        return count_weeks(self.leads.created.iloc[self.first_rows()])

    def find_segments(self, names: Iterable[str] | None = None) -> pd.DataFrame:
        """Return features of the first model by row, to compare models within.

        A text that the model does not know is `other`: it may say who somebody is.

        Raises
        ------
        DataError
            Where a name is no feature.
        """
        frames = []
        known: set[str] = set()
        for places, scorers in self.parts:
            scorer = scorers[self.models[0]]
            before, _ = split_pipeline(scorer.estimator_)
            X = scorer.select(self.inputs[self.models[0]].iloc[places])
            frame = X if before is None else before.transform(X)
            levels = find_levels(scorer)
            told = {
                name: frame[name].where(frame[name].isin(own) | frame[name].isna(), "other")
                for name, own in levels.items()
            }
            known |= {name for name, own in levels.items() if len(own) > 1}
            frames.append(frame.assign(**told))
        values = pd.concat(frames)
        if names is None:
            apart = {name: _spread(values[name], self.leads.y) for name in sorted(known)}
            names = sorted(apart, key=lambda name: -apart[name])[:MOST_SEGMENTS]
        names = list(dict.fromkeys(names))
        lacking = [name for name in names if name not in values]
        if lacking:
            problems = [
                f"{name!r} is no feature.{did_you_mean(name, values.columns)}" for name in lacking
            ]
            raise DataError(all_problems("The list of segments", problems))
        return values[names]


def _spread(values: pd.Series, y: pd.Series) -> float:
    """Return how far the conversions of a column's values lie apart; of many leads by some."""
    every = slice(None, None, max(len(y) // ENOUGH, 1))
    names = values.iloc[every].astype("str").fillna("").to_numpy()
    won = pd.Series(y.iloc[every].to_numpy()).groupby(names)
    return float(won.transform("mean").var())


def score_rows(scorer: LeadScorer, X: pd.DataFrame) -> pd.DataFrame:
    """Return the figures of the scored table, without the reasons, shape (n_rows, 6)."""
    if scorer.scale_ is None:
        message = "This rule book has seen no outcomes: it gives points, no scores to judge."
        raise DataError(message)
    return scorer.score_leads(X)[SCORED]


def find_groups(leads: LeadTable) -> np.ndarray | None:
    """Return what rows belong together: those of an account, or else of a lead."""
    ids = leads.lead_ids
    if leads.account is not None:
        alone = "lead " + pd.Series(ids.astype(str))
        account = leads.account.reset_index(drop=True)
        return account.astype(str).where(account.notna(), alone).to_numpy()
    return ids.to_numpy() if ids.has_duplicates else None


def warn_of_accounts(leads: LeadTable) -> tuple[str, ...]:
    """Say where one account holds so many leads that no interval can be trusted."""
    if leads.account is None:
        return ()
    counts = leads.account.value_counts().to_numpy(float)
    share = float(counts.max(initial=0.0)) / max(len(leads.account), 1)
    if share <= LARGEST_ACCOUNT:
        return ()
    return (
        f"One account holds {100 * share:.0f} % of the leads judged: intervals hang on it. "
        "Where it stands for `unknown`, name that text in `missing`.",
    )


def describe_response(leads: LeadTable) -> pd.DataFrame | None:
    """Return conversion by days to the first contact, as `compute_response_times` gives it.

    None where the days are not known. Leads that were contacted before they came in are left out.
    """
    if leads.contacted is None or leads.created is None:
        return None
    first = ~leads.lead_ids.duplicated()
    days = (leads.contacted[first].dt.normalize() - leads.created[first].dt.normalize()) / DAY
    known = (leads.created[first].notna() & ~(days < 0)).to_numpy()
    if days[known].isna().all():
        return None
    return compute_response_times(leads.y[first][known].to_numpy(), days[known].to_numpy())


def forecast_bands(table: LeadTable, scorer: LeadScorer) -> pd.DataFrame | None:
    """Forecast the leads of each band by the weeks in which all leads came in, open ones too.

    None without dates, or with too few weeks. A lead that is looked at on several days counts
    once, with its highest score, in the week of its first. Leads that came in too late for their
    last look are left out.
    """
    if table.created is None:
        return None
    rows = pd.DataFrame(
        {
            "lead": table.lead_ids,
            "created": table.created.to_numpy(),
            "score": scorer.compute_scores(scorer.select(table.X)),
        }
    )
    by_lead = rows.groupby("lead", sort=False).agg(
        created=("created", "min"), last=("created", "max"), score=("score", "max")
    )
    by_lead = by_lead.loc[drop_far_days(by_lead["created"].dropna()).index]
    longest = (by_lead["last"] - by_lead["created"]).max()
    whole = by_lead[by_lead["created"] <= by_lead["last"].max() - longest]
    try:
        return forecast_weeks(whole["created"], scorer.assign_bands(whole["score"].to_numpy()))
    except DataError:  # too few weeks
        return None


def count_weeks(created: Any) -> float | None:
    """Return the weeks from the first to the last day; None below one week, or without dates.

    Days that lie far from all others, as a typing error does, are left out: those further from the
    middle half than six times its width (Tukey's outer fences, doubled).

    Examples
    --------
    >>> count_weeks(pd.Series(pd.to_datetime(["2026-01-01", "2026-01-14"])))
    2.0
    """
    days = drop_far_days(pd.Series(created).dropna().dt.normalize())
    if days.empty:
        return None
    weeks = float((days.max() - days.min() + DAY) / (7 * DAY))
    return weeks if weeks >= 1 else None


def drop_far_days(days: pd.Series) -> pd.Series:
    """Return days without those that lie far from all others."""
    if days.empty:
        return days
    numbers = days.astype("datetime64[s]").astype("int64")
    low, high = np.quantile(numbers, [0.25, 0.75])
    room = FAR * max(high - low, 7 * DAY.total_seconds())
    return days[(numbers >= low - room) & (numbers <= high + room)]
