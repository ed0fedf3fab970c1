"""Inputs and outputs in model format 0.4."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeAlias

import attrs

from ....structuring.format_value import format_value
from ....structuring.scalars import NonFinite
from ...constraints import json_schema
from ...extensions import PostprocessingStep, PreprocessingStep
from ...fields import TensorName, non_empty, unique
from ...node import Issue, Node, node

__all__ = ["ImplicitOutputShape", "InputTensorDescr", "OutputTensorDescr", "ParameterizedInputShape", "TensorDescr"]


@json_schema({"pattern": "^[bitczyx]*$"})
def _axes(value: str) -> str:
    if not set(value) <= set("bitczyx"):
        raise ValueError(f"expected letters out of b, i, t, c, z, y and x, found {format_value(value)}")
    return value


Axes: TypeAlias = Annotated[str, _axes]
"""A letter for each axis: batch, index, time, channel, z, y, x."""


@node
class ParameterizedInputShape(Node):
    """All shapes ``min + n * step``, with n = 0, 1, 2, ... for each axis."""

    min: tuple[int, ...] = attrs.field(validator=non_empty)
    step: tuple[int, ...] = attrs.field(validator=non_empty)

    def problems(self) -> Iterator[Issue]:
        """Yield that the lists differ in length."""
        if len(self.min) != len(self.step):
            yield Issue(loc=("step",), message=f"expected as many as min has, {len(self.min)}, found {len(self.step)}")


@node
class ImplicitOutputShape(Node):
    """A shape that follows from that of another tensor: ``size * scale + 2 * offset``; where scale is null, a new axis."""

    reference_tensor: TensorName
    scale: tuple[float | None, ...] = attrs.field(validator=non_empty)
    offset: tuple[float, ...] = attrs.field(validator=non_empty)
    """Multiples of one half."""

    def problems(self) -> Iterator[Issue]:
        """Yield lists that differ in length, and offsets that make no sense."""
        if len(self.scale) != len(self.offset):
            yield Issue(loc=("offset",), message=f"expected as many as scale has, {len(self.scale)}, found {len(self.offset)}")
        for index, offset in enumerate(self.offset):
            if not float(2 * offset).is_integer():
                yield Issue(loc=("offset", index), message=f"expected a multiple of 0.5, found {offset}")
        for index, (scale, offset) in enumerate(zip(self.scale, self.offset, strict=False)):
            if scale is None and not offset:
                yield Issue(loc=("offset", index), message=f"expected a size for the new axis, found {offset}")


@node
class _TensorDescr(Node):
    name: TensorName
    description: str = ""
    axes: Axes = attrs.field(validator=unique)
    data_range: tuple[Annotated[float, NonFinite()], Annotated[float, NonFinite()]] | None = None


@node
class InputTensorDescr(_TensorDescr):
    """A tensor that the model takes."""

    data_type: Literal["float32", "uint8", "uint16"]
    shape: tuple[int, ...] | ParameterizedInputShape
    preprocessing: tuple[PreprocessingStep, ...] = ()

    @property
    def dtype(self) -> str:
        """Name of the dtype."""
        return self.data_type

    def problems(self) -> Iterator[Issue]:
        """Yield a batch axis of other size than 1, and steps along other axes than the tensor has."""
        batch = self.axes.find("b")
        least = self.shape.min if isinstance(self.shape, ParameterizedInputShape) else self.shape
        if 0 <= batch < len(least) and least[batch] != 1:
            loc = ("shape", "min", batch) if isinstance(self.shape, ParameterizedInputShape) else ("shape", batch)
            yield Issue(loc=loc, message=f"expected 1 for the batch axis, found {least[batch]}")
        step = self.shape.step if isinstance(self.shape, ParameterizedInputShape) else ()
        if 0 <= batch < len(step) and step[batch]:
            yield Issue(loc=("shape", "step", batch), message=f"expected 0 for the batch axis, found {step[batch]}")
        if len(least) != len(self.axes):
            yield _rank("shape", len(least), self.axes)
        yield from _step_problems("preprocessing", self.preprocessing, self.axes)


@node
class OutputTensorDescr(_TensorDescr):
    """A tensor that the model returns."""

    data_type: Literal["float32", "float64", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "bool"]
    shape: tuple[int, ...] | ImplicitOutputShape
    halo: tuple[int, ...] | None = None
    """Pixels to be cut off at either end of each axis."""

    postprocessing: tuple[PostprocessingStep, ...] = ()

    @property
    def dtype(self) -> str:
        """Name of the dtype."""
        return self.data_type

    def problems(self) -> Iterator[Issue]:
        """Yield a halo of the wrong length, and steps along other axes than the tensor has."""
        rank = len(self.shape.scale) if isinstance(self.shape, ImplicitOutputShape) else len(self.shape)
        if self.halo and len(self.halo) != rank:
            yield Issue(loc=("halo",), message=f"expected as many as shape has, {rank}, found {len(self.halo)}")
        if rank != len(self.axes):
            yield _rank("shape", rank, self.axes)
        yield from _step_problems("postprocessing", self.postprocessing, self.axes)


TensorDescr: TypeAlias = InputTensorDescr | OutputTensorDescr


def _rank(key: str, rank: int, axes: str) -> Issue:
    return Issue(loc=(key,), message=f"expected a number for each of the axes {axes!r}, found {rank}", severity="warning")


def _step_problems(key: str, steps: tuple[Any, ...], axes: str) -> Iterator[Issue]:
    for index, step in enumerate(steps):
        named = getattr(getattr(step, "kwargs", None), "axes", None)
        if isinstance(named, (str, tuple)) and not set(named) <= set(axes):
            message = f"expected axes of the tensor ({axes}), found {format_value(named)}"
            yield Issue(loc=(key, index, "kwargs", "axes"), message=message)
