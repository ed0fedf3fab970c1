"""The network of a model: loaded on its devices and wrapped by its run mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from logging import getLogger
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...errors import ModelRunError
from ...libraries import import_libraries
from ...memory_limits import MemoryLimit, memory_for
from ...registry import AdapterContext, WeightsAdapter, blamed
from ...time_limits import TimeLimitedCalls, time_limit
from .described_files import DescribedFiles
from .loaded_model import LoadedModel
from .planned_run_mode import PlannedRunMode
from .tensor_spec import ModelIO
from .weights_selection import WeightsChoice

__all__ = ["Network", "adapter_context", "load_adapter", "load_network", "run_network"]

_LOG = getLogger(__name__)


class Network:
    """One adapter per device, which threads acquire to run a block.

    Args:
        adapters: The loaded weights, wrapped by the run mode.
        natives: The framework's own object for each adapter; None where the adapter does not expose it.
        calls: Maximum number of concurrent calls; more threads than that may read and write.

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
        """Acquire an adapter for a ``with`` block; block while the maximum number of calls run."""
        adapter = self._idle.get()
        try:
            yield adapter
        finally:
            self._idle.put(adapter)

    def close(self) -> None:
        """Free memory on host and devices."""
        self.natives = ()
        for adapter in self._adapters:
            adapter.close()


def adapter_context(model: LoadedModel, weights_format: str, *, device: str, threads: int, trust: bool) -> AdapterContext:
    """Fetch weights, verify their SHA-256, and return the context for an adapter.

    Raises:
        SourceError: The weights file is missing.
        HashMismatchError: Its SHA-256 is not the described one.

    """
    described = model.weights[weights_format]
    return AdapterContext(
        weights=described,
        path=str(model.package.local(str(described.source), sha256=described.sha256)),
        files=DescribedFiles(described, model.package, model.descr.attachments),
        input_ids=tuple(t.id for t in model.io.inputs),
        output_ids=tuple(t.id for t in model.io.outputs),
        device=device,
        threads=threads,
        trust=trust,
    )


def load_adapter(choice: WeightsChoice, device: str, model: LoadedModel, *, threads: int, trust: bool) -> WeightsAdapter:
    """Import the chosen libraries, fetch the weights, verify their SHA-256, and load them on one of the chosen devices.

    Raises:
        MissingRequirementError: A library to import is not installed.
        SourceError: The weights file is missing.
        HashMismatchError: Its SHA-256 is not the described one.
        ModelRunError: The framework cannot load the weights.

    """
    entry = model.registry.weights_adapters[choice.adapter]
    import_libraries(choice.imports)
    context = adapter_context(model, choice.weights_format, device=device, threads=threads, trust=trust)
    context = attrs.evolve(context, imports=choice.imports, precision=choice.precision, compile=choice.compile)
    _LOG.info("running %s weights of %s with %s on %s", choice.weights_format, model.io.name, choice.adapter, device)
    limit = time_limit()
    with blamed(f"loading {context.path} with {model.registry.words_for('weights_adapters', choice.adapter)}"):
        adapter = entry.load()(context)
    return adapter if limit is None else _LimitedAdapter(adapter, limit, context)


class _LimitedAdapter:
    """An adapter whose calls have a limit of time, and one of memory.

    Args:
        adapter: The adapter.
        seconds: The limit of time.
        context: The context that it was loaded with.

    """

    def __init__(self, adapter: WeightsAdapter, seconds: float, context: AdapterContext) -> None:
        self._adapter = adapter
        self._within_limit = TimeLimitedCalls(seconds, "the network")
        self._memory = MemoryLimit("the network")
        self._weights, self._device = Path(context.path).stat().st_size, context.device

    def __call__(self, inputs: Sequence[NDArray[Any] | None]) -> Sequence[NDArray[Any]]:
        with self._memory.during(memory_for(inputs, self._weights, self._device)) as check:
            outputs: Sequence[NDArray[Any]] = self._within_limit(self._adapter, inputs, check=check)
        return outputs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adapter, name)  # those that adapters may have, such as `native`

    def close(self) -> None:
        self._adapter.close()


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
        weights: Weights format and adapter.
        run_mode: The run mode that wraps the network, if any.
        devices: Devices to load it on, all or some of ``weights.devices``.
        threads: Threads per call.
        calls: Concurrent calls on all devices together; one per device where the network allows no more (`WeightsChoice.one_at_a_time`).
        trust: Whether code that comes with the model may run.

    Raises:
        SourceError: The weights file is missing.
        HashMismatchError: Its SHA-256 is not the described one.
        ModelRunError: The framework cannot load the weights.

    """
    adapters: list[WeightsAdapter] = []
    natives: list[object] = []
    try:
        for device in devices:
            adapter = load_adapter(weights, device, model, threads=threads, trust=trust)
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
    """Call the network; check number and rank of its outputs.

    Args:
        adapter: The loaded network.
        model: Its inputs and outputs.
        inputs: Arrays by input id, along the described axes; optional inputs may be missing.

    Raises:
        ModelRunError: The network failed, or its outputs are no arrays, or differ from the description in number or rank.

    """
    with blamed(f"the network of {model.name!r}"):
        outputs: list[Any] = list(adapter([inputs.get(t.id) for t in model.inputs]))
    if len(outputs) < len(model.outputs):
        raise ModelRunError(
            f"the network returned {len(outputs)} outputs: expected {len(model.outputs)} ({', '.join(t.id for t in model.outputs)})"
        )
    for tensor, array in zip(model.outputs, outputs, strict=False):
        if not isinstance(array, np.ndarray):
            raise ModelRunError(f"output {tensor.id!r} of the network is of type {type(array).__name__}: expected a numpy array")
        if array.ndim != len(tensor.axes):
            raise ModelRunError(
                f"output {tensor.id!r} of the network has {array.ndim} axes (shape {array.shape}): "
                f"expected {len(tensor.axes)} ({', '.join(tensor.axis_ids)})"
            )
    return outputs[: len(model.outputs)]
