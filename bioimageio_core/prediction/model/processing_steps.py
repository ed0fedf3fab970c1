"""Processing ops of a tensor, looked up in the registry, with the needs of each."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import attrs

from ...errors import InputError, PluginError
from ...registry import Measure, Needs, ProcessingOp, Registry
from ...typing import AxisId
from .tensor_spec import TensorIO

__all__ = ["Step", "measure_text", "plan_steps"]


@attrs.frozen(kw_only=True)
class Step:
    """One op of a tensor, and its needs."""

    number: int
    """Position among the steps of the tensor, from 1; implied casts count."""

    name: str
    kwargs: Any
    axes: tuple[AxisId, ...]
    """Axes of the tensor."""

    needs: Needs

    def make(self, registry: Registry) -> ProcessingOp:
        """Import the implementation and bind the arguments."""
        return registry.processing_ops[self.name].load()(self.kwargs, self.axes)

    def sees_whole(self, cut_axes: Collection[AxisId]) -> bool:
        """Return whether the op needs the whole tensor at once where these axes are cut into blocks."""
        return self.needs.whole_sample or any(a in cut_axes for a in self.needs.whole_axes)

    def needs_halo(self, cut_axes: Collection[AxisId]) -> bool:
        """Return whether the op needs pixels of neighbouring blocks where these axes are cut."""
        return any(size and axis in cut_axes for axis, size in self.needs.halo.items())

    def key(self, tensor: str, measure: Measure) -> str:
        """Return the name of a statistic in results and in supplied statistics: tensor, step and measure."""
        return f"{tensor}: {self.number}. {self.name}: {measure_text(measure)}"

    @property
    def own_measures(self) -> bool:
        """Whether the op needs statistics of its own tensor, measured after the steps before it."""
        return any(m.tensor is None for m in self.needs.measures)


def plan_steps(tensor: TensorIO, registry: Registry) -> tuple[Step, ...]:
    """Return the steps of a tensor with their needs.

    Raises:
        PluginError: A plugin's ``requirements`` fails.
        InputError: A plugin's ``requirements`` refuses the arguments.

    """
    axes = tensor.axis_ids
    steps = []
    for number, op in enumerate(tensor.ops, start=1):
        entry = registry.processing_ops[op.name]
        try:
            needs = entry.requirements(op.kwargs, axes)
        except InputError:
            raise
        except Exception as error:
            raise PluginError(
                f"the plugin of op {op.name!r} cannot tell what it needs for tensor {tensor.id!r}: {type(error).__name__}: {error}"
            ) from error
        steps.append(Step(number=number, name=op.name, kwargs=op.kwargs, axes=axes, needs=needs))
    return tuple(steps)


def measure_text(measure: Measure) -> str:
    """Return a measure in words, as in ``percentile 99.8 over y, x``."""
    q = "" if measure.q is None else f" {measure.q:g}"
    of = "" if measure.tensor is None else f" of {measure.tensor}"
    return f"{measure.kind}{q}{of} over {', '.join(measure.axes)}"
