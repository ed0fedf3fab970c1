"""Whether several arrays have the same channels and pixels, so that they can be calculated with pixel by pixel."""

from __future__ import annotations

from collections.abc import Sequence
from math import isclose

from ..errors import AxesError, ChannelError
from ..typing import AxisId, FrozenMapping
from ..units import PixelSize, conversion
from .axis_metadata import AxisMetadata

__all__ = ["agreed"]

RELATIVE = 1e-6
"""Pixel sizes that differ by no more than this part of them are equal; so are positions, by this part of them or of a pixel."""

REMEDY = "np.asarray(other) of one of them calculates without its names and sizes"


def agreed(labels: Sequence[AxisMetadata]) -> AxisMetadata:
    """Return what is known of several arrays together, with all of their axes; sizes and positions are in the first unit of each axis.

    Raises:
        ChannelError: Names of channels differ.
        AxesError: Sizes or positions of pixels differ along an axis.

    """
    names: tuple[str, ...] | None = None
    sizes: dict[AxisId, PixelSize] = {}
    positions: dict[AxisId, float] = {}
    for one in labels:
        if names is not None and one.channel_names is not None and names != one.channel_names:
            raise ChannelError(
                f"arrays with different channels, ({_listed(names)}) and ({_listed(one.channel_names)}): "
                f"expected the same ones in the same order; sel(channel=[...]) selects them, and {REMEDY}"
            )
        names = one.channel_names if names is None else names
        for axis, (size, unit) in one.pixel_size.items():
            known, to = sizes.setdefault(axis, (size, unit))
            if not isclose(size * _factor(unit, to), known, rel_tol=RELATIVE):
                raise _different("pixel sizes", axis, f"{known:g} {to or ''}".strip(), f"{size:g} {unit or ''}".strip())
        for axis, position in one.position.items():
            size, to = sizes.get(axis, (0.0, None))
            at = position * _factor(one.pixel_size.get(axis, (size, to))[1], to)
            known_at = positions.setdefault(axis, at)
            if not isclose(at, known_at, rel_tol=RELATIVE, abs_tol=RELATIVE * abs(size)):
                raise _different("positions", axis, f"{known_at:g}", f"{at:g}")
    return AxisMetadata(
        axes=tuple(dict.fromkeys(axis for one in labels for axis in one.axes)),
        channel_names=names,
        pixel_size=FrozenMapping(sizes),
        position=FrozenMapping(positions),
    )


def _factor(unit: str | None, to: str | None) -> float:
    return 1.0 if unit == to else conversion(unit, to) or 1.0


def _different(what: str, axis: AxisId, one: str, other: str) -> AxesError:
    return AxesError(f"arrays with different {what} along axis {axis!r}, {one} and {other}: expected the same; {REMEDY}")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f", ... of {len(names)}" if len(names) > 6 else "")
