"""What failed writes are called."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from ...errors import BioimageioError, OutputError
from ...text import in_brief

__all__ = ["CompletedElsewhere", "output_error", "writing"]


class CompletedElsewhere(Exception):
    """The output is no longer that of this run, or no longer incomplete: another process completed it, or began it again."""


REMEDIES = {
    errno.ENOSPC: ("the disk or quota is full", "free some space"),
    errno.EDQUOT: ("the disk or quota is full", "free some space"),
    errno.EROFS: ("its file system is read-only", "mount it for writing"),
    errno.EACCES: ("permission denied", "allow this user to write there"),
    errno.EPERM: ("permission denied", "allow this user to write there"),
}
"""What some errors of file systems mean, and what to do, by number."""


def output_error(what: str, error: Exception) -> OutputError:
    """Return the error of a failed write."""
    number = error.errno if isinstance(error, OSError) else None
    if number in REMEDIES:
        reason, remedy = REMEDIES[number]
        return OutputError(f"{what} cannot be written: {reason}; {remedy}, then continue with resume=True (--resume)")
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
