"""Jobs in worker processes: how they are sent, and how a worker holds them.

This module imports `distributed`, so it is imported only if there is a client.
"""

from __future__ import annotations

import pickle
import sys
import time
from collections.abc import Sequence
from io import BytesIO
from threading import Lock
from typing import Any

import cloudpickle
import numpy as np
from distributed import Future, WorkerPlugin, get_worker

from ....errors import BioimageioError, InputError, ModelRunError
from ....io import Image
from ....io.reading.chunk_cache import ChunkCache
from ....io.reading.hdf5 import reopening
from ....text import in_brief
from .base import Job, Work

__all__ = ["WorkerJob", "WorkerObjects", "carry_out", "check_sendable"]

PLUGIN_WAIT = 10.0
"""Seconds that a task waits for the job of its worker: a worker that has just joined may take tasks before it has all plugins."""


class WorkerObjects(WorkerPlugin):  # type: ignore[misc]  # distributed has no types
    """Keeps objects that jobs share in a worker process: caches of chunks, and open files."""

    def __init__(self) -> None:
        self.by_id: dict[int, Any] = {}
        """Objects by their `id` in the process that pickles jobs, where they live as long as the run."""


class _Packer(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
    """Pickles a job; replaces shared objects by their identity, and by what recreates them in a process that lacks them."""

    def persistent_id(self, value: object) -> Any:
        if isinstance(value, ChunkCache):
            return (id(value), *value.__reduce__())
        if isinstance(value, Future):
            raise InputError(
                "a dask array is the result of persist() on a cluster, which tasks of workers cannot read: "
                "give the array before persist(), or save it with to_zarr() and give the path; client=False reads it in this process"
            )
        if "h5py" in sys.modules and isinstance(value, sys.modules["h5py"].Dataset):
            return (id(value), *reopening(value))
        return None


class _Unpacker(pickle.Unpickler):
    """Unpickles a job with the shared objects of the worker."""

    def __init__(self, packed: bytes, shared: dict[int, Any]) -> None:
        super().__init__(BytesIO(packed))
        self._shared = shared

    def persistent_load(self, recipe: Any) -> Any:
        key, make, state = recipe
        if key not in self._shared:
            self._shared[key] = make(*state)
        return self._shared[key]


def _packed(value: object, name: str) -> bytes:
    file = BytesIO()
    try:
        _Packer(file).dump(value)
    except BioimageioError:
        raise
    except Exception as error:  # whatever pickling raises
        raise InputError(
            f"{name} cannot be sent to the workers of the cluster ({in_brief(error)}): "
            "save it as zarr and give the path, or predict in threads of this process (client=False)"
        ) from error
    return file.getvalue()


def check_sendable(image: Image) -> None:
    """Check that an image can be sent to other processes.

    Raises:
        InputError: It is an array that cannot be pickled, or one that is persisted on a cluster.

    """
    if not isinstance(getattr(image.reader, "array", None), np.ndarray):
        _packed(image.reader, image.name)


class WorkerJob(WorkerPlugin):  # type: ignore[misc]
    """Holds an open job in a worker process, from its first task to its end.

    Args:
        job: The job.
        objects: Name of the plugin with the objects that jobs share.

    Raises:
        InputError: The job cannot be pickled.

    """

    def __init__(self, job: Job, objects: str) -> None:
        self._packed, self._objects = _packed(job, "an input"), objects
        self._job: Job | None = None
        self._work: Work | None = None
        self.ready = False
        """Whether `setup` is complete: dask lists the plugin before."""

    def setup(self, worker: Any) -> None:
        """Unpickle the job."""
        objects = worker.plugins.get(self._objects) or WorkerObjects()  # a job whose run shares no objects has its own
        try:
            self._job = _Unpacker(self._packed, objects.by_id).load()
        except Exception as error:  # whatever unpickling raises; raised again by the first task, since dask drops errors of setup
            self._unpickling_error = error
        self._opening = Lock()  # created here, since a lock cannot be pickled
        self._worker: str = worker.address
        self.ready = True

    def teardown(self, worker: Any) -> None:
        """Free the resources of the job, such as its network."""
        if self._work is not None:
            self._work.close()

    def carry_out(self, task: int) -> Any:
        """Carry out a task, and return its result.

        Raises:
            ModelRunError: The job cannot be unpickled.

        """
        if self._job is None:
            raise ModelRunError(
                f"worker {self._worker} cannot load the job ({self._unpickling_error}): install the same packages there as here"
            )
        with self._opening:
            if self._work is None:
                self._work = self._job.open(self._worker)
        return self._work(task)

    def sync(self) -> None:
        """Wait until what the tasks wrote is on the disk, and they are marked: the driver relies on it once they return."""
        if self._job is not None and self._job.marker is not None:
            self._job.marker.sync()


def carry_out(name: str, tasks: Sequence[int]) -> tuple[list[tuple[int, Any]], float]:
    """Return results of tasks of a job, and their total time in seconds; runs on a worker.

    Args:
        name: Name of the plugin that holds the job.
        tasks: Numbers of the tasks.

    """
    worker = get_worker()
    give_up = time.monotonic() + PLUGIN_WAIT
    while (job := worker.plugins.get(name)) is None or not job.ready:
        if job is None and time.monotonic() > give_up:
            raise ModelRunError(f"worker {worker.address} did not receive the job: continue with resume=True (--resume)")
        time.sleep(0.1)
    begin = time.perf_counter()
    results = [(task, job.carry_out(task)) for task in tasks]
    job.sync()
    return results, time.perf_counter() - begin
