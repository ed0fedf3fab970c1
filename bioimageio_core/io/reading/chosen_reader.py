"""Which reader opens an image: the suffix of its name decides, and where several readers have it, what they find in the file."""

from __future__ import annotations

from pathlib import Path

from ...errors import MissingRequirementError, SourceError
from ...file_kinds import ending
from ...registry import ImageReaderEntry, Registry, default_registry, missing_requirements, plugin_for_suffix
from ...sources.near_paths import asked_for_near
from ..format_entries import check_requirements, entries_of_name, suffix_of
from ..locations import local_path, stem
from .image_reader import ImageReader

__all__ = ["image_stem", "is_readable", "reader_entry_of", "reader_of"]

FOLDERS = "zarr"
"""Name of the reader of local folders whose names do not tell what they are."""


def reader_of(location: str) -> ImageReader:
    """Return the reader of the image at a path or URL.

    Raises:
        SourceError: There is nothing, or nothing of a known image format.
        MissingRequirementError: A package that the reader needs is not installed, or the plugin that reads this kind of file.

    """
    entry = reader_entry_of(location)
    check_requirements(entry, location, "read")
    if not entry.urls and local_path(location) is None:
        raise SourceError(f"{location} is a URL, but the reader {entry.name!r} reads local files: download it first")
    reader: ImageReader = entry.load()
    return reader


def reader_entry_of(location: str) -> ImageReaderEntry:
    """Return the entry of the reader of a path or URL; see `reader_of`."""
    registry = default_registry()
    found = _readers_of(location, registry)
    if not found:
        return _of_unknown(location, registry)
    _check_exists(location, found)
    if len(found) == 1:
        return found[0]
    usable = [entry for entry in found if not missing_requirements(entry.requires)]
    return next((entry for entry in usable if _recognises(entry, location)), (usable or found)[-1])


def _recognises(entry: ImageReaderEntry, location: str) -> bool:
    try:
        return bool(entry.load().sniff(location))
    except Exception:  # of a plugin, which should raise nothing here: another reader may know the file
        return False


def is_readable(name: str) -> bool:
    """Return whether a reader has the suffix of the name of a file or folder."""
    return bool(_readers_of(name, default_registry()))


def image_stem(location: str) -> str:
    """Return the name of an image without its ending, if a reader has it or it is a known one."""
    name = stem(location)
    suffix = suffix_of(name, [s for e in default_registry().image_readers.values() for s in e.suffixes])
    return name if ending(location) else name[: len(name) - len(suffix)]


def _readers_of(location: str, registry: Registry) -> list[ImageReaderEntry]:
    """Return the readers of the last name in a path that has a suffix of one, for the longest suffix, the most preferred first."""
    if location.startswith("zip://"):
        location = location.partition("::")[2]
    *folders, last = location.partition("?")[0].rstrip("/").split("/")
    entries = list(registry.image_readers.values())
    found = entries_of_name(last, entries)
    while folders and not found:
        found = entries_of_name(folders.pop().removesuffix(":"), [entry for entry in entries if entry.paths_within])
    return found


def _of_unknown(location: str, registry: Registry) -> ImageReaderEntry:
    """Return the reader of a folder whose name tells nothing.

    Raises:
        SourceError: It is no folder.

    """
    local = local_path(location)
    if local is not None and not Path(local).exists():
        raise SourceError(f"{asked_for_near(Path(local))}{location} does not exist")
    if local is not None and Path(local).is_dir() and FOLDERS in registry.image_readers:
        return registry.image_readers[FOLDERS]
    plugin = plugin_for_suffix(location)
    if plugin:
        raise MissingRequirementError(f"{location} is read by a plugin that is not installed: pip install {plugin}")
    endings = ", ".join(sorted({suffix for entry in registry.image_readers.values() for suffix in entry.suffixes}))
    raise SourceError(f"{location} is not of a known image format: expected a name that ends in {endings}")


def _check_exists(location: str, found: list[ImageReaderEntry]) -> None:
    """Refuse a local path where there is nothing; one that leads into a file exists where the file does."""
    local = local_path(location)
    if local is None or Path(local).exists():
        return
    into_a_file = any(entry.paths_within for entry in found) and any(p.is_file() for p in Path(local.replace(":/", "/")).parents)
    if not into_a_file:
        raise SourceError(f"{asked_for_near(Path(local))}{location} does not exist")
