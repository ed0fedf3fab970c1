"""Outputs whose shape an op changes: axes, sizes and chunks of the result."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import numpy as np

from ....blocks import AxisGrid, AxisTie, FixedSize
from ....errors import InputError
from ....typing import AxisId
from ...model.processing_steps import Step
from ...model.tensor_spec import AxisIO, TensorIO
from ...options import PlanOptions
from ..planned_tensors import PlannedOutput
from .output_layout import output_chunk, output_units
from .storage_dtype import plan_storage_dtype

__all__ = ["LABELS", "changed_output"]

LABELS = "uint32"
"""The dtype in which labels are stored, whatever is described: ids of objects never wrap."""


def changed_output(output: PlannedOutput, grids: tuple[AxisGrid, ...], options: PlanOptions) -> PlannedOutput:
    """Return an output as it is after its late steps, which may change its shape, and label objects.

    Args:
        output: The output as regions write it.
        grids: All grids.
        options: `chunks`, `shards` and `dtype` are used.

    Raises:
        InputError: The shape of an output that the network determines cannot be changed.

    """
    changing = [step for step in output.late_steps if step.changes]
    if not changing:
        return output
    if output.data_dependent:
        raise InputError(f"{changing[0].name} of output {output.id!r} needs an output whose size follows the image: remove this step")
    scales: dict[AxisId, int] = {}
    fixed: dict[AxisId, int] = {}
    for change in (step.needs.shape for step in changing):
        if change is None:
            continue
        fixed = {axis: n for axis, n in {**fixed, **change.sizes}.items() if axis in change.axes}
        scales = {axis: scales.get(axis, 1) * change.scale.get(axis, 1) for axis in change.axes}
    return _with_axes(output, changing[-1], scales, fixed, grids, options)


def _with_axes(
    output: PlannedOutput,
    last: Step,
    scales: Mapping[AxisId, int],
    fixed: Mapping[AxisId, int],
    grids: tuple[AxisGrid, ...],
    options: PlanOptions,
) -> PlannedOutput:
    extra = output.axes[: output.extra]
    axes = (*extra, *last.result_axes)
    before = dict(zip(output.axes, zip(output.shape, output.ties, output.origin, strict=True), strict=True))
    shape: list[int] = []
    ties: list[AxisTie | None] = []
    origin: list[int] = []
    for axis in axes:
        if axis in fixed:
            shape.append(fixed[axis])
            ties.append(None)
            origin.append(0)
            continue
        size, tie, begin = before[axis]
        scale = scales.get(axis, 1)
        shape.append(size * scale)
        ties.append(tie if tie is None or scale == 1 else _scaled(tie, scale))
        origin.append(begin * scale)
    tensor = _changed_tensor(output.tensor, last, scales, fixed)
    storage = plan_storage_dtype(tensor, options)
    if last.needs.objects is not None and np.dtype(storage.dtype).kind not in "iu":
        raise InputError(f"dtype= (--dtype) is {storage.dtype!r} for labels, output {output.id!r}: expected an integer type, as uint32")
    units = output_units(axes, tuple(shape), tuple(ties), grids, options)
    chunks = tuple(output_chunk(axis, unit, options) for axis, unit in zip(axes, units, strict=True))
    if not options.shards:
        follow = dict(zip(output.axes, output.chunks, strict=True))  # the chunks of regions are chosen with care: keep them
        kept = [
            n if axis in options.chunks or axis in fixed else min(size, follow[axis] * scales.get(axis, 1))
            for axis, n, size in zip(axes, chunks, shape, strict=True)
        ]
        chunks = tuple(np.maximum(kept, 1).tolist())
    return attrs.evolve(
        output,
        tensor=tensor,
        axes=axes,
        shape=tuple(shape),
        chunks=chunks,
        shards=units if options.shards else None,
        storage_dtype=storage,
        blend=None,
        ties=tuple(ties),
        origin=tuple(origin),
        unchanged=output,
    )


def _scaled(tie: AxisTie, scale: int) -> AxisTie:
    tied = tie.tied
    return attrs.evolve(tie, tied=attrs.evolve(tied, ratio=tied.ratio * scale, offset=tied.offset * scale, halo=tied.halo * scale))


def _changed_tensor(tensor: TensorIO, last: Step, scales: Mapping[AxisId, int], fixed: Mapping[AxisId, int]) -> TensorIO:
    """Return a tensor as its last changing step leaves it; channels of a new number have no names."""
    axes = []
    for axis_id in last.result_axes:
        axis = tensor.axis(axis_id) or AxisIO(id=axis_id, kind="channel" if axis_id == "channel" else "index", size=FixedSize(1))
        if axis_id in fixed:
            axis = attrs.evolve(axis, size=FixedSize(fixed[axis_id]), channel_names=None, halo=0)
        axes.append(attrs.evolve(axis, scale=axis.scale / scales.get(axis_id, 1)))
    labels = last.needs.objects is not None
    return attrs.evolve(tensor, axes=tuple(axes), dtype=LABELS if labels else last.needs.expected_dtype(tensor.dtype))
