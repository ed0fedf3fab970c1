"""Flat, unique names for the files of a package."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from ..errors import InvalidDescriptionError
from ..sources.member_names import path_or_name
from .references import FileReference

__all__ = ["choose_names"]


def choose_names(files: Iterable[tuple[FileReference, Path]], *, reserved: str) -> dict[Path, str]:
    """Return a name for each file, in the order of the files: its own, or ``name_2.ext`` where another file has that name.

    Names that differ only in case count as equal, as on some file systems. A file that keeps its place has a path as its name.

    Args:
        files: References and the paths of their files.
        reserved: A name that no file may get.

    Raises:
        InvalidDescriptionError: Two files must keep the same name.

    """
    pairs = list(files)
    names: dict[Path, str] = {}
    taken = {reserved.casefold()}
    for reference, path in pairs:
        if (reference.keeps_name or reference.keeps_place) and path not in names:
            name = _own_place(reference.source) if reference.keeps_place else _own_name(reference.source)
            if name.casefold() in taken:
                raise InvalidDescriptionError(f"two files are called {name!r}, and neither can be renamed: rename one in the weights")
            names[path] = name
            taken.add(name.casefold())
    ordered: dict[Path, str] = {}
    for reference, path in pairs:
        if path not in ordered:
            ordered[path] = names.get(path) or _free_name(_own_name(reference.source), taken)
            taken.add(ordered[path].casefold())
    return ordered


def _own_place(source: str) -> str:
    """Return the path of a file within the package; its name if it comes from elsewhere."""
    return _own_name(source) if "://" in source else path_or_name(source) or "file"


def _own_name(source: str) -> str:
    if "://" in source:
        source = re.split(r"[?#]", source, maxsplit=1)[0].removesuffix("/content")
    return re.split(r"[/\\]", source)[-1] or "file"


def _free_name(name: str, taken: set[str]) -> str:
    stem, dot, suffixes = name.partition(".")
    if not stem:  # a hidden file
        stem, dot, suffixes = name, "", ""
    number, free = 1, name
    while free.casefold() in taken:
        number += 1
        free = f"{stem}_{number}{dot}{suffixes}"
    return free
