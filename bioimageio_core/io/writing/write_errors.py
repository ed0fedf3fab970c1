"""What failed writes are called."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from ...errors import BioimageioError, OutputError
from ...places import local_path
from ...text import in_brief

__all__ = ["CompletedElsewhere", "check_no_dangling_link", "output_error", "writing"]


class CompletedElsewhere(Exception):
    """The output is no longer that of this run, or no longer incomplete: another process completed it, or began it again."""


REMEDIES = {
    errno.ENOSPC: ("the disk or quota is full", "free some space"),
    errno.EDQUOT: ("the disk or quota is full", "free some space"),
    errno.EROFS: ("its file system is read-only", "mount it for writing"),
    errno.EACCES: ("permission denied", "allow this user to write there"),
    errno.EPERM: ("permission denied", "allow this user to write there"),
}
"""What some errors of file systems mean, and what to do before a run is continued, by number."""

WRONG_PLACES = {
    errno.ENOENT: "its folder is gone, or nothing can be made there",
    errno.ENOTDIR: "a part of its path is a file",
    errno.ELOOP: "its path leads through links in a circle",
    errno.ENAMETOOLONG: "its name is too long",
}
"""What errors mean after which only another place helps, by number."""


def check_no_dangling_link(location: str) -> None:
    """Refuse an output whose name is that of a link to nothing: a result in place of the link is not what the link is for.

    Raises:
        OutputError: It is.

    """
    local = local_path(location)
    if local is not None and Path(local).is_symlink() and not Path(local).exists():
        raise OutputError(
            f"{location} is a link to {Path(local).readlink()}, which does not exist: make what it leads to, remove the link, "
            "or give another name"
        )


def output_error(what: str, error: Exception) -> OutputError:
    """Return the error of a failed write."""
    number = error.errno if isinstance(error, OSError) else None
    if number in REMEDIES:
        reason, remedy = REMEDIES[number]
        return OutputError(f"{what} cannot be written: {reason}; {remedy}, then continue with resume=True (--resume)")
    if number in WRONG_PLACES:
        return OutputError(f"{what} cannot be written: {WRONG_PLACES[number]}; give another path")
    reason = getattr(error, "strerror", None) or in_brief(error, named=not isinstance(error, OSError))
    return OutputError(f"{what} cannot be written: {reason}; what is done is kept: continue with resume=True (--resume)")


@contextlib.contextmanager
def writing(place: str) -> Iterator[None]:
    """Raise OutputError for what the file system refuses; remote ones raise errors of their own kinds."""
    try:
        yield
    except (BioimageioError, CompletedElsewhere):
        raise
    except Exception as error:
        raise output_error(place, error) from error
