"""The options ``--quiet``, ``--verbose`` and ``--log FILE``."""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from .terminal import tell
from .verbosity import HEAD, LOG, QUIET, RECORDS, VERBOSE, LogFile

__all__ = ["verbosity_options"]

F = TypeVar("F", bound=Callable[..., Any])


class _Records(logging.Handler):
    """Tells what a logger records."""

    def __init__(self, context: click.Context) -> None:
        super().__init__(logging.DEBUG)
        self._context = context

    def emit(self, record: logging.LogRecord) -> None:
        """Tell a record in one line."""
        with self._context.scope(cleanup=False):  # threads of a run have none of their own
            tell(f"{record.levelname.lower()}: {record.getMessage()}")


def verbosity_options(function: F) -> F:
    """Add ``--quiet``, ``--verbose`` and ``--log`` to a command."""
    for option in (
        click.option(
            "--log",
            type=click.Path(),
            metavar="FILE",
            expose_value=False,
            callback=_begin_log,
            help="Append all messages to FILE, with their time.",
        ),
        click.option("-v", "--verbose", is_flag=True, expose_value=False, callback=_set_verbose, help="Say more on standard error."),
        click.option("-q", "--quiet", is_flag=True, expose_value=False, callback=_set_quiet, help="Print warnings and errors only."),
    ):
        function = option(function)
    return function


def _set_quiet(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    _set_one(context, QUIET, value)


def _set_verbose(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    _set_one(context, VERBOSE, value)
    if value:
        _pass_on(context)


def _set_one(context: click.Context, key: str, value: bool) -> None:
    context.meta[key] = value
    if context.meta.get(QUIET) and context.meta.get(VERBOSE):
        raise click.UsageError("--quiet and --verbose exclude each other")


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
