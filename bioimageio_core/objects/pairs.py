"""Pairs of labels of two windows that mark the same object, found in the pixels that both windows see."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .runs import runs_of

__all__ = ["shared_labels"]


def shared_labels(a: NDArray[Any], b: NDArray[Any], *, overlap: float | None = None) -> NDArray[np.int64]:
    """Return the pairs of labels that share pixels.

    Args:
        a: Labels where two windows intersect, as one of them has them: 0 where there is no object.
        b: Labels of the same pixels, as the other window has them.
        overlap: Intersection over union of two labels, within these pixels, above which they are a pair; None for any shared pixel.

    Returns:
        Shape (pairs, 2): a label of ``a`` and one of ``b``, each pair once, sorted.

    Raises:
        ValueError: The arrays differ in shape.

    """
    if a.shape != b.shape:
        raise ValueError(f"expected labels of the same pixels, found shapes {a.shape} and {b.shape}")
    labels_a, labels_b = int(a.max(initial=0)) + 1, int(b.max(initial=0)) + 1
    both = np.where(b > 0, a.astype(np.int64) * labels_b + b.astype(np.int64), 0)  # below labels_b where a is 0
    runs = runs_of(both)
    of_pair = runs.values >= labels_b
    if overlap is None:
        return np.stack(np.divmod(np.unique(runs.values[of_pair]), labels_b), axis=1)
    keys, numbers = np.unique(runs.values[of_pair], return_inverse=True)
    shared = np.zeros(keys.size, np.int64)
    np.add.at(shared, numbers.reshape(-1), runs.lengths[of_pair])
    first, second = np.divmod(keys, labels_b)
    union = _pixels(a, labels_a)[first] + _pixels(b, labels_b)[second] - shared
    return np.stack((first, second), axis=1)[shared > overlap * union]


def _pixels(labels: NDArray[Any], count: int) -> NDArray[np.int64]:
    runs = runs_of(labels)
    return runs.pixels_of(runs.values.astype(np.intp), count)
