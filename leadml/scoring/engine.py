"""Engine: score blocks of columns with leadml's own classifiers, by looking up alone."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from leadml.scoring.attribution import split_pipeline
from leadml.scoring.columns import Floats, source_of
from leadml.scoring.handoff import Handoff
from leadml.scoring.lookups import Look, Lookups
from leadml.scoring.points import CACHED, add_up
from leadml.scoring.raw_columns import Places, RawColumn
from leadml.scoring.reasons import Words, words_without_value, write_reasons
from leadml.scoring.rulepoints import RulePointsClassifier
from leadml.scoring.strongest import find_strongest
from leadml.scoring.verdicts import Verdicts

Choice = Callable[[Floats], NDArray[np.bool_]]  # of leads, by their raw scores


@dataclass(frozen=True)
class _Inputs:
    """Codes by key, numbers of rules with a slope, for `n_leads` leads."""

    n_leads: int
    codes: dict[Hashable, Places]
    numbers: dict[Hashable, Floats]

    def take(self, rows: Any) -> "_Inputs":
        codes = {key: values[rows] for key, values in self.codes.items()}
        numbers = {key: values[rows] for key, values in self.numbers.items()}
        return _Inputs(len(np.arange(self.n_leads)[rows]), codes, numbers)


class _Judged:
    """What is said of some leads, filled in part by part."""

    def __init__(self, n_leads: int, n_reasons: int) -> None:
        self.raw_scores = np.empty(n_leads)
        self.probability = np.full(n_leads, np.nan)
        self.total = np.full(n_leads, np.nan)
        self.fit = np.full(n_leads, np.nan)
        self.engagement = np.full(n_leads, np.nan)
        self.features = np.zeros((n_reasons, n_leads), dtype=np.intp)
        self.points = np.zeros((n_reasons, n_leads))


class Engine:
    """Score leads given as columns; many threads may use one engine.

    Parameters
    ----------
    scorer : LeadScorer
        Fitted, around `LeadBoostingClassifier` or `RulePointsClassifier`, alone or after
        `ProfileFeatures` in a pipeline.
    fit, engagement : sequences of str
        The features, or rules, whose points make up these two.
    """

    def __init__(self, scorer: Any, fit: Sequence[str], engagement: Sequence[str]) -> None:
        before, self._classifier = split_pipeline(scorer.estimator_)
        profile = before[0] if before is not None else None
        self.table, self._scale = self._classifier.table_, scorer.scale_
        self._is_rules = isinstance(self._classifier, RulePointsClassifier)
        self._bag: Any = getattr(self._classifier, "bag_", None)
        place = {name: number for number, name in enumerate(self.table.features)}
        self._fit = [place[name] for name in fit]
        self._engagement = [place[name] for name in engagement]
        raw = scorer.get_column_names()
        source_of_feature = dict(profile.source_) if profile is not None else {n: n for n in raw}
        self.handoff = Handoff(scorer.handoff, scorer.bant, scorer.rules)
        looks = [Look(column.name, column, source_of(column)) for column in self.table.columns]
        looks += self.handoff.looks(raw, [*source_of_feature])
        shown = [] if self._is_rules else self.table.features
        by_source: dict[str, list[Look]] = {}
        for look in looks:
            source = look.feature if look.raw else source_of_feature[look.feature]
            by_source.setdefault(source, []).append(look)
        self.lookups = {
            source: Lookups(
                source, mine, [name for name in shown if source_of_feature[name] == source], profile
            )
            for source, mine in by_source.items()
        }

    @property
    def sources(self) -> list[str]:
        """The raw columns that are read."""
        return [*self.lookups]

    @property
    def is_slow_to_explain(self) -> bool:
        """Whether reasons take time of their own, as those of a `full` model do."""
        return self._bag is not None

    def score(
        self,
        columns: Mapping[str, RawColumn],
        n_leads: int,
        *,
        index: pd.Index | None = None,
        n_reasons: int = 3,
        explained: Choice | None = None,
    ) -> Verdicts:
        """Return what the model says of some leads.

        Parameters
        ----------
        columns : dict of raw column to RawColumn
        n_leads : int
        index : Index, default=None
            With the leads' snapshot dates, where the model reads dates.
        n_reasons : int, default=3
        explained : callable, default=None
            Tells by the raw scores which leads get reasons; None: all do. With a `full` model
            the others get no fit and no engagement either, unless the hand-off asks for them.
        """
        inputs = _Inputs(n_leads, {}, {})
        words: dict[str, Words] = {}
        unread: dict[str, NDArray[np.bool_]] = {}
        for name, lookups in self.lookups.items():
            block = lookups.read(columns[name], index)
            inputs.codes.update(block.codes)
            inputs.numbers.update(block.numbers)
            words |= block.words
            if block.unread is not None:
                unread[lookups.complaint] = block.unread
        judged = _Judged(n_leads, n_reasons)
        if self._bag is None:
            self._judge_by_table(inputs, judged)
        else:
            self._judge_by_bag(inputs, judged, explained)
        if explained is not None:
            judged.points[:, ~explained(judged.raw_scores)] = 0.0
        texts = [words.get(name) or words_without_value(name) for name in self.table.features]
        fit, engagement = judged.fit, judged.engagement
        return Verdicts(
            raw_scores=judged.raw_scores,
            probability=judged.probability,
            fit=fit,
            engagement=engagement,
            qualified=self.handoff.find_qualified(inputs.codes, fit, engagement),
            bant=self.handoff.find_bant(inputs.codes, n_leads),
            reasons=write_reasons(judged.features, judged.points, texts),
            points=judged.total if self._is_rules else None,
            unread=unread,
        )

    def _judge_by_table(self, inputs: _Inputs, judged: _Judged) -> None:
        n_features = len(self.table.features)
        space = np.empty((n_features, min(CACHED, inputs.n_leads)))
        for start in range(0, inputs.n_leads, CACHED):
            rows = slice(start, start + CACHED)
            part = inputs.take(rows)
            points = space[:, : part.n_leads]
            self.table.fill_points(points, part.codes, part.numbers)
            if self._is_rules:
                judged.total[rows] = add_up(points.T)
            if self._scale is None:
                judged.raw_scores[rows] = judged.total[rows]
            else:
                if self._is_rules:
                    points *= self._classifier.slope_
                self._place(judged, rows, add_up(points.T, self._classifier.start_))
                points *= self._scale.points_per_logit
            self._explain(judged, rows, points)

    def _judge_by_bag(self, inputs: _Inputs, judged: _Judged, explained: Choice | None) -> None:
        codes = [inputs.codes[column.name] for column in self.table.columns]
        weight = self._classifier.bag_weight_
        table_codes = {column.name: inputs.codes[column.name] for column in self.table.columns}
        points = self.table.contributions_of(table_codes, n_leads=inputs.n_leads)
        log_odds = add_up(points, self.table.intercept)
        log_odds += weight * self._bag.predict(codes) - self._classifier.bag_start_
        self._place(judged, slice(None), log_odds)
        rows = np.arange(inputs.n_leads)
        if explained is not None and not self.handoff.needs_points:
            rows = np.flatnonzero(explained(judged.raw_scores))
        if len(rows):
            values, _ = self._bag.contributions([each[rows] for each in codes])
            mine = np.ascontiguousarray((points[rows] + weight * values).T)
            self._explain(judged, rows, mine * self._scale.points_per_logit)

    def _place(self, judged: _Judged, rows: Any, log_odds: Floats) -> None:
        judged.raw_scores[rows] = self._scale.raw_scores(log_odds)
        judged.probability[rows] = expit(log_odds)

    def _explain(self, judged: _Judged, rows: Any, points: Floats) -> None:
        """Keep the strongest points, and the sums of the two groups of families."""
        judged.fit[rows], judged.engagement[rows] = self.sum_families(points)
        features, strongest = find_strongest(points, len(judged.points))
        judged.features[:, rows], judged.points[:, rows] = features, strongest

    def sum_families(self, points: Floats) -> tuple[Floats, Floats]:
        """Return fit and engagement of points of the score, shape (n_features, n_leads)."""
        sums = (add_up(points[[*places]].T) for places in (self._fit, self._engagement))
        fit, engagement = (np.clip(np.round(50 + total, 1), 0, 100) for total in sums)
        return fit, engagement

    def weigh_one(
        self, points: Floats, codes: NDArray[np.intp]
    ) -> tuple[float | None, float, float | None, Floats]:
        """Return one lead's sum of rules, raw score, log-odds and points of the score."""
        total = float(points.sum()) if self._is_rules else None
        if self._scale is None:
            assert total is not None  # noqa: S101 - a rule book alone has no scale
            return total, total, None, points
        if self._is_rules:
            points = points * self._classifier.slope_
        log_odds = float(points.sum()) + self._classifier.start_
        if self._bag is not None:
            columns = [codes[[place]] for place in range(len(codes))]
            weight = self._classifier.bag_weight_
            log_odds += weight * float(self._bag.predict(columns)[0])
            log_odds -= self._classifier.bag_start_
            points = points + weight * self._bag.contributions(columns)[0][0]
        raw = float(self._scale.raw_scores(log_odds))
        return total, raw, log_odds, points * self._scale.points_per_logit
