"""Reading and writing of zarr arrays in the calling thread.

zarr runs an event loop in a thread of its own, which passes each chunk to further threads to be coded and moved.
This is good for many chunks that one thread needs, and for remote stores. But for small chunks the change of threads takes longer than
the work, a single chunk leaves nothing to do at the same time, and where many threads read and write they queue for the one loop.

`InlineZarrIO` runs the coroutines of zarr's asynchronous arrays on a loop in the calling thread, which zarr does not document.
So it does this with releases of zarr that it is tested with (`known_internals`), and uses the public interface of all others.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..resources import allotted_cores

if TYPE_CHECKING:
    import zarr

__all__ = ["InlineZarrIO", "known_internals"]

SMALL = 2**18
"""Bytes of a chunk up to which further threads cost more than they gain: about what is coded while a task changes threads twice."""


def known_internals() -> bool:
    """Return whether the installed zarr is of a series whose internals are used here."""
    import zarr

    return str(zarr.__version__).startswith("3.")


class InlineZarrIO:
    """Reads and writes local arrays in the calling thread where that is faster, else with zarr's own threads."""

    __slots__ = ("__weakref__", "_busy", "_cores", "_idle")

    def __init__(self) -> None:
        self._idle: list[asyncio.AbstractEventLoop] = []
        self._busy: list[None] = []
        self._cores = allotted_cores()
        weakref.finalize(self, _close, self._idle)

    def __reduce__(self) -> tuple[Any, ...]:
        return InlineZarrIO, ()  # each process has its own

    def read(self, array: zarr.Array[Any], index: tuple[slice, ...]) -> NDArray[Any]:
        """Return ``array[index]``."""
        with self._counted():
            return np.asarray(self._run(array.async_array.getitem(index)) if self._pays(array, index) else array[index])

    def write(self, array: zarr.Array[Any], index: tuple[slice, ...], block: NDArray[Any]) -> None:
        """Write ``array[index] = block``."""
        with self._counted():
            if self._pays(array, index):
                self._run(array.async_array.setitem(index, block))
            else:
                array[index] = block

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._busy.append(None)  # lists do this in one step for all threads
        try:
            yield
        finally:
            self._busy.pop()

    def _pays(self, array: zarr.Array[Any], index: tuple[slice, ...]) -> bool:
        """Return whether chunks are small, or there is a single one, or enough threads are at work to use all cores."""
        from zarr.storage import LocalStore

        if array.shards is not None or not isinstance(array.store, LocalStore) or not known_internals():
            return False
        small = prod(array.chunks) * array.dtype.itemsize <= SMALL
        spans = [s.indices(n)[:2] for s, n in zip(index, array.shape, strict=True)]
        single = all(start // c == (stop - 1) // c for (start, stop), c in zip(spans, array.chunks, strict=True))
        if not (small or single or 2 * len(self._busy) >= self._cores):
            return False
        try:
            asyncio.get_running_loop()  # as in a notebook: a thread runs one loop at a time
        except RuntimeError:
            return True
        return False

    def _run(self, coroutine: Any) -> Any:
        try:
            loop = self._idle.pop()  # not checked before: another thread may take the last one in between
        except IndexError:
            loop = _new_loop()
        try:
            return loop.run_until_complete(coroutine)
        except BaseException:
            _end_tasks(loop)
            raise
        finally:
            self._idle.append(loop)


class _Inline(ThreadPoolExecutor):
    """Runs functions at once in the calling thread; event loops accept only a `ThreadPoolExecutor`."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def _new_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_default_executor(_Inline(1))
    return loop


def _end_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """End the tasks of other chunks, which a failure leaves: nothing would run them, and Python would report each when it ends."""
    tasks = asyncio.all_tasks(loop)
    if tasks:
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.wait(tasks))


def _close(loops: list[asyncio.AbstractEventLoop]) -> None:
    for loop in loops:
        loop.close()
