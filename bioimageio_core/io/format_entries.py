"""Which entries of image formats fit a name, for readers and writers alike: the longest ending decides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from ..errors import MissingRequirementError
from ..registry import ImageReaderEntry, ImageWriterEntry, missing_requirements

__all__ = ["check_requirements", "entries_of_name", "suffix_of"]

Entry = TypeVar("Entry", ImageReaderEntry, ImageWriterEntry)


def suffix_of(name: str, suffixes: Iterable[str]) -> str:
    """Return the longest of some endings that a name has; empty where it has none, or nothing before it."""
    fitting = (suffix for suffix in suffixes if name.lower().endswith(suffix) and len(name) > len(suffix))
    return max(fitting, key=len, default="")


def entries_of_name(name: str, entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries that have the longest ending that a name has, the most preferred first."""
    by_suffix: dict[str, list[Entry]] = {}
    for entry in entries:
        suffix = suffix_of(name, entry.suffixes)
        if suffix:
            by_suffix.setdefault(suffix, []).append(entry)
    longest = by_suffix[max(by_suffix, key=len)] if by_suffix else []
    return sorted(longest, key=lambda entry: (-entry.preference, entry.name))


def check_requirements(entry: ImageReaderEntry | ImageWriterEntry, what: str, done: str) -> None:
    """Refuse an entry whose packages are not installed.

    Args:
        entry: A reader or writer.
        what: The image or output, for the message.
        done: What is to be done with it, as in ``read``.

    Raises:
        MissingRequirementError: A package is not installed.

    """
    missing = missing_requirements(entry.requires)
    if missing:
        remedy = f": pip install {entry.install}" if entry.install else ""
        raise MissingRequirementError(f"{what} needs {', '.join(missing)} to be {done}{remedy}")
