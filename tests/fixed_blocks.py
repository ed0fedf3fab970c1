"""What a network of one fixed size gives for an image, computed without the library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["on_fixed_blocks"]


def on_fixed_blocks(
    network: Callable[[NDArray[np.float32]], NDArray[np.float32]], x: NDArray[Any], *, size: int, halo: int, core: int
) -> NDArray[np.float32]:
    """Return the output on one grid: whole-image statistics, symmetric padding, a core every so many pixels.

    Args:
        network: The framework's own call, of a block of shape (1, 1, y, x).
        x: The image, (y, x), which is normalised to mean 0 and variance 1.
        size: Height and width that the network takes.
        halo: Pixels around a core.
        core: Height and width of a core.

    """
    wide = x.astype(np.float64)
    normal = ((wide - wide.mean()) / (wide.std() + 1e-6)).astype(np.float32)
    rows, columns = (-(-n // core) for n in x.shape)
    at = [np.arange(-halo, (m - 1) * core + size - halo) % (2 * n) for n, m in zip(x.shape, (rows, columns), strict=True)]
    padded = normal[np.ix_(*(np.where(i < n, i, 2 * n - 1 - i) for i, n in zip(at, x.shape, strict=True)))]
    out = np.empty((rows * core, columns * core), np.float32)
    for r in range(rows):
        for c in range(columns):
            block = padded[r * core : r * core + size, c * core : c * core + size]
            found = network(np.ascontiguousarray(block[None, None]))[0, 0]
            out[r * core : (r + 1) * core, c * core : (c + 1) * core] = found[halo : halo + core, halo : halo + core]
    return out[: x.shape[0], : x.shape[1]]
