"""Fit a rule book of whole points: few rules that say most of what a learned table says."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from threadpoolctl import threadpool_limits

from leadml.config import FAMILIES, Family
from leadml.scoring.columns import Floats
from leadml.scoring.rule_steps import Steps
from leadml.scoring.rule_wording import write_rules
from leadml.scoring.rulebook import Rule, RuleBook

# Twice the log-likelihood that a rule must add. Akaike (1974) asks for 2 where outcomes are fitted;
# half of what is fitted here is the model's chance, which has little noise.
LEAST_GAIN = 1.0
MOST_SWEEPS = 3  # over all rules, each of which may be swapped for a better one

Step = tuple[int, int]  # the feature's place, and the place of one of its sets


@dataclass(frozen=True)
class _Problem:
    """The steps to choose from, the chances to come near, and what each row counts."""

    steps: Sequence[Steps]
    target: Floats
    weight: Floats

    def fires(self, step: Step) -> NDArray[np.bool_]:
        feature, place = step
        return self.steps[feature].sets[place][self.steps[feature].codes]

    def sign(self, step: Step) -> int:
        feature, place = step
        return int(self.steps[feature].signs[place])

    def count_rules(self, chosen: Sequence[Step]) -> int:
        """Return how many rules say the chosen steps: overlapping steps need one a part."""
        count = 0
        for feature in {feature for feature, _ in chosen}:
            places = [place for one, place in chosen if one == feature]
            count += len({tuple(code) for code in self.steps[feature].sets[places].T if code.any()})
        return count


@dataclass(frozen=True)
class _Fit:
    """Some steps, the log-odds each adds (the last is the intercept), and the loss."""

    chosen: tuple[Step, ...]
    design: Floats
    slopes: Floats
    loss: float


def fit_rules(
    steps: Sequence[Steps],
    won: NDArray[np.bool_],
    chance: Floats,
    *,
    weight: Floats,
    families: Mapping[str, Family],
    points_per_logit: float,
    count: int,
) -> RuleBook:
    """Return the book of at most `count` rules that comes nearest to a model and the outcomes.

    The rules are chosen one by one, each time the step that gains most by its score statistic, with
    all points fitted anew; then each is swapped for a better one, if there is one (as in Liu et al.
    2022, "FasterRisk"). What they come near to is the mean of the outcome and of the model's
    chance: the model has averaged over chance what a single outcome owes to it (Hinton et al. 2015,
    "Distilling the knowledge"; one half was best of five shares from 150 to 7,000 leads). A rule
    must gain more than chance alone would give it.

    Parameters
    ----------
    steps : sequence of Steps
    won : ndarray of bool, shape (n_leads,)
    chance : ndarray of shape (n_leads,)
        The model's chance of winning, 0 to 1.
    weight : ndarray of shape (n_leads,)
        How many leads each row stands for.
    families : dict of feature to family
    points_per_logit : float
        Points for one unit of log-odds, before they are rounded.
    count : int

    Returns
    -------
    RuleBook
        Rules of one feature exclude one another; none is worth less than one point. Empty where
        nothing tells the won from the lost leads.

    Examples
    --------
    >>> import pandas as pd
    >>> from leadml.scoring.boosting import LeadBoostingClassifier
    >>> from leadml.scoring.rule_steps import find_steps
    >>> leads = pd.DataFrame({"visits": np.arange(400) % 10})
    >>> won = np.random.default_rng(0).random(400) < np.where(leads["visits"] < 7, 0.2, 0.8)
    >>> model = LeadBoostingClassifier("additive", random_state=0).fit(leads, won)
    >>> ones = np.ones(400)
    >>> steps = find_steps(leads, model.table_, weight=ones, monotone={})
    >>> book = fit_rules(
    ...     steps, won, model.predict_proba(leads)[:, 1], weight=ones,
    ...     families={"visits": "behavioral"}, points_per_logit=10 / np.log(2), count=1,
    ... )
    >>> [rule.name for rule in book.rules]
    ['Visits 7 or more']
    """
    problem = _Problem(steps, (won + chance) / 2, weight)
    # the products are small: BLAS threads would only wait for one another
    with threadpool_limits(1, user_api="blas"):
        fit = _swap(problem, _grow(problem, count), count)
    points = [np.zeros(one.column.n_codes) for one in steps]
    for (feature, place), slope in zip(fit.chosen, fit.slopes, strict=False):
        # each step is rounded, so that a monotone number stays monotone
        points[feature] += np.rint(points_per_logit * slope) * steps[feature].sets[place]
    order = sorted(
        range(len(steps)),
        key=lambda feature: (
            FAMILIES.index(families[steps[feature].column.name]),
            -np.abs(points[feature]).max(),
        ),
    )
    rules = [
        rule
        for feature in order
        for rule in write_rules(
            steps[feature], points[feature], families[steps[feature].column.name]
        )
    ]
    return RuleBook(rules=[*_name_apart(rules)])


def _name_apart(rules: Iterable[Rule]) -> Iterator[Rule]:
    """Give a number to rules whose columns or levels read alike: a book's names are unique."""
    seen: Counter[str] = Counter()
    for rule in rules:
        seen[rule.name] += 1
        number = seen[rule.name]
        yield rule if number == 1 else rule.model_copy(update={"name": f"{rule.name} ({number})"})


