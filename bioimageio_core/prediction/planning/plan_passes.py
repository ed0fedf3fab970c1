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
from ..data.pooling import Pooling
from ..data.split_along_axis import slab_count
from ..model.processing_steps import Step
from .outputs.changed_output import LABELS
from .outputs.label_windows import LabelWindows, plan_label_windows
from .passes import JoinPass, LabelPass, LevelPass, Pass, PostprocessPass, RegionsPass, SlicesPass, StatisticsPass, TablePass
from .planned_tensors import PlannedInput, PlannedOutput, all_steps

__all__ = ["boxes_per_task", "plan_passes", "pooled_measure"]

STATISTICS_ELEMENTS = 2**20
"""Elements of a box of a statistics pass: 4 MiB of float32, since the system allocates and zeroes larger arrays for every box."""

BOXES_PER_TASK, MAX_STATISTICS_TASKS = 8, 2**13
"""Boxes per task of a statistics pass, and the number of tasks above which a task measures more boxes.
Neither depends on the number of workers, since sums of floats depend on their grouping."""

LATE_ELEMENTS = 2**21
"""Elements of a box of a pass over an output."""

DEFAULT_OBJECT_SIZE = 64
"""Pixels that the largest object spans, where neither the op nor the user says so."""

BYTES_PER_LABEL = 128
"""Memory that an op takes to label a pixel, beside the values that it labels: labels, masks, queues."""

BYTES_PER_SECOND = 300e6
"""Approximate rate at which one core reads, measures or writes chunks."""


def boxes_per_task(boxes: int) -> int:
    """Return the number of boxes per task of a statistics pass with this many boxes."""
    return max(BOXES_PER_TASK, -(-boxes // MAX_STATISTICS_TASKS))


def pooled_measure(measure: Measure, axes: Sequence[AxisId], extra: int, pooling: Pooling) -> Measure:
    """Return a measure of the tensor itself, over the axes of the measure and those to pool over."""
    return attrs.evolve(measure, axes=pooling.axes_of(measure, axes, extra), tensor=None)


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
    pooling: Pooling
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
        pooled = [pooled_measure(m, tensor.axes, tensor.extra, self.pooling) for m in measures]
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
    pooling: Pooling,
    region_tasks: int,
    region_seconds: float,
    region_bytes: float,
    threads: int,
    memory: int,
    object_size: Mapping[AxisId, int],
    join_slices: Mapping[AxisId, float],
    tables: Collection[str],
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
        pooling: Axes that statistics are pooled over.
        region_tasks: Tasks of the pass over regions.
        region_seconds: Estimated time of the pass over regions.
        region_bytes: Bytes that the pass over regions reads.
        threads: Concurrent tasks of passes that do not run the network.
        memory: Budget of memory in bytes.
        object_size: Pixels of outputs that the largest object spans, by axis, where users say so.
        join_slices: Extra axes along which objects of neighbouring slices are joined, with the least intersection over union.
        tables: Ids of outputs whose objects are measured.

    """
    planner = _Planner(grids=grids, supplied=supplied, pooling=pooling, threads=threads)
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
        if output.labelling is not None:
            windows = label_windows(output, output.labelling, object_size, memory=memory // threads)
            _add_labels(planner, output, output.labelling, windows, join_slices, table=output.id in tables)
        elif output.has_late_pass:
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


def _output_tensor(output: PlannedOutput, steps: tuple[Step, ...]) -> _Tensor:
    """Return an output as regions write it, and some of its late steps."""
    raw = output.of_regions
    return _Tensor(
        id=raw.id,
        of_output=True,
        axes=raw.axes,
        shape=tuple(max(n, 1) for n in raw.shape),
        chunks=raw.unit,
        extra=raw.extra,
        dtype="float32",
        steps=steps,
        cut=frozenset(a.id for a in raw.tensor.axes if a.kind != "batch"),
    )


def _add_late(planner: _Planner, output: PlannedOutput) -> None:
    """Add the passes over an output that follow the regions."""
    tensor = _output_tensor(output, output.late_steps)
    whole, in_memory = planner.add_steps(tensor)
    shape = tuple(max(n, 1) for n in output.shape)
    boxes = plan_boxes(output.axes, shape, output.unit, extra=output.extra, elements=LATE_ELEMENTS, whole_axes=whole)
    planner.passes.append(
        PostprocessPass(
            boxes=boxes,
            tasks=boxes.count,
            resumable=not output.data_dependent,
            in_process=in_memory,
            **planner.common(output.id, read=4 * prod(tensor.shape), written=_stored_bytes(output)),
        )
    )


def _add_labels(
    planner: _Planner, output: PlannedOutput, step: Step, windows: LabelWindows, join_slices: Mapping[AxisId, float], *, table: bool
) -> None:
    """Add the passes that label the objects of an output, join them across boxes and slices, write them and measure them."""
    before = output.late_steps[: output.late_steps.index(step)]
    tensor = _output_tensor(output, before)
    planner.add_steps(tensor)
    count = windows.boxes.count
    labels = prod(windows.tiles_shape) * np.dtype(LABELS).itemsize
    planner.passes.append(
        LabelPass(windows=windows, tasks=count, resumable=True, **planner.common(output.id, read=4 * prod(tensor.shape), written=labels))
    )
    planner.passes.append(
        JoinPass(windows=windows, tasks=count, resumable=False, in_process=True, **planner.common(output.id, read=labels, written=0))
    )
    for axis, overlap in join_slices.items():
        planner.passes.append(
            SlicesPass(
                windows=windows,
                axis=axis,
                overlap=overlap,
                tasks=count,
                resumable=False,
                in_process=True,
                **planner.common(output.id, read=2 * labels, written=0),
            )
        )
    planner.passes.append(
        PostprocessPass(
            boxes=windows.boxes, tasks=count, resumable=True, **planner.common(output.id, read=labels, written=_stored_bytes(output))
        )
    )
    if table:
        planner.passes.append(
            TablePass(windows=windows, tasks=count, resumable=False, in_process=True, **planner.common(output.id, read=labels, written=0))
        )


def label_windows(output: PlannedOutput, step: Step, object_size: Mapping[AxisId, int], *, memory: int) -> LabelWindows:
    """Return the boxes in which the objects of an output are labelled, and what the op sees around them.

    Args:
        output: The output.
        step: The step that labels.
        object_size: Pixels that the largest object spans, by axis, where users say so.
        memory: Bytes that a task may take.

    """
    objects = step.needs.objects
    assert objects is not None
    space = [a.id for a in output.tensor.axes if a.kind == "space"]
    halo: dict[AxisId, int] = {}
    for axis in space:
        scale = 1 if step.needs.shape is None else step.needs.shape.scale.get(axis, 1)
        size = object_size.get(axis, objects.size.get(axis, DEFAULT_OBJECT_SIZE))
        halo[axis] = scale if objects.join == "touch" else -(-size * objects.context // scale) * scale
    one_each = (*output.axes[: output.extra], *(a.id for a in output.tensor.axes if a.kind == "batch"))
    raw = output.of_regions
    values = prod(n for axis, n in zip(raw.axes, raw.shape, strict=True) if axis not in space and axis not in one_each)
    most = memory // (values * np.dtype("float32").itemsize + BYTES_PER_LABEL)
    return plan_label_windows(
        output.axes, output.shape, output.unit, one_each=one_each, halo=halo, elements=min(LATE_ELEMENTS, most), most=most
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
