"""Example inputs for the conversion of weights: the test inputs, and the same in other sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..blocks import SteppedSize
from ..model_tests.try_sizes import STEPS, described_shapes, given_shape, resized
from ..prediction.model.loaded_model import LoadedModel
from ..prediction.model.tensor_spec import AxisIO, DataDependentSize, ModelIO, ReferencedSize, TensorIO
from ..prediction.whole_tensor import WholeTensorCall
from ..typing import AxisId

__all__ = ["other_examples", "variable_axes"]


def variable_axes(tensor: TensorIO, model: ModelIO) -> frozenset[AxisId]:
    """Return the axes of a tensor that may have several sizes by the description."""
    axes = {(t.id, a.id): a for t in (*model.inputs, *model.outputs) for a in t.axes}

    def varies(axis: AxisIO, seen: tuple[tuple[str, AxisId], ...] = ()) -> bool:
        if axis.kind == "batch":
            return not any(a.one_at_a_time for t in model.inputs for a in t.axes if a.kind == "batch")
        if isinstance(axis.size, ReferencedSize):
            key = (axis.size.tensor, axis.size.axis)
            return key in axes and key not in seen and varies(axes[key], (*seen, key))
        return isinstance(axis.size, SteppedSize | DataDependentSize)

    return frozenset(a.id for a in tensor.axes if varies(a))


def other_examples(model: LoadedModel, inputs: Mapping[str, NDArray[Any]], *, trust: bool) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield network inputs, by id, for the test inputs in other valid sizes: smaller and larger ones, the last in a batch of two.

    Args:
        model: The model.
        inputs: Test inputs by id.
        trust: Whether code that comes with the model may run.

    """
    described = [t for t in model.io.inputs if t.id in inputs]
    varying = {t.id: variable_axes(t, model.io) for t in described}
    ready: dict[str, NDArray[Any]] = {}
    if any(axes - {"batch"} for axes in varying.values()):
        for step in STEPS:
            shapes = described_shapes(model.io, step)
            given = {t.id: resized(inputs[t.id], given_shape(shapes[t.id])) for t in described}
            ready = WholeTensorCall(model, given, trust=trust).network_inputs
            if any(ready[t.id].shape != inputs[t.id].shape for t in described):
                yield ready
    if all("batch" in axes for axes in varying.values()):
        ready = ready or WholeTensorCall(model, inputs, trust=trust).network_inputs
        yield {t.id: np.concatenate([ready[t.id]] * 2, axis=t.axis_ids.index("batch")) for t in described}
