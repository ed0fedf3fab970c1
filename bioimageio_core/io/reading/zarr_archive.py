"""Zarr images in zip archives, as ``.ozx`` of OME-Zarr and ``.zarr.zip``."""

from __future__ import annotations

import attrs

from ...errors import SourceError
from ...file_kinds import FILE_KINDS, ZARR_ARCHIVE
from ..locations import file_system, join, opening_errors, stem, within_archive
from .image import Image
from .scenes import SceneChoice
from .zarr_groups import is_zarr_node
from .zarr_image import open_zarr

__all__ = ["ARCHIVES", "open_archive", "root_of_archive"]

ARCHIVES = tuple(ending for ending, kind in FILE_KINDS.items() if kind == ZARR_ARCHIVE)
"""Endings of names of archives."""


def open_archive(location: str, level: int | None, wanted: SceneChoice) -> Image:
    """Open the image at a path into an archive, local or on a server, of which only what is read is transferred.

    Args:
        location: Path or URL of an archive, which may lead to a part of it, as in ``image.ozx/labels/nuclei``
            (``zip://labels/nuclei::image.ozx`` for fsspec).
        level: Resolution, 0 (the finest) where None.
        wanted: Number or name of the image in a group of several; None for the only one.

    Raises:
        SourceError: There is no such archive or image.

    """
    root = root_of_archive(location)
    image = open_zarr(root, level, wanted)
    path, _, archive = (image.location or root).partition("::")
    name = image.name
    if name.startswith(stem(root)):  # an archive of a single folder is named by its file
        name = stem(location) + name.removeprefix(stem(root))
    return attrs.evolve(image, name=name, location=archive, part=path.removeprefix("zip://"))


def root_of_archive(location: str) -> str:
    """Return the URL of a path into an archive; of one that holds a single folder, as many programs make them, of this folder.

    Raises:
        SourceError: The archive does not exist or is no zip file.

    """
    inside = location if location.startswith("zip://") else within_archive(location, ARCHIVES)
    assert inside is not None, "only paths into archives are opened here"
    with opening_errors(location, "a zip archive"):
        files, path = file_system(inside)
        if path or is_zarr_node(files, path):
            return inside
        names = [str(name).rstrip("/") for name in files.ls("", detail=False)]
    folders = [name for name in names if is_zarr_node(files, name)]
    if len(folders) != 1:
        raise SourceError(f"{location} is an archive without zarr metadata at its root: expected a zipped zarr folder")
    return join(inside, folders[0])
