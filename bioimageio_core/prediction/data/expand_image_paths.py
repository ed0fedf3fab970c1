"""Expands paths, patterns and folders into paths of images."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from ...io.locations import file_system, local_path
from ...io.reading.image_opening import SUFFIXES
from ...io.reading.zarr_groups import is_zarr_node

__all__ = ["expand_image_paths"]


def expand_image_paths(names: Iterable[str]) -> tuple[str, ...]:
    """Return the images that paths, patterns and folders stand for, each once; a name that matches nothing is returned unchanged.

    Args:
        names: Paths and URLs; patterns with ``*``, ``?``, ``[...]`` or ``**``; folders, for all images in them.

    """
    found: list[str] = []
    for name in names:
        local = local_path(name)
        path = None if local is None else Path(local)
        if path is None:
            found.append(name)
        elif path.is_dir() and path.suffix != ".zarr" and not is_zarr_node(*file_system(name)):
            found.extend(str(p) for p in sorted(path.iterdir()) if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
        elif not path.exists() and glob.has_magic(str(path)):
            found.extend(sorted(glob.glob(str(path), recursive=True)) or [name])  # noqa: PTH207 (Path.glob takes no absolute patterns)
        else:
            found.append(name)
    return tuple(dict.fromkeys(found))
