"""Clients of dask clusters: worker processes on this machine, configured for predictions, or an existing scheduler."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

from ....errors import MissingRequirementError, SourceError
from ....python_process import SAFE_PATH
from ....resources import large_pages

__all__ = ["connect", "worker_processes"]

SETTINGS = {
    # With the setting of dask, every large array takes fresh pages from the system, which has to zero them.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
    # dask looks for a worker a while after it died, and gives it up for good if it is missing then, which it is also
    # while it starts again: on a busy machine after its first death, and anywhere after a second one in this while.
    "distributed.deploy.lost-worker-timeout": "1000 days",
    # Polling tasks, clocks, memory and disks a hundred times a second takes 2 to 5 % of a core in each process.
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "2s",
}

LEAKS = "ignore:resource_tracker:UserWarning"
"""Filter for warnings of Python that a worker that was killed left semaphores behind: Python prints them when the command has ended."""

SCHEDULER = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
"""Options of the scheduler: no dashboard, and any free port for metrics, since several predictions may run on one machine."""


@contextmanager
def worker_processes(count: int) -> Iterator[Any]:
    """Start worker processes with one thread each on this machine; stop them at the end of the ``with`` block.

    Args:
        count: Number of processes.

    Yields:
        A `distributed.Client` to predict with (``client=``); it does not become the active client.

    Raises:
        MissingRequirementError: `distributed` or `cryptography` is not installed.

    """
    distributed = _distributed()
    import dask

    spawning = {f"distributed.nanny.pre-spawn-environ.{name}": value for name, value in {**large_pages(), **SAFE_PATH}.items()}
    environment = dict(os.environ)
    with ExitStack() as stack:
        stack.enter_context(dask.config.set({**SETTINGS, **spawning}))
        stack.enter_context(_quiet_logs(logging.ERROR, "distributed.client", "distributed.nanny"))
        stack.enter_context(_quiet_logs(logging.WARNING, "distributed.nanny.memory"))  # these say why a worker died
        stack.enter_context(_quiet_logs(logging.CRITICAL, "distributed.scheduler"))  # it reports results that died with a worker as errors
        os.environ |= SAFE_PATH  # also for the first processes, which dask starts before it sets the environment of its workers
        os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (os.environ.get("PYTHONWARNINGS"), LEAKS)))
        try:
            cluster = stack.enter_context(_closed_cluster(distributed, count))
            client = stack.enter_context(distributed.Client(cluster, set_as_default=False))
        finally:
            _restore(environment)
        client.register_worker_callbacks(setup=_leave_failures_to_the_client)
        yield client
        if client.status == "running":
            client.run(_end_quietly, on_error="ignore")  # a worker may die meanwhile


def _closed_cluster(distributed: Any, count: int) -> Any:
    """Return a cluster of this machine that is closed to its other users: a client of a worker can run code as its user.

    Scheduler, workers and client know each other by certificates that live as long as the cluster, in memory alone.
    """
    try:
        security = distributed.Security.temporary()
    except ImportError:
        raise MissingRequirementError(
            "worker processes need cryptography, with which they are closed to other users of the machine: "
            "pip install 'bioimageio-runtime[distributed]'"
        ) from None
    return distributed.LocalCluster(n_workers=count, threads_per_worker=1, scheduler_kwargs=SCHEDULER, security=security)


def _restore(environment: Mapping[str, str]) -> None:
    """Restore the environment of this process, in which dask set variables for its workers, such as the number of threads."""
    for name in [n for n, value in os.environ.items() if environment.get(n) != value]:
        if name in environment:
            os.environ[name] = environment[name]
        else:
            del os.environ[name]


def _leave_failures_to_the_client() -> None:
    """Silence the log of failed tasks in a worker: their errors are raised where the run was started, in one line."""
    logging.getLogger("distributed.worker").setLevel(logging.CRITICAL)


def _end_quietly() -> None:
    """Silence the log of a worker: during shutdown, workers report at length that the scheduler is unreachable."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)


@contextmanager
def connect(scheduler: str) -> Iterator[Any]:
    """Yield a client of a scheduler, such as ``tcp://host:8786``.

    Raises:
        MissingRequirementError: `distributed` is not installed.
        SourceError: The scheduler cannot be reached.

    """
    distributed = _distributed()
    try:
        client = distributed.Client(scheduler, timeout="20s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise SourceError(f"cannot connect to a scheduler at {scheduler}: {error}") from None
    try:
        with _quiet_logs(logging.ERROR, "distributed.client"):
            yield client
    finally:
        with nullcontext() if client.status == "running" else _quiet_logs(logging.CRITICAL, "distributed", "distributed.client"):
            client.close()


@contextmanager
def _quiet_logs(least: int, *names: str) -> Iterator[None]:
    """Silence logs of dask below a level: what the run makes of it is in its result, or in its one sentence.

    A client warns of results that died with a worker, and are computed again, a nanny of workers that died or take seconds to end.
    A client that lost its scheduler reports tracebacks as errors when it is closed.
    """
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(least)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise MissingRequirementError("predicting on workers needs distributed: pip install 'bioimageio-runtime[distributed]'") from None
    return distributed
