"""The output of a model as an image, computed where it is read: the input of the next model of a chain."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...io import Image
from ...io.lazy import Lazy
from ...io.reading.readers import Reader
from ...io.reading.rescaled import Resampler
from ..execution.passes.region_computer import RegionComputer, RegionPipeline
from ..execution.stage_timer import StageTimer
from ..model.loaded_model import LoadedModel
from ..model.network import Network
from ..output.region_assembly import placement
from ..output.run_identity import run_identity
from ..planning.outputs.ome_layout import pixel_placement
from ..planning.plan import Plan
from ..planning.planned_tensors import PlannedOutput
from ..predictor import Predictor

__all__ = ["EarlierOutput", "PredictedReader", "earlier_output", "predicted_image", "with_reader"]


class _NotPrepared(RuntimeError):
    """Pixels of an earlier model are read before its chain runs."""


@attrs.frozen(kw_only=True, eq=False)
class EarlierOutput:
    """Stands for an output of an earlier model while a chain is planned; a run puts a reader of its pixels in its place."""

    earlier: Predictor
    plan: Plan
    output: PlannedOutput
    content: str
    """What tells this output from others before anything is computed: a hash of the run that would compute it."""

    stored: str | None
    """Path or URL of the zarr group that the earlier model writes; None if its output is computed where it is read."""

    @property
    def sources(self) -> tuple[Image, ...]:
        """The images that it is computed from."""
        return _images(self.plan)

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Refuse: nothing is computed while planning."""
        raise _NotPrepared(f"the output {self.output.id!r} of {self.plan.model.name!r} is computed by a run alone")


@attrs.frozen(kw_only=True, eq=False)
class PredictedReader:
    """Computes the regions that a part of an output needs; a process that gets a copy loads the network at its first read."""

    plan: Plan
    output: PlannedOutput
    content: str
    """See `EarlierOutput`."""

    pipeline: RegionPipeline
    network: Lazy[Network]

    @property
    def sources(self) -> tuple[Image, ...]:
        """The images that it is computed from."""
        return _images(self.plan)

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Return a part of the output, along its axes.

        Raises:
            ModelRunError: The network failed.

        """
        compute = RegionComputer(work=self.pipeline, network=self.network(), timer=StageTimer())
        array = np.zeros([s.stop - s.start for s in index], self.output.storage_dtype.dtype)
        for region in self._regions(index):
            placed = compute(region).placed.get(self.output.id)
            if placed is None:  # all of its blocks were skipped
                continue
            start, part = placed
            shared = [(max(a, s.start), min(a + n, s.stop)) for a, n, s in zip(start, part.shape, index, strict=True)]
            into = tuple(slice(a - s.start, b - s.start) for (a, b), s in zip(shared, index, strict=True))
            array[into] = part[tuple(slice(a - o, b - o) for (a, b), o in zip(shared, start, strict=True))]
        return array

    def _regions(self, index: Sequence[slice]) -> Iterator[int]:
        """Yield the regions that overlap a part of the output."""
        regions = self.plan.regions
        spans = [range(n) for n in regions.shape]
        for wanted, tie in zip(index, self.output.ties, strict=True):
            if tie is None:
                continue
            grid, per_region, tied, span = self.plan.grids[tie.grid], regions.blocks_per_region[tie.grid], tie.tied, spans[tie.grid]
            begin = bisect_right(range(regions.shape[tie.grid]), wanted.start, key=lambda n: grid.core(n * per_region, tied)[0]) - 1
            end = bisect_left(range(regions.shape[tie.grid]), wanted.stop, key=lambda n: grid.core(n * per_region, tied)[0])
            spans[tie.grid] = range(max(begin, span.start), min(end, span.stop))
        yield from map(regions.number, product(*spans))


def predicted_image(plan: Plan, earlier: Predictor, output: PlannedOutput, *, stored: str | None) -> Image:
    """Return an output of a plan as an image without pixels, which a run adds.

    Args:
        plan: The plan.
        earlier: The predictor that planned.
        output: An output of the plan, of known size.
        stored: Path or URL of the zarr group that the earlier model writes; None if its output is computed where it is read.

    """
    chunks = output.chunks if output.has_late_pass else placement(output, plan.grids, plan.regions.block_ranges(0))[1]
    placed = {a: pixel_placement(output, n, plan.inputs, plan.grids) for n, a in enumerate(output.axes)}
    described = {a.id: a.kind for a in output.tensor.axes}
    measured = [a for a in output.axes if described.get(a, "space") in ("space", "time")]
    channel = output.tensor.axis("channel")
    content = _content(plan, earlier.model, output.id)
    reader = EarlierOutput(earlier=earlier, plan=plan, output=output, content=content, stored=stored)
    return Image(
        name=f"{output.id} of {earlier.model.io.name}",
        shape=output.shape,
        dtype=np.dtype(output.storage_dtype.dtype),
        axes=output.axes,
        channel_names=tuple(channel.channel_names) if channel is not None and channel.channel_names else None,
        chunks=tuple(max(1, n) for n in chunks),
        pixel_size={a: placed[a][:2] for a in measured},
        position={a: placed[a][2] for a in measured},
        reader=reader,
    )


def earlier_output(image: Image) -> EarlierOutput | None:
    """Return the output of an earlier model that an image stands for, also if it is resampled; None for other images."""
    reader = image.reader.image.reader if isinstance(image.reader, Resampler) else image.reader
    return reader if isinstance(reader, EarlierOutput) else None


def with_reader(image: Image, reader: Reader) -> Image:
    """Return an image with a reader of its pixels in place of an `EarlierOutput`."""
    if isinstance(image.reader, Resampler):
        return attrs.evolve(image, reader=attrs.evolve(image.reader, image=with_reader(image.reader.image, reader)))
    return attrs.evolve(image, reader=reader)


def _content(plan: Plan, model: LoadedModel, output_id: str) -> str:
    identity = json.dumps([run_identity(plan, model), output_id], sort_keys=True, default=str)
    return hashlib.sha256(identity.encode()).hexdigest()


def _images(plan: Plan) -> tuple[Image, ...]:
    return tuple(i.bound.image for i in plan.inputs)
