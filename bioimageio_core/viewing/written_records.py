"""What is written about images: whether they are labels and in which colours, and whether they are outputs of a prediction."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from ..errors import SourceError
from ..io import Image
from ..io.locations import opening_errors, parent, zarr_store
from ..io.reading.ome_zarr import parse_multiscales
from ..io.reading.zarr_layouts import labels_of_group, ome_attributes
from ..places import local_path
from ..prediction.files.file_set import run_record
from ..typing import FrozenMapping
from .layer import Colour

__all__ = ["AboutImage", "about_image"]


@attrs.frozen(kw_only=True)
class AboutImage:
    """What is written of an image."""

    labels: bool = False
    is_output: bool = False
    label_colours: FrozenMapping[int, Colour] = FrozenMapping()
    channel_colours: tuple[Colour | None, ...] = ()
    group: str | None = None
    """Path or URL of its OME-Zarr group, which may hold labels of it; None where it has none."""


def about_image(image: Image) -> AboutImage:
    """Return what is written of an image: by OME-Zarr in the attributes of its group, or by the run that predicted it.

    Raises:
        SourceError: The attributes cannot be read.

    """
    if not image.arrays:
        return _of_file(image)
    path, group = image.arrays[0], parent(image.arrays[0])
    attributes = {} if group is None else _group_attributes(group)
    ome = ome_attributes(attributes)
    if group is None or not parse_multiscales(attributes):
        return _of_record(attributes, _last_name(path))
    label = ome.get("image-label")
    record = attributes if "bioimageio_core" in attributes else _group_attributes(parent(group) or "")
    return attrs.evolve(
        _of_record(record, _last_name(group)),
        **({"labels": True} if isinstance(label, Mapping) or _is_listed(group) else {}),
        label_colours=FrozenMapping(_label_colours(label)),
        channel_colours=_channel_colours(ome.get("omero")),
        group=group,
    )


def _is_listed(group: str) -> bool:
    """Return whether a group is listed as labels of the image above it."""
    above = parent(group)
    if above is None or _last_name(above) != "labels":
        return False
    return _last_name(group) in labels_of_group(ome_attributes(_group_attributes(above)))


def _last_name(location: str) -> str:
    return location.partition("::")[0].rstrip("/").rpartition("/")[2]


def _of_file(image: Image) -> AboutImage:
    local = None if image.location is None else local_path(image.location)
    record = None if local is None else run_record(Path(local))
    if record is None or local is None:
        return AboutImage()
    outputs = _mapping(_mapping(_mapping(record.get("identity")).get("plan")).get("outputs"))
    found = list(outputs.values()) if len(outputs) == 1 else [out for name, out in outputs.items() if name in Path(local).name]
    return AboutImage(is_output=True, labels=bool(found) and all(map(_holds_ids, found)))


def _of_record(attributes: Mapping[str, Any], name: str) -> AboutImage:
    """Return what the run that wrote a group recorded of one of its outputs."""
    outputs = _mapping(_mapping(_mapping(attributes.get("bioimageio_core")).get("plan")).get("outputs"))
    found = next(iter(outputs.values())) if len(outputs) == 1 else outputs.get(name)
    return AboutImage() if found is None else AboutImage(is_output=True, labels=_holds_ids(found))


def _holds_ids(output: Any) -> bool:
    """Return whether an output is stored as integers that stand for themselves: ids of objects or classes."""
    stored = _mapping(_mapping(output).get("stored_as"))
    try:
        return np.dtype(str(stored.get("dtype"))).kind in "bui" and "scale_factor" not in stored
    except TypeError:
        return False


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _group_attributes(location: str) -> dict[str, Any]:
    """Return all attributes of a zarr group; none where there is no group."""
    import zarr

    if not location:
        return {}
    with opening_errors(location, "a zarr group"):
        try:
            node = zarr.open(store=zarr_store(location, read_only=True), mode="r")
        except FileNotFoundError:
            return {}
        except (ValueError, SourceError):  # above a group may be anything
            return {}
    return dict(node.attrs) if isinstance(node, zarr.Group) else {}


def _label_colours(label: Any) -> dict[int, Colour]:
    """Return the colours that ``image-label`` gives; malformed entries and those of the background are left out."""
    found: dict[int, Colour] = {}
    listed = _mapping(label).get("colors")
    for entry in listed if isinstance(listed, list) else ():
        value, rgba = _mapping(entry).get("label-value"), _mapping(entry).get("rgba")
        if isinstance(value, int) and value > 0 and isinstance(rgba, list) and len(rgba) >= 3:
            try:
                red, green, blue = (min(255, max(0, int(part))) for part in rgba[:3])
            except (TypeError, ValueError):
                continue
            found[value] = red, green, blue
    return found


def _channel_colours(omero: Any) -> tuple[Colour | None, ...]:
    listed = _mapping(omero).get("channels")
    return tuple(_from_hex(_mapping(entry).get("color")) for entry in listed) if isinstance(listed, list) else ()


def _from_hex(text: Any) -> Colour | None:
    try:
        number = int(str(text).lstrip("#")[:6], 16)
    except ValueError:
        return None
    return number >> 16, number >> 8 & 255, number & 255
