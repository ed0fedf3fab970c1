"""Labels of the same pixels compared as objects: numbers do not matter, only which pixels are together."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = ["LabelMatch", "match_labels"]


@attrs.frozen(kw_only=True, eq=False)
class LabelMatch:
    """Which objects of two labellings are the same."""

    found: int
    """Number of objects in the first labelling."""

    expected: int
    """Number of objects in the second labelling."""

    matched: int
    """Number of objects of one labelling that have one of the other for them alone."""

    differs: NDArray[np.bool_]
    """Pixels that are in no matched pair of objects, nor background in both labellings; in the shape of the labels."""


def match_labels(found: NDArray[Any], expected: NDArray[Any]) -> LabelMatch:
    """Match the objects of two labellings, each with one at most: pairs that share the most pixels first.

    Args:
        found: Integers, 0 where there is no object.
        expected: Integers of the same shape.

    """
    ids, first = np.unique(np.append(found.ravel(), found.dtype.type(0)), return_inverse=True)
    others, second = np.unique(np.append(expected.ravel(), expected.dtype.type(0)), return_inverse=True)
    first, second = first.reshape(-1), second.reshape(-1)
    background = int(first[-1]), int(second[-1])
    pairs, pixel_pairs, shared = np.unique(first[:-1] * others.size + second[:-1], return_inverse=True, return_counts=True)
    rows, columns = np.divmod(pairs, others.size)
    taken_rows, taken_columns = {background[0]}, {background[1]}
    same = np.zeros(pairs.size, bool)
    for n in np.argsort(-shared, kind="stable").tolist():
        row, column = int(rows[n]), int(columns[n])
        if (row, column) == background:
            same[n] = True
        elif row not in taken_rows and column not in taken_columns:
            same[n] = True
            taken_rows.add(row)
            taken_columns.add(column)
    return LabelMatch(
        found=ids.size - 1,
        expected=others.size - 1,
        matched=len(taken_rows) - 1,
        differs=~same[pixel_pairs.reshape(-1)].reshape(found.shape),
    )
