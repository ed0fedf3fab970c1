"""Registers plugins of workers, although workers die meanwhile.

This module imports `distributed`, so it is imported only if there is a client.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from uuid import uuid4

from distributed import Client, WorkerPlugin

from ....errors import ModelRunError
from ....text import in_brief
from .scheduler_calls import RESUME, lost_scheduler, wait_for_answer

__all__ = ["worker_plugin"]

REGISTERING, PAUSE = 30.0, 0.5
"""Seconds for attempts to register a plugin after the first one failed, and between attempts."""

UNREGISTERING = 10.0
"""Seconds for unregistering a plugin; a worker that does not answer keeps it until it ends."""


@contextmanager
def worker_plugin(client: Client, plugin: WorkerPlugin) -> Iterator[str]:
    """Register a worker plugin within a ``with`` block, with present and future workers; yield its name, which is unique.

    Raises:
        ModelRunError: The workers lack this package or do not answer, or the scheduler is gone.

    """
    name = f"bioimageio_core-{uuid4().hex}"
    _register(client, plugin, name)
    try:
        yield name
    finally:
        _unregister(client, name)


def _register(client: Client, plugin: WorkerPlugin, name: str) -> None:
    """Register a plugin; again if a worker dies meanwhile, since dask then ends the call, and other workers may lack the plugin."""
    give_up: float | None = None
    while True:
        try:
            wait_for_answer(partial(client.register_plugin, plugin, name=name))
        except ImportError as error:
            raise ModelRunError(f"a worker cannot load this package ({error}): install the same packages there as here") from error
        except OSError as error:
            if client.status != "running":
                raise lost_scheduler(error) from error
            give_up = give_up or time.monotonic() + REGISTERING
            if time.monotonic() > give_up:
                raise ModelRunError(f"a job cannot be sent to the workers of the cluster ({in_brief(error)}); {RESUME}") from error
        else:
            return
        time.sleep(PAUSE)


def _unregister(client: Client, name: str) -> None:
    """Unregister a plugin from the workers that answer."""
    if client.status == "running":
        with suppress(Exception):  # whatever a dying worker or scheduler raises: the results do not depend on it
            client.sync(client.unregister_worker_plugin, name, callback_timeout=UNREGISTERING)
