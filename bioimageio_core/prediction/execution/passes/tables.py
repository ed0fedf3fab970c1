"""The pass that measures objects: their sizes, places and intensities, box by box, added up to a table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ....blocks import AxisTie
from ....objects import BoxMeasurements, Measurements, TableLayout, measure_objects
from ....typing import AxisId, FrozenMapping
from ...data.bind_inputs import BoundInput
from ...data.tensor_view import TensorView
from ...output.objects.object_table import ObjectTable
from ...output.objects.table_file import write_table
from ...planning.outputs.ome_layout import pixel_placement
from ...planning.passes import TablePass
from ...planning.planned_tensors import PlannedInput, PlannedOutput
from ..executors.base import Function, Job, Work
from ..run import Run
from .boxes import BoxRunner, BoxTasks
from .joined_labels import joined_view

__all__ = ["TableJob", "TableRunner"]


@attrs.frozen(kw_only=True, eq=False)
class ImagePixels:
    """The pixels of an image that lie under those of labels."""

    bound: BoundInput
    places: tuple[int | None, ...]
    """For each axis of the image: the axis of the labels with the same pixels; None for channels and others that are taken completely."""

    origin: tuple[int, ...]
    """Position in the image of the first pixel of the labels, along the axes of the labels."""

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels, or their numbers."""
        described = self.bound.tensor.axis("channel")
        count = int(np.prod([n for n, place in zip(self.bound.shape, self.places, strict=True) if place is None]))
        names = () if described is None or described.channel_names is None else described.channel_names
        return names if len(names) == count else tuple(map(str, range(count)))

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return the pixels under a region of labels, channels first, then the axes of the labels that the image has."""
        low = [0 if n is None else start[n] + self.origin[n] for n in self.places]
        high = [s if n is None else stop[n] + self.origin[n] for n, s in zip(self.places, self.bound.shape, strict=True)]
        region = self.bound.read(low, high)
        channels = [n for n, place in enumerate(self.places) if place is None]
        others = sorted((n for n, place in enumerate(self.places) if place is not None), key=lambda n: self.places[n] or 0)
        region = region.transpose([*channels, *others])
        return region.reshape((-1, *region.shape[len(channels) :]))


def image_under(planned: PlannedInput, output: PlannedOutput) -> ImagePixels | None:
    """Return the pixels of an image that an output labels; None where the output has other pixels than the image."""
    places: list[int | None] = []
    by_grid = {tie.grid: (n, tie) for n, tie in enumerate(output.ties) if tie is not None}
    for axis, tie in zip(planned.bound.axes, planned.ties, strict=True):
        if axis == "channel":
            places.append(None)
            continue
        found = None if tie is None else by_grid.get(tie.grid)
        if tie is not None and (found is None or not _same_pixels(tie, found[1])):
            return None
        places.append(None if found is None else found[0])
    uncovered = [n for n, size in enumerate(output.shape) if size > 1 and n not in places]
    return None if uncovered else ImagePixels(bound=planned.bound, places=tuple(places), origin=output.origin)


def _same_pixels(image: AxisTie, labels: AxisTie) -> bool:
    return image.tied.ratio == labels.tied.ratio and labels.tied.offset == 0


@attrs.frozen(kw_only=True, eq=False)
class TableJob(BoxTasks):
    """Measures the objects of each box."""

    view: TensorView
    """The final labels."""

    kept: tuple[int, ...]
    """Axes of the labels that the table has; the others have size 1."""

    image: ImagePixels | None

    @property
    def is_picklable(self) -> bool:
        """Whether other processes can read the labels."""
        return self.view.is_picklable

    def open(self, worker: str) -> Work:
        """Return the work that measures boxes."""
        return Function(self._measure)

    def _measure(self, task: int) -> BoxMeasurements:
        start, stop = self.boxes.box(task)
        labels = self.view.read(start, stop)
        labels = labels.reshape([labels.shape[n] for n in self.kept])
        pixels = None if self.image is None else self.image.read(start, stop)
        if pixels is not None:  # axes that it lacks have size 1
            pixels = pixels.reshape((pixels.shape[0], *labels.shape))
        return measure_objects(labels, pixels, tuple(start[n] for n in self.kept))


class TableRunner(BoxRunner):
    """Measures the objects of an output, and writes their table; a resumed run measures all of them again."""

    def __init__(self, run: Run, pass_: TablePass) -> None:
        super().__init__(run, pass_)
        self._boxes = pass_.windows.boxes
        output = run.outputs[pass_.subject].planned
        pixels = (image_under(i.planned, output) for i in run.inputs.values())
        self._image = next((image for image in pixels if image is not None), None)
        self._measured = Measurements(run.object_numbers[pass_.subject].count, _layout(output, self._image, run))
        self._added = 0
        self._waiting: dict[int, BoxMeasurements] = {}

    def jobs(self) -> Iterator[Job]:
        """Yield the job that measures all boxes."""
        output = self._run.outputs[self._pass.subject]
        view = joined_view(self._run, output)
        kept = _kept(output.planned, _object_axes(output.planned, self._run))
        yield TableJob(view=view, boxes=self._boxes, marker=None, kept=kept, image=self._image)

    def collect(self, task: int, result: BoxMeasurements) -> int:
        """Add what was measured in a box, in the order of boxes: sums of floats depend on it in their last digits."""
        self._waiting[task] = result
        while self._added in self._waiting:
            self._measured.add(self._waiting.pop(self._added))
            self._added += 1
        return 1

    def finish(self) -> None:
        """Write the table."""
        path = self._run.plan.table
        assert path is not None
        write_table(path, self._measured.pieces())
        count = self._run.object_numbers[self._pass.subject].count
        self._run.tables[self._pass.subject] = ObjectTable(count, self._measured)


def _layout(output: PlannedOutput, image: ImagePixels | None, run: Run) -> TableLayout:
    along = _object_axes(output, run)
    kept = _kept(output, along)
    inputs = tuple(i.planned for i in run.inputs.values())
    sizes = {output.axes[n]: pixel_placement(output, n, inputs, run.plan.grids)[:2] for n in kept if output.axes[n] in along}
    return TableLayout(
        axes=tuple(output.axes[n] for n in kept),
        shape=tuple(output.shape[n] for n in kept),
        origin=tuple(output.origin[n] for n in kept),
        sample_axes=tuple(output.axes[n] for n in kept if output.axes[n] not in along),
        pixel_size=FrozenMapping(sizes),
        channels=() if image is None else image.channels,
        dtype=None if image is None else image.bound.dtype,
    )


def _object_axes(output: PlannedOutput, run: Run) -> set[AxisId]:
    """Return the axes along which objects extend: those of space, and one along which slices are joined."""
    return {*(a.id for a in output.tensor.axes if a.kind == "space"), *run.plan.join_slices}


def _kept(output: PlannedOutput, along: Collection[AxisId]) -> tuple[int, ...]:
    """Return the axes of a table: those along which objects extend, and others along which there are several samples."""
    return tuple(n for n, (axis, size) in enumerate(zip(output.axes, output.shape, strict=True)) if axis in along or size > 1)
