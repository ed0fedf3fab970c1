"""The network of a model as predictions call it: loaded on its devices, and wrapped by its run mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

from numpy.typing import NDArray

from ...errors import ModelRunError
from ...registry import WeightsAdapter
from .loaded_model import LoadedModel
from .planned_run_mode import PlannedRunMode
from .tensor_spec import ModelIO
from .weights_selection import WeightsChoice, load_adapter

__all__ = ["Network", "load_network", "run_network"]


class Network:
    """One adapter for each device, lent to whoever has a block to run.

    Args:
        adapters: The loaded weights, wrapped by the run mode.
        natives: What the frameworks made of them, as far as the adapters show it.
        calls: How many calls run at once; threads that read and write are more.

    """

    def __init__(self, adapters: Sequence[WeightsAdapter], natives: Sequence[object], *, calls: int) -> None:
        self._adapters = tuple(adapters)
        self.natives = tuple(natives)
        self._idle: SimpleQueue[WeightsAdapter] = SimpleQueue()
        for _ in range(-(-calls // len(self._adapters))):
            for adapter in self._adapters:
                self._idle.put(adapter)

    @contextmanager
    def acquire(self) -> Iterator[WeightsAdapter]:
        """Lend an adapter; wait while as many calls run as may."""
        adapter = self._idle.get()
        try:
            yield adapter
        finally:
            self._idle.put(adapter)

    def close(self) -> None:
        """Free the memory on host and devices."""
        self.natives = ()
        for adapter in self._adapters:
            adapter.close()


def load_network(
    model: LoadedModel,
    weights: WeightsChoice,
    run_mode: PlannedRunMode | None,
    *,
    devices: Sequence[str],
    threads: int,
    calls: int,
    trust: bool,
) -> Network:
    """Return the network in its run mode.

    Args:
        model: The model.
        weights: Which weights run, and with what.
        run_mode: What wraps the network.
        devices: Some of the chosen devices.
        threads: Threads that a call may use.
        calls: Calls at once on all of them; one each where the network takes no more (`WeightsChoice.one_at_a_time`).
        trust: Whether code that comes with the model may run.

    Raises:
        SourceError: The file is missing.
        HashMismatchError: It is not the described one.
        ModelRunError: The framework cannot load it.

    """
    adapters: list[WeightsAdapter] = []
    natives: list[object] = []
    try:
        for device in devices:
            adapter = load_adapter(weights, device, model.weights, model.io, model.package, model.registry, threads=threads, trust=trust)
            adapters.append(adapter)
            natives.append(getattr(adapter, "native", None))
            if run_mode is not None:
                adapters[-1] = run_mode.wrap(adapter, model.registry)
    except BaseException:
        for loaded in adapters:
            loaded.close()
        raise
    return Network(adapters, natives, calls=1 if weights.one_at_a_time else calls)


def run_network(adapter: WeightsAdapter, model: ModelIO, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """Call the network with inputs by id, in described order; check number and rank of what it returns.

    Raises:
        ModelRunError: The network failed, or its outputs are not those described.

    """
    outputs = list(adapter([inputs.get(t.id) for t in model.inputs]))
    if len(outputs) < len(model.outputs):
        raise ModelRunError(
            f"the network returned {len(outputs)} outputs: expected {len(model.outputs)} ({', '.join(t.id for t in model.outputs)})"
        )
    for tensor, array in zip(model.outputs, outputs, strict=False):
        if array.ndim != len(tensor.axes):
            raise ModelRunError(
                f"output {tensor.id!r} of the network has {array.ndim} axes (shape {array.shape}): "
                f"expected {len(tensor.axes)} ({', '.join(tensor.axis_ids)})"
            )
    return outputs[: len(model.outputs)]
