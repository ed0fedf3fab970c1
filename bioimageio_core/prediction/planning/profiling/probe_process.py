"""The process that measures a network: peak memory is a property of a process, so it has to be a fresh one.

Reads a pickled `ProbeTask` from standard input; writes a line of JSON for the loaded network, and one for each size.
"""

from __future__ import annotations

import json
import pickle
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import numpy as np

from ....errors import BioimageioError
from ....registry import collect
from ....resources import peak_memory
from ....sources import Package
from ...model.loaded_model import LoadedModel
from ...model.network import load_network, run_network
from ...model.planned_run_mode import PlannedRunMode
from ...model.tensor_spec import ModelIO
from ...model.weights_selection import WeightsChoice

__all__ = ["ProbeTask", "main"]


@attrs.frozen(kw_only=True)
class ProbeTask:
    """The measurement to make."""

    descr: Any
    io: ModelIO
    """Inputs and outputs as blocks have them."""

    package: Package
    weights: WeightsChoice
    run_mode: PlannedRunMode | None
    trust: bool
    threads: int
    calls: int
    """Concurrent calls."""

    sizes: tuple[tuple[int, dict[str, tuple[tuple[int, ...], str]]], ...]
    """By increasing size: pixels of a call, and shape and dtype of each input by id."""

    memory: int
    """Bytes beyond which no larger size is measured."""

    seconds: float
    """Total seconds beyond which no larger size is measured."""


def main() -> None:
    """Measure the network that standard input describes."""
    task: ProbeTask = pickle.load(sys.stdin.buffer)  # noqa: S301 (this library wrote it)
    import dask
    import zarr  # noqa: F401 (part of the memory of a prediction)

    dask.config.refresh()
    model = LoadedModel.of(task.descr, task.package, collect())
    network = load_network(
        model,
        task.weights,
        task.run_mode,
        devices=task.weights.devices[:1],
        threads=task.threads,
        calls=task.calls,
        trust=task.trust,
    )
    print(json.dumps({"base": peak_memory() or 0}), flush=True)
    spent = 0.0
    for pixels, inputs in task.sizes:
        noise = np.random.default_rng(0)
        arrays = {name: noise.random(shape, np.float32).astype(dtype) for name, (shape, dtype) in inputs.items()}

        def call(_: int, arrays: dict[str, Any] = arrays) -> None:
            with network.acquire() as adapter:
                run_network(adapter, task.io, arrays)

        try:
            begin = time.perf_counter()
            with ThreadPoolExecutor(task.calls) as pool:
                list(pool.map(call, range(task.calls)))
            first = time.perf_counter() - begin
            # The first call of a size includes preparation; small sizes are measured again without it.
            if first < 1:
                begin = time.perf_counter()
                with ThreadPoolExecutor(task.calls) as pool:
                    list(pool.map(call, range(2 * task.calls)))
                first = (time.perf_counter() - begin) / 2
        except (BioimageioError, MemoryError):
            print(json.dumps({"failed_at": pixels}), flush=True)
            return
        spent += first
        print(json.dumps({"pixels": pixels, "seconds": first, "peak": peak_memory() or 0}), flush=True)
        if (peak_memory() or 0) > task.memory or spent > task.seconds:
            return


if __name__ == "__main__":
    main()
