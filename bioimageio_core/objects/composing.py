"""Final labels of a core from the windows around it, where each object is drawn by the box that owns it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["owned_pixels"]


def owned_pixels(
    core: tuple[tuple[int, ...], tuple[int, ...]], windows: Iterable[tuple[tuple[int, ...], NDArray[Any]]], *, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Draw the objects that windows own into a core; where several have an object, the first one counts.

    Args:
        core: Positions of the first pixel of the core and of the pixel after its last one, in the complete tensor.
        windows: The position of the first pixel of each window, and its final ids, 0 where it owns no object; windows may lie anywhere.
            The core's own window comes first, then its neighbours in the order of their boxes; read once, one at a time.
        dtype: Dtype of the ids.

    Returns:
        Final labels of the core.

    """
    drawn = np.zeros([stop - start for start, stop in zip(*core, strict=True)], dtype)
    for place, ids in windows:
        low = [max(a, b) for a, b in zip(core[0], place, strict=True)]
        high = [min(a, b + size) for a, b, size in zip(core[1], place, ids.shape, strict=True)]
        if any(a >= b for a, b in zip(low, high, strict=True)):
            continue
        here = drawn[tuple(slice(a - c, b - c) for a, b, c in zip(low, high, core[0], strict=True))]
        there = ids[tuple(slice(a - c, b - c) for a, b, c in zip(low, high, place, strict=True))]
        np.copyto(here, there, where=here == 0)
    return drawn
