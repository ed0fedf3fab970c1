"""The network of a model as predictions call it: loaded, and wrapped by its run mode."""

from __future__ import annotations

from ..registry import WeightsAdapter
from .choose_weights import WeightsChoice, load_adapter
from .loaded import LoadedModel
from .run_mode import PlannedRunMode

__all__ = ["load_network"]


def load_network(
    model: LoadedModel, weights: WeightsChoice, run_mode: PlannedRunMode | None, *, threads: int, trust: bool
) -> tuple[WeightsAdapter, bool]:
    """Return the network in its run mode, and whether it must be called from one thread at a time.

    Raises:
        SourceError: The file is missing.
        HashMismatchError: It is not the described one.
        ModelRunError: The framework cannot load it.

    """
    adapter, entry = load_adapter(weights, model.weights, model.io, model.package, model.registry, threads=threads, trust=trust)
    if run_mode is not None:
        adapter = run_mode.wrap(adapter, model.registry)
    on_cpu = weights.device.partition(":")[0] == "cpu"
    return adapter, not (entry.thread_safe and on_cpu)
