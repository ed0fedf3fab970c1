"""Writing many small chunks from the thread that has them.

zarr runs on an event loop in a thread of its own, which hands each chunk to further threads to be encoded and written.
For chunks of some kilobytes that takes longer than the work, and all threads of a process queue for the one loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from math import prod
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:
    import zarr

__all__ = ["pays", "set_in_thread"]

SMALL = 2**18
"""Bytes of a chunk up to which other threads cost more than they do: about what is compressed while a task changes threads twice."""


class _InThisThread(ThreadPoolExecutor):
    """Runs what it is given at once; event loops take nothing but a `ThreadPoolExecutor`."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def pays(array: zarr.Array[Any]) -> bool:
    """Return whether `set_in_thread` is the faster way for an array: small chunks in local files, and no event loop in this thread."""
    from zarr.storage import LocalStore

    if array.shards is not None or prod(array.chunks) * array.dtype.itemsize > SMALL or not isinstance(array.store, LocalStore):
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return True
    return False


def set_in_thread(array: zarr.Array[Any], index: tuple[slice, ...], block: NDArray[Any]) -> None:
    """Do what ``array[index] = block`` does, on an event loop of this thread."""
    with asyncio.Runner() as runner:
        runner.get_loop().set_default_executor(_InThisThread(1))
        runner.run(array.async_array.setitem(index, block))
