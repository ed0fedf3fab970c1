"""Time limits for servers and networks, and calls of native code that are given up, since nothing can stop them."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any
from weakref import finalize

from .errors import ModelRunError, SourceError

__all__ = ["TimeLimitedCalls", "calls_were_given_up", "time_limit"]

VARIABLE = "BMZ_TIMEOUT"
GIVEN_UP = "bioimageio_core given up"
"""Name of threads whose call no caller waits for."""

INTERVAL = 0.02
"""Seconds between looks at what a call does besides taking time."""


def time_limit() -> float | None:
    """Return the number of seconds that the environment variable BMZ_TIMEOUT gives a server or a network to answer; None without it.

    Raises:
        SourceError: The variable is not a number of seconds above 0.

    """
    written = os.environ.get(VARIABLE, "").strip()
    if not written:
        return None
    try:
        seconds = float(written)
    except ValueError:
        seconds = 0
    if not 0 < seconds < math.inf:
        raise SourceError(f"the environment variable {VARIABLE} is {written!r}: expected a number of seconds above 0, such as 60")
    return seconds


class TimeLimitedCalls:
    """Calls functions, each within a number of seconds.

    Native code cannot be stopped: a call that takes longer runs on, on a thread that ends with the process.
    Each calling thread has a thread of its own for its calls, since frameworks keep state by thread.

    Args:
        seconds: The limit; None: the calling thread calls itself.
        what: What is called; begins the error.

    """

    def __init__(self, seconds: float | None, what: str) -> None:
        self.seconds, self._what = seconds, what
        self._own = threading.local()

    def __call__(self, function: Callable[..., Any], *arguments: Any, check: Callable[[], None] | None = None) -> Any:
        """Return what a function returns.

        Args:
            function: The function.
            *arguments: Its arguments.
            check: Called many times a second while the function runs, if there is a limit; what it raises gives up the call, too.

        Raises:
            ModelRunError: It takes longer than the limit.

        """
        if self.seconds is None:
            return function(*arguments)
        helper = getattr(self._own, "helper", None) or _Helper()
        self._own.helper = None
        try:
            succeeded, result = helper.call(function, arguments, self.seconds, check)
        except Empty:
            helper.give_up()
            raise ModelRunError(
                f"{self._what} gave no answer within {self.seconds:g} s: it may run forever, or need more time, {VARIABLE}= (--timeout)"
            ) from None
        except ModelRunError:
            helper.give_up()
            raise
        self._own.helper = helper
        if not succeeded:
            raise result
        return result


class _Helper:
    """A thread that calls functions for another one."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Any] = SimpleQueue()
        self._answers: SimpleQueue[tuple[bool, Any]] = SimpleQueue()
        self._thread = threading.Thread(target=_answer, args=(self._calls, self._answers), daemon=True)
        self._thread.start()
        finalize(self, self._calls.put, None)

    def call(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], seconds: float, check: Callable[[], None] | None
    ) -> tuple[bool, Any]:
        """Return whether a call succeeded, with its result or its exception; `queue.Empty` is raised after the time."""
        end = time.monotonic() + seconds
        self._calls.put((function, arguments))
        while check is not None and time.monotonic() + INTERVAL < end:
            with suppress(Empty):
                return self._answers.get(timeout=INTERVAL)
            check()
        return self._answers.get(timeout=max(0.0, end - time.monotonic()))

    def give_up(self) -> None:
        """Mark the thread as one that no caller waits for."""
        self._thread.name = GIVEN_UP


def _answer(calls: SimpleQueue[Any], answers: SimpleQueue[tuple[bool, Any]]) -> None:
    while (call := calls.get()) is not None:
        function, arguments = call
        try:
            answers.put((True, function(*arguments)))
        except BaseException as error:  # raised by the thread that waits
            answers.put((False, error))
        del call, function, arguments  # arrays, which the next call may be long in coming to replace


def calls_were_given_up() -> bool:
    """Return whether native code still runs that no caller waits for: a process cannot end in the usual way then."""
    return any(thread.name == GIVEN_UP and thread.is_alive() for thread in threading.enumerate())
