"""The linear part: a ridge logistic regression on the same codes, averaged over the folds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array, hstack
from scipy.special import expit

from leadml.scoring.calibration import compute_log_losses
from leadml.scoring.columns import CategoryColumn, Codes, Floats
from leadml.scoring.folds import Training

# C, as in LogisticRegression; strong penalties first, which are found soonest
STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
POOLED = 10  # levels with fewer leads share one coefficient


@dataclass(frozen=True)
class Linear:
    """Log-odds by code for each column, and the honest log-odds of the training leads."""

    values: tuple[Floats, ...]
    intercept: float
    out_of_fold: Floats
    strength: float


def fit_linear(training: Training, numbers: dict[int, Floats]) -> Linear:
    """Fit one ridge logistic a fold, with the penalty of the least out-of-fold log loss."""
    codes, columns, won, folds = training.codes, training.columns, training.won, training.folds[0]
    weight = training.weight
    bases = [
        _category_basis(values, column.n_codes)
        if isinstance(column, CategoryColumn)
        else _number_basis(values, numbers[place], column.n_codes)
        for place, (values, column) in enumerate(zip(codes, columns, strict=True))
    ]
    widths = [basis.shape[1] for basis in bases]
    starts = np.cumsum([0, *widths])
    signs = np.zeros(starts[-1])
    for place, sign in enumerate(training.monotone):
        if sign:
            signs[starts[place]] = sign
    blocks = [csr_array(basis)[values] for basis, values in zip(bases, codes, strict=True)]
    design = hstack(blocks, format="csr")
    best: tuple[float, float, Floats, list[tuple[Floats, float]]] | None = None
    last: list[tuple[Floats, float] | None] = [None] * len(np.unique(folds))
    for strength in STRENGTHS:
        out_of_fold = np.empty(len(won))
        models = []
        for fold, start in zip(np.unique(folds), last, strict=True):
            train, valid = folds != fold, folds == fold
            slopes, intercept = _ridge(
                design[train], won[train], weight[train], strength, signs, start
            )
            out_of_fold[valid] = design[valid] @ slopes + intercept
            models.append((slopes, intercept))
        last = [*models]
        loss = float((weight * compute_log_losses(won, out_of_fold)).mean())
        if best is None or loss < best[0]:
            best = loss, strength, out_of_fold, models
        else:  # the loss has one valley: it rises from here on
            break
    assert best is not None  # noqa: S101 - STRENGTHS is not empty
    _, strength, out_of_fold, models = best
    slopes = np.mean([slopes for slopes, _ in models], axis=0)
    intercept = float(np.mean([intercept for _, intercept in models]))
    values = tuple(
        basis @ slopes[start : start + width]
        for basis, start, width in zip(bases, starts, widths, strict=False)
    )
    return Linear(values, intercept, out_of_fold, strength)


def _category_basis(codes: Codes, n_codes: int) -> Floats:
    """Return one column a level, and one that pools the rare ones (shape: codes x columns)."""
    counts = np.bincount(codes, minlength=n_codes)
    own = np.flatnonzero(counts >= POOLED)
    basis = np.zeros((n_codes, len(own) + 1))
    basis[own, np.arange(len(own))] = 1.0
    basis[(counts < POOLED), -1] = 1.0
    basis[counts == 0] = 0.0
    return basis


def _number_basis(codes: Codes, numbers: Floats, n_codes: int) -> Floats:
    """Return the standardised mean of each bin, zero where missing, and a flag for missing."""
    present = codes < n_codes - 1
    basis = np.zeros((n_codes, 2))
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return basis
    counts = np.bincount(codes[present], minlength=n_codes)
    # divided by the largest, so that huge numbers do not overflow
    largest = np.abs(finite).max() or 1.0
    scaled = np.clip(numbers[present], finite.min(), finite.max()) / largest
    sums = np.bincount(codes[present], weights=scaled, minlength=n_codes)
    centres = np.divide(sums, counts, out=np.zeros(n_codes), where=counts > 0)
    spread = float(centres[codes[present]].std())
    if spread > 0:
        basis[:-1, 0] = (centres[:-1] - centres[codes[present]].mean()) / spread
    basis[-1, 1] = float(not present.all())
    return basis


def _ridge(
    design: csr_array,
    won: NDArray[np.bool_],
    weight: Floats,
    strength: float,
    signs: Floats,
    start: tuple[Floats, float] | None = None,
) -> tuple[Floats, float]:
    """Minimise the penalised weighted log loss; slopes keep the sign that `signs` asks for."""
    transposed = design.T.tocsr()

    def loss(parameters: Floats) -> tuple[float, Floats]:
        slopes, intercept = parameters[:-1], parameters[-1]
        scores = design @ slopes + intercept
        residual = weight * (expit(scores) - won)
        value = (weight * np.logaddexp(0, scores)).sum() - (weight * scores)[won].sum()
        value += slopes @ slopes / 2 / strength
        gradient = np.append(transposed @ residual + slopes / strength, residual.sum())
        return value / len(won), gradient / len(won)

    bounds = [(0.0 if sign > 0 else None, 0.0 if sign < 0 else None) for sign in signs] + [
        (None, None)
    ]
    if start is None:
        rate = np.clip(np.average(won, weights=weight), 1e-6, 1 - 1e-6)
        start = np.zeros(design.shape[1]), float(np.log(rate / (1 - rate)))
    found = minimize(
        loss, np.append(*start), jac=True, method="L-BFGS-B", bounds=bounds, tol=1e-7
    ).x
    return found[:-1], float(found[-1])
