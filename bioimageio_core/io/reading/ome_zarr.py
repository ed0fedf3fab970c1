"""Reads the multiscale metadata of OME-Zarr, versions 0.1 to 0.5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ...axis_names import SPACE, named_axes
from ...typing import AxisId, FrozenMapping
from .image import PixelSize
from .zarr_layouts import ome_attributes

__all__ = ["Level", "Multiscale", "ScaleAndShift", "composed", "parse_multiscales"]

_TYPES = {**dict.fromkeys(SPACE, "space"), "time": "time", "channel": "channel"}


@attrs.frozen(kw_only=True)
class Level:
    """One resolution of an image."""

    path: str
    pixel_size: FrozenMapping[AxisId, PixelSize]
    position: FrozenMapping[AxisId, float]
    """Position of the centre of the first pixel, in the units of `pixel_size`."""


@attrs.frozen(kw_only=True)
class Multiscale:
    """One image at several resolutions, the finest first."""

    name: str | None
    axes: tuple[AxisId, ...] | None
    levels: tuple[Level, ...]
    channel_names: tuple[str, ...] | None


@attrs.frozen(kw_only=True)
class ScaleAndShift:
    """A transformation of points: ``scale * point + shift``, axis by axis."""

    scale: tuple[float, ...]
    shift: tuple[float, ...]


def parse_multiscales(attributes: Mapping[str, Any]) -> tuple[Multiscale, ...]:
    """Return the images that the attributes of a zarr group describe; none for malformed attributes and other groups."""
    found = ome_attributes(attributes)
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
    types = [a.get("type") for a in entries]
    axes = named_axes([None if a.get("name") is None else str(a["name"]) for a in entries], types)
    measured = [(kind or _TYPES.get(axis)) in ("space", "time") for axis, kind in zip(axes or (), types, strict=False)]
    units = [str(a["unit"]) if a.get("unit") else None for a in entries]
    levels = []
    for dataset in written["datasets"]:
        transformation = composed(
            [*(dataset.get("coordinateTransformations") or ()), *(written.get("coordinateTransformations") or ())], len(entries)
        )
        sizes: dict[AxisId, PixelSize] = {}
        positions: dict[AxisId, float] = {}
        if axes is not None and transformation is not None:
            for n in (n for n, is_measured in enumerate(measured) if is_measured):
                sizes[axes[n]] = transformation.scale[n], units[n]
                positions[axes[n]] = transformation.shift[n]
        levels.append(Level(path=str(dataset["path"]), pixel_size=FrozenMapping(sizes), position=FrozenMapping(positions)))
    name = written.get("name")
    return Multiscale(name=str(name) if name else None, axes=axes, levels=tuple(levels), channel_names=channel_names)


def composed(transformations: Sequence[Mapping[str, Any]], count: int) -> ScaleAndShift | None:
    """Return the transformation that applies others one after the other: those of the dataset, then those of the multiscale.

    Args:
        transformations: As OME-Zarr writes them: ``identity``, ``scale`` or ``translation``.
        count: Number of axes.

    Returns:
        The transformation from the index of a pixel to the position of its centre;
        None where there is none, or one is of another type, malformed, or in a file of its own.

    """
    scale, shift = [1.0] * count, [0.0] * count
    for transformation in transformations:
        kind = transformation.get("type")
        numbers = transformation.get(str(kind))
        if kind == "identity":
            continue
        if kind not in ("scale", "translation") or not isinstance(numbers, Sequence) or len(numbers) != count:
            return None
        try:
            values = [float(value) for value in numbers]
        except (TypeError, ValueError):
            return None
        if kind == "scale":
            scale = [a * b for a, b in zip(scale, values, strict=True)]
            shift = [a * b for a, b in zip(shift, values, strict=True)]
        else:
            shift = [a + b for a, b in zip(shift, values, strict=True)]
    return ScaleAndShift(scale=tuple(scale), shift=tuple(shift)) if transformations else None
