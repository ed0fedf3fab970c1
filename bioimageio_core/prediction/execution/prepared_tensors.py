"""Statistics and ops of whole tensors, before the blocks of inputs and after the blocks of outputs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...blocks import Window
from ...io.reading.chunk_cache import ChunkCache
from ...registry import Measure
from ...typing import AxisId
from ..data.bind_inputs import BoundInput, pad_windows
from ..data.tensor_view import AxisArray, BoundStep, Readable, TensorView
from ..model.processing_steps import Step
from ..planning.plan import Plan
from .passes.statistics import References, Scanner, references_wanted

__all__ = ["ArraySource", "PreparedInput", "ProcessedSource", "bind_steps", "prepare_inputs", "raw_sample", "reference_statistics"]


@attrs.frozen(kw_only=True, eq=False)
class ProcessedSource:
    """A processed tensor, read as if it was an image: processed first, then padded."""

    source: Readable
    pad_value: float = 0.0

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return the region ``[start, stop)``."""
        return self.source.read(start, stop)

    def read_padded(self, windows: Sequence[Window]) -> NDArray[Any]:
        """Return what the windows say of each axis."""
        region = self.read([w.start for w in windows], [w.stop for w in windows])
        return pad_windows(region, windows, self.pad_value)


@attrs.frozen(kw_only=True, eq=False)
class ArraySource:
    """A whole tensor in memory."""

    array: NDArray[Any]

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return the region ``[start, stop)``."""
        return self.array[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))]


@attrs.frozen(kw_only=True, eq=False)
class PreparedInput:
    """What blocks of an input are read from, and the steps that are left to do on each of them."""

    source: BoundInput | ProcessedSource
    steps: tuple[BoundStep, ...]


def raw_sample(bound: BoundInput) -> TensorView:
    """Return an input as it was given."""
    kept = isinstance(bound.image.reader, ChunkCache)
    return TensorView(source=bound, axes=bound.axes, shape=bound.shape, chunks=bound.chunks, extra=len(bound.extra_axes), kept=kept)


def reference_statistics(inputs: Mapping[str, TensorView], steps: Iterable[Step], scanner: Scanner) -> dict[Measure, AxisArray]:
    """Measure the statistics of inputs as given that ops of other tensors refer to, all of an input at once.

    Args:
        inputs: Inputs as they were given, by id.
        steps: The steps of all tensors.
        scanner: Makes the passes.

    """
    wanted = references_wanted(steps)
    found: dict[Measure, AxisArray] = {}
    for name, sample in inputs.items():
        measures = [m for m in wanted if m.tensor == name]
        if measures:
            found |= scanner.measure(sample, measures, name=name)
    return found


def prepare_inputs(plan: Plan, scanner: Scanner, references: References) -> dict[str, PreparedInput]:
    """Measure what the steps of each input want."""
    prepared = {}
    for planned in plan.inputs:
        bound = planned.bound
        cut = {a for a, tie in zip(bound.axes, planned.ties, strict=True) if tie is not None and plan.grids[tie[0]].count > 1}
        cut -= {*bound.extra_axes, "batch"}
        sample = bind_steps(raw_sample(bound), planned.steps, scanner, references, name=bound.tensor.id, cut=cut)
        source = sample.source
        assert isinstance(source, BoundInput | ProcessedSource)
        if isinstance(source, ProcessedSource):
            source = attrs.evolve(source, pad_value=bound.tensor.pad_value)
        prepared[bound.tensor.id] = PreparedInput(source=source, steps=sample.steps)
    return prepared


def bind_steps(
    sample: TensorView, steps: Sequence[Step], scanner: Scanner, references: References, *, name: str, cut: Collection[AxisId]
) -> TensorView:
    """Return the sample with steps that have their statistics.

    Steps that need the whole are done at once, in memory; those that look aside are done when a region is read, on a larger one.
    """
    for step in steps:
        ready = scanner.ready(step, sample, references, name=name)
        if step.sees_whole(cut):
            whole = ArraySource(array=_whole(sample.then(ready)))
            sample = attrs.evolve(sample, source=ProcessedSource(source=whole), steps=(), stage=sample.stage + 1)
        elif step.needs_halo(cut):
            sample = attrs.evolve(sample, source=ProcessedSource(source=sample.then(ready)), steps=(), stage=sample.stage + 1)
        else:
            sample = sample.then(ready)
    return sample


def _whole(sample: TensorView) -> NDArray[Any]:
    """Return the whole processed sample, item by item along extra axes."""
    counts = sample.shape[: sample.extra]
    rest = sample.shape[sample.extra :]
    items = [sample.read((*at, *(0 for _ in rest)), (*(i + 1 for i in at), *rest)) for at in product(*(range(n) for n in counts))]
    if len(items) == 1:
        return items[0]
    return np.concatenate([i.reshape((1, *i.shape[sample.extra :])) for i in items]).reshape(*counts, *items[0].shape[sample.extra :])
