"""Which folders of an N5 container are images: datasets, groups of levels, setups of BigDataViewer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from ...errors import SourceError

__all__ = ["LEVEL", "SETUP", "N5Node", "attributes_at", "images_in", "is_dataset"]

FILE = "attributes.json"

LEVEL = re.compile(r"s(\d+)")
TIMEPOINT = re.compile(r"timepoint(\d+)")
SETUP = re.compile(r"setup(\d+)")

MOST_FOLDERS = 100_000
"""Number of folders that are looked at in search of images."""

DEEPEST = 16
"""Number of groups within groups."""


@attrs.frozen(kw_only=True)
class N5Node:
    """An image in a container."""

    path: str
    """Path in the container; empty for its root."""

    levels: tuple[str, ...]
    """Paths of the datasets of its levels below each of `timepoints`, the finest first."""

    timepoints: tuple[str, ...]
    """Paths of its timepoints; only its own path where it has none."""


def attributes_at(root: str, path: str) -> Mapping[str, Any]:
    """Return the attributes of a folder in a container; none where it has none.

    Raises:
        SourceError: They are no JSON object.

    """
    file = Path(root) / path / FILE
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise SourceError(f"{file} is damaged: expected JSON, {error}") from error
    if not isinstance(found, dict):
        raise SourceError(f"{file} holds {type(found).__name__}: expected a JSON object")
    return found


def is_dataset(root: str, path: str) -> bool:
    """Return whether a folder is a dataset.

    Raises:
        SourceError: It describes one wrongly.

    """
    found = attributes_at(root, path)
    if "dimensions" not in found or "dataType" not in found:
        return False
    sizes = [found["dimensions"], found.get("blockSize")]
    if not all(isinstance(one, list) and one and all(isinstance(n, int) and n >= 0 for n in one) for one in sizes):
        raise SourceError(f"{Path(root) / path / FILE} is damaged: expected sizes as dimensions and blockSize, found {sizes}")
    if len(sizes[0]) != len(sizes[1]):
        raise SourceError(f"{Path(root) / path / FILE} is damaged: expected as many sizes in blockSize as dimensions, found {sizes}")
    return True


def images_in(root: str, path: str) -> tuple[N5Node, ...]:
    """Return the images at a path in a container, sorted by their paths as numbers and texts: the one there, or those below it.

    Raises:
        SourceError: There is nothing at this path, or more folders than are searched.

    """
    if not (Path(root) / path).is_dir():
        raise SourceError(f"{root} holds nothing at {path or 'its root'}")
    found: list[N5Node] = []
    pending = [(path, 0)]
    seen = 0
    while pending:
        at, depth = pending.pop()
        seen += 1
        if seen > MOST_FOLDERS:
            raise SourceError(f"{root} holds more than {MOST_FOLDERS:,} folders: give the path of an image in it, as in {root}/raw/s0")
        node = _image_at(root, at)
        if node is not None:
            found.append(node)
        elif depth < DEEPEST:
            pending += [(f"{at}/{name}".strip("/"), depth + 1) for name in _folders(root, at)]
    return tuple(sorted(found, key=lambda node: _in_order(node.path)))


def _image_at(root: str, path: str) -> N5Node | None:
    if is_dataset(root, path):
        return N5Node(path=path, levels=("",), timepoints=(path,))
    names = _folders(root, path)
    if SETUP.fullmatch(path.rpartition("/")[2]):
        times = [f"{path}/{name}" for name in sorted(names, key=_in_order) if TIMEPOINT.fullmatch(name)]
        levels = _levels(root, times[0]) if times else ()
        if levels:
            return N5Node(path=path, levels=levels, timepoints=tuple(times))
    levels = _levels(root, path)
    return N5Node(path=path, levels=levels, timepoints=(path,)) if levels else None


def _levels(root: str, path: str) -> tuple[str, ...]:
    """Return the names of datasets that are levels, counted from 0 without a gap."""
    names = set(_folders(root, path))
    levels: list[str] = []
    while (name := f"s{len(levels)}") in names and is_dataset(root, f"{path}/{name}".strip("/")):
        levels.append(name)
    return tuple(levels)


def _folders(root: str, path: str) -> list[str]:
    """Return the names of folders; links are not followed, since they may lead in circles."""
    return [entry.name for entry in (Path(root) / path).iterdir() if entry.is_dir() and not entry.is_symlink() and entry.name[:1] != "."]


def _in_order(path: str) -> list[tuple[int, str]]:
    """Return what sorts ``setup2`` before ``setup10``."""
    return [(int(digits or 0), text) for text, digits in re.findall(r"(\D*)(\d*)", path)]
