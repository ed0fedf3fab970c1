"""The metadata ``image-label`` of OME-Zarr labels: the image that they label, and a colour for each object."""

from __future__ import annotations

import colorsys
from typing import Any

from ...places import Place, place_of
from ..locations import parent
from ..reading.image import Image
from ..reading.ome_zarr import parse_multiscales
from ..reading.zarr_groups import attributes_of_group

__all__ = ["MOST_COLOURS", "image_label", "label_colour", "path_to_image"]

MOST_COLOURS = 4096
"""Number of objects up to which labels have colours, which take half a MiB then; viewers give more objects colours of their own."""

STEPS = (0.6180339887498949, 0.7548776662466927, 0.5698402909980532)
"""Steps of hue, saturation and brightness from one id to the next, as parts of their ranges.

They are irrational, so no colour repeats: the golden ratio keeps the hues of any run of ids apart, and the others, of which the first is
the inverse of the plastic number and the second its square, tell ids apart whose hues are close.
"""


def label_colour(number: int) -> tuple[int, int, int, int]:
    """Return red, green, blue and alpha, 0 to 255, of the object with an id: opaque, and bright enough to be seen on black."""
    hue, saturation, brightness = (number * step % 1 for step in STEPS)
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.5 + 0.5 * saturation, 0.7 + 0.3 * brightness)
    return round(255 * red), round(255 * green), round(255 * blue), 255


def image_label(version: str, *, source: str | None = None, count: int = 0) -> dict[str, Any]:
    """Return the metadata of labels.

    Args:
        version: Version of OME-Zarr.
        source: Path from the labels to the group of the image that they label; None where it is not known.
        count: Number of objects, whose ids are 1 to ``count``; 0 where that is not known.

    """
    found: dict[str, Any] = {"version": version}
    if 0 < count <= MOST_COLOURS:
        found["colors"] = [{"label-value": number, "rgba": list(label_colour(number))} for number in range(1, count + 1)]
    if source is not None:
        found["source"] = {"image": source}
    return found


def path_to_image(output: str, image: Image) -> str | None:
    """Return the path from an output to the group of the OME-Zarr image that it was made from; None where a path cannot lead there,
    as into an archive.

    Args:
        output: Path or URL of the output.
        image: The image; it may be of any kind, and then has no such path.

    """
    group = parent(image.arrays[0]) if image.arrays else None
    if group is None or "::" in group or not parse_multiscales(attributes_of_group(group)):
        return None
    return _way(place_of(output), place_of(group))


def _way(start: Place, end: Place) -> str | None:
    if start.storage != end.storage:
        return None
    shared = 0
    while shared < min(len(start.parts), len(end.parts)) and start.parts[shared] == end.parts[shared]:
        shared += 1
    if not shared:  # other disks and buckets
        return None
    return "../" * (len(start.parts) - shared) + "/".join(end.parts[shared:]) or None
