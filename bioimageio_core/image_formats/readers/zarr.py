"""Reads zarr arrays and groups, OME-Zarr images, plates and labels, also in zip archives."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ...io import Image, Scene, SceneChoice
from ...io.locations import file_system, within_archive
from ...io.reading.zarr_archive import ARCHIVES, open_archive, root_of_archive
from ...io.reading.zarr_groups import is_zarr_node
from ...io.reading.zarr_image import open_zarr
from ...io.reading.zarr_scenes import scenes_of_zarr

__all__ = ["ZarrArchiveReader", "ZarrImageReader"]


@attrs.frozen
class ZarrImageReader:
    """Reads zarr folders."""

    def sniff(self, location: str) -> bool:
        """Return whether a folder has the metadata of a zarr array or group."""
        try:
            return is_zarr_node(*file_system(location))
        except Exception:  # of a server that does not answer, which an error says when it is opened
            return False

    def scenes(self, location: str) -> Sequence[Scene]:
        """Return the images in a group: fields of a plate or well, series of bioformats2raw, or images beside each other."""
        return scenes_of_zarr(location.rstrip("/"), location)

    def open(self, location: str, scene: SceneChoice, level: int | None) -> Image:
        """Open an array, or an image of a group."""
        return open_zarr(location, level, scene)


@attrs.frozen
class ZarrArchiveReader:
    """Reads zip archives of a zarr folder."""

    def sniff(self, location: str) -> bool:
        """Return whether a zip file holds a zarr folder."""
        try:
            return bool(root_of_archive(location)) if _is_archive(location) else is_zarr_node(*file_system(location))
        except Exception:  # of another file, or of a server that does not answer, which an error says when it is opened
            return False

    def scenes(self, location: str) -> Sequence[Scene]:
        """Return the images in the group at the root of the archive, or at a path into it."""
        return scenes_of_zarr(root_of_archive(location) if _is_archive(location) else location, location)

    def open(self, location: str, scene: SceneChoice, level: int | None) -> Image:
        """Open an array, or an image of a group."""
        return open_archive(location, level, scene) if _is_archive(location) else open_zarr(location, level, scene)


def _is_archive(location: str) -> bool:
    """Return whether a location leads into an archive, and not into a folder that is named like one."""
    return location.startswith("zip://") or within_archive(location, ARCHIVES) is not None
