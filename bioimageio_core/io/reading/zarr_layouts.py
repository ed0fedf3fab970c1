"""Zarr groups that hold several images: plates and wells, series of bioformats2raw, labels.

They are described by the attributes of the group: under the key ``ome`` in zarr version 3, at the top in version 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ...errors import SourceError
from ...text import in_brief

__all__ = ["PlateField", "check_version", "is_bioformats2raw", "labels_of_group", "ome_attributes", "paths_of_well", "wells_of_plate"]

NEWEST = (0, 5)
"""The newest version of OME-Zarr that is read."""


@attrs.frozen(kw_only=True)
class PlateField:
    """One field of view of a plate."""

    row: str
    column: str
    field: str
    path: str
    """Path of its image within the plate; of its well if that cannot be read."""

    error: SourceError | None = None
    """Why its well cannot be read."""


def ome_attributes(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the attributes of a group that OME-Zarr defines."""
    ome = attributes.get("ome")
    return ome if isinstance(ome, Mapping) else attributes


def check_version(ome: Mapping[str, Any], location: str) -> None:
    """Refuse groups of a version that is not known.

    Args:
        ome: The attributes of the group that OME-Zarr defines.
        location: Path or URL of the group, for messages.

    Raises:
        SourceError: The version is newer than 0.5, or the group has coordinate systems, which came later.

    """
    entries = [ome, *_mappings(ome.get("multiscales")), *(e for e in (ome.get("plate"), ome.get("well")) if isinstance(e, Mapping))]
    versions = [str(entry["version"]) for entry in entries if "version" in entry]
    newer = [text for text in versions if _numbers(text) > NEWEST]
    if newer or any("coordinateSystems" in entry for entry in entries):
        found = f"version {newer[0]}" if newer else "a version with coordinateSystems"
        raise SourceError(
            f"{location} is OME-Zarr of {found}, which is not read: expected 0.1 to 0.5; convert the image, or name an array in it"
        )


def _numbers(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version, as in ``0.6.dev3``; of none where it is no version."""
    parts = version.split(".")[:2]
    return tuple(map(int, parts)) if all(p.isdigit() for p in parts) else ()


def is_bioformats2raw(ome: Mapping[str, Any]) -> bool:
    """Return whether a group holds the series of a file that bioformats2raw converted, numbered, beside a group ``OME``."""
    return "bioformats2raw.layout" in ome


def wells_of_plate(ome: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the paths of the wells of a plate, as in ``B/03``; none where the group is no plate."""
    plate = ome.get("plate")
    return _paths(plate.get("wells")) if isinstance(plate, Mapping) else ()


def paths_of_well(ome: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the paths of the fields of a well; none where the group is no well."""
    well = ome.get("well")
    return _paths(well.get("images")) if isinstance(well, Mapping) else ()


def labels_of_group(ome: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the paths of the images in a group of labels; none where the group is another one."""
    labels = ome.get("labels")
    return tuple(str(name) for name in labels) if isinstance(labels, list) else ()


def _paths(entries: Any) -> tuple[str, ...]:
    if entries is None:
        return ()
    found = _mappings(entries)
    if not isinstance(entries, Sequence) or len(found) < len(entries) or any("path" not in entry for entry in found):
        raise SourceError(f"a plate or well lists {in_brief(repr(entries))}: expected a list of entries with a path")
    return tuple(str(entry["path"]).strip("/") for entry in found)


def _mappings(entries: Any) -> list[Mapping[str, Any]]:
    found = entries if isinstance(entries, Sequence) and not isinstance(entries, str) else ()
    return [entry for entry in found if isinstance(entry, Mapping)]
