"""What is within the tasks of a dask graph: functions, arrays, paths and other constants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

__all__ = ["AppliedFunction", "leaves_of_graph"]

FIELDS = ("func", "args", "kwargs", "value", "dsk", "task", "mapping")
"""Attributes of dask's tasks, constants, fused tasks and block-wise constants that hold what they are made of."""


@attrs.frozen(eq=False)
class AppliedFunction:
    """A function that takes results of other tasks."""

    function: Any


def leaves_of_graph(graph: Mapping[Any, Any]) -> Iterator[Any]:
    """Yield each function and constant of a dask graph, also those in nested tasks; of blockwise layers without making their tasks.

    Functions of tasks that take results of other tasks are an `AppliedFunction` each.
    """
    layers: Mapping[Any, Any] = getattr(graph, "layers", {"": graph})
    for layer in layers.values():
        for value, applied in _values_of_layer(layer, graph):
            for leaf in _leaves(value):
                if applied and callable(leaf):
                    yield AppliedFunction(leaf)
                elif not (isinstance(leaf, str) and leaf in layers):  # in older graphs, a string may also be the key of a task
                    yield leaf


def _values_of_layer(layer: Mapping[Any, Any], graph: Mapping[Any, Any]) -> Iterator[tuple[Any, bool]]:
    """Yield what is in each task of a layer, and whether the task takes results of others."""
    from dask.blockwise import Blockwise
    from dask.core import get_dependencies

    if isinstance(layer, Blockwise):
        applied = any(index is not None and argument not in layer.io_deps for argument, index in layer.indices)
        yield from ((value, False) for value, index in layer.indices if index is None)
        yield from ((value, False) for value in layer.io_deps.values())
        yield getattr(layer, "task", None), applied  # since dask 2024.12
        yield getattr(layer, "dsk", None), applied
    else:
        for value in layer.values():
            taken = value.dependencies if hasattr(value, "dependencies") else get_dependencies(graph, task=value)
            yield value, bool(taken)


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
