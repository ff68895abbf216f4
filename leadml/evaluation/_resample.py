"""Draw bootstrap resamples and compute every metric on each of them."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from leadml.errors import DataError
from leadml.evaluation import _weighted as weighted
from leadml.evaluation._counts import Cells, Counts
from leadml.evaluation._inputs import Floats, check_length

TOP_FRACTIONS = (0.05, 0.10, 0.20)
LEVEL = 0.95
# weights held at once: what fits the processor's cache is faster, and memory stays small
_CHUNK = 250_000
# more leads or groups than this are drawn in blocks, over fewer distinct probabilities
_MOST_UNITS, _N_BLOCKS, _MOST_CELLS = 50_000, 2_000, 1_024
# noise only adds to these, and a resample doubles the noise: their intervals are shifted back
_BIASED = ["reliability", "resolution", "ece"]
_NOISE_GROWTH = {"reliability": 2.0, "ece": math.sqrt(2)}


def group_codes(groups: Any, n_leads: int) -> Any:
    """Return groups as whole numbers from 0; a lead without a group is a group of its own."""
    if groups is None:
        return None
    names = np.asarray(groups, dtype=object)
    check_length(names, n_leads, "groups")
    codes, _ = pd.factorize(names)
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(alone.sum())
    return codes


def draw_weights(n_leads: int, codes: Any, n_resamples: int, random_state: int) -> Iterator[Floats]:
    """Yield how often each lead is drawn, in chunks of shape (n_some, n_leads).

    Whole groups are drawn with replacement where `codes` is given, else single leads (Davison &
    Hinkley 1997, Bootstrap Methods and their Application, 3.8).
    """
    rng = np.random.default_rng(random_state)
    units = n_leads if codes is None else int(codes.max()) + 1
    size = max(1, _CHUNK // n_leads)
    for start in range(0, n_resamples, size):
        rows = min(size, n_resamples - start)
        drawn = [np.bincount(rng.integers(units, size=units), minlength=units) for _ in range(rows)]
        times = np.stack(drawn).astype(float)
        yield times if codes is None else times[:, codes]


def all_metrics(counts: Counts, base_rate: float | None = None) -> dict[str, Floats]:
    """Return every metric of an evaluation, each of shape (n_resamples,)."""
    loss, base_loss = weighted.log_loss(counts), weighted.base_log_loss(counts, base_rate)
    brier, reliability = weighted.brier(counts), weighted.reliability(counts)
    uncertainty = weighted.uncertainty(counts)
    intercept, slope = weighted.recalibration(counts)
    gains = weighted.gain(counts, TOP_FRACTIONS).T
    percents = [f"{100 * fraction:02.0f}" for fraction in TOP_FRACTIONS]
    return {
        "roc_auc": weighted.roc_auc(counts),
        "average_precision": weighted.average_precision(counts),
        "log_loss": loss,
        "base_log_loss": base_loss,
        "log_loss_gain": base_loss - loss,
        "brier": brier,
        "reliability": reliability,
        "resolution": reliability + uncertainty - brier,
        "uncertainty": uncertainty,
        "calibration_slope": slope,
        "calibration_intercept": intercept,
        "ece": weighted.ece(counts),
        **{
            f"lift_{percent}": gain / fraction
            for percent, gain, fraction in zip(percents, gains, TOP_FRACTIONS, strict=True)
        },
        **{f"gain_{percent}": gain for percent, gain in zip(percents, gains, strict=True)},
    }


def draw_counts(
    cells: Mapping[Any, Cells], n_leads: int, codes: Any, n_resamples: int, random_state: int
) -> Iterator[dict[Any, Counts]]:
    """Yield the counts of each of `cells` on the same resamples, in chunks.

    Above 50,000 leads or groups these are first dealt at random into 2,000 blocks, which are then
    drawn as wholes: what varies between random blocks is what varies between their leads (Davison &
    Hinkley 1997, 3.8), and a draw costs a product of matrices.
    """
    if n_resamples < 1:
        message = (
            f"`n_resamples` must be a whole number of at least 1. Got {n_resamples}. Pass 500."
        )
        raise DataError(message)
    units = n_leads if codes is None else int(codes.max()) + 1
    if units <= _MOST_UNITS:
        for weights in draw_weights(n_leads, codes, n_resamples, random_state):
            yield {name: one.count(weights) for name, one in cells.items()}
        return
    rng = np.random.default_rng(random_state)
    blocks = rng.permutation(units) % _N_BLOCKS
    blocks = blocks if codes is None else blocks[codes]
    coarse = {name: one.coarsen(_MOST_CELLS) for name, one in cells.items()}
    counted = {name: one.count_blocks(blocks, _N_BLOCKS) for name, one in coarse.items()}
    for start in range(0, n_resamples, _CHUNK // _N_BLOCKS):
        rows = min(n_resamples - start, _CHUNK // _N_BLOCKS)
        drawn = [rng.integers(_N_BLOCKS, size=_N_BLOCKS) for _ in range(rows)]
        times = np.stack([np.bincount(one, minlength=_N_BLOCKS) for one in drawn]).astype(float)
        yield {name: one.count_draws(times, counted[name]) for name, one in coarse.items()}


def resample_metrics(
    draws: Iterator[dict[str, Counts]],
    base_rate: float | None = None,
    curve: Floats | None = None,
) -> tuple[dict[str, pd.DataFrame], dict[str, Floats]]:
    """Return the metrics of each model on the same resamples, and their gains at `curve`.

    The frames have one row a resample and one column a metric.
    """
    frames: dict[str, list[pd.DataFrame]] = {}
    gains: dict[str, list[Floats]] = {}
    for chunk in draws:
        for name, counts in chunk.items():
            metrics = pd.DataFrame(all_metrics(counts, base_rate))
            frames.setdefault(name, []).append(metrics)
            if curve is not None:
                gains.setdefault(name, []).append(weighted.gain(counts, curve))
    tables = {name: pd.concat(parts, ignore_index=True) for name, parts in frames.items()}
    return tables, {name: np.vstack(parts) for name, parts in gains.items()}


def percentile_interval(resamples: Floats) -> tuple[Floats, Floats]:
    """Return the 95 % percentile interval of each column; NaN where no resample has a value."""
    bounds = np.full((2, resamples.shape[1]), np.nan)
    known = ~np.isnan(resamples).all(axis=0)
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    if known.any():
        bounds[:, known] = np.nanquantile(resamples[:, known], tails, axis=0)
    return bounds[0], bounds[1]


def intervals(values: pd.Series, resamples: pd.DataFrame) -> pd.DataFrame:
    """Return the columns value, lower and upper, indexed by metric."""
    low, high = percentile_interval(resamples[list(values.index)].to_numpy())
    table = pd.DataFrame({"value": values, "lower": low, "upper": high}).rename_axis("metric")
    shift = resamples[_BIASED].mean() - values[_BIASED]
    bounds = ["lower", "upper"]
    table.loc[_BIASED, bounds] = table.loc[_BIASED, bounds].sub(shift, axis=0)
    # a figure that is not defined has no interval either
    return table.where(table["value"].notna(), np.nan)


def with_intervals(values: pd.Series, resamples: pd.DataFrame) -> pd.DataFrame:
    """Return `intervals` of metrics, with room for the noise in reliability and ece themselves.

    Where promise and outcome agree, all of these two figures is noise, and their interval has to
    reach down to 0. Twice the variance makes squares twice and distances sqrt(2) times as large,
    so what a resample adds to the figure tells what noise had already added to it.
    """
    table = intervals(values, resamples)
    for name, growth in _NOISE_GROWTH.items():
        noise = (resamples[name].mean() - values[name]) / (growth - 1)
        table.loc[name, "lower"] = max(table.loc[name, "lower"] - max(noise, 0), 0)
        table.loc[name, "upper"] = max(table.loc[name, "upper"], values[name])
    return table
