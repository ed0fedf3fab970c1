"""Outputs as the network gives them, where a description has them as they are after an op that changes their shape."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from ....blocks import FixedSize
from ....registry import Registry, ShapeChange
from ....typing import AxisId
from ...model.processing_steps import plan_steps
from ...model.tensor_spec import AxisIO, ModelIO, ReferencedSize, TensorIO

__all__ = ["with_network_outputs"]


def with_network_outputs(model: ModelIO, registry: Registry) -> ModelIO:
    """Return a model whose outputs have the axes that the network gives.

    Descriptions have outputs as users get them, with one channel of labels, say, while the network gives probabilities and distances.
    An op that tells the sizes that it takes (`ShapeChange.takes`) shows which of both is described.
    """
    outputs = tuple(_of_network(output, registry) for output in model.outputs)
    return model if outputs == model.outputs else attrs.evolve(model, outputs=outputs)


def _of_network(output: TensorIO, registry: Registry) -> TensorIO:
    steps = plan_steps(output, registry) if output.ops else ()
    change = next((step.needs.shape for step in steps if step.needs.shape is not None and step.needs.shape.takes), None)
    if change is None or not _is_result(output, change):
        return output
    return attrs.evolve(output, axes=tuple(_before(axis, change.takes, change.scale) for axis in output.axes))


def _is_result(output: TensorIO, change: ShapeChange) -> bool:
    """Return whether the described sizes are those of the result, and not those that the op takes."""
    described = {axis.id: axis.size.value for axis in output.axes if isinstance(axis.size, FixedSize)}
    return any(described.get(axis, size) != size for axis, size in change.takes.items())


def _before(axis: AxisIO, takes: Mapping[AxisId, int], scale: Mapping[AxisId, int]) -> AxisIO:
    if axis.id in takes:
        return attrs.evolve(axis, size=FixedSize(takes[axis.id]), channel_names=None)
    factor = scale.get(axis.id, 1)
    if factor == 1:
        return axis
    size = axis.size
    if isinstance(size, ReferencedSize):
        size = attrs.evolve(size, ratio=size.ratio / factor, offset=size.offset // factor)
    elif isinstance(size, FixedSize):
        size = FixedSize(size.value // factor)
    return attrs.evolve(axis, size=size, halo=-(-axis.halo // factor), scale=axis.scale * factor)
