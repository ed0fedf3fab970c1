"""How much a command tells: ``--quiet``, ``--verbose`` and ``--log FILE``."""

from __future__ import annotations

import logging
import os
import shlex
import sys
from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import IO, Any, TypeVar

import click

from ..errors import OutputError
from ..report.plain_text import printable

__all__ = ["LogFile", "is_quiet", "is_verbose", "log_of", "messages_options"]

F = TypeVar("F", bound=Callable[..., Any])

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


class _Records(logging.Handler):
    """Tells what a logger records."""

    def __init__(self, context: click.Context) -> None:
        super().__init__(logging.DEBUG)
        self._context = context

    def emit(self, record: logging.LogRecord) -> None:
        """Tell a record in one line."""
        from .terminal import tell

        with self._context.scope(cleanup=False):  # threads of a run have none of their own
            tell(f"{record.levelname.lower()}: {record.getMessage()}")


def messages_options(function: F) -> F:
    """Add ``--quiet``, ``--verbose`` and ``--log`` to a command."""
    for option in (
        click.option(
            "--log", metavar="FILE", expose_value=False, callback=_begin_log, help="Append all messages to FILE, with their time."
        ),
        click.option("-v", "--verbose", is_flag=True, expose_value=False, callback=_set_verbose, help="Say more on standard error."),
        click.option("-q", "--quiet", is_flag=True, expose_value=False, callback=_set_quiet, help="Print warnings and errors only."),
    ):
        function = option(function)
    return function


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


def _set_quiet(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    context.meta[QUIET] = value
    if value and context.meta.get(VERBOSE):
        raise click.UsageError("--quiet and --verbose exclude each other")


def _set_verbose(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    context.meta[VERBOSE] = value
    if value and context.meta.get(QUIET):
        raise click.UsageError("--quiet and --verbose exclude each other")
    if value:
        _pass_on(context)


def _begin_log(context: click.Context, _parameter: click.Parameter, path: str | None) -> None:
    if path is None:
        return
    from importlib.metadata import version

    context.meta[LOG] = log = LogFile(path)
    log.write(f"{HEAD}{version('bioimageio-runtime')}: {shlex.join(sys.argv[1:])}")
    context.find_root().call_on_close(log.close)
    _pass_on(context)


def _pass_on(context: click.Context) -> None:
    """Tell what this library's loggers record, until the command ends."""
    if context.meta.get(RECORDS):
        return
    context.meta[RECORDS] = handler = _Records(context)
    logger = logging.getLogger("bioimageio_core")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)

    def undo() -> None:
        logger.removeHandler(handler)
        logger.setLevel(before)

    context.find_root().call_on_close(undo)


def _is_log(path: str) -> bool:
    with open(path, "rb") as file:  # noqa: PTH123
        head = file.readline(200).decode("utf-8", errors="replace")
    return not head or head.partition(" ")[2].startswith(HEAD)
