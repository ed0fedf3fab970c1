"""The process that measures a network: peak memory is a property of a process, so it has to be a fresh one.

Reads a pickled `ProbeTask` from standard input; writes a line of JSON for the loaded network, and one for each size.
"""

from __future__ import annotations

import json
import pickle
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from ....errors import BioimageioError
from ....registry import collect
from ....resources import peak_memory
from ....sources import Package
from ...model.loaded_model import LoadedModel
from ...model.network import Network, load_network, run_network
from ...model.planned_run_mode import PlannedRunMode
from ...model.tensor_spec import ModelIO
from ...model.weights_selection import WeightsChoice

__all__ = ["CallSize", "ProbeTask", "main"]

CallSize: TypeAlias = "tuple[int, dict[str, tuple[tuple[int, ...], str]]]"
"""Pixels of a call, and shape and dtype of each input by id."""

RANGES = (0, 2), (3, 11)
"""Values of two items of a batch: so different that a network which mixes items, as by their mean or maximum, gives something else."""

LARGEST_BATCH = 2**22
"""Pixels of a call above which no larger batch is measured: the cost of the call itself is then a small part."""


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

    sizes: tuple[CallSize, ...]
    """Calls with one block each, by increasing size."""

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
    fitting = _measure(task, network, task.sizes, task.seconds)
    batches = _takes_batches(task, network)
    print(json.dumps({"batches": batches}), flush=True)
    if fitting and batches:
        _measure(task, network, _batches(task), task.seconds / 4)


def _measure(task: ProbeTask, network: Network, sizes: Iterable[CallSize], seconds: float) -> bool:
    """Print time and memory of calls of increasing size; return whether all were measured, within the memory and the seconds."""
    spent = 0.0
    for pixels, inputs in sizes:
        noise = np.random.default_rng(0)
        arrays: dict[str, Any] = {name: noise.random(shape, np.float32).astype(dtype) for name, (shape, dtype) in inputs.items()}

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
            return False
        spent += first
        print(json.dumps({"pixels": pixels, "seconds": first, "peak": peak_memory() or 0}), flush=True)
        if (peak_memory() or 0) > task.memory or spent > seconds:
            return False
    return True


def _batches(task: ProbeTask) -> Iterator[CallSize]:
    """Yield calls with 2, 4, 8, ... of the largest blocks."""
    along = {t.id: t.axis_ids.index("batch") for t in task.io.inputs}
    pixels, inputs = task.sizes[-1]
    items = 2
    while pixels * items <= LARGEST_BATCH:
        shapes = {name: tuple(n * items if axis == along[name] else n for axis, n in enumerate(s)) for name, (s, _) in inputs.items()}
        yield pixels * items, {name: (shapes[name], dtype) for name, (_, dtype) in inputs.items()}
        items *= 2


def _takes_batches(task: ProbeTask, network: Network) -> bool:
    """Return whether a call with two items, of the smallest size, gives what two calls give."""
    if not all("batch" in t.axis_ids for t in (*task.io.inputs, *task.io.outputs)):
        return False
    random = np.random.default_rng(0)
    items = [{name: _noise(random, shape, dtype, low, high) for name, (shape, dtype) in task.sizes[0][1].items()} for low, high in RANGES]
    along = {t.id: t.axis_ids.index("batch") for t in (*task.io.inputs, *task.io.outputs)}
    both = {name: np.concatenate([item[name] for item in items], along[name]) for name in items[0]}
    try:
        with network.acquire() as adapter:
            first, second, together = (run_network(adapter, task.io, arrays) for arrays in (*items, both))
    except BioimageioError:
        return False
    pairs = zip(task.io.outputs, first, second, together, strict=True)
    return all(_are_same(np.concatenate([one, two], along[t.id]), found) for t, one, two, found in pairs)


def _noise(random: np.random.Generator, shape: tuple[int, ...], dtype: str, low: int, high: int) -> NDArray[Any]:
    if np.dtype(dtype).kind == "b":
        return random.random(shape) < 1 / high
    if np.dtype(dtype).kind in "iu":
        return random.integers(low, high, shape, dtype=dtype)
    return (low + (high - low) * random.random(shape, np.float32)).astype(dtype)


def _are_same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Return whether arrays are equal but for rounding: to 1e-4 of the largest value, a thousand times the precision of float32."""
    close = 1e-4 * max(1e-30, float(np.abs(one.astype(np.float64)).max(initial=0)))
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=0, atol=close))


if __name__ == "__main__":
    main()
