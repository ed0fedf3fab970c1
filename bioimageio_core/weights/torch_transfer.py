"""Copies tensors to a PyTorch device and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Transfer", "Transfers"]


class Transfer(Protocol):
    """The copies of one call at a time."""

    def send(self, array: NDArray[Any]) -> Any:
        """Return a copy of an input on the device; modules may change it."""
        ...

    def launched(self) -> None:
        """Record that all work that makes the outputs is launched."""
        ...

    def receive(self, outputs: Sequence[Any]) -> list[NDArray[Any]]:
        """Wait for the outputs, and return them in the memory of the host."""
        ...


class Transfers:
    """One `Transfer` for each call that runs at once."""

    def __init__(self, device: Any) -> None:
        self._device = device
        self._kind = _ThroughLockedPages if device.type == "cuda" else _AtOnce
        self._idle: list[Transfer] = []

    @contextmanager
    def lent(self) -> Iterator[Transfer]:
        """Lend a transfer to a thread for a block."""
        try:
            transfer = self._idle.pop()  # not checked before: another thread may take the last one in between
        except IndexError:
            transfer = self._kind(self._device)
        try:
            yield transfer
        finally:
            self._idle.append(transfer)


class _AtOnce:
    """Copies that the thread waits for."""

    def __init__(self, device: Any) -> None:
        self._device = device

    def send(self, array: NDArray[Any]) -> Any:
        import torch

        return torch.from_numpy(np.array(array, order="C")).to(self._device)

    def launched(self) -> None:
        pass

    def receive(self, outputs: Sequence[Any]) -> list[NDArray[Any]]:
        return [output.to("cpu").numpy() for output in outputs]


class _ThroughLockedPages:
    """Copies from and to page-locked memory of the host, on a separate CUDA stream, while the device computes other calls.

    Kernels of all calls run on the default stream of the device, one after the other: as soon as a call is launched, the next may reuse
    the memory of its layers, so that two calls at once take little more memory than one.
    """

    def __init__(self, device: Any) -> None:
        import torch

        self._torch, self._device = torch, device
        self._stream = torch.cuda.Stream(device)
        self._computed = torch.cuda.Event()

    def send(self, array: NDArray[Any]) -> Any:
        torch = self._torch
        kind = torch.from_numpy(np.empty(0, array.dtype)).dtype
        host = torch.empty(array.shape, dtype=kind, pin_memory=True)
        host.numpy()[...] = array
        with torch.cuda.stream(self._stream):
            tensor = host.to(self._device, non_blocking=True)
        torch.cuda.current_stream(self._device).wait_stream(self._stream)
        return tensor

    def launched(self) -> None:
        self._computed.record(self._torch.cuda.current_stream(self._device))

    def receive(self, outputs: Sequence[Any]) -> list[NDArray[Any]]:
        torch = self._torch
        hosts = [torch.empty(output.shape, dtype=output.dtype, pin_memory=True) for output in outputs]
        self._stream.wait_event(self._computed)
        with torch.cuda.stream(self._stream):
            for host, output in zip(hosts, outputs, strict=True):
                host.copy_(output, non_blocking=True)
        self._stream.synchronize()  # tensors on the device must live until here: streams do not track each other's memory
        return [host.numpy() for host in hosts]
