"""Calls of a client to its scheduler: none of them waits long without a word.

This module imports `distributed`, so it is imported only if there is a client.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from logging import getLogger
from threading import Thread
from typing import Any

from distributed import Client

from ....errors import ModelRunError
from ....text import in_brief

__all__ = ["RESUME", "Wait", "ask_scheduler", "lost_scheduler", "wait_for_answer"]

_LOG = getLogger(__name__)

REPORT_AFTER, REPORT_EVERY = 30.0, 60.0
"""Seconds of a wait until its first report, and between reports."""

RESUME = "finished tasks of an output on disk are kept: continue with resume=True (--resume)"
"""The remedy for runs that end because of their cluster."""


def lost_scheduler(reason: BaseException | str) -> ModelRunError:
    """Return the error for a scheduler that ended or started again, or that cannot be reached."""
    return ModelRunError(
        f"the scheduler of the cluster ended, or its connection is lost ({in_brief(reason)}), and with it the tasks that it held, "
        f"even if it started again; {RESUME}, connected to a running scheduler"
    )


class Wait:
    """A wait of a run for its cluster, reported half a minute after it began, and then every minute."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._next_report = self._begin + REPORT_AFTER

    @property
    def seconds(self) -> float:
        """Seconds since the wait began."""
        return time.monotonic() - self._begin

    def report(self, message: str) -> None:
        """Log a message if a report is due; ``{seconds}`` in it stands for the length of the wait."""
        now = time.monotonic()
        if now >= self._next_report:
            self._next_report = now + REPORT_EVERY
            _LOG.warning("%s", message.format(seconds=f"{self.seconds:.0f} seconds"))


def ask_scheduler(client: Client, question: Callable[[], Any]) -> Any:
    """Return the answer of the scheduler to a call of the client.

    Raises:
        ModelRunError: The scheduler is gone.

    """
    if client.status != "running":
        raise lost_scheduler(f"the client is {client.status}")
    try:
        return wait_for_answer(question)
    except (OSError, AttributeError, RuntimeError) as error:  # a client that closes meanwhile loses its scheduler, then its event loop
        raise lost_scheduler(error) from error


def wait_for_answer(question: Callable[[], Any]) -> Any:
    """Return the result of a call of a client; report if it takes long, as when a process of the cluster is stopped.

    Raises:
        Exception: The call raised it.

    """
    answer: Future[Any] = Future()
    Thread(target=_answer, args=(question, answer), daemon=True).start()  # it waits without limit, and ends with the process
    wait = Wait()
    while True:
        try:
            return answer.result(timeout=1.0)
        except TimeoutError:
            if answer.done():
                raise
        wait.report("no answer from the cluster for {seconds}: the run waits for its scheduler and workers")


def _answer(question: Callable[[], Any], answer: Future[Any]) -> None:
    try:
        answer.set_result(question())
    except BaseException as error:  # raised again where the answer is awaited
        answer.set_exception(error)
