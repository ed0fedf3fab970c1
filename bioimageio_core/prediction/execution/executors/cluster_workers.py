"""The workers of a cluster: how many there are, on which machines, and since when none is there.

This module imports `distributed`, so it is imported only if there is a client.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from logging import getLogger
from typing import Any

from distributed import Client

from ....errors import ModelRunError
from ....text import in_brief

__all__ = ["RESUME", "Absence", "ask_scheduler", "lost_scheduler", "processes_of_fullest_host", "ranks_on_hosts", "threads_of_fullest_host"]

_LOG = getLogger(__name__)

REPORT_AFTER, REPORT_EVERY = 30.0, 60.0
"""Seconds without workers until the first report, and between reports."""

GIVE_UP_AFTER = 600.0
"""Seconds without workers until a run ends."""

RESUME = "finished tasks of an output on disk are kept: continue with resume=True (--resume)"
"""The remedy for runs that end because of their cluster."""


def lost_scheduler(reason: BaseException | str) -> ModelRunError:
    """Return the error for a scheduler that does not answer."""
    return ModelRunError(f"the connection to the scheduler of the cluster is lost ({in_brief(reason)}); {RESUME}")


def ask_scheduler(client: Client, question: Callable[[], Any]) -> Any:
    """Return the answer of the scheduler to a call of the client.

    Raises:
        ModelRunError: The scheduler does not answer.

    """
    if client.status != "running":
        raise lost_scheduler(f"the client is {client.status}")
    try:
        return question()
    except (OSError, AttributeError, RuntimeError) as error:  # a client that closes meanwhile loses its scheduler, then its event loop
        raise lost_scheduler(error) from error


class Absence:
    """Reports how long a cluster has been without workers, and ends the run when that is too long."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._next_report = 0.0

    def check(self, workers: int) -> None:
        """Take the present number of workers.

        Raises:
            ModelRunError: There has been no worker for `GIVE_UP_AFTER` seconds.

        """
        now = time.monotonic()
        if workers:
            self._since = None
            return
        if self._since is None:
            self._since, self._next_report = now, now + REPORT_AFTER
        absent = now - self._since
        if absent >= GIVE_UP_AFTER:
            raise ModelRunError(f"the cluster has been without workers for {absent:.0f} seconds: start workers; {RESUME}")
        if now >= self._next_report:
            self._next_report = now + REPORT_EVERY
            _LOG.warning(
                "the cluster has been without workers for %.0f seconds: the run waits for workers until %.0f seconds", absent, GIVE_UP_AFTER
            )


def ranks_on_hosts(client: Client) -> dict[str, int]:
    """Return the rank of each worker among the workers of its machine, by address."""
    ranks: dict[str, int] = {}
    by_host: dict[str, int] = {}
    for address in sorted(ask_scheduler(client, client.nthreads)):
        host = address.rpartition(":")[0]
        ranks[address] = by_host.get(host, 0)
        by_host[host] = ranks[address] + 1
    return ranks


def processes_of_fullest_host(client: Client) -> int:
    """Return the greatest number of workers on one machine."""
    return max((rank + 1 for rank in ranks_on_hosts(client).values()), default=1)


def threads_of_fullest_host(client: Client) -> int:
    """Return the greatest number of worker threads on one machine, which share its memory."""
    by_host: dict[str, int] = {}
    for address, threads in ask_scheduler(client, client.nthreads).items():
        host = address.rpartition(":")[0]
        by_host[host] = by_host.get(host, 0) + threads
    return max(by_host.values(), default=1)
