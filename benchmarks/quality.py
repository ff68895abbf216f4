"""How good the probabilities are: on real leads and simulated ones, beside peers.

Every difference is paired (the same leads or the same draws) and has a 95 % bootstrap interval.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy
from scipy.stats import bootstrap
from sklearn.model_selection import RepeatedStratifiedKFold, train_test_split

from benchmarks import datasets
from benchmarks.datasets import LeadSet
from benchmarks.peers import PEERS, SLOW_PEERS, STRUCTURES, Peer, fit_and_predict, leadml_model
from benchmarks.report import Ratio, Report
from leadml.evaluation import metrics
from leadml.scoring.boosting import LeadBoostingClassifier

OURS = "leadml auto"
RIVALS = ("LightGBM default", "logistic", "base rate")
SIZES = (80, 200, 500)
LARGEST_TEST = 4_000
POINTS = 10 / np.log(2)  # score points in one unit of log-odds
REASONS_BAR = 0.05  # score points


@dataclass(frozen=True)
class Options:
    """How much to run."""

    quick: bool = False
    slow: bool = False
    repeats: int = 1


def compare_folds(report: Report, options: Options) -> list[Ratio]:
    """Compare every peer out of fold: repeated stratified 5-fold."""
    peers = PEERS | (SLOW_PEERS if options.slow else {})
    ratios = []
    for leads in _available(report, datasets.load_x_education, datasets.load_bank_sample):
        splits = _folds(leads, options)
        report.add(f"### {leads.name}, stratified 5-fold, {len(splits)} of the folds")
        report.add()
        outcomes = {name: _run_folds(peer, leads, splits) for name, peer in peers.items()}
        y = np.concatenate([leads.y[test] for _, test in splits])
        # a lead's losses in several repeats are one observation of it
        places = np.concatenate([test for _, test in splits])
        ours = _losses(y, outcomes[OURS][0])
        rows = []
        for name, (y_prob, seconds) in outcomes.items():
            losses = _losses(y, y_prob)
            rows.append(
                {
                    "model": name,
                    "log loss": losses.mean(),
                    "auto less it (95 %)": _interval(_by_lead(ours - losses, places)),
                    "AUC": metrics.roc_auc(y, y_prob),
                    "slope": _slope(y, y_prob),
                    "fit and predict, s": f"{seconds:.2f}",
                }
            )
            ratios.append(Ratio(f"{leads.name}, log loss", OURS, ours.mean(), name, losses.mean()))
        report.add_table(rows)
    return [ratio for ratio in ratios if not ratio.other.startswith("leadml")]


def compare_small(report: Report, options: Options) -> list[Ratio]:
    """Compare small histories: draws of 80, 200 and 500 leads, tested on the rest."""
    n_draws = 5 if options.quick else 30
    rows, ratios = [], []
    for leads in _available(report, datasets.load_x_education, datasets.load_bank):
        for size in SIZES:
            losses = _run_draws(leads, size, n_draws)
            ours = losses[OURS]
            row = {"leads": leads.name, "size": size, "wins": int(size * leads.y.mean())}
            row |= {name: values.mean() for name, values in losses.items()}
            row |= {f"auto less {name}": _interval(ours - losses[name]) for name in RIVALS}
            rows.append(row)
            label = f"{leads.name}, {size} leads, log loss"
            ratios += [
                Ratio(label, OURS, ours.mean(), name, losses[name].mean()) for name in RIVALS
            ]
    report.add(f"{n_draws} stratified draws (seeds 0 to {n_draws - 1}); mean log loss over draws.")
    report.add()
    report.add_table(rows)
    return ratios


def compare_in_time(report: Report, options: Options) -> list[Ratio]:
    """Compare forward in time: a base rate that shifts, and a set without signal."""
    del options
    ratios = []
    for leads in _available(report, datasets.load_bank, datasets.load_maven):
        cut = int(0.8 * len(leads.y))
        train, test = np.arange(cut), np.arange(cut, len(leads.y))
        report.add(
            f"### {leads.name}, first 80 % / last 20 %: {leads.y[train].mean():.1%} won, "
            f"then {leads.y[test].mean():.1%}"
        )
        report.add()
        y = leads.y[test]
        chances = {
            name: fit_and_predict(PEERS[name], leads, train, test)[1] for name in (OURS, *RIVALS)
        }
        losses = {name: _losses(y, y_prob) for name, y_prob in chances.items()}
        ours = losses[OURS]
        rows = [
            {
                "model": name,
                "log loss": losses[name].mean(),
                "auto less it (95 %)": _interval(ours - losses[name]),
                "AUC": metrics.roc_auc(y, y_prob),
                "slope": _slope(y, y_prob),
            }
            for name, y_prob in chances.items()
        ]
        report.add_table(rows)
        label = f"{leads.name} in time, log loss"
        ratios += [Ratio(label, OURS, ours.mean(), name, losses[name].mean()) for name in RIVALS]
    return ratios


def choose_structures(report: Report, options: Options) -> list[Ratio]:
    """Show what `auto` chooses where the truth is known."""
    del options
    for leads, expected in (
        (datasets.simulate_additive(), "additive"),
        (datasets.simulate_three_way(), "full"),
    ):
        model, _ = fit_and_predict(leadml_model(), leads, np.arange(len(leads.y)), np.arange(1))
        report.add(f"### {leads.name}: `auto` chose {model.structure_}, expected {expected}")
        report.add()
        report.add_table(model.structures_.to_dict("records"))
    return []


def check_reasons(report: Report, options: Options) -> list[Ratio]:
    """Measure the largest gap between the sum of reasons and the score."""
    del options
    rows = []
    for leads in _available(
        report, datasets.load_x_education, datasets.load_bank, datasets.load_maven
    ):
        train, test = next(_draws(leads, LARGEST_TEST, 1))
        row = {"leads": leads.name, "leads explained": len(test)}
        for structure in STRUCTURES[1:]:
            model, _ = fit_and_predict(leadml_model(structure), leads, train, test)
            row[structure] = f"{_reasons_gap(model, leads, test):.1e}"
        rows.append(row)
    report.add(f"Score points; the bar is {REASONS_BAR}.")
    report.add()
    report.add_table(rows)
    return []


PARTS: dict[str, Callable[[Report, Options], list[Ratio]]] = {
    "folds": compare_folds,
    "small": compare_small,
    "time": compare_in_time,
    "structures": choose_structures,
    "reasons": check_reasons,
}


def run(report: Report, options: Options, only: str | None = None) -> list[Ratio]:
    """Run every part, or only one, and return the ratios of log loss."""
    ratios = []
    for name, part in PARTS.items():
        if only in (None, name):
            report.add(f"## {part.__doc__.strip()}")
            report.add()
            ratios += part(report, options)
    return ratios


def _available(report: Report, *loaders: Callable[[], LeadSet]) -> Iterator[LeadSet]:
    for load in loaders:
        try:
            yield load()
        except FileNotFoundError as error:
            report.add(f"Skipped, not found: {error.filename}. Set LEADML_DATA to its folder.")
            report.add()


def _folds(leads: LeadSet, options: Options) -> list[tuple[np.ndarray, np.ndarray]]:
    splitter = RepeatedStratifiedKFold(n_splits=5, n_repeats=options.repeats, random_state=0)
    splits = list(splitter.split(leads.X, leads.y))
    return splits[:1] if options.quick else splits


def _run_folds(peer: Peer, leads: LeadSet, splits: list) -> tuple[np.ndarray, float]:
    """Return the chances of every fold's leads, and the mean seconds of a fit and prediction."""
    start = time.perf_counter()
    chances = [fit_and_predict(peer, leads, train, test)[1] for train, test in splits]
    return np.concatenate(chances), (time.perf_counter() - start) / len(splits)


