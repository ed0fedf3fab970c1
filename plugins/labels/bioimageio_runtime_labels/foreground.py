"""Connected components of a mask, and its holes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import generate_binary_structure, label

__all__ = ["components", "fill_holes"]


def components(mask: NDArray[np.bool_], connectivity: int) -> NDArray[np.uint32]:
    """Label the components of a mask, 1 to k; ``connectivity`` is 1 (faces) to the number of axes (corners, too).

    By scipy: connected-components-3d 4.1 is up to four times faster in volumes, but labels background pixels of images of odd width.
    """
    labels = np.empty(mask.shape, np.uint32)
    label(mask, generate_binary_structure(mask.ndim, connectivity), output=labels)
    return labels


def fill_holes(mask: NDArray[np.bool_], most: int, connectivity: int) -> NDArray[np.bool_]:
    """Return a mask whose holes of at most ``most`` pixels are filled.

    A hole is a component of the background that does not reach the edge of the array.
    Where foreground is connected at edges or corners, background is not, and the reverse, so that nothing leads through a closed curve.
    """
    if most == 0:
        return mask
    holes = components(~mask, mask.ndim if connectivity == 1 else 1)
    filled = np.bincount(holes.ravel()) <= most
    filled[0] = False  # the foreground itself
    for axis in range(mask.ndim):
        for side in (0, -1):
            filled[np.unique(holes.take(side, axis))] = False
    result: NDArray[np.bool_] = mask | filled[holes]
    return result
