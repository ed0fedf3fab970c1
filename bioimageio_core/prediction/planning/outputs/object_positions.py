"""Outputs that list objects, and which of their values are positions in the image, as far as the description tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from ....blocks import AxisGrid
from ....typing import AxisId
from ...model.implicit_casts import CAST
from ...model.tensor_spec import DataDependentSize
from ..planned_tensors import PlannedInput, PlannedOutput

__all__ = ["ObjectList", "Positions", "SeenAxis", "object_lists", "object_warnings"]


@attrs.frozen(kw_only=True)
class SeenAxis:
    """What the one block of a prediction covers of the image along an axis, in pixels of the image."""

    axis: AxisId
    start: int
    """First pixel of the block; negative in the padding."""

    stop: int
    begin: int
    """First pixel to predict: of the image, or of the region of interest."""

    end: int


@attrs.frozen(kw_only=True)
class Positions:
    """An output whose values are positions of objects, in pixels of the block."""

    output: str
    channels: tuple[SeenAxis, ...]
    """The axis of each channel."""


@attrs.frozen(kw_only=True)
class ObjectList:
    """Outputs that list the same objects, along an axis whose size the network determines."""

    axis: AxisId
    outputs: tuple[str, ...]
    positions: tuple[Positions, ...]
    """Those of the outputs that are known to hold positions."""

    seen: tuple[SeenAxis, ...]
    """All axes of space of the inputs."""

    @property
    def unequal(self) -> tuple[SeenAxis, ...]:
        """Axes along which the block is not what is predicted, or begins at another pixel than the image."""
        return tuple(s for s in self.seen if s.start != s.begin or s.start or s.stop > s.end)


def object_lists(inputs: Sequence[PlannedInput], outputs: Sequence[PlannedOutput], grids: Sequence[AxisGrid]) -> tuple[ObjectList, ...]:
    """Return the lists of objects of a plan of a single block.

    The values of an output are positions if its channels are named like the axes of space of the inputs, each once and in any order,
    and if its postprocessing does no more than cast.
    Further channels, such as a height, could make of a position the corner of an object that reaches into the image.
    """
    seen = tuple(_seen_axes(inputs, grids))
    listing: dict[AxisId, list[PlannedOutput]] = {}
    for output in outputs:
        for axis in output.tensor.axes:
            if isinstance(axis.size, DataDependentSize):
                listing.setdefault(axis.id, []).append(output)
    return tuple(
        ObjectList(axis=axis, outputs=tuple(o.id for o in listed), positions=tuple(_positions(listed, seen)), seen=seen)
        for axis, listed in listing.items()
    )


def _seen_axes(inputs: Sequence[PlannedInput], grids: Sequence[AxisGrid]) -> Iterator[SeenAxis]:
    """Yield what a block covers along each axis of space; twice for an axis along which inputs differ."""
    found = []
    for planned in inputs:
        for axis, tie, size in zip(planned.bound.axes, planned.ties, planned.bound.shape, strict=True):
            described = planned.bound.tensor.axis(axis)
            if described is None or described.kind != "space" or tie is None:
                continue
            grid = grids[tie.grid]
            start, pixels = grid.input_window(0, tie.tied)
            end = size if grid.end is None else min(size, tie.tied.at(grid.end))
            found.append(SeenAxis(axis=axis, start=start, stop=start + pixels, begin=tie.tied.at(grid.begin), end=end))
    return iter(dict.fromkeys(found))


def _positions(listed: Sequence[PlannedOutput], seen: Sequence[SeenAxis]) -> Iterator[Positions]:
    by_name: Mapping[str, SeenAxis] = {s.axis: s for s in seen}
    for output in listed:
        channel = next((a for a in output.tensor.axes if a.kind == "channel"), None)
        names = () if channel is None or channel.channel_names is None else tuple(n.lower() for n in channel.channel_names)
        others = [a for a in output.tensor.axes if a is not channel and a.kind != "batch"]
        casts = all(op.name == CAST for op in output.tensor.ops)
        if names and sorted(names) == sorted(s.axis for s in seen) and len(others) == 1 and casts:
            yield Positions(output=output.id, channels=tuple(by_name[name] for name in names))


def object_warnings(lists: Sequence[ObjectList]) -> tuple[str, ...]:
    """Return a sentence for each list whose positions are not known, where the network does not see exactly what is predicted."""
    return tuple(_warning(listed) for listed in lists if listed.unequal and not listed.positions)


def _warning(listed: ObjectList) -> str:
    outputs = f"output{'s' * (len(listed.outputs) > 1)} {', '.join(map(repr, listed.outputs))}"
    names = ", ".join(dict.fromkeys(s.axis for s in listed.seen))
    seen = ", ".join(f"pixels {s.start} to {s.stop} along {s.axis!r}, of which {s.begin} to {s.end} are predicted" for s in listed.unequal)
    return (
        f"{outputs}: the network sees {seen}, and no channels named {names} tell which of the listed objects are within, "
        "so all are kept, as the network returns them"
    )
