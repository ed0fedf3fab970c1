"""Labels of an OME-Zarr image: images in its group ``labels``, which lists them."""

from __future__ import annotations

import json
import os
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal

import attrs

from ...errors import OutputError
from ...places import absolute_path, place_of
from ...sources.locks import temporary_lock
from ..locations import file_system, join, local_path, parent, zarr_store
from ..reading.ome_zarr import parse_multiscales
from ..reading.zarr_groups import attributes_of_group, is_zarr_node
from ..reading.zarr_layouts import labels_of_group, ome_attributes
from .ome_output import OmeVersion
from .unsynced_writes import sync_metadata
from .write_errors import writing

__all__ = ["LabelsPlace", "add_to_labels", "check_integers", "labels_place", "renew_consolidated_metadata"]

LABELS = "labels"

LOCK = ".bmz-labels.lock"
"""Name of the file in the group ``labels`` that a process locks while it changes the list."""


@attrs.frozen(kw_only=True)
class LabelsPlace:
    """Where the labels of an OME-Zarr image are to be written."""

    image: str
    """Path or URL of the image."""

    name: str
    """Path of the labels in the group ``labels`` of the image, mostly a single name; empty for this group itself."""

    version: OmeVersion
    """Version of OME-Zarr in which they are written, as the version of zarr of the image requires."""

    @property
    def depth(self) -> int:
        """Number of groups from the labels up to the image."""
        return 2 + self.name.count("/")


def labels_place(location: str) -> LabelsPlace | None:
    """Return the labels that an output is by its place, however that is spelt; None where it lies in no group ``labels`` of an image.

    Args:
        location: Path or URL of an output.

    """
    for spelt in dict.fromkeys((_absolute(location), _without_links(location))):  # a link may lead into labels, and out of them
        names = spelt.split("/")
        for depth in range(len(names) - 1, 0, -1):
            image = "/".join(names[:depth])
            if names[depth] != LABELS or not image or not parse_multiscales(attributes_of_group(image)):
                continue
            groups = ["/".join(names[:end]) for end in range(depth + 2, len(names))]
            if any(parse_multiscales(attributes_of_group(group)) for group in groups):  # it lies within other labels
                return None
            files, inner = file_system(image)
            version: OmeVersion = "0.5" if files.exists(join(inner, "zarr.json")) else "0.4"
            return LabelsPlace(image=image, name="/".join(names[depth + 1 :]), version=version)
    return None


def _absolute(location: str) -> str:
    """Return a local path as an absolute one; it is often one from inside of the image."""
    local = local_path(location)
    return (location if local is None else absolute_path(local)).rstrip("/")


def _without_links(location: str) -> str:
    """Return a local path as an absolute one without links: a link does not name the groups above."""
    path = location if local_path(location) is None else os.path.join(*place_of(location).parts)  # noqa: PTH118  (text in, text out)
    return path.rstrip("/")


def add_to_labels(place: LabelsPlace, paths: list[str]) -> None:
    """List new labels in the group ``labels``, which is made where there is none, and in the copies of metadata of the groups above.

    Processes that add labels to one image at the same time take turns, where the image is on a local or shared file system with locks.

    Args:
        place: Of the output.
        paths: Of the labels within the output.

    Raises:
        OutputError: The group cannot be written.

    """
    group = join(place.image, LABELS)
    local = local_path(group)
    labels = ["/".join(filter(None, (place.name, path))) for path in paths]
    output = join(group, place.name)
    if set(labels) <= set(labels_of_group(attributes_of_group(group))) and not _consolidated_above(output):
        return
    with writing(group), nullcontext() if local is None else temporary_lock(Path(local) / LOCK):
        _add_to_list(group, labels, place.version)
        renew_consolidated_metadata(output)


def _add_to_list(location: str, new: list[str], version: OmeVersion) -> None:
    import zarr

    zarr_format: Literal[2, 3] = 2 if version == "0.4" else 3
    group = zarr.open_group(zarr_store(location, read_only=False), mode="a", zarr_format=zarr_format, use_consolidated=False)
    ome: dict[str, Any] = {"version": version} if zarr_format == 3 else {}
    ome |= ome_attributes(dict(group.attrs))
    listed = ome.get("labels")
    known = list(listed) if isinstance(listed, list) else []
    ome["labels"] = [*known, *(label for label in new if label not in known)]
    group.update_attributes({"ome": ome} if zarr_format == 3 else ome)
    sync_metadata(location)


def renew_consolidated_metadata(location: str) -> None:
    """Renew the copies of all metadata that the groups above an output keep, which would hide the output.

    Raises:
        OutputError: They cannot be written.

    """
    import zarr

    for place, zarr_format in _consolidated_above(location):
        with writing(f"consolidated metadata of {place}"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # zarr warns that other readers may not know these metadata, which were here before
                zarr.consolidate_metadata(zarr_store(place, read_only=False), zarr_format=zarr_format)
            sync_metadata(place)


def _consolidated_above(location: str) -> list[tuple[str, Literal[2, 3]]]:
    """Return the groups above an output that keep copies of all metadata, and their versions of zarr, from the innermost."""
    found: list[tuple[str, Literal[2, 3]]] = []
    place = parent(_without_links(location))
    while place is not None:
        files, path = file_system(place)
        if not is_zarr_node(files, path):
            break
        zarr_format: Literal[2, 3] = 3 if files.exists(join(path, "zarr.json")) else 2
        if _is_consolidated(files, path, zarr_format):
            found.append((place, zarr_format))
        place = parent(place)
    return found


def _is_consolidated(files: Any, path: str, zarr_format: Literal[2, 3]) -> bool:
    if zarr_format == 2:
        return bool(files.exists(join(path, ".zmetadata")))
    try:
        return bool(json.loads(files.cat_file(join(path, "zarr.json"))).get("consolidated_metadata"))
    except (OSError, ValueError, AttributeError):
        return False


def check_integers(what: str, dtype: str) -> None:
    """Refuse labels that are no integers.

    Raises:
        OutputError: The dtype is another one.

    """
    if dtype[0] not in "iu":
        raise OutputError(
            f"{what} is {dtype}, but labels of an image are integers: make labels of it with an op, postprocessing= (--post), "
            "give dtype='uint16' (--dtype uint16) and value_range=(0, 65535) (--value-range 0,65535) if "
            "its values are labels, or write it elsewhere"
        )
