"""A plugin for benchmarks: weights ``simulated``, whose network takes as long as its file says, as a device does, and returns its input.

The file holds JSON: ``fixed`` and ``per_item``, milliseconds of a call and of each item of its batch, and ``at_once``, calls at a time.
While the device computes, the calling thread sleeps: Python's lock is free, and so is the processor. Calls queue for the device: a thread
that wakes late loses its own time, not that of the device.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from bioimageio_core.registry import AdapterContext, WeightsAdapterEntry, WeightsFormatEntry, hookimpl
from bioimageio_core.spec.model.weights import WeightsEntryV05
from bioimageio_core.spec.node import node

__all__ = ["SimulatedDevice", "install", "save_weights"]


@node
class SimulatedWeightsDescr(WeightsEntryV05):
    """The times of a device."""


class SimulatedDevice:
    """Returns its input after the time that a device would take."""

    def __init__(self, context: AdapterContext) -> None:
        times = json.loads(Path(context.path).read_text())
        self._fixed, self._per_item = times["fixed"] / 1e3, times["per_item"] / 1e3
        self._free_from = [0.0] * times["at_once"]
        self._lock = Lock()

    def __call__(self, inputs: Sequence[Any]) -> list[Any]:
        """Wait until the device has computed this call, after those that were queued before."""
        seconds = self._fixed + self._per_item * inputs[0].shape[0]
        with self._lock:
            first = min(range(len(self._free_from)), key=lambda n: self._free_from[n])
            end = self._free_from[first] = max(time.perf_counter(), self._free_from[first]) + seconds
        time.sleep(max(0.0, end - time.perf_counter()))
        return [inputs[0]]

    def close(self) -> None:
        """Do nothing."""


def save_weights(path: Path, *, fixed: float, per_item: float = 0.0, at_once: int = 1) -> None:
    """Write the file of a device; times are in milliseconds."""
    path.write_text(json.dumps({"fixed": fixed, "per_item": per_item, "at_once": at_once}))


def install(folder: Path) -> None:
    """Install this plugin into a folder, which new processes find on their path."""
    (folder / "simulated_device.py").write_text(Path(__file__).read_text(encoding="utf-8"), encoding="utf-8")
    info = folder / "simulated_device-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: simulated-device\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[bioimageio_core]\nmain = simulated_device\n")


@hookimpl
def bioimageio_weights_formats() -> Iterator[WeightsFormatEntry]:
    """Name the weights."""
    yield WeightsFormatEntry(name="simulated", descr={"0.5": SimulatedWeightsDescr}, suffix=".json")


@hookimpl
def bioimageio_weights_adapters() -> Iterator[WeightsAdapterEntry]:
    """Run the weights."""
    yield WeightsAdapterEntry(name="simulated", weights_format="simulated", requires=(), load=lambda: SimulatedDevice)
