"""The memory that calls of a network may take."""

from __future__ import annotations

import sys
from contextlib import ExitStack

import numpy as np
import pytest

from bioimageio_core.errors import ModelRunError
from bioimageio_core.memory_limits import MemoryLimit, memory_for
from bioimageio_core.resources import own_memory

MIB = 2**20


def test_amount() -> None:
    """512 MiB, on other devices 8 GiB, 40,000 bytes for each value of the inputs, of whatever type, and four times the weights."""
    inputs = [np.zeros((1, 1, 10, 20), np.uint8), None, np.zeros(300)]
    assert memory_for(inputs, 7, "cpu") == 512 * MIB + 40_000 * 500 + 28
    assert memory_for([], 0, "cuda:1") == 8192 * MIB


def filled(mebibytes: int) -> bytearray:
    """Return memory that the process has indeed: the system gives pages when they are written."""
    memory = bytearray(mebibytes * MIB)
    memory[::4096] = b"x" * len(memory[::4096])
    return memory


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is looked up as Linux has it")
class TestLimit:
    """Growth of the process during calls."""

    def test_too_much(self) -> None:
        """What a call takes beyond its limit is an error, with the limit; what the process had before does not count."""
        limit, before = MemoryLimit("the network"), filled(400)
        with limit.during(256 * MIB) as check:
            taken = filled(100)
            check()
            taken += filled(300)
            with pytest.raises(ModelRunError, match=r"the network took over 0\.25 GiB of memory.*BMZ_TIMEOUT="):
                check()
        del before

    def test_together(self) -> None:
        """Calls at one time have the sum of their limits, and no longer."""
        limit = MemoryLimit("the network")
        with ExitStack() as stack:
            check = stack.enter_context(limit.during(256 * MIB))
            with limit.during(256 * MIB):
                taken = filled(400)
                check()
            with pytest.raises(ModelRunError):
                check()
        del taken

    def test_freed(self) -> None:
        """A call that gives back what it took may take it again."""
        limit = MemoryLimit("the network")
        with limit.during(256 * MIB) as check:
            for _ in range(3):
                taken = filled(200)
                check()
                del taken


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is looked up as Linux has it")
def test_own_memory() -> None:
    """What a process has written counts, and nothing else."""
    before = own_memory()
    assert before is not None
    memory = filled(100)
    after = own_memory()
    assert after is not None
    assert 90 * MIB < after - before < 200 * MIB
    del memory
