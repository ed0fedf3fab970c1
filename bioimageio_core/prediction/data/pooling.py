"""Axes that statistics extend over beside those that ops name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import attrs

from ...registry import Measure
from ...typing import AxisId, FrozenMapping

__all__ = ["NO_POOLING", "Pooling"]


@attrs.frozen(kw_only=True)
class Pooling:
    """Which axes are pooled; by default none."""

    extra: Collection[AxisId] = ()
    """Axes that the model lacks and the image has, over which users pool statistics."""

    added: Mapping[AxisId, AxisId] = FrozenMapping()
    """Axes that the run mode adds, by the axis that each is like: a statistic over the latter is one over the former too."""

    def axes_of(self, measure: Measure, axes: Sequence[AxisId], extra: int) -> tuple[AxisId, ...]:
        """Return the axes of a tensor that a statistic extends over, in their order.

        Args:
            measure: The statistic.
            axes: Axes of the tensor.
            extra: How many of them, at the begin, the model lacks.

        """
        over = {*measure.axes, *(a for a in self.extra if a in axes[:extra])}
        over |= {axis for axis, like in self.added.items() if like in measure.axes}
        return tuple(a for a in axes if a in over)


NO_POOLING = Pooling()
