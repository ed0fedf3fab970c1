"""A limit for the memory that calls of a network take, which a script or graph can let grow without end in a few seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

from numpy.typing import NDArray

from .errors import ModelRunError
from .resources import own_memory

__all__ = ["MemoryLimit", "memory_for"]

LEAST = 512 * 2**20
"""Bytes that any call on the CPU may take: frameworks make buffers for each thread in the first call."""

LEAST_OF_DEVICES = 8 * 2**30
"""The same for other devices, whose libraries unpack their code for the device in the first call: generous, since it was not measured."""

PER_VALUE = 4 * 10_000
"""Bytes that a call may take for each value of its inputs: 10,000 numbers in 4 bytes.

On CPUs U-Nets of 64 features for images, and of 32 for volumes, took 330 to 620 in PyTorch, and up to 2,600 without oneDNN.
"""

PER_WEIGHT = 4
"""Bytes that a call may take for each byte of weights: copies in other layouts and precisions."""


def memory_for(inputs: Sequence[NDArray[Any] | None], weights: int, device: str) -> int:
    """Return how many bytes a call may take, far more than networks need.

    Args:
        inputs: The inputs of the call.
        weights: Size of the weights in bytes.
        device: Where the network computes, as in ``cuda:1``.

    """
    least = LEAST if device == "cpu" else LEAST_OF_DEVICES
    return least + PER_VALUE * sum(array.size for array in inputs if array is not None) + PER_WEIGHT * weights


class MemoryLimit:
    """Compares the growth of this process during calls with what all calls that run at the time may take together.

    Only the growth of the process is known, not which call takes the memory. On systems other than Linux it is not known either,
    and there is no limit.

    Args:
        what: What is called; begins the error.

    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._allowed = 0
        self._change = Lock()

    @contextmanager
    def during(self, memory: int) -> Iterator[Callable[[], None]]:
        """Within a block, a call may take some bytes of memory; yields a check, which raises `ModelRunError` if calls take more."""
        before = own_memory()

        def check() -> None:
            now, allowed = own_memory(), self._allowed
            if now is not None and before is not None and now - before > allowed:
                raise ModelRunError(
                    f"{self._what} took over {allowed / 2**30:.2g} GiB of memory, out of proportion to its inputs and weights: "
                    "it may take memory without end, or need more, which it gets without BMZ_TIMEOUT= (--timeout)"
                )

        with self._change:
            self._allowed += memory
        try:
            yield check
        finally:
            with self._change:
                self._allowed -= memory
