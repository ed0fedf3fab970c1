"""Expands paths, patterns and folders into paths of images."""

from __future__ import annotations

import glob
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ...errors import InputError, PredictionWarning
from ...file_kinds import IMAGES, N5, kind_of
from ...io.locations import file_system, local_path
from ...io.reading.chosen_reader import is_readable
from ...io.reading.zarr_groups import is_zarr_node
from ...sources.member_names import is_description
from ...sources.near_paths import asked_for_near

__all__ = ["expand_image_paths"]

SHOWN = 12
"""Number of skipped names that a warning lists."""


def expand_image_paths(names: Iterable[str]) -> tuple[str, ...]:
    """Return the images that paths, patterns and folders stand for, each once.

    Args:
        names: Paths and URLs; patterns with ``*``, ``?``, ``[...]`` or ``**``; folders, for all images in them.

    Raises:
        InputError: A pattern matches nothing.

    In folders, all else is skipped: images of kinds that are not read, folders and other files, with a `PredictionWarning` that names them.

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
            found.extend(_matches(path))
        else:
            found.append(name)
    return tuple(dict.fromkeys(found))


def _matches(pattern: Path) -> list[str]:
    found = sorted(glob.glob(str(pattern), recursive=True))  # noqa: PTH207 (Path.glob takes no absolute patterns)
    if found:
        return found
    folder = next(parent for parent in pattern.parents if not glob.has_magic(str(parent)))
    if not folder.is_dir():
        raise InputError(f"{asked_for_near(folder)}the pattern {str(pattern)!r} matches nothing: there is no folder {folder}")
    endings = Counter(path.suffix.lower() for path in folder.iterdir() if path.is_file())
    files = ", ".join(f"{count} {suffix or 'without ending'}" for suffix, count in endings.most_common(SHOWN))
    folders = sum(path.is_dir() for path in folder.iterdir())
    there = f"{files or 'no files'}{f' and {folders} folders' if folders else ''}"
    suffix = next((suffix for suffix, _ in endings.most_common() if suffix and is_readable(f"x{suffix}")), "")
    remedy = f"give one that matches, as in '{folder / f'*{suffix}'}'" if suffix else "correct the pattern, or name another folder"
    raise InputError(f"the pattern {str(pattern)!r} matches nothing: in the folder {folder} there are {there}; {remedy}")


def _is_in_n5(path: Path) -> bool:
    return any(kind_of(part) == N5 for part in path.parts)


def _images_in(folder: Path) -> list[str]:
    found = sorted((p for p in folder.iterdir() if not p.name.startswith(".")), key=lambda path: path.name)
    read = [path.name for path in found if is_readable(path.name)]
    skipped = "; ".join(_skipped([path for path in found if not is_readable(path.name)], folder))
    if skipped:
        warnings.warn(f"skipped {skipped}", PredictionWarning, stacklevel=3)
    return [str(folder / name) for name in read]


def _skipped(paths: Sequence[Path], folder: Path) -> Iterator[str]:
    """Yield what of a folder is not read: images of other kinds, folders, and other files, apart from those of a model."""
    images = [path.name for path in paths if kind_of(path.name) in IMAGES]
    folders = [path.name for path in paths if path.name not in images and path.is_dir()]
    others = [path.name for path in paths if path.name not in images and path.name not in folders]
    if images:
        kind = "1 image of a kind that is" if len(images) == 1 else f"{len(images)} images of kinds that are"
        yield f"{kind} not read: {_listed(images)}"
    if folders:
        pattern = f"{folder / '*' / '*'}.tif"
        yield f"{len(folders)} folder{'s' * (len(folders) > 1)}: {_listed(folders)} (a pattern such as '{pattern}' takes images in them)"
    if others and not any(map(is_description, others)):
        endings = sorted({Path(name).suffix.lower() or "without ending" for name in others})
        yield f"{len(others)} other file{'s' * (len(others) > 1)}: {_listed(endings)}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