def _grow(problem: _Problem, count: int) -> _Fit:
    """Add the step that gains most, until there are enough or none gains."""
    fit = _refit(problem, (), np.empty((len(problem.target), 0)), np.zeros(1))
    while (step := _find_best(problem, fit, count)) is not None:
        fit = _add(problem, fit, step)
    return fit


def _swap(problem: _Problem, fit: _Fit, count: int) -> _Fit:
    """Take each step out, and put the best one in its place, until none is better."""
    for _ in range(MOST_SWEEPS):
        before = fit
        for old in before.chosen:
            place = fit.chosen.index(old)
            chosen = (*fit.chosen[:place], *fit.chosen[place + 1 :])
            design = np.delete(fit.design, place, axis=1)
            without = _refit(problem, chosen, design, np.delete(fit.slopes, place))
            best = _find_best(problem, without, count)
            if best in (None, old):
                continue
            other = _add(problem, without, best)
            if other.loss < fit.loss:
                fit = other
        if fit is before:
            break
    return fit


def _add(problem: _Problem, fit: _Fit, step: Step) -> _Fit:
    design = np.column_stack([fit.design, problem.fires(step)])
    start = np.insert(fit.slopes, -1, 0.0)
    return _refit(problem, (*fit.chosen, step), design, start)


def _find_best(problem: _Problem, fit: _Fit, count: int) -> Step | None:
    """Return the step whose score statistic is largest, of those that `count` leaves room for."""
    chance = expit(fit.design @ fit.slopes[:-1] + fit.slopes[-1])
    residual = problem.weight * (problem.target - chance)
    spread = problem.weight * chance * (1 - chance)
    total = spread.sum()
    gains = []
    for feature, steps in enumerate(problem.steps):
        n_codes = steps.column.n_codes
        pull = steps.sets @ np.bincount(steps.codes, residual, n_codes)
        inside = steps.sets @ np.bincount(steps.codes, spread, n_codes)
        # the intercept gives way, so what fires for nearly all leads says little
        gain = pull**2 / (inside * (1 - inside / total))
        gain[steps.signs * pull < 0] = 0.0
        gains += [(value, (feature, place)) for place, value in enumerate(gain)]
    for gain, step in sorted(gains, key=lambda one: -one[0]):
        if gain < LEAST_GAIN:
            return None
        if step not in fit.chosen and problem.count_rules([*fit.chosen, step]) <= count:
            return step
    return None


def _refit(problem: _Problem, chosen: tuple[Step, ...], design: Floats, start: Floats) -> _Fit:
    """Fit the log-odds of all chosen steps by weighted log loss, with the signs they may have."""
    target, weight = problem.target, problem.weight
    total = weight.sum()

    def loss(slopes: Floats) -> tuple[float, Floats]:
        z = design @ slopes[:-1] + slopes[-1]
        residual = weight * (expit(z) - target)
        value = float(weight @ (np.logaddexp(0, z) - target * z))
        return value / total, np.append(residual @ design, residual.sum()) / total

    signs = [problem.sign(step) for step in chosen]
    bounds = [(0 if sign > 0 else None, 0 if sign < 0 else None) for sign in signs]
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=[*bounds, (None, None)], tol=1e-8
    )
    return _Fit(chosen, design, found.x, float(found.fun))
