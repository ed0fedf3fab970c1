"""Places: where files, folders and arrays are stored, however their locations are spelt."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

import attrs

from .errors import OutputError

__all__ = ["Place", "absolute_path", "check_apart", "local_path", "local_target", "nested_places", "place_of"]

LOCAL = "file"
"""The storage of local files and folders."""

STORAGES = {"s3a": "s3", "gcs": "gs", "az": "abfs", "abfss": "abfs"}
"""The storage of protocols that are a second name of another one."""

PORTS = {"http": 80, "https": 443}
"""Ports of web servers that URLs do not have to name."""

_LOCAL_URL = re.compile(r"(?:file|local):(?://(?:localhost(?=/|$))?|(?=/))(.*)", re.DOTALL | re.IGNORECASE)
"""``file:///a``, ``file://localhost/a``, and ``file:/a``, which some programs print."""


@attrs.frozen(kw_only=True)
class Place:
    """Where something is stored: equal for all spellings of a location. It exists or not."""

    storage: str
    """``file``, ``memory``, ``s3``, or another protocol; for web servers with host, port and query."""

    parts: tuple[str, ...]
    """Names of folders, archives and files, from the root of the storage inwards."""

    location: str = attrs.field(eq=False)
    """The location as it was spelt, for messages."""

    def holds(self, other: Place) -> bool:
        """Return whether another place is this place, or within it."""
        if self.storage != other.storage:
            return False
        if other.parts[: len(self.parts)] == self.parts:
            return True
        # A folder has several paths where it is mounted twice, or where the file system ignores case.
        return self.storage == LOCAL and _identities(self.parts, _folder)[-1] in _identities(other.parts, _folder)

    def overlaps(self, other: Place) -> bool:
        """Return whether one of two places holds the other."""
        return self.holds(other) or other.holds(self)


_INTO_FILE = re.compile(r"(?<=[^/.])(\.\w+):(?=/(?!/))")
"""The colon between a file and a path in it, as in ``stack.h5:/raw``."""


def place_of(location: str | os.PathLike[str]) -> Place:
    """Return the place of a path or fsspec URL.

    Local paths may be relative, begin with ``~``, contain ``.``, ``..`` and links, or be URLs (``file://``, ``local://``).
    What lies beneath a cache (``simplecache::s3://...``) is one place with what is cached.
    What lies in an archive (``zip://name::archive.zip``) or a file (``stack.h5:/raw``) is within the place of the archive or file.
    """
    text = os.fsdecode(location)
    if local_path(text) is not None:
        chain = [text]
    else:
        *outer, beneath = text.split("::")
        chain = [beneath, *reversed(outer)]
    storage, parts = _storage_and_parts(chain[0])
    for link in chain[1:]:  # a cache names nothing itself, an archive one of its members
        parts += tuple(name for name in link.partition("://")[2].split("/") if name)
    return Place(storage=storage, parts=parts, location=text)


def _storage_and_parts(location: str) -> tuple[str, tuple[str, ...]]:
    local = local_path(location)
    if local is not None:
        into = _INTO_FILE.search(local)
        named = into is not None and os.path.lexists(local[: into.end()])  # a folder whose name ends with a colon
        return LOCAL, Path(os.path.realpath(local if named else _INTO_FILE.sub(r"\1", local))).parts
    location = _INTO_FILE.sub(r"\1", location)
    protocol, _, rest = location.partition("://")
    protocol = protocol.lower()
    if protocol in PORTS:
        return _of_web_server(protocol, location)
    return STORAGES.get(protocol, protocol), _names(rest)


def _of_web_server(protocol: str, url: str) -> tuple[str, tuple[str, ...]]:
    split = urlsplit(url)
    try:
        port = split.port
    except ValueError:  # no number: the URL cannot be opened
        port = None
    host = (split.hostname or "") + ("" if port in (None, PORTS[protocol]) else f":{port}")
    names: list[str] = []
    for name in _names(split.path):
        if name == "..":
            del names[-1:]
        elif name != ".":
            names.append(unquote(name))
    return f"{protocol}://{host}" + (f"?{split.query}" if split.query else ""), tuple(names)


