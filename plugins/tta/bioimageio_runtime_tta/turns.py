"""The ways in which tensors are flipped and turned: pure geometry of axes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, combinations
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from bioimageio_core.typing import AxisId

__all__ = ["Turn", "all_turns"]


@attrs.frozen
class Turn:
    """Two axes change places (or none do), then axes are flipped: every flip, every quarter turn and all that they make together."""

    swapped: tuple[AxisId, ...] = ()
    flipped: frozenset[AxisId] = frozenset()

    def apply(self, tensor: NDArray[Any], axes: tuple[AxisId, ...]) -> NDArray[Any]:
        """Return the turned tensor, as a view; axes that it lacks make no difference."""
        return self._flip(self._swap(tensor, axes), axes)

    def undo(self, tensor: NDArray[Any], axes: tuple[AxisId, ...]) -> NDArray[Any]:
        """Return the tensor turned back, as a view."""
        return self._swap(self._flip(tensor, axes), axes)

    def _swap(self, tensor: NDArray[Any], axes: tuple[AxisId, ...]) -> NDArray[Any]:
        first, *second = (axes.index(a) for a in self.swapped if a in axes) if self.swapped else (0, 0)
        return np.swapaxes(tensor, first, second[0]) if second else tensor

    def _flip(self, tensor: NDArray[Any], axes: tuple[AxisId, ...]) -> NDArray[Any]:
        return np.flip(tensor, tuple(n for n, a in enumerate(axes) if a in self.flipped))


def all_turns(flips: Iterable[AxisId], rotations: tuple[AxisId, ...]) -> tuple[Turn, ...]:
    """Return each way of flipping and turning once; the first one changes nothing.

    Args:
        flips: Axes that are flipped, in all combinations.
        rotations: The two axes whose plane is turned by quarters, or none.

    """
    axes = tuple(flips)
    subsets = [frozenset(c) for c in chain.from_iterable(combinations(axes, n) for n in range(len(axes) + 1))]
    if not rotations:
        return tuple(Turn(flipped=s) for s in subsets)
    first, second = rotations
    quarters = [Turn(), Turn(rotations, frozenset({first})), Turn((), frozenset(rotations)), Turn(rotations, frozenset({second}))]
    return tuple(dict.fromkeys(Turn(q.swapped, q.flipped ^ _as_swapped(s, q.swapped)) for s in subsets for q in quarters))


def _as_swapped(flipped: frozenset[AxisId], swapped: tuple[AxisId, ...]) -> frozenset[AxisId]:
    """Return what a flip before two axes change places is after it."""
    other = dict(zip(swapped, reversed(swapped), strict=True))
    return frozenset(other.get(a, a) for a in flipped)
