"""A network for planes that is called for the slices of volumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from bioimageio_core.errors import ModelRunError
from bioimageio_core.registry import Pipeline, PipelineTensor, WeightsAdapter
from bioimageio_core.typing import AxisId

from .orientations import PLANE, SLICED, Orientation

__all__ = ["SlicedNetwork"]

VOLUME = (SLICED, *PLANE)
"""The axes of space of a block."""


@attrs.frozen(kw_only=True)
class SlicedNetwork:
    """Calls a network for the slices of a volume in several orientations, and merges what it returns in float32."""

    network: WeightsAdapter
    pipeline: Pipeline
    orientations: tuple[Orientation, ...]
    merge: str
    batch: int
    """Slices per call."""

    @property
    def input_shapes(self) -> list[tuple[int | None, ...]]:
        """Sizes that the weights require of blocks; see `bioimageio_core.registry.WeightsAdapter`. Slices make batches of any size."""
        found = []
        for shape, tensor in zip(getattr(self.network, "input_shapes", ()), self.pipeline.inputs, strict=False):
            required = {a: n for a, kind, n in zip(tensor.axes, tensor.kinds, shape, strict=True) if kind not in ("batch", "space")}
            sizes = dict(zip(tensor.axes, shape, strict=True))
            for orientation in self.orientations:
                for axis, taken in orientation.takes.items():
                    required[taken] = required.get(taken) or sizes.get(axis)
            found.append(tuple(required.get(a) for a in self.pipeline.block_axes(tensor)))
        return found

    def __call__(self, inputs: Sequence[NDArray[Any] | None]) -> list[NDArray[Any]]:
        """Run the network on a block of a volume; see `bioimageio_core.registry.WeightsAdapter`."""
        sizes = self._sizes(inputs)
        merged: dict[str, NDArray[np.float32]] = {}
        for orientation in self.orientations:
            combine = None if orientation is self.orientations[0] else np.maximum if self.merge == "max" else np.add
            step, count = self._slices_per_call(sizes["batch"]), sizes[orientation.sliced]
            for start in range(0, count, step):
                span = range(start, min(count, start + step))
                outputs = self._called(inputs, orientation, span, sizes)
                for tensor, slices in zip(self.pipeline.outputs, outputs, strict=True):
                    axes = self.pipeline.block_axes(tensor)
                    if tensor.id not in merged:
                        own = {**dict(zip(tensor.axes, slices.shape[1:], strict=True)), **sizes}
                        merged[tensor.id] = np.empty([own[a] for a in axes], np.float32)
                    part = merged[tensor.id].transpose(orientation.order(tensor.axes, axes))[span.start : span.stop]
                    if part.shape != slices.shape:
                        raise ModelRunError(f"output {tensor.id!r} of the network has another shape than for earlier slices")
                    if combine is None:
                        part[...] = slices
                    else:
                        combine(part, slices, out=part)
        if self.merge == "mean":
            for total in merged.values():
                total /= np.float32(len(self.orientations))
        return list(merged.values())

    def close(self) -> None:
        """Free the network."""
        self.network.close()

    def _sizes(self, inputs: Sequence[NDArray[Any] | None]) -> dict[AxisId, int]:
        """Return the size of a block along z, y and x, and the number of items along the batch axis."""
        found: dict[AxisId, int] = {"batch": 1}
        for array, tensor in zip(inputs, self.pipeline.inputs, strict=True):
            axes = self.pipeline.block_axes(tensor)
            if array is not None and SLICED in axes:
                found |= {a: n for a, n in zip(axes, array.shape, strict=True) if a in (*VOLUME, "batch")}
        return found

    def _slices_per_call(self, items: int) -> int:
        """Return the number of slices per call, each of all items along the batch axis."""
        tensors = (*self.pipeline.inputs, *self.pipeline.outputs)
        most = self.batch if all("batch" in t.axes for t in tensors) else 1
        for shape, tensor in zip(getattr(self.network, "input_shapes", ()), self.pipeline.inputs, strict=False):
            most = min(most, dict(zip(tensor.axes, shape, strict=True)).get("batch") or most)
        return max(1, most // items)

    def _called(
        self, inputs: Sequence[NDArray[Any] | None], orientation: Orientation, span: range, sizes: Mapping[AxisId, int]
    ) -> list[NDArray[np.float32]]:
        """Call the network for some slices; return each output with the slices along the first axis, then the axes of the network."""
        pairs = zip(inputs, self.pipeline.inputs, strict=True)
        outputs = self.network([None if a is None else self._slices(a, t, orientation, span) for a, t in pairs])
        if len(outputs) < len(self.pipeline.outputs):
            raise ModelRunError(f"the network returned {len(outputs)} outputs: expected {len(self.pipeline.outputs)}")
        found = []
        for array, tensor in zip(outputs, self.pipeline.outputs, strict=False):
            _check_shape(array, tensor, orientation, {**sizes, "batch": len(span) * sizes["batch"]})
            number = tensor.axes.index("batch") if "batch" in tensor.axes else 0
            items = (len(span), *([sizes["batch"]] if "batch" in tensor.axes else []))
            rest = array.shape[number + 1 :] if "batch" in tensor.axes else array.shape
            apart = np.asarray(array, np.float32).reshape(*array.shape[:number], *items, *rest)
            found.append(np.moveaxis(apart, number, 0))
        return found

    def _slices(self, array: NDArray[Any], tensor: PipelineTensor, orientation: Orientation, span: range) -> NDArray[Any]:
        """Return slices of an input as one batch; an input without space is repeated for each slice."""
        axes = self.pipeline.block_axes(tensor)
        if SLICED not in axes:
            return np.concatenate([array] * len(span), tensor.axes.index("batch")) if "batch" in tensor.axes else array
        slices = array.transpose(orientation.order(tensor.axes, axes))[span.start : span.stop]
        if "batch" not in tensor.axes:
            return np.ascontiguousarray(slices[0])
        number = tensor.axes.index("batch")
        apart = np.ascontiguousarray(np.moveaxis(slices, 0, number))
        return apart.reshape(*apart.shape[:number], -1, *apart.shape[number + 2 :])


def _check_shape(array: NDArray[Any], tensor: PipelineTensor, orientation: Orientation, sizes: Mapping[AxisId, int]) -> None:
    """Refuse an output of slices that is not as large as they are."""
    expected = [sizes.get(orientation.takes.get(a, a)) for a in tensor.axes]
    if array.ndim != len(expected) or any(n not in (None, m) for n, m in zip(expected, array.shape, strict=True)):
        wanted = ", ".join(f"{a} of any size" if n is None else f"{a} {n}" for a, n in zip(tensor.axes, expected, strict=True))
        raise ModelRunError(f"output {tensor.id!r} of the network has the shape {array.shape} for a slice: expected {wanted}")
