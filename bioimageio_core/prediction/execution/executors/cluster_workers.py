"""The workers of a cluster: how many there are, on which machines, with how much memory.

This module imports `distributed`, so it is imported only if there is a client.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import attrs
from distributed import Client, LocalCluster

from .absent_workers import wait_for_first_worker
from .scheduler_calls import ask_scheduler

__all__ = ["WorkerMachines", "ranks_on_hosts", "worker_machines"]

MEMORY_SHARE = 0.7
"""Part of the memory limit of workers that predictions use; dask lets workers pause at 0.8 of it, and ends them at 0.95."""


@attrs.frozen(kw_only=True)
class WorkerMachines:
    """What the workers of a cluster can use on one machine, as far as blocks depend on it."""

    threads: int
    """Greatest number of worker threads on one machine, which share its memory."""

    processes: int
    """Greatest number of workers on one machine."""

    memory: int | None
    """Bytes that predictions may use on each machine, by the memory limits of its workers; None without limits."""

    own: bool
    """Whether they are processes of a `LocalCluster`, so that their machine is this one."""

    def budget(self, here: int) -> int:
        """Return the memory budget in bytes, where the option `memory` gives none.

        Args:
            here: The budget on this machine without a cluster.

        """
        if self.memory is None:
            return here
        return min(here, self.memory) if self.own else self.memory


def worker_machines(client: Client, wait_for_workers: float | None) -> WorkerMachines:
    """Return what the present workers can use; wait for the first one.

    Raises:
        ModelRunError: No worker joined in time, or the scheduler is gone.

    """
    by_host: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for address, worker in wait_for_first_worker(client, wait_for_workers).items():
        by_host[_host(address)].append(worker)
    limits = [sum(w["memory_limit"] or 0 for w in workers) for workers in by_host.values() if all(w["memory_limit"] for w in workers)]
    return WorkerMachines(
        threads=max((sum(w["nthreads"] for w in workers) for workers in by_host.values()), default=1),
        processes=max((len(workers) for workers in by_host.values()), default=1),
        memory=int(min(limits) * MEMORY_SHARE) if limits else None,
        own=isinstance(client.cluster, LocalCluster),
    )


def ranks_on_hosts(client: Client) -> dict[str, int]:
    """Return the rank of each worker among the workers of its machine, by address."""
    ranks: dict[str, int] = {}
    by_host: dict[str, int] = {}
    for address in sorted(ask_scheduler(client, client.nthreads)):
        host = _host(address)
        ranks[address] = by_host.get(host, 0)
        by_host[host] = ranks[address] + 1
    return ranks


def _host(address: str) -> str:
    return address.rpartition(":")[0]
