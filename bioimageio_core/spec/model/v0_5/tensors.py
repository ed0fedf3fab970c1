"""Inputs and outputs in model format 0.5."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

import attrs

from ...extensions import PostprocessingStep, PreprocessingStep
from ...fields import TensorId, length, non_empty, suffix
from ...files import FileDescr
from ...node import Issue, Node, node
from ...strings import ResourceId
from .axes import BatchAxis, ChannelAxis, InputAxis, OutputAxis
from .data import Data, IntervalOrRatioDataDescr

__all__ = ["InputTensorDescr", "OutputTensorDescr", "Padding", "TensorDescr"]


@node
class Padding(Node):
    """How the image is continued beyond its border."""

    mode: Literal["constant", "edge", "reflect", "symmetric"] = "constant"
    value: float = 0.0
    """For mode ``constant``."""

    def problems(self) -> Iterator[Issue]:
        """Yield a value that no mode uses."""
        if self.mode != "constant" and "value" in self.written.keys:
            yield Issue(loc=("value",), message=f"expected none for mode {self.mode!r}, found {self.value}")


_NPY = suffix(".npy")


@node
class _TensorDescr(Node):
    description: str = attrs.field(default="", validator=length(0, 128))
    axes: tuple[Any, ...]
    data: Data | tuple[Data, ...] = attrs.field(default=IntervalOrRatioDataDescr(), validator=non_empty)
    """One for the whole tensor, or one for each channel."""

    test_tensor: FileDescr | None = None
    """A ``.npy`` file."""

    sample_tensor: FileDescr | None = None

    @property
    def dtype(self) -> str:
        """Name of the dtype: that of the first channel's data, since all channels have the same."""
        data = self.data[0] if isinstance(self.data, tuple) else self.data
        return data.type

    def problems(self) -> Iterator[Issue]:
        """Yield problems of the axes among each other, and of the data in view of the axes."""
        yield from _axis_problems(self.axes)
        if isinstance(self.data, tuple):
            yield from _data_problems(self.data, self.axes)
        for key in ("test_tensor", "sample_tensor"):
            if getattr(self, key) is None:
                yield Issue(loc=(key,), message="expected a file, found none", severity="alert")
        if self.test_tensor is not None:
            try:
                _NPY(self, None, self.test_tensor)
            except ValueError as error:
                yield Issue(loc=("test_tensor", "source"), message=str(error), severity="alert")


@node
class InputTensorDescr(_TensorDescr):
    """A tensor that the model takes."""

    id: TensorId = "input"
    axes: tuple[InputAxis, ...] = attrs.field(validator=non_empty)
    optional: bool = False
    pad: Padding | None = None
    output_of: ResourceId | None = None
    """Id of a model whose output of the same id is taken."""

    preprocessing: tuple[PreprocessingStep, ...] = ()

    def problems(self) -> Iterator[Issue]:
        """Yield problems of the axes, the data and the steps."""
        yield from super().problems()
        yield from _step_problems("preprocessing", self.preprocessing, self.axes)


@node
class OutputTensorDescr(_TensorDescr):
    """A tensor that the model returns."""

    id: TensorId = "output"
    axes: tuple[OutputAxis, ...] = attrs.field(validator=non_empty)
    postprocessing: tuple[PostprocessingStep, ...] = ()

    def problems(self) -> Iterator[Issue]:
        """Yield problems of the axes, the data and the steps."""
        yield from super().problems()
        yield from _step_problems("postprocessing", self.postprocessing, self.axes)


TensorDescr: TypeAlias = InputTensorDescr | OutputTensorDescr


def _axis_problems(axes: tuple[Any, ...]) -> Iterator[Issue]:
    seen: set[str] = set()
    batches = 0
    for index, axis in enumerate(axes):
        if axis.id in seen:
            yield Issue(loc=("axes", index, "id"), message=f"expected distinct axis ids, found {axis.id!r} more than once")
        seen.add(axis.id)
        batches += isinstance(axis, BatchAxis)
    if batches > 1:
        yield Issue(loc=("axes",), message=f"expected at most one batch axis, found {batches}")


def _data_problems(data: tuple[Data, ...], axes: tuple[Any, ...]) -> Iterator[Issue]:
    for index, channel in enumerate(data):
        if channel.type != data[0].type:
            yield Issue(loc=("data", index, "type"), message=f"expected the type of the first, {data[0].type!r}, found {channel.type!r}")
    channels = next((axis for axis in axes if isinstance(axis, ChannelAxis)), None)
    if channels is not None and len(channels.channel_names) != len(data):
        yield Issue(loc=("data",), message=f"expected one for each of {len(channels.channel_names)} channels, found {len(data)}")


def _step_problems(key: str, steps: tuple[Node, ...], axes: tuple[Any, ...]) -> Iterator[Issue]:
    ids = {axis.id for axis in axes}
    for index, step in enumerate(steps):
        kwargs: Any = getattr(step, "kwargs", None)
        named = kwargs.get("axes") if hasattr(kwargs, "get") else getattr(kwargs, "axes", None)
        if isinstance(named, tuple) and not ids.issuperset(item for item in named if isinstance(item, str)):
            wrong = ", ".join(repr(item) for item in named if item not in ids)
            loc = (key, index, "kwargs", "axes")
            yield Issue(loc=loc, message=f"expected ids of axes of the tensor ({', '.join(sorted(ids))}), found {wrong}")