def _draws(leads: LeadSet, size: int, n_draws: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    everyone = np.arange(len(leads.y))
    for seed in range(n_draws):
        train, rest = train_test_split(
            everyone, train_size=size, stratify=leads.y, random_state=seed
        )
        yield train, rest[:LARGEST_TEST]


def _run_draws(leads: LeadSet, size: int, n_draws: int) -> dict[str, np.ndarray]:
    losses: dict[str, list[float]] = {name: [] for name in (OURS, *RIVALS)}
    for train, test in _draws(leads, size, n_draws):
        for name, values in losses.items():
            _, y_prob = fit_and_predict(PEERS[name], leads, train, test)
            values.append(float(_losses(leads.y[test], y_prob).mean()))
    return {name: np.array(values) for name, values in losses.items()}


def _losses(y: np.ndarray, y_prob: np.ndarray) -> np.ndarray:
    y_prob = np.clip(y_prob, 1e-15, 1 - 1e-15)
    return -xlogy(y, y_prob) - xlogy(1 - y, 1 - y_prob)


def _by_lead(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    counts = np.bincount(places)
    seen = counts > 0
    return np.bincount(places, weights=values)[seen] / counts[seen]


def _interval(differences: np.ndarray) -> str:
    """Return mean and 95 % percentile bootstrap interval of paired differences."""
    if not differences.any():
        return ""
    low, high = bootstrap(
        (differences,), np.mean, n_resamples=1_000, batch=50, method="percentile", rng=0
    ).confidence_interval
    return f"{differences.mean():+.4f} ({low:+.4f} to {high:+.4f})"


def _slope(y: np.ndarray, y_prob: np.ndarray) -> str:
    # a constant has no slope; the base rates of five folds differ a little
    return f"{metrics.calibration_slope(y, y_prob):.3f}" if np.ptp(y_prob) > 0.01 else ""


def _reasons_gap(model: LeadBoostingClassifier, leads: LeadSet, test: np.ndarray) -> float:
    X = leads.X.iloc[test]
    total = model.compute_contributions(X).sum(axis=1).to_numpy() + model.start_
    return float(np.abs(total - model.decision_function(X)).max() * POINTS)
