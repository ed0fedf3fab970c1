"""Where the flows of an image lead, followed in a window of it."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["Place", "follow"]

STEPS = 200
"""Steps along the flows, as many as `cellpose.dynamics.compute_masks` takes."""


@attrs.frozen(kw_only=True)
class Place:
    """Where a window lies in an image; each number is along an axis of space."""

    first: tuple[int, ...]
    """Pixels of the image before the window."""

    window: tuple[int, ...]
    """Pixels of the window."""

    image: tuple[int, ...]
    """Pixels of the image."""


def follow(flows: NDArray[Any], starts: tuple[NDArray[np.intp], ...], place: Place) -> torch.Tensor:
    """Return where pixels come to, int32 positions in the window, of shape (axes, n); they may lie outside of it.

    Cellpose measures positions from -1 to 1 across the image, by one convention where it moves pixels and by another where it looks up
    flows, so that it looks them up as far as half a pixel away, by where in the image a pixel is. So does this, also in a window.
    For a window that is the image it computes just what `cellpose.dynamics.follow_flows` computes.

    Args:
        flows: Pixels per step along each axis, float32 of shape (axes, [z,] y, x).
        starts: Positions in the window, an array of shape (n,) for each axis.
        place: Where the window lies.

    """
    last = [max(1, size - 1) for size in place.image]
    positions = torch.stack([torch.from_numpy(p + begin).to(torch.float32) for p, begin in zip(starts, place.first, strict=True)])
    steps = torch.from_numpy(np.ascontiguousarray(flows, np.float32)).clone()
    for axis, size in enumerate(last):
        positions[axis] /= float(size)
        steps[axis] *= 2.0 / size
    positions = positions * 2 - 1
    steps = steps.flip(0)[None]  # PyTorch has x first
    for _ in range(STEPS):
        looked_up = torch.stack(
            [_in_window(p, *numbers) for p, *numbers in zip(positions, place.first, place.window, place.image, strict=True)]
        )
        grid = looked_up.flip(0).T.reshape(1, *[1] * (len(last) - 1), -1, len(last))
        moves = torch.nn.functional.grid_sample(steps, grid, align_corners=False)
        positions = torch.clamp(positions + moves.reshape(len(last), -1).flip(0), -1.0, 1.0)
    ends = (positions + 1) * 0.5
    for axis, size in enumerate(last):
        ends[axis] *= float(size)
    return ends.int() - torch.tensor(place.first, dtype=torch.int32)[:, None]


def _in_window(position: torch.Tensor, first: int, window: int, image: int) -> torch.Tensor:
    """Return positions from -1 to 1 across a window, of those from -1 to 1 across the image."""
    if window == image:
        return position
    return position * (image / window) + ((image - 2 * first) / window - 1)
