"""Damaged TIFF files: one sentence in place of the log lines and errors of tifffile."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ...errors import SourceError

__all__ = ["damage_in_one_sentence"]


@contextmanager
def damage_in_one_sentence(location: str) -> Iterator[None]:
    """Turn what tifffile raises for damaged files into a SourceError, which stands for what it logs, too.

    What it logs of files that can be opened is logged afterwards.

    Args:
        location: Path or URL of the file.

    """
    held = _Held()
    logger = logging.getLogger("tifffile")
    logger.addFilter(held)
    try:
        yield
    except Exception as error:
        reason = _reason(error)
        if reason is None:
            raise
        raise SourceError(f"{location} cannot be read as TIFF: {reason}") from error
    else:
        logger.removeFilter(held)
        for record in held.records:
            logger.handle(record)
    finally:
        logger.removeFilter(held)


class _Held(logging.Filter):
    """Keeps the records of this thread; those of other threads, which open other files, pass."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self._thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is logged now."""
        if record.thread != self._thread:
            return True
        self.records.append(record)
        return False


def _reason(error: Exception) -> str | None:
    """Return what is wrong with a file; None for errors that do not say so."""
    if type(error).__name__ == "TiffFileError":
        if "not a TIFF file" in str(error):
            return "it does not begin as such files do; correct its name, or fetch it again"
        return "its structure is damaged; fetch it again, or restore it from a backup"
    if isinstance(error, ValueError) and "mmap" in str(error):
        return "it ends before its pixels do; fetch it again, or restore it from a backup"
    return None
