"""Workers that a prediction runs on: processes on this machine, set up for it, or those of a scheduler."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ....errors import MissingRequirementError, SourceError
from ....resources import large_pages

__all__ = ["connect", "worker_processes"]

SETTINGS = {
    # What dask sets makes every large array ask the system for fresh pages, which it has to zero.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
    # Looking at tasks, clocks, memory and disks a hundred times a second takes some per cent of a core in each process.
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "2s",
}

SCHEDULER = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
"""Its port for metrics is any that is free: several predictions may run on a machine."""


@contextmanager
def worker_processes(count: int) -> Iterator[Any]:
    """Start worker processes of one thread each on this machine, and end them with the ``with`` block.

    Args:
        count: Their number.

    Yields:
        A `distributed.Client`, to predict with (``client=``); it is not the active one.

    Raises:
        MissingRequirementError: `distributed` is not installed.

    """
    distributed = _distributed()
    import dask

    environment = dict(os.environ)
    with (
        dask.config.set(SETTINGS),
        dask.config.set({f"distributed.nanny.pre-spawn-environ.{name}": value for name, value in large_pages().items()}),
        distributed.LocalCluster(n_workers=count, threads_per_worker=1, scheduler_kwargs=SCHEDULER) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        _restore(environment)
        yield client
        if client.status == "running":
            client.run(_end_quietly)


def _restore(environment: Mapping[str, str]) -> None:
    """Take back what dask set in this process for its workers, and what all that starts later would get, such as one thread."""
    for name in [n for n, value in os.environ.items() if environment.get(n) != value]:
        if name in environment:
            os.environ[name] = environment[name]
        else:
            del os.environ[name]


def _end_quietly() -> None:
    """Let a worker be silent from now on: as all end, some tell at length that they reach the scheduler no more."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)


@contextmanager
def connect(scheduler: str) -> Iterator[Any]:
    """Yield a client of a scheduler, such as ``tcp://host:8786``.

    Raises:
        MissingRequirementError: `distributed` is not installed.
        SourceError: There is no scheduler.

    """
    distributed = _distributed()
    try:
        client = distributed.Client(scheduler, timeout="20s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise SourceError(f"there is no scheduler at {scheduler}: {error}") from None
    with client:
        yield client


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise MissingRequirementError("predicting on workers needs distributed: pip install 'bioimageio-runtime[distributed]'") from None
    return distributed
