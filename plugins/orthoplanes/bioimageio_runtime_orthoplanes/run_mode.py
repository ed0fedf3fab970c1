"""The implementation of the run mode ``orthoplanes``: what it asks for while planning."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from bioimageio_core.errors import InputError
from bioimageio_core.registry import Pipeline, PipelineSize, PipelineTensor, WeightsAdapter
from bioimageio_core.typing import AxisId, FrozenMapping

from . import OrthoplanesKwargs
from .orientations import PLANE, SLICED, halo_of_volume, orientations_of
from .sliced_network import SlicedNetwork

__all__ = ["Orthoplanes"]

DEFAULT_BATCH = 8
"""Slices per call: enough to keep a GPU busy with small slices."""


@attrs.frozen
class Orthoplanes:
    """A network for planes on volumes, in up to three orientations."""

    kwargs: OrthoplanesKwargs

    def plan(self, pipeline: Pipeline) -> Pipeline:
        """Return the pipeline with the axis z, which is like y, and the halo that the slices of all orientations need.

        Raises:
            InputError: The network cannot run in this way.

        """
        reason = next(self._refusals(pipeline), None)
        if reason is not None:
            raise InputError(f"run mode 'orthoplanes' {reason}")
        halo = halo_of_volume(pipeline.halo, orientations_of(self.kwargs.orientations))
        return attrs.evolve(pipeline, halo=halo, added_axes=FrozenMapping({SLICED: "y"}), slices_per_call=self._batch(pipeline))

    def wrap(self, adapter: WeightsAdapter, pipeline: Pipeline) -> WeightsAdapter:
        """Return the network as it is called for each block: slice by slice, in every orientation."""
        return SlicedNetwork(
            network=adapter,
            pipeline=pipeline,
            orientations=orientations_of(self.kwargs.orientations),
            merge=self.kwargs.merge,
            batch=self._batch(pipeline),
        )

    def _batch(self, pipeline: Pipeline) -> int:
        """Return the number of slices per call."""
        return self.kwargs.batch or (DEFAULT_BATCH if _takes_batches(pipeline) else 1)

    def _refusals(self, pipeline: Pipeline) -> Iterator[str]:
        """Yield reasons why the network cannot run in this way."""
        for tensor in pipeline.inputs:
            space = _space(tensor)
            if space and set(space) != set(PLANE):
                yield f"runs networks for planes: expected the axes of space y, x of input {tensor.id!r}, found {', '.join(space)}"
        if not any(_space(tensor) for tensor in pipeline.inputs):
            yield f"runs networks for planes: expected an input with the axes y, x, found {', '.join(pipeline.inputs[0].axes)}"
        for tensor in pipeline.outputs:
            yield from _refusals_of_output(tensor, pipeline)
        if "zy" in self.kwargs.orientations:
            for tensor in pipeline.inputs:
                sizes = dict(zip(tensor.axes, tensor.sizes, strict=False))
                if sizes and _space(tensor) and not _equal(sizes["y"], sizes["x"], tensor.id):
                    yield (
                        f"cannot let y stand for x: {tensor.id!r} has other sizes along y than along x; "
                        'leave out that orientation, with the argument {"orientations": ["yx", "zx"]}'
                    )


def _space(tensor: PipelineTensor) -> list[AxisId]:
    return [axis for axis, kind in zip(tensor.axes, tensor.kinds, strict=True) if kind == "space"]


def _refusals_of_output(tensor: PipelineTensor, pipeline: Pipeline) -> Iterator[str]:
    """Yield reasons why the output of slices makes no volume."""
    space = _space(tensor)
    if set(space) != set(PLANE):
        yield f"cannot merge output {tensor.id!r}: expected the axes of space y, x, found {', '.join(space) or 'none'}"
    for axis, kind, size in zip(tensor.axes, tensor.kinds, tensor.sizes, strict=False):
        if size == PipelineSize():
            yield f"cannot merge output {tensor.id!r}, whose size along axis {axis!r} the network decides on"
        elif kind == "space" and not _keeps(axis, size, pipeline):
            yield (
                f"cannot merge output {tensor.id!r}, whose size along axis {axis!r} is not that of the input: "
                "expected a network that gives a pixel for each pixel; predict slice by slice, without this run mode"
            )


def _keeps(axis: AxisId, size: PipelineSize, pipeline: Pipeline) -> bool:
    """Return whether an axis of an output has the size of the same axis of an input."""
    for tensor in pipeline.inputs:
        sizes = dict(zip(tensor.axes, tensor.sizes, strict=False))
        same = attrs.evolve(PipelineSize(), follows=(tensor.id, axis))
        if axis in sizes and (size == same or (not size.step and size == sizes[axis])):
            return True
    return False


def _equal(rows: PipelineSize, columns: PipelineSize, tensor: str) -> bool:
    """Return whether both axes of a tensor take the same sizes: in themselves, by the same axes of another tensor, or one by the other."""
    one = PipelineSize(follows=(tensor, "y")), PipelineSize(follows=(tensor, "x"))
    if columns == one[0] or rows == one[1]:
        return True
    if columns.follows is not None and columns.follows[1] == "x":
        columns = attrs.evolve(columns, follows=(columns.follows[0], "y"))
    return rows == columns


def _takes_batches(pipeline: Pipeline) -> bool:
    """Return whether every tensor has a batch axis of any size."""
    for tensor in (*pipeline.inputs, *pipeline.outputs):
        if "batch" not in tensor.kinds:
            return False
        number = tensor.kinds.index("batch")
        if tensor.sizes and tensor.sizes[number] == PipelineSize(min=1):
            return False
    return True
