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
from ...statistics import StreamingStatistics
from ...typing import AxisId
from ..data.boxes import Boxes, plan_boxes
from ..data.split_along_axis import slab_count
from ..model.processing_steps import Step
from .passes import LevelPass, Pass, PostprocessPass, RegionsPass, StatisticsPass
from .planned_tensors import PlannedInput, PlannedOutput

__all__ = ["boxes_per_task", "plan_passes", "pooled_measure"]

SCAN_ELEMENTS = 2**20
"""Elements that are read and measured at once: 4 MiB of float32, since larger arrays are new memory each time."""

BOXES_PER_TASK, MOST_SCAN_TASKS = 8, 2**13
"""Boxes that one task measures, and tasks of a sweep above which it measures more.
Neither depends on the number of workers, since sums of floats depend on how they are grouped."""

LATE_ELEMENTS = 2**21
"""Elements that one task of a pass over an output processes."""

BYTES_PER_SECOND = 300e6
"""How fast one core reads, measures or writes chunks, about."""


def boxes_per_task(boxes: int) -> int:
    """Return how many of these boxes one task of a statistics pass measures."""
    return max(BOXES_PER_TASK, -(-boxes // MOST_SCAN_TASKS))


def pooled_measure(measure: Measure, axes: Sequence[AxisId], extra: int, pool_over: Collection[AxisId]) -> Measure:
    """Return a measure as it is taken: of the tensor at hand, over its own axes and the extra axes to pool over, in their order."""
    over = {*measure.axes, *(a for a in pool_over if a in axes[:extra])}
    return attrs.evolve(measure, axes=tuple(a for a in axes if a in over), tensor=None)


@attrs.frozen(kw_only=True)
class _Tensor:
    """What a pass over a whole tensor depends on."""

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
        boxes = plan_boxes(tensor.axes, tensor.shape, tensor.chunks, extra=tensor.extra, elements=SCAN_ELEMENTS, whole_axes=whole)
        pooled = [pooled_measure(m, tensor.axes, tensor.extra, self.pool_over) for m in measures]
        rounds = StreamingStatistics(pooled, axes=tensor.axes, shape=tensor.shape, dtype=np.dtype(dtype)).passes
        slabs = slab_count(tensor.axes, tensor.shape, tensor.chunks, pooled)
        size = prod(tensor.shape) * np.dtype(tensor.dtype).itemsize
        self.passes.append(
            StatisticsPass(
                of_output=tensor.of_output,
                step=step,
                measures=tuple(measures),
                boxes=boxes,
                tasks=-(-boxes.count // boxes_per_task(boxes.count)),
                sweeps=rounds * slabs,
                resumable=False,
                **self.common(tensor.id, read=rounds * size, written=0),
            )
        )

    def add_steps(self, tensor: _Tensor) -> tuple[set[AxisId], bool]:
        """Add a pass for each step that wants statistics; return the axes that boxes must span at the end, and whether in memory."""
        whole: set[AxisId] = set()
        dtype, in_memory = tensor.dtype, False
        for step in tensor.steps:
            wanted = [m for m in step.needs.measures if m.tensor is None and step.key(tensor.id, m) not in self.supplied]
            if wanted:
                self.add_statistics(tensor, wanted, step.number, whole, dtype)
            whole |= set(step.needs.whole_axes)
            if step.sees_whole(tensor.cut):
                whole, in_memory = set(), True
            elif step.needs_halo(tensor.cut):
                whole = set()
            dtype = step.needs.dtype or dtype
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

    Statistics of inputs come first, then all regions; then, for each output that needs it, its statistics and postprocessing;
    then the levels of OME-Zarr images that no region writes.

    Args:
        inputs: All inputs.
        outputs: All outputs.
        grids: The grids of the axis groups.
        ome: OME-Zarr images by output.
        supplied: Statistics that need not be measured, by `Step.key`.
        pool_over: Extra axes that statistics are pooled over.
        region_tasks: Tasks of the pass over regions.
        region_seconds: Estimated time of this pass.
        region_bytes: Bytes that it reads.
        threads: Threads that measure or write at once.

    """
    planner = _Planner(grids=grids, supplied=supplied, pool_over=pool_over, threads=threads)
    steps = [s for i in inputs for s in i.steps] + [s for o in outputs for s in (*o.steps, *o.late_steps)]
    references = tuple(dict.fromkeys(m for s in steps for m in s.needs.measures if m.tensor is not None))
    for planned in inputs:
        tensor = _input_tensor(planned, grids)
        wanted = [m for m in references if m.tensor == planned.id]
        if wanted:
            planner.add_statistics(tensor, wanted, 0, (), tensor.dtype)
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
    """Add the passes over an output whose blocks are all computed."""
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
    """Add the passes that make the levels which regions do not write."""
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
    return prod(max(n, 1) for n in output.shape) * np.dtype(output.stored.dtype).itemsize
