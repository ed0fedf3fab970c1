"""How much this call of ``bmz`` tells, and its log."""

from __future__ import annotations

import os
from datetime import datetime
from threading import Lock
from typing import IO, Any

import click

from ..errors import OutputError
from ..report.plain_text import printable

__all__ = ["HEAD", "LOG", "QUIET", "RECORDS", "VERBOSE", "LogFile", "is_quiet", "is_verbose", "log_of"]

QUIET, VERBOSE, LOG, RECORDS = (f"{__name__}.{name}" for name in ("quiet", "verbose", "log", "records"))
"""Keys of what click keeps for one call of ``bmz``."""

HEAD = "bmz "
"""What the first line of a log has after its time; a file that begins otherwise is no log, and stays as it is."""


class LogFile:
    """A file to which lines are appended, each with its time."""

    def __init__(self, path: str) -> None:
        """Open a log.

        Args:
            path: The file; lines are appended to an earlier log.

        Raises:
            OutputError: It holds something else, or cannot be written.

        """
        self._lock = Lock()
        try:
            is_log = not os.path.exists(path) or _is_log(path)  # noqa: PTH110  (text as the user wrote it)
            self._file: IO[str] = open(path, "a" if is_log else "r", encoding="utf-8")  # noqa: SIM115, PTH123  (open for the whole command)
        except OSError as error:
            raise OutputError(f"the log {path} cannot be written: {error.strerror or error}") from None
        if not is_log:
            self._file.close()
            raise OutputError(f"{path} exists and is not a log: give --log another name")

    def write(self, text: str) -> None:
        """Append the lines of a text."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        with self._lock:
            if not self._file.closed:
                self._file.writelines(f"{now} {line}\n" for line in printable(text).split("\n"))
                self._file.flush()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()


def is_quiet() -> bool:
    """Return whether this call of ``bmz`` prints nothing but warnings and errors."""
    return bool(_kept(QUIET))


def is_verbose() -> bool:
    """Return whether this call of ``bmz`` says more than results."""
    return bool(_kept(VERBOSE))


def log_of(context: click.Context | None = None) -> LogFile | None:
    """Return the log of this call of ``bmz``; None without ``--log``."""
    log: LogFile | None = _kept(LOG, context)
    return log


def _kept(key: str, context: click.Context | None = None) -> Any:
    context = context or click.get_current_context(silent=True)
    return None if context is None else context.meta.get(key)


def _is_log(path: str) -> bool:
    with open(path, "rb") as file:  # noqa: PTH123
        head = file.readline(200).decode("utf-8", errors="replace")
    return not head or head.partition(" ")[2].startswith(HEAD)
