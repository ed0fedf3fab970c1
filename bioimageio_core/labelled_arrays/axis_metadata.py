"""What is known of the axes of an array, and how selections and calculations change it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import SupportsIndex

import attrs

from ..axis_names import axis_of_name
from ..errors import AxesError
from ..typing import AxisId, FrozenMapping
from ..units import PixelSize

__all__ = ["AxisMetadata", "axis_numbers"]


@attrs.frozen(kw_only=True)
class AxisMetadata:
    """Names of axes and channels, and sizes and positions of pixels."""

    axes: tuple[AxisId, ...]
    channel_names: tuple[str, ...] | None = None
    pixel_size: Mapping[AxisId, PixelSize] = FrozenMapping()
    position: Mapping[AxisId, float] = FrozenMapping()

    def selected(self, chosen: Sequence[int | range]) -> AxisMetadata:
        """Return the labels after one position, or a range of positions, is selected from each axis.

        Where a range runs backwards or is empty, the position of its first pixel is left out.
        """
        names, sizes, positions = self.channel_names, dict(self.pixel_size), dict(self.position)
        for axis, one in zip(self.axes, chosen, strict=True):
            if isinstance(one, int):
                sizes.pop(axis, None)
                positions.pop(axis, None)
                names = None if axis == "channel" else names
                continue
            if axis == "channel" and names is not None:
                names = tuple(names[n] for n in one)
            if axis in sizes:
                size, unit = sizes[axis]
                sizes[axis] = size * abs(one.step), unit
                if axis in positions and one and one.step > 0:
                    positions[axis] += one.start * size
                elif one.step < 0 or not one:
                    positions.pop(axis, None)
        kept = tuple(axis for axis, one in zip(self.axes, chosen, strict=True) if not isinstance(one, int))
        return AxisMetadata(axes=kept, channel_names=names, pixel_size=FrozenMapping(sizes), position=FrozenMapping(positions))

    def only(self, axes: Iterable[AxisId]) -> AxisMetadata:
        """Return the labels of some axes, in the given order."""
        kept = tuple(axes)
        return AxisMetadata(
            axes=kept,
            channel_names=self.channel_names if "channel" in kept else None,
            pixel_size=FrozenMapping({axis: size for axis, size in self.pixel_size.items() if axis in kept}),
            position=FrozenMapping({axis: at for axis, at in self.position.items() if axis in kept}),
        )

    def without(self, axes: Iterable[AxisId]) -> AxisMetadata:
        """Return the labels with the same axes, without what is known of some of these."""
        dropped = set(axes)
        return AxisMetadata(
            axes=self.axes,
            channel_names=None if "channel" in dropped else self.channel_names,
            pixel_size=FrozenMapping({axis: size for axis, size in self.pixel_size.items() if axis not in dropped}),
            position=FrozenMapping({axis: at for axis, at in self.position.items() if axis not in dropped}),
        )


def axis_numbers(given: object, axes: Sequence[AxisId]) -> tuple[int, ...]:
    """Return the numbers of axes that are given by name or number, or as a sequence of these; of all axes for None.

    Raises:
        AxesError: There is no such axis, or one is given twice.

    """
    if given is None:
        return tuple(range(len(axes)))
    wanted = given if isinstance(given, list | tuple) else [given]
    found = [_number(one, axes) for one in wanted]
    if len(set(found)) < len(found):
        raise AxesError(f"the axes {given!r} name one axis twice: expected each of {_listed(axes)} at most once")
    return tuple(found)


def _number(one: object, axes: Sequence[AxisId]) -> int:
    if isinstance(one, str):
        name = one if one in axes else axis_of_name(one)
        if name in axes:
            return axes.index(name)
    else:
        number = one if isinstance(one, SupportsIndex) else len(axes)
        if -len(axes) <= number.__index__() < len(axes):
            return number.__index__() % len(axes)
    raise AxesError(f"no axis {one!r}: expected one of {_listed(axes)}")


def _listed(axes: Sequence[AxisId]) -> str:
    return ", ".join(axes) or "none, since the array is a single number"
