"""Axes of tensors in model format 0.5."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import attrs

from ....structuring.format_value import format_value
from ...constraints import anchored, caseless, json_schema
from ...fields import AxisId, NonBatchAxisId, in_range, length, non_empty
from ...node import Node, node
from .sizes import DataDependentSize, FixedSize, ParameterizedSize, SizeReference

__all__ = [
    "Axis",
    "BatchAxis",
    "ChannelAxis",
    "IndexInputAxis",
    "IndexOutputAxis",
    "InputAxis",
    "OutputAxis",
    "SpaceInputAxis",
    "SpaceOutputAxis",
    "SpaceOutputAxisWithHalo",
    "SpaceUnit",
    "TimeInputAxis",
    "TimeOutputAxis",
    "TimeOutputAxisWithHalo",
    "TimeUnit",
]

SpaceUnit: TypeAlias = Literal[
    "attometer", "angstrom", "centimeter", "decimeter", "exameter", "femtometer", "foot", "gigameter", "hectometer", "inch", "kilometer",
    "megameter", "meter", "micrometer", "mile", "millimeter", "nanometer", "parsec", "petameter", "picometer", "terameter", "yard",
    "yoctometer", "yottameter", "zeptometer", "zettameter",
]  # fmt: skip
"""Units of space that OME-Zarr knows."""

TimeUnit: TypeAlias = Literal[
    "attosecond", "centisecond", "day", "decisecond", "exasecond", "femtosecond", "gigasecond", "hectosecond", "hour", "kilosecond",
    "megasecond", "microsecond", "millisecond", "minute", "nanosecond", "petasecond", "picosecond", "second", "terasecond", "yoctosecond",
    "yottasecond", "zeptosecond", "zettasecond",
]  # fmt: skip
"""Units of time that OME-Zarr knows."""


@json_schema({"pattern": anchored(caseless("b|batch"))})
def _batch(value: str) -> str:
    if value != "batch":
        raise ValueError(f"expected 'batch' as the id of a batch axis, found {format_value(value)}")
    return value


@node
class _Axis(Node):
    description: str = attrs.field(default="", validator=length(0, 128))


@node
class BatchAxis(_Axis):
    """Samples that the model treats independently; a size of 1 says that it takes one at a time."""

    type: Literal["batch"] = "batch"
    id: Annotated[AxisId, _batch] = "batch"
    size: Literal[1] | None = None


@node
class ChannelAxis(_Axis):
    """Channels; their names give the size."""

    type: Literal["channel"] = "channel"
    id: NonBatchAxisId = "channel"
    channel_names: tuple[str, ...] = attrs.field(validator=non_empty)


@node
class _IndexAxis(_Axis):
    type: Literal["index"] = "index"
    id: NonBatchAxisId = "index"


@node
class IndexInputAxis(_IndexAxis):
    """An axis without unit, such as that of a list of objects."""

    size: FixedSize | ParameterizedSize | SizeReference
    concatenable: bool = False
    """Several blocks along the axis give the same result as one."""


@node
class IndexOutputAxis(_IndexAxis):
    """An axis without unit, such as that of a list of objects."""

    size: FixedSize | SizeReference | DataDependentSize


@node
class _TimeAxis(_Axis):
    type: Literal["time"] = "time"
    id: NonBatchAxisId = "time"
    unit: TimeUnit | None = None
    scale: float = attrs.field(default=1.0, validator=in_range(above=0))
    """In units per step."""


@node
class TimeInputAxis(_TimeAxis):
    """Time of an input."""

    size: FixedSize | ParameterizedSize | SizeReference
    concatenable: bool = False
    """Several blocks along the axis give the same result as one."""


@node
class TimeOutputAxis(_TimeAxis):
    """Time of an output."""

    size: FixedSize | SizeReference


@node
class TimeOutputAxisWithHalo(_TimeAxis):
    """Time of an output whose border is to be cut off."""

    size: SizeReference
    halo: int = attrs.field(validator=in_range(1))
    """Steps to be cut off at either end."""


@node
class _SpaceAxis(_Axis):
    type: Literal["space"] = "space"
    id: NonBatchAxisId = "x"
    unit: SpaceUnit | None = None
    scale: float = attrs.field(default=1.0, validator=in_range(above=0))
    """In units per pixel."""


@node
class SpaceInputAxis(_SpaceAxis):
    """A spatial axis of an input."""

    size: FixedSize | ParameterizedSize | SizeReference
    concatenable: bool = False
    """Several blocks along the axis give the same result as one."""


@node
class SpaceOutputAxis(_SpaceAxis):
    """A spatial axis of an output."""

    size: FixedSize | SizeReference


@node
class SpaceOutputAxisWithHalo(_SpaceAxis):
    """A spatial axis of an output whose border is to be cut off."""

    size: SizeReference
    halo: int = attrs.field(validator=in_range(1))
    """Pixels to be cut off at either end."""


InputAxis: TypeAlias = BatchAxis | ChannelAxis | IndexInputAxis | TimeInputAxis | SpaceInputAxis
OutputAxis: TypeAlias = (
    BatchAxis | ChannelAxis | IndexOutputAxis | TimeOutputAxis | TimeOutputAxisWithHalo | SpaceOutputAxis | SpaceOutputAxisWithHalo
)
Axis: TypeAlias = InputAxis | OutputAxis
