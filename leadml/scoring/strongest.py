"""Find each lead's strongest points: vector steps over the features, no sort of every lead."""

import numpy as np
from numpy.typing import NDArray

from leadml.scoring.columns import Floats


def find_strongest(points: Floats, count: int) -> tuple[NDArray[np.int64], Floats]:
    """Return which features move each lead most, and their points.

    Parameters
    ----------
    points : array of shape (n_features, n_leads)
    count : int

    Returns
    -------
    features : array of int, shape (count, n_leads)
        By falling absolute points; of equals the first feature comes first.
    points : array of shape (count, n_leads)
        0 where there are fewer features than `count`.

    Examples
    --------
    >>> features, points = find_strongest(np.array([[1.0], [-3.0], [2.0]]), 2)
    >>> features.ravel().tolist(), points.ravel().tolist()
    ([1, 2], [-3.0, 2.0])
    """
    n_features, n_leads = points.shape
    # the order of positive floats is that of their bits, so the last of these can hold the
    # feature: points that differ by less than 1 in 2**40 count as equal
    low = (1 << n_features.bit_length()) - 1
    best = np.zeros((count, n_leads))
    key, other = np.empty(n_leads), np.empty(n_leads)
    for place in range(n_features):
        np.abs(points[place], out=key)
        bits = key.view(np.int64)
        np.bitwise_and(bits, ~low, out=bits)
        np.bitwise_or(bits, n_features - place, out=bits)
        for rank in best:  # the weaker of two moves on to the next rank
            np.minimum(rank, key, out=other)
            np.maximum(rank, key, out=rank)
            key, other = other, key
    left = best.view(np.int64) & low
    features = n_features - left
    found = left > 0
    features[~found] = 0
    chosen = np.take_along_axis(points, features, axis=0) if n_features else np.zeros_like(best)
    return features, np.where(found, chosen, 0.0)
