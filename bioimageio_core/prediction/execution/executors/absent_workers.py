"""Waits for the workers of a cluster while there are none, or while one of them does not answer.

This module imports `distributed`, so it is imported only if there is a client.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import partial
from inspect import signature
from math import inf
from typing import Any

from distributed import Client, Future, LocalCluster

from ....errors import ModelRunError
from .scheduler_calls import RESUME, Wait, ask_scheduler

__all__ = ["Absence", "SilentWorkers", "known_workers", "wait_for_first_worker"]

LOCAL_PATIENCE = 60.0
"""Seconds until a run ends without workers of a `LocalCluster`: they start within seconds, or not at all. Jobs may queue for hours."""

POLL = 0.5
"""Seconds between looks at the number of workers."""


class Absence:
    """Reports how long a cluster has been without workers, and ends the run when that is too long.

    Args:
        client: The client.
        seconds: The option `wait_for_workers`.

    """

    def __init__(self, client: Client, seconds: float | None) -> None:
        self._client = client
        if seconds is None:
            seconds = LOCAL_PATIENCE if isinstance(client.cluster, LocalCluster) else inf
        self._patience = seconds
        self._wait: Wait | None = None
        self._demand: Future | None = None
        """A task that waits: clusters that adapt to their load start workers for tasks only."""

    def check(self, workers: int) -> None:
        """Take the present number of workers.

        Raises:
            ModelRunError: There have been no workers for longer than the run waits.

        """
        if workers:
            self._wait = self._demand = None
            return
        if self._wait is None:
            self._wait, self._demand = Wait(), self._client.submit(os.getpid, pure=False)
        if self._wait.seconds >= self._patience:
            raise ModelRunError(
                f"the cluster has been without workers for {self._wait.seconds:.0f} seconds: start workers, "
                f"or give wait_for_workers= (--wait-for-workers) in seconds to wait longer; {RESUME}"
            )
        until = "until one joins" if self._patience == inf else f"up to {self._patience:.0f} seconds"
        self._wait.report(
            f"the cluster has been without workers for {{seconds}}: the run waits for workers {until}"
            "; wait_for_workers= (--wait-for-workers) sets another limit"
        )


def wait_for_first_worker(client: Client, seconds: float | None) -> Mapping[str, Mapping[str, Any]]:
    """Wait until a cluster has a worker; return what the scheduler knows of its workers, by address.

    Args:
        client: The client.
        seconds: The option `wait_for_workers`.

    Raises:
        ModelRunError: No worker joined in this time, or the scheduler is gone.

    """
    absence = Absence(client, seconds)
    while not (workers := known_workers(client)):
        absence.check(len(workers))
        time.sleep(POLL)
    return workers


def known_workers(client: Client) -> Mapping[str, Mapping[str, Any]]:
    """Return what the scheduler knows of its workers, by address."""
    takes_number = "n_workers" in signature(client.scheduler_info).parameters  # releases that have it may name five workers by default
    question = partial(client.scheduler_info, n_workers=-1) if takes_number else client.scheduler_info
    workers: Mapping[str, Mapping[str, Any]] = ask_scheduler(client, question)["workers"]
    return workers


class SilentWorkers:
    """Reports workers whose heartbeats cease, as those of processes that are stopped or machines that are cut off.

    The scheduler removes them after some minutes, and others compute their tasks.
    """

    def __init__(self) -> None:
        self._waits: dict[str, tuple[float, Wait]] = {}
        """Time of the last heartbeat, by the clock of the scheduler, and since when it is known, by address."""

    def check(self, workers: Mapping[str, Mapping[str, Any]]) -> None:
        """Take what the scheduler knows of its workers, by address."""
        known = self._waits
        self._waits = {}
        for address, worker in workers.items():
            seen = worker["last_seen"]
            before = known.get(address)
            wait = before[1] if before is not None and before[0] == seen else Wait()
            self._waits[address] = (seen, wait)
            wait.report(
                f"no answer from worker {address} for {{seconds}}: the run waits for its tasks, "
                "which other workers compute once the scheduler gives it up (distributed.scheduler.worker-ttl)"
            )
