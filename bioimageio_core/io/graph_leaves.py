"""What is within the tasks of a dask graph: functions, arrays, paths and other constants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["leaves_of_graph"]

FIELDS = ("func", "args", "kwargs", "value", "dsk", "task", "mapping")
"""Attributes of dask's tasks, constants, fused tasks and block-wise constants that hold what they are made of."""


def leaves_of_graph(graph: Mapping[Any, Any]) -> Iterator[Any]:
    """Yield each function and constant of a dask graph, also those in nested tasks; of blockwise layers without making their tasks."""
    layers: Mapping[Any, Any] = getattr(graph, "layers", {"": graph})
    for layer in layers.values():
        for value in _values_of_layer(layer):
            for leaf in _leaves(value):
                if not (isinstance(leaf, str) and leaf in layers):  # in older graphs, a string may also be the key of a task
                    yield leaf


def _values_of_layer(layer: Mapping[Any, Any]) -> Iterator[Any]:
    from dask.blockwise import Blockwise

    if isinstance(layer, Blockwise):
        yield from (value for value, index in layer.indices if index is None)
        yield from layer.io_deps.values()
        yield getattr(layer, "task", None)  # since dask 2024.12
        yield getattr(layer, "dsk", None)
    else:
        yield from layer.values()


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, Mapping):
        yield from _leaves(list(value.values()))
    elif type(value).__module__.startswith("dask.") and any(hasattr(value, name) for name in FIELDS):
        for name in FIELDS:
            yield from _leaves(getattr(value, name, ()))
    else:
        yield value
