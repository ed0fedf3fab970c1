"""Expands files, folders, zips, URLs and patterns to the descriptions that they stand for."""

from __future__ import annotations

import glob
import os
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from .member_names import is_description
from .package_opening import ZIP_MAGICS
from .urls import is_url

__all__ = ["find_sources"]


def find_sources(names: Iterable[str]) -> tuple[str, ...]:
    """Return sources that `open_package` opens, each once, in the given order; names that do not exist are returned as they are.

    A folder that holds a description stands for it.
    Other folders stand for all descriptions and packages below them, except in hidden folders.
    A pattern (``*``, ``?``, ``[...]``, ``**`` for any depth) stands for what it matches;
    with ``**`` at its end, for the descriptions and packages there.
    """
    return tuple(dict.fromkeys(source for name in names for source in _found(name)))


def _found(name: str) -> Iterator[str]:
    path = Path(name).expanduser()
    if is_url(name):
        yield name
    elif path.is_dir():
        yield from _in_folder(path)
    elif path.exists() or not glob.has_magic(name):
        yield name
    else:
        yield from _matches(name)


def _matches(pattern: str) -> Iterator[str]:
    wanted = str(Path(pattern).expanduser())
    everything = Path(wanted).name == "**"
    found = sorted(glob.glob(str(Path(wanted).parent) if everything else wanted, recursive=True))  # noqa: PTH207 (absolute patterns, too)
    sources = [source for match in found for source in (_below(Path(match)) if everything else _match(Path(match)))]
    yield from sources or [pattern]


def _match(path: Path) -> Iterator[str]:
    yield from _in_folder(path) if path.is_dir() else [str(path)]


def _in_folder(folder: Path) -> Iterator[str]:
    try:
        holds_description = any(is_description(p.name) and p.is_file() for p in folder.iterdir())
    except OSError:  # reported when it is opened
        holds_description = True
    if holds_description:
        yield str(folder)
    else:
        yield from list(_below(folder)) or [str(folder)]


def _below(folder: Path) -> Iterator[str]:
    """Yield the descriptions and packages below a folder; links to folders are not followed."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(root) / name
            if is_description(name) or (name.lower().endswith(".zip") and _may_be_package(path)):
                yield str(path)


def _may_be_package(path: Path) -> bool:
    """Return whether a zip holds a description; True where it cannot be read."""
    try:
        with path.open("rb") as file:
            if file.read(len(ZIP_MAGICS[0])) not in ZIP_MAGICS:
                return False
        with zipfile.ZipFile(path) as opened:
            return any(is_description(name) for name in opened.namelist() if "/" not in name)
    except Exception:  # reported when it is opened
        return True
