"""Temporary folders that are made at their first use."""

from __future__ import annotations

import tempfile
from pathlib import Path
from threading import Lock
from typing import Any

from ..errors import SourceError

__all__ = ["Scratch"]


class Scratch:
    """A temporary folder that is made at its first use, and removed by `remove` or at the end of the process.

    A pickled copy makes a folder of its own.
    """

    def __init__(self) -> None:
        self._made: tempfile.TemporaryDirectory[str] | None = None
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return Scratch, ()

    def folder(self) -> Path:
        """Return the folder.

        Raises:
            SourceError: It cannot be made.

        """
        with self._lock:
            if self._made is None:
                try:
                    self._made = tempfile.TemporaryDirectory(prefix="bmz-", ignore_cleanup_errors=True)
                except OSError as error:
                    raise SourceError(
                        f"no temporary folder can be made: {error}; the environment variable TMPDIR names another place"
                    ) from None
            return Path(self._made.name)

    def remove(self) -> None:
        """Remove the folder; does nothing where there is none."""
        with self._lock:
            if self._made is not None:
                self._made.cleanup()
                self._made = None
