"""Reads the multiscale metadata of OME-Zarr, versions 0.1 to 0.5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ...axis_names import SPACE, parse_axes
from ...errors import AxesError
from ...typing import AxisId, FrozenMapping

__all__ = ["Level", "Multiscale", "parse_multiscales"]

_TYPES = {**dict.fromkeys(SPACE, "space"), "time": "time", "channel": "channel"}


@attrs.frozen(kw_only=True)
class Level:
    """One resolution of an image."""

    path: str
    pixel_size: FrozenMapping[AxisId, tuple[float, str | None]]
    position: FrozenMapping[AxisId, float]
    """Position of the centre of the first pixel, in the units of `pixel_size`."""


@attrs.frozen(kw_only=True)
class Multiscale:
    """One image at several resolutions, the finest first."""

    name: str | None
    axes: tuple[AxisId, ...] | None
    levels: tuple[Level, ...]
    channel_names: tuple[str, ...] | None


def parse_multiscales(attributes: Mapping[str, Any]) -> tuple[Multiscale, ...]:
    """Return the images that the attributes of a zarr group describe; none for malformed attributes and other groups."""
    ome = attributes.get("ome")
    found = ome if isinstance(ome, Mapping) else attributes
    multiscales = found.get("multiscales")
    if not isinstance(multiscales, Sequence):
        return ()
    omero = found.get("omero")
    channels = omero.get("channels") if isinstance(omero, Mapping) else None
    names = None
    if isinstance(channels, list) and channels:
        names = tuple(str(c.get("label") or i) if isinstance(c, Mapping) else str(i) for i, c in enumerate(channels))
    try:
        return tuple(_multiscale(written, names) for written in multiscales)
    except (KeyError, TypeError, AttributeError):
        return ()


def _multiscale(written: Mapping[str, Any], channel_names: tuple[str, ...] | None) -> Multiscale:
    # Before version 0.3 there is no key for axes: they are always these five.
    entries = [a if isinstance(a, Mapping) else {"name": a} for a in written.get("axes", "tczyx")]
    # An unknown letter leaves the axes unknown; the image can still be read.
    try:
        axes: tuple[AxisId, ...] | None = parse_axes([str(a["name"]) for a in entries])
    except AxesError:
        axes = None
    units = [a.get("unit") for a in entries]
    kinds = [a.get("type") or _TYPES.get(axis) for a, axis in zip(entries, axes or [""] * len(entries), strict=True)]
    everywhere = _numbers("scale", written.get("coordinateTransformations"), len(entries))
    levels = []
    for dataset in written["datasets"]:
        own = _numbers("scale", dataset.get("coordinateTransformations"), len(entries))
        sizes: dict[AxisId, tuple[float, str | None]] = {}
        shifts = _numbers("translation", dataset.get("coordinateTransformations"), len(entries))
        positions = {a: p for a, p, kind in zip(axes or (), shifts or (), kinds, strict=False) if kind in ("space", "time")}
        if axes is not None and own is not None:
            for i, axis in enumerate(axes):
                if kinds[i] in ("space", "time"):
                    sizes[axis] = own[i] * (everywhere[i] if everywhere is not None else 1.0), units[i]
        levels.append(Level(path=str(dataset["path"]), pixel_size=FrozenMapping(sizes), position=FrozenMapping(positions)))
    name = written.get("name")
    return Multiscale(name=str(name) if name else None, axes=axes, levels=tuple(levels), channel_names=channel_names)


def _numbers(kind: str, transformations: Any, count: int) -> list[float] | None:
    for transformation in transformations or ():
        if transformation.get("type") == kind and len(transformation.get(kind, ())) == count:
            return [float(value) for value in transformation[kind]]
    return None
