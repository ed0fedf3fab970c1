"""The client of a dask cluster to predict with."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ....errors import InputError
from ...option_values import check_client

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["chosen_client", "within_task"]

REMEDY = "client=False predicts in threads of this process"


def chosen_client(given: Any) -> Client | None:
    """Return the `distributed.Client` to predict with; None for threads of this process.

    Args:
        given: A client; False for threads; None for the active client, if there is one.
            Within a task of a worker, None stands for threads: the active client is that of the worker, and tasks that wait for tasks
            of their own cluster may wait for each other.

    Raises:
        InputError: It is not a client, or one that is asynchronous or not connected.

    """
    check_client(given)
    if given is False or "distributed" not in sys.modules:
        return None
    from distributed import default_client

    if given is None:
        if within_task():
            return None
        try:
            given = default_client()
        except ValueError:  # no client is active
            return None
    if given.asynchronous:
        raise InputError(f"the client is asynchronous, and predictions wait for it: connect one without asynchronous=True; {REMEDY}")
    if given.status != "running":
        raise InputError(f"the client is not connected to its scheduler (status {given.status!r}): connect a new one; {REMEDY}")
    return given


def within_task() -> bool:
    """Return whether this thread carries out a task of a worker."""
    if "distributed" not in sys.modules:
        return False
    from distributed import get_worker

    try:
        get_worker()
    except ValueError:
        return False
    return True