def _names(path: str) -> tuple[str, ...]:
    """Return the names in a path of an object store or server, where an empty name between two slashes is a name like others."""
    path = path.strip("/")
    return tuple(path.split("/")) if path else ()


_Identity: TypeAlias = tuple[int, int, tuple[str, ...]]
"""What identifies a local place: device and number of the last folder of its path that exists, and the names after that."""


def _identities(parts: tuple[str, ...], folder_of: Callable[[str], tuple[int, int] | None]) -> list[_Identity]:
    """Return the identity of each folder that a local path leads through, and last that of the path itself."""
    found: list[_Identity] = []
    for n, name in enumerate(parts, start=1):
        folder = folder_of(os.path.join(*parts[:n]))  # noqa: PTH118  (Path would join and split the parts again)
        if folder is not None:
            found.append((*folder, ()))
        else:
            device, number, names = found[-1] if found else (0, 0, ())
            found.append((device, number, (*names, name)))
    return found


def _folder(path: str) -> tuple[int, int] | None:
    """Return the device and number of an existing folder; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None


def nested_places(outer: Iterable[Place], inner: Iterable[Place]) -> Iterator[tuple[Place, Place]]:
    """Yield each pair of one of the outer places and one of the inner places that it holds; fast for many places."""
    folder_of = cache(_folder)
    holders: dict[Any, list[Place]] = {}
    for place in outer:
        holders.setdefault(_keys(place, folder_of)[-1], []).append(place)
    for place in inner:
        for key in _keys(place, folder_of):
            for holder in holders.get(key, ()):
                yield holder, place


def _keys(place: Place, folder_of: Callable[[str], tuple[int, int] | None]) -> list[Any]:
    """Return what is equal for equal places: of the root and of each folder that a place lies in, and last that of the place itself."""
    if place.storage == LOCAL:
        return list(_identities(place.parts, folder_of))
    return [(place.storage, place.parts[:n]) for n in range(len(place.parts) + 1)]


def local_path(location: str) -> str | None:
    """Return the path of a local file or folder, None for anything that needs a network or lives in memory."""
    url = _LOCAL_URL.fullmatch(location)
    if url is None and ("://" in location or "::" in location):
        return None
    path = location if url is None else url[1] or "/"
    return os.path.expanduser(path)  # noqa: PTH111  (text in, text out: a trailing slash or a drive stay as they are)


def absolute_path(path: str) -> str:
    """Return a local path as an absolute one without ``.``, ``..`` and empty names.

    Links stay links, apart from those before a ``..``: the system reads ``link/..`` as the folder above the target of the link.
    """
    parts = Path(path).absolute().parts
    if ".." in parts:
        end = len(parts) - parts[::-1].index("..")
        parts = (os.path.realpath(os.path.join(*parts[:end])), *parts[end:])  # noqa: PTH118
    return os.path.join(*parts)  # noqa: PTH118


def local_target(location: str | os.PathLike[str]) -> Path:
    """Return the path of a file or folder that is written to this machine, from a path or a URL such as ``file:///tmp/model``.

    Raises:
        OutputError: The location is on a server or in memory.

    """
    local = local_path(os.fsdecode(location))
    if local is None:
        raise OutputError(
            f"{location} is no local path: expected a file or folder of this machine, since only predictions are written to URLs"
        )
    return Path(local)


def check_apart(
    output: str | os.PathLike[str], sources: Iterable[tuple[str, str | os.PathLike[str] | Place]], *, within: bool = False
) -> None:
    """Refuse to write where something that is read would be overwritten.

    Args:
        output: Path or URL of what is to be written.
        sources: What is read, in words, and its location.
        within: Whether to refuse an output within a source, too.

    Raises:
        OutputError: The output is, or holds, one of the sources.

    """
    target = place_of(output)
    words = {source if isinstance(source, Place) else place_of(source): what for what, source in reversed(list(sources))}
    held = chain(nested_places([target], words), ((target, place) for place, _ in nested_places(words if within else [], [target])))
    for _, place in held:
        raise OutputError(f"output {output} would overwrite {words[place]}, {place.location}: give a different name")
