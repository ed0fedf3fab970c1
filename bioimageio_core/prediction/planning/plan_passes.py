"""The passes of a plan, in the order in which a run carries them out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import prod
from typing import Any

import attrs
import numpy as np

from ...blocks import AxisGrid
from ...io.writing.ome_output import OmeImage
from ...registry import Measure
from ...statistics import pass_count
from ...typing import AxisId
from ..data.boxes import Boxes, plan_boxes
from ..data.split_along_axis import slab_count
from ..model.processing_steps import Step
from .passes import LevelPass, Pass, PostprocessPass, RegionsPass, StatisticsPass
from .planned_tensors import PlannedInput, PlannedOutput, all_steps

__all__ = ["boxes_per_task", "plan_passes", "pooled_measure"]

STATISTICS_ELEMENTS = 2**20
"""Elements of a box of a statistics pass: 4 MiB of float32, since the system allocates and zeroes larger arrays for every box."""

BOXES_PER_TASK, MAX_STATISTICS_TASKS = 8, 2**13
"""Boxes per task of a statistics pass, and the number of tasks above which a task measures more boxes.
Neither depends on the number of workers, since sums of floats depend on their grouping."""

LATE_ELEMENTS = 2**21
"""Elements of a box of a pass over an output."""

BYTES_PER_SECOND = 300e6
"""Approximate rate at which one core reads, measures or writes chunks."""


def boxes_per_task(boxes: int) -> int:
    """Return the number of boxes per task of a statistics pass with this many boxes."""
    return max(BOXES_PER_TASK, -(-boxes // MAX_STATISTICS_TASKS))


def pooled_measure(measure: Measure, axes: Sequence[AxisId], extra: int, pool_over: Collection[AxisId]) -> Measure:
    """Return a measure of the tensor itself, over the axes of the measure and the extra axes to pool over."""
    over = {*measure.axes, *(a for a in pool_over if a in axes[:extra])}
    return attrs.evolve(measure, axes=tuple(a for a in axes if a in over), tensor=None)


@attrs.frozen(kw_only=True)
class _Tensor:
    """A tensor that passes read box by box."""

    id: str
    of_output: bool
    axes: tuple[AxisId, ...]
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    extra: int
    dtype: str
    steps: tuple[Step, ...]
    cut: frozenset[AxisId]
    """Axes that blocks or boxes cut."""


@attrs.define(kw_only=True)
class _Planner:
    grids: tuple[AxisGrid, ...]
    supplied: Mapping[str, Any]
    pool_over: tuple[AxisId, ...]
    threads: int
    passes: list[Pass] = attrs.field(factory=list)

    def common(self, subject: str, *, read: float, written: float, seconds: float | None = None) -> dict[str, Any]:
        """Return the fields that every pass has."""
        if seconds is None:
            seconds = (read + written) / (BYTES_PER_SECOND * self.threads)
        return {
            "number": len(self.passes) + 1,
            "subject": subject,
            "bytes_read": int(read),
            "bytes_written": int(written),
            "seconds": seconds,
        }

    def add_statistics(self, tensor: _Tensor, measures: Sequence[Measure], step: int, whole: Collection[AxisId], dtype: str) -> None:
        boxes = plan_boxes(tensor.axes, tensor.shape, tensor.chunks, extra=tensor.extra, elements=STATISTICS_ELEMENTS, whole_axes=whole)
        pooled = [pooled_measure(m, tensor.axes, tensor.extra, self.pool_over) for m in measures]
        passes = pass_count(measures, np.dtype(dtype))
        slabs = slab_count(tensor.axes, tensor.shape, tensor.chunks, pooled)
        size = prod(tensor.shape) * np.dtype(tensor.dtype).itemsize
        self.passes.append(
            StatisticsPass(
                of_output=tensor.of_output,
                step=step,
                measures=tuple(measures),
                boxes=boxes,
                tasks=-(-boxes.count // boxes_per_task(boxes.count)),
                sweeps=passes * slabs,
                resumable=False,
                **self.common(tensor.id, read=passes * size, written=0),
            )
        )

    def add_steps(self, tensor: _Tensor) -> tuple[set[AxisId], bool]:
        """Add a pass for each step that needs statistics.

        Returns:
            The axes that boxes must span after all steps, and whether a step needs the whole tensor in memory.

        """
        whole: set[AxisId] = set()
        dtype, in_memory = tensor.dtype, False
        for step in tensor.steps:
            needed = [m for m in step.needs.measures if m.tensor is None and step.key(tensor.id, m) not in self.supplied]
            if needed:
                self.add_statistics(tensor, needed, step.number, whole, dtype)
            whole |= set(step.needs.whole_axes)
            if step.sees_whole(tensor.cut):
                whole, in_memory = set(), True
            elif step.needs_halo(tensor.cut):
                whole = set()
            dtype = step.needs.expected_dtype(dtype)
        return whole, in_memory


def plan_passes(
    inputs: tuple[PlannedInput, ...],
    outputs: tuple[PlannedOutput, ...],
    grids: tuple[AxisGrid, ...],
    ome: Mapping[str, OmeImage],
    *,
    supplied: Mapping[str, Any],
    pool_over: tuple[AxisId, ...],
    region_tasks: int,
    region_seconds: float,
    region_bytes: float,
    threads: int,
) -> tuple[Pass, ...]:
    """Return the passes of a plan.

    Statistics of inputs come first, then all regions; then statistics and postprocessing of outputs with a late pass;
    then the levels of OME-Zarr images that regions do not write.

    Args:
        inputs: All inputs.
        outputs: All outputs.
        grids: The grids of the axis groups.
        ome: OME-Zarr images by output.
        supplied: Statistics that need not be measured, by `Step.key`.
        pool_over: Extra axes that statistics are pooled over.
        region_tasks: Tasks of the pass over regions.
        region_seconds: Estimated time of the pass over regions.
        region_bytes: Bytes that the pass over regions reads.
        threads: Concurrent tasks of passes that do not run the network.

    """
    planner = _Planner(grids=grids, supplied=supplied, pool_over=pool_over, threads=threads)
    references = tuple(dict.fromkeys(m for _, s in all_steps(inputs, outputs) for m in s.needs.measures if m.tensor is not None))
    for planned in inputs:
        tensor = _input_tensor(planned, grids)
        needed = [m for m in references if m.tensor == planned.id]
        if needed:
            planner.add_statistics(tensor, needed, 0, (), tensor.dtype)
    for planned in inputs:
        planner.add_steps(_input_tensor(planned, grids))
    planner.passes.append(
        RegionsPass(
            tasks=region_tasks,
            resumable=not any(o.data_dependent for o in outputs),
            **planner.common("", read=region_bytes, written=sum(map(_stored_bytes, outputs)), seconds=region_seconds),
        )
    )
    for output in outputs:
        if output.has_late_pass:
            _add_late(planner, output)
    for output in outputs:
        if output.id in ome:
            _add_levels(planner, output.id, ome[output.id])
    return tuple(planner.passes)


def _input_tensor(planned: PlannedInput, grids: tuple[AxisGrid, ...]) -> _Tensor:
    bound = planned.bound
    return _Tensor(
        id=planned.id,
        of_output=False,
        axes=bound.axes,
        shape=bound.shape,
        chunks=bound.chunks,
        extra=len(bound.extra_axes),
        dtype=str(bound.image.dtype),
        steps=planned.steps,
        cut=frozenset(planned.cut_axes(grids) - {*bound.extra_axes, "batch"}),
    )


def _add_late(planner: _Planner, output: PlannedOutput) -> None:
    """Add the passes over an output that follow the regions."""
    tensor = _Tensor(
        id=output.id,
        of_output=True,
        axes=output.axes,
        shape=output.shape,
        chunks=output.unit,
        extra=output.extra,
        dtype="float32",
        steps=output.late_steps,
        cut=frozenset(a.id for a in output.tensor.axes if a.kind != "batch"),
    )
    if output.data_dependent:
        tensor = attrs.evolve(tensor, shape=tuple(max(n, 1) for n in output.shape))
    whole, in_memory = planner.add_steps(tensor)
    boxes = plan_boxes(tensor.axes, tensor.shape, tensor.chunks, extra=tensor.extra, elements=LATE_ELEMENTS, whole_axes=whole)
    planner.passes.append(
        PostprocessPass(
            boxes=boxes,
            tasks=boxes.count,
            resumable=not output.data_dependent,
            in_process=in_memory,
            **planner.common(output.id, read=4 * prod(tensor.shape), written=_stored_bytes(output)),
        )
    )


def _add_levels(planner: _Planner, output: str, image: OmeImage) -> None:
    """Add a pass for each level that regions do not write."""
    itemsize = np.dtype(image.dtype).itemsize
    for number, level in enumerate(image.levels):
        if level.with_regions:
            continue
        boxes = Boxes(shape=level.shape, size=level.chunks)
        before = prod(image.levels[number - 1].shape) * itemsize
        planner.passes.append(
            LevelPass(
                level=number,
                boxes=boxes,
                tasks=boxes.count,
                resumable=True,
                **planner.common(output, read=before, written=prod(level.shape) * itemsize),
            )
        )


def _stored_bytes(output: PlannedOutput) -> int:
    return prod(max(n, 1) for n in output.shape) * np.dtype(output.storage_dtype.dtype).itemsize
