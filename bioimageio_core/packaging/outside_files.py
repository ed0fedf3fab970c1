"""Files that a description names outside of its own folder: a copy of the package would give them to others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ..errors import InputError
from ..sources import Package
from ..sources.cache import is_cached
from ..sources.urls import is_url
from .references import FileReference

__all__ = ["check_inside"]

MOST_NAMED = 3


def check_inside(references: Iterable[FileReference], package: Package, *, added: Collection[str] = ()) -> None:
    """Refuse files of this machine that lie outside of the folder of a description, also by a link in it.

    Users do not read all that a description names, and keys, environment variables and letters are files, too.
    A description that a program gives as a mapping has no folder: its files are those that the program names.

    Args:
        references: The files that the description names.
        package: The package of its files.
        added: Sources that the caller itself adds.

    Raises:
        InputError: There are such files.

    """
    outside = [r for r in references if r.source not in added and _lies_outside(r.source, package)]
    if not outside:
        return
    named = ", ".join(f"{r.source!r} ({'.'.join(map(str, r.loc))})" for r in outside[:MOST_NAMED])
    more = f" and {len(outside) - MOST_NAMED} more" if len(outside) > MOST_NAMED else ""
    raise InputError(
        f"{package.name} names files outside of its folder: {named}{more}; expected files in the folder, since a copy would give others "
        "to everyone who gets it: move them into the folder, or allow it with include_outside=True (--include-outside)"
    )


def _lies_outside(source: str, package: Package) -> bool:
    if is_url(source):
        return not is_cached(source)  # a protocol such as file:// leads to this machine
    if package.archive is not None or isinstance(package.content, Mapping):
        return False  # names in zips cannot lead out of them
    if is_url(package.root):  # names at servers cannot either, but other protocols lead to this machine, by links to anywhere
        return not is_cached(package.root)
    return not package.holds(source)
