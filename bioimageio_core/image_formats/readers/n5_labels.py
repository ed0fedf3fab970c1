"""Axes and pixel sizes of N5 datasets, as different programs write them; N5 counts axes from the fastest: x, y, z."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...axis_names import SPACE, named_axes, parse_axes
from ...errors import AxesError
from ...file_kinds import stem
from ...io.reading.image import PixelSize
from ...typing import AxisId, FrozenMapping
from ...units import in_named_unit
from .bdv import Setup, setups_of_xml
from .hdf5_attributes import Labels
from .n5_folders import LEVEL, SETUP, attributes_at

__all__ = ["labels_of_n5"]

VIEWER_UNIT = "um"
"""The unit of ``pixelResolution`` where it is a list."""


def labels_of_n5(root: str, path: str) -> Labels:
    """Return axes, from the slowest to the fastest, and pixel sizes of a dataset.

    They are from the first of these that there is:

    - the XML file of BigDataViewer beside the container, for its setups
    - ``transform`` of the dataset: axes, and their sizes at its level
    - ``pixelResolution`` or ``resolution`` with ``units``, of the dataset or a group that holds it, times ``downsamplingFactors``

    ``axes`` names the axes. Without them, two or three sizes of pixels are those of x, y and z.

    Args:
        root: Path of the container.
        path: Path of the dataset in the container; one named ``s2`` is the level 2 of its group.

    """
    of_level = LEVEL.fullmatch(path.rpartition("/")[2])
    level = 0 if of_level is None else int(of_level[1])
    own = attributes_at(root, path)
    count = len(own["dimensions"])
    groups = [attributes_at(root, above) for above in _above(path)]
    transform = own.get("transform")
    if isinstance(transform, Mapping):
        axes = _axes(transform.get("axes"), count)
        scale = _numbers(transform.get("scale"), count)
        if axes is not None and scale is not None:
            return Labels(axes=axes, pixel_size=_sizes(axes, scale, transform.get("units")))
    given = next((axes for one in (own, *groups) if (axes := _axes(one.get("axes"), count)) is not None), None)
    axes = None if given is None else given[::-1]
    of_xml = _voxel_size(root, path)
    fastest = axes[::-1] if axes is not None else tuple(reversed(SPACE[-count:])) if count <= len(SPACE) else None
    found = next(
        ((one, *resolution) for one in (own, *groups) if (resolution := _resolution(one, count)) is not None),
        None,
    )
    if of_xml is None and found is None:
        return Labels(axes=axes)
    if fastest is None:
        return Labels()
    holder = own if found is None else found[0]
    factors = _factors(own, groups, level, count, only_own=found is not None and holder is own)
    if of_xml is not None:
        sizes = {axis: (of_xml[axis][0] * factor, of_xml[axis][1]) for axis, factor in zip(fastest, factors, strict=True) if axis in of_xml}
        return Labels(axes=fastest[::-1], pixel_size=FrozenMapping(sizes))
    assert found is not None
    scaled = [size * factor for size, factor in zip(found[1], factors, strict=True)]
    return Labels(axes=fastest[::-1], pixel_size=_sizes(fastest, scaled, found[2]))


def _above(path: str) -> list[str]:
    """Return the paths of the groups that hold a dataset, the nearest first, and the root last."""
    parts = path.split("/") if path else []
    return ["/".join(parts[:n]) for n in range(len(parts) - 1, -1, -1)]


def _axes(written: Any, count: int) -> tuple[AxisId, ...] | None:
    if not isinstance(written, list | str) or len(written) != count:
        return None
    try:
        return parse_axes(written) if isinstance(written, str) else named_axes([str(name) for name in written])
    except AxesError:
        return None


def _numbers(written: Any, count: int) -> list[float] | None:
    good = isinstance(written, list) and len(written) == count and all(isinstance(one, int | float) for one in written)
    return [float(one) for one in written] if good else None


def _resolution(attributes: Mapping[str, Any], count: int) -> tuple[list[float], Any] | None:
    """Return sizes of pixels in the order of N5, and their units."""
    viewer = attributes.get("pixelResolution")
    if isinstance(viewer, Mapping):
        sizes = _numbers(viewer.get("dimensions"), count)
        return None if sizes is None else (sizes, viewer.get("unit"))
    sizes = _numbers(viewer, count)
    if sizes is not None:
        return sizes, VIEWER_UNIT
    sizes = _numbers(attributes.get("resolution"), count)
    units = attributes.get("units", attributes.get("unit"))
    return None if sizes is None or units is None else (sizes, units)


def _factors(own: Mapping[str, Any], groups: Sequence[Mapping[str, Any]], level: int, count: int, *, only_own: bool) -> list[float]:
    """Return the sizes of pixels in those of the finest level, in the order of N5."""
    factors = _numbers(own.get("downsamplingFactors"), count)
    if factors is None and not only_own:
        tables = (one.get(name) for one in groups for name in ("downsamplingFactors", "scales"))
        rows = (table[level] for table in tables if isinstance(table, list) and level < len(table))
        factors = next((row for row in (_numbers(one, count) for one in rows) if row is not None), None)
    return factors or [1.0] * count


def _sizes(axes: Sequence[AxisId], sizes: Sequence[float], units: Any) -> FrozenMapping[AxisId, PixelSize]:
    named = units if isinstance(units, list) and len(units) == len(axes) else [units] * len(axes)
    given = {
        axis: in_named_unit(size, unit if isinstance(unit, str) else None) for axis, size, unit in zip(axes, sizes, named, strict=True)
    }
    # Without a unit, as in "pixel", sizes are those that programs write where they do not know them.
    return FrozenMapping({axis: size for axis, size in given.items() if axis != "channel" and size[1] is not None})


def _voxel_size(root: str, path: str) -> Mapping[AxisId, PixelSize] | None:
    """Return what the XML file of BigDataViewer beside a container tells; None where it tells nothing of this dataset."""
    number = SETUP.fullmatch(path.partition("/")[0])
    if number is None:
        return None
    beside = Path(root).absolute()
    return setups_of_xml(str(beside.with_name(f"{stem(beside.name)}.xml"))).get(int(number[1]), Setup()).voxel_size or None
