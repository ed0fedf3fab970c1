"""Dependencies that a model lists in a file of its own, for conda or pip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
from packaging.requirements import InvalidRequirement, Requirement

from ..errors import SourceError, YamlError
from ..sources import Package
from ..spec.files import FileDescr
from ..spec.yaml import load_yaml
from ..text import in_one_line

__all__ = ["Dependencies", "own_dependencies"]


@attrs.frozen(kw_only=True)
class Dependencies:
    """Requirements in the notation of conda and of pip."""

    source: str = ""
    """The file; empty where the model names none."""

    channels: tuple[str, ...] = ()
    conda: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    """Lines for pip that are no requirements of packages by name: options such as ``--index-url``, and URLs."""


def own_dependencies(entry: Any, package: Package) -> Dependencies:
    """Return the dependencies in the file that a weights entry names.

    Args:
        entry: The weights entry; format 0.4 writes ``manager:file``, format 0.5 names a conda file.
        package: The package of the file.

    Raises:
        SourceError: The file is missing, or is not of the kind that the entry names.

    """
    dependencies = getattr(entry, "dependencies", None)
    if dependencies is None:
        return Dependencies()
    if isinstance(dependencies, FileDescr):
        manager, source, sha256 = "conda", str(dependencies.source), dependencies.sha256
    else:
        manager, _, source = str(dependencies).strip().partition(":")
        sha256 = None
    path = package.local(source, sha256=sha256)
    if manager == "pip":
        pip, left_out = _apart(_lines(path))
        return Dependencies(source=source, pip=pip, left_out=left_out)
    if manager == "conda":
        return _conda(path, source)
    raise SourceError(f"the dependencies {dependencies!r} are for {manager!r}: expected conda:FILE or pip:FILE")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path.name} cannot be read as a file of dependencies: {error}") from None


def _lines(path: Path) -> tuple[str, ...]:
    lines = (line.partition(" #")[0].strip() for line in _text(path).splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def _conda(path: Path, source: str) -> Dependencies:
    try:
        tree = load_yaml(_text(path).encode(), source=path.name)
    except YamlError as error:
        raise SourceError(f"{path.name} is not a conda environment file: {error}") from None
    entries = tree.get("dependencies") if isinstance(tree, Mapping) else None
    if not isinstance(entries, list | tuple):
        raise SourceError(f"{path.name} is not a conda environment file: expected a list under the key 'dependencies'")
    given = tree.get("channels")
    channels = tuple(map(str, given)) if isinstance(given, list | tuple) else ()
    elsewhere = [channel for channel in channels if _leads_elsewhere(channel)]
    lines = [in_one_line(str(line)) for entry in entries if isinstance(entry, Mapping) for line in entry.get("pip") or ()]
    pip, left_out = _apart(lines)
    names = [in_one_line(str(entry)) for entry in entries if not isinstance(entry, Mapping)]
    return Dependencies(
        source=source,
        channels=tuple(channel for channel in channels if channel not in elsewhere),
        conda=tuple(
            name
            for name in names
            if name.split("=")[0].split("<")[0].split(">")[0].strip() not in ("python", "pip") and not _leads_elsewhere(name)
        ),
        pip=pip,
        left_out=(*left_out, *elsewhere, *filter(_leads_elsewhere, names)),
    )


def _leads_elsewhere(text: str) -> bool:
    """Return whether a channel or package of conda is an address, a path or an option, and no name."""
    return "/" in text.partition("::")[2] or "://" in text or text.startswith((".", "/", "~")) or " -" in f" {text}"


def _apart(lines: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the lines that require a package by its name, and all others: pip would fetch from wherever these say."""
    named, others = [], []
    for line in lines:
        try:
            others.append(line) if Requirement(line).url else named.append(line)
        except InvalidRequirement:
            others.append(line)
    return tuple(named), tuple(others)
