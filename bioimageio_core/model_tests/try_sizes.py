"""Tests the network in other sizes and batches than those of the test tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..blocks import FixedSize, SteppedSize
from ..errors import BioimageioError, ModelRunError
from ..prediction.model.loaded_model import LoadedModel
from ..prediction.model.network import run_network
from ..prediction.model.tensor_spec import AxisIO, ModelIO, ReferencedSize
from ..prediction.planning.outputs.network_outputs import with_network_outputs
from ..prediction.planning.required_sizes import fixed_size_conflict
from ..prediction.whole_tensor import WholeTensorCall
from ..registry import WeightsAdapter
from ..typing import AxisId, FrozenMapping
from .compare_outputs import difference
from .test_report import SizeTrial

__all__ = ["STEPS", "described_shapes", "given_shape", "resized", "try_sizes"]

STEPS = (0, 1, 2)
"""Numbers of steps by which tested sizes are larger than the smallest."""

BATCH = 2
"""Items of the tested batch."""

ITEMS_ALIKE = 1e-3
"""Allowed difference of an item in a batch from the same item alone, relative to the larger of 1 and the value.

Frameworks choose different kernels for different batch sizes, which changes the last digits of float32 in every layer."""


def described_shapes(model: ModelIO, step: int) -> dict[str, tuple[int | None, ...]]:
    """Return shapes of inputs and outputs, by id, for sizes that are ``step`` steps larger than the smallest; batches of one.

    Sizes that depend on the data are None.
    """
    axes = {(t.id, a.id): a for t in (*model.inputs, *model.outputs) for a in t.axes}

    def size(axis: AxisIO, seen: tuple[tuple[str, AxisId], ...] = ()) -> int | None:
        if axis.kind == "batch":
            return 1
        if isinstance(axis.size, FixedSize):
            return axis.size.value
        if isinstance(axis.size, SteppedSize):
            return axis.size.min + step * axis.size.step
        if isinstance(axis.size, ReferencedSize):
            key = (axis.size.tensor, axis.size.axis)
            reference = None if key in seen or key not in axes else size(axes[key], (*seen, key))
            return None if reference is None else floor(reference * axis.size.ratio) + axis.size.offset
        return None

    return {t.id: tuple(size(a) for a in t.axes) for t in (*model.inputs, *model.outputs)}


def resized(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return an array of another shape: cropped around its centre where it is too large, padded symmetrically where it is too small."""
    index = tuple(
        slice(max(0, (n - wanted) // 2), max(0, (n - wanted) // 2) + wanted) for n, wanted in zip(array.shape, shape, strict=True)
    )
    array = array[index]
    missing = [wanted - n for n, wanted in zip(array.shape, shape, strict=True)]
    return np.pad(array, [(m // 2, m - m // 2) for m in missing], mode="symmetric")


def try_sizes(model: LoadedModel, adapter: WeightsAdapter, inputs: Mapping[str, NDArray[Any]], *, trust: bool) -> Iterator[SizeTrial]:
    """Call the network with inputs of the smallest sizes and some larger ones, alone and in a batch.

    Outputs of the network must have the described sizes, and items of a batch must equal the same items alone.

    Args:
        model: The model.
        adapter: The network of the model.
        inputs: Test inputs by id.
        trust: Whether code that comes with the model may run.

    Yields:
        A result for each size and batch; none if all sizes are fixed.

    """
    io = with_network_outputs(model.io, model.registry)  # an op may change the sizes that the description has
    described = [t for t in io.inputs if t.id in inputs]
    vary = any(isinstance(a.size, SteppedSize) and a.kind != "batch" for t in described for a in t.axes)
    batches = all(any(a.kind == "batch" and not a.one_at_a_time for a in t.axes) for t in described)
    batches = batches and all("batch" in t.axis_ids for t in io.outputs)
    if not vary and not batches:
        return
    for step in STEPS if vary else STEPS[:1]:
        shapes = described_shapes(io, step)
        given = {t.id: given_shape(shapes[t.id]) for t in described}
        ready: dict[str, NDArray[Any]] = {}
        single: list[NDArray[Any]] | None = None
        for batch in (1, BATCH) if batches else (1,):
            sizes = {t.id: tuple(batch if a.kind == "batch" else n for a, n in zip(t.axes, given[t.id], strict=True)) for t in described}
            trial = {"shapes": FrozenMapping(sizes), "step": step, "batch": batch}
            narrow = fixed_size_conflict(adapter, [(t.id, t.axis_ids, sizes[t.id]) for t in described])
            if narrow is not None:
                message = (
                    f"the weights take {narrow[3]} along axis {narrow[1]!r} of {narrow[0]!r} and no other size, while several are described"
                )
                yield SizeTrial(**trial, status="noted", message=message)  # type: ignore[arg-type]
                continue
            try:
                if not ready:
                    arrays = {name: resized(inputs[name], shape) for name, shape in given.items()}
                    ready = WholeTensorCall(model, arrays, trust=trust).network_inputs
                outputs = run_network(adapter, io, {t.id: _repeated(ready[t.id], t.axis_ids, batch) for t in described})
                _check_shapes(io, outputs, shapes, batch)
                if single is None:
                    single = outputs
                else:
                    _check_items(io, outputs, single)
            except BioimageioError as error:
                yield SizeTrial(**trial, status="failed", message=str(error))  # type: ignore[arg-type]
            else:
                yield SizeTrial(**trial, status="passed")  # type: ignore[arg-type]


def given_shape(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    """Return the shape of an input, whose sizes never depend on data."""
    return tuple(1 if n is None else n for n in shape)


def _repeated(array: NDArray[Any], axes: tuple[AxisId, ...], times: int) -> NDArray[Any]:
    return array if times == 1 else np.concatenate([array] * times, axis=axes.index("batch"))


def _check_shapes(model: ModelIO, outputs: list[NDArray[Any]], shapes: Mapping[str, tuple[int | None, ...]], batch: int) -> None:
    for tensor, array in zip(model.outputs, outputs, strict=True):
        for axis, found, described in zip(tensor.axes, array.shape, shapes[tensor.id], strict=True):
            expected = batch if axis.kind == "batch" else described
            if expected is not None and found != expected:
                raise ModelRunError(f"output {tensor.id!r} has {found} along axis {axis.id!r}: expected {expected} by its description")


def _check_items(model: ModelIO, outputs: list[NDArray[Any]], single: list[NDArray[Any]]) -> None:
    for tensor, array, alone in zip(model.outputs, outputs, single, strict=True):
        at = tensor.axis_ids.index("batch")
        for number, item in enumerate(np.split(array, array.shape[at], axis=at)):
            if item.shape != alone.shape:
                continue  # sizes that depend on the data
            away = float(np.max(difference(item, alone) / np.maximum(1.0, np.abs(alone.astype(np.float64))), initial=0.0))
            if away > ITEMS_ALIKE:
                raise ModelRunError(
                    f"item {number} of a batch of {array.shape[at]} differs by {away:.3g} in output {tensor.id!r} "
                    "from the same item alone: items of a batch must not depend on each other"
                )
