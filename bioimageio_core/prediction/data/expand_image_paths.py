"""Expands paths, patterns and folders into paths of images."""

from __future__ import annotations

import glob
import warnings
from collections.abc import Iterable
from pathlib import Path

from ...errors import PredictionWarning
from ...file_kinds import IMAGES, N5, kind_of
from ...io.locations import file_system, local_path
from ...io.reading.chosen_reader import is_readable
from ...io.reading.zarr_groups import is_zarr_node

__all__ = ["expand_image_paths"]

SHOWN = 12
"""Number of skipped images that a warning lists."""


def expand_image_paths(names: Iterable[str]) -> tuple[str, ...]:
    """Return the images that paths, patterns and folders stand for, each once; a name that matches nothing is returned unchanged.

    Args:
        names: Paths and URLs; patterns with ``*``, ``?``, ``[...]`` or ``**``; folders, for all images in them.

    Images of kinds that are not read are skipped in folders, with an `PredictionWarning` that names them.

    """
    found: list[str] = []
    for name in names:
        local = local_path(name)
        path = None if local is None else Path(local)
        if path is None:
            found.append(name)
        elif path.is_dir() and path.suffix != ".zarr" and not _is_in_n5(path) and not is_zarr_node(*file_system(name)):
            found.extend(_images_in(path))
        elif not path.exists() and glob.has_magic(str(path)):
            found.extend(sorted(glob.glob(str(path), recursive=True)) or [name])  # noqa: PTH207 (Path.glob takes no absolute patterns)
        else:
            found.append(name)
    return tuple(dict.fromkeys(found))


def _is_in_n5(path: Path) -> bool:
    return any(kind_of(part) == N5 for part in path.parts)


def _images_in(folder: Path) -> list[str]:
    names = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
    read = [name for name in names if is_readable(name)]
    skipped = [name for name in names if name not in read and kind_of(name) in IMAGES]
    if skipped:
        kind = "1 image of a kind that is" if len(skipped) == 1 else f"{len(skipped)} images of kinds that are"
        listed = ", ".join(skipped[:SHOWN]) + (", ..." if len(skipped) > SHOWN else "")
        warnings.warn(f"skipped {kind} not read: {listed}", PredictionWarning, stacklevel=3)
    return [str(folder / name) for name in read]
