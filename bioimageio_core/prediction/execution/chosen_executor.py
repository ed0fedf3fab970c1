"""The executor of tasks: threads of this process, or a cluster."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from .executors.base import Executor
from .executors.threads import Threads

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["executor_of"]


def executor_of(client: Client | None, *, wait_for_workers: float | None) -> AbstractContextManager[Executor]:
    """Return what carries out tasks, for a ``with`` block.

    Args:
        client: The client of a cluster; None for threads of this process.
        wait_for_workers: See `RunOptions`.

    """
    if client is None:
        return nullcontext(Threads())
    from .executors.dask_cluster import cluster_of

    return cluster_of(client, wait_for_workers=wait_for_workers)
