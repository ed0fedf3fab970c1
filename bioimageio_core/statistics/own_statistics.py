"""Statistics that plugins bring: their states in parts of a tensor, checked where a plugin's function returns them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import PluginError
from ..registry.blame import blamed
from ..registry.entries import Statistic

__all__ = ["OwnState", "finished"]

F64 = NDArray[np.float64]


class OwnState:
    """The state of a statistic for each group, shape (groups, k), float64.

    Memory: 8 k bytes for each group.
    """

    __slots__ = ("state", "statistic")

    def __init__(self, statistic: Statistic, groups: int) -> None:
        self.statistic = statistic
        self.state: F64 = np.tile(np.array(statistic.empty, np.float64), (groups, 1))

    def update(self, groups: NDArray[np.intp], rows: NDArray[Any]) -> None:
        """Add elements: distinct groups (g,) and their rows (g, r), in which NaN stands for a missing element."""
        if rows.shape[1]:
            own = self.statistic
            self._add(groups, _checked(own, "state", own.state, (rows.astype(np.float64),), (groups.size, len(own.empty))))

    def merge(self, other: OwnState) -> None:
        """Add the elements of another accumulator."""
        self._add(np.arange(len(self.state)), other.state)

    def _add(self, groups: NDArray[np.intp], state: F64) -> None:
        own = self.statistic
        self.state[groups] = _checked(own, "merge", own.merge, (self.state[groups], state), state.shape)


def finished(statistic: Statistic, state: F64) -> F64:
    """Return the results of all groups, shape (groups,).

    Raises:
        PluginError: The plugin's function fails, or returns something else.

    """
    return _checked(statistic, "finish", statistic.finish, (state.copy(),), (len(state),))


def _checked(statistic: Statistic, name: str, function: Callable[..., object], given: tuple[F64, ...], shape: tuple[int, ...]) -> F64:
    what = f"{name} of the statistic {statistic.name!r}"
    with blamed(what):
        found = function(*given)
    if not isinstance(found, np.ndarray) or found.shape != shape or found.dtype.kind not in "biuf":
        instead = f"{found.dtype} of shape {found.shape}" if isinstance(found, np.ndarray) else type(found).__name__
        raise PluginError(f"{what}: expected float64 of shape {shape}, found {instead}")
    return found.astype(np.float64, copy=False)
