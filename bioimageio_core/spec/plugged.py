"""Handlers of the parts whose classes the registry brings: processing steps and weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from ..registry import Registry
from ..typing import FrozenMapping, ModelFormat
from .extensions import OpaqueOp, OpaqueWeights
from .fields import found
from .freezing import freeze
from .node import Problem
from .structuring import Handler, StructureProblems, prefixed

__all__ = ["op_handler", "weights_handler"]


def op_handler(
    where: Literal["preprocessing", "postprocessing"], registry: Registry, version: ModelFormat, handler_of: Callable[[Any], Handler]
) -> Handler:
    """Return the handler of one processing step: its class goes by ``id``, in format 0.4 by ``name``."""
    key = "name" if version == "0.4" else "id"

    def handle(tree: Any) -> Any:
        if not isinstance(tree, Mapping):
            raise ValueError(f"expected a mapping with the key {key}, found {found(tree)}")
        name = tree.get(key)
        if not isinstance(name, str):
            raise StructureProblems(
                [Problem(loc=(key,), message=f"expected the name of an op, found {found(name) if key in tree else 'none'}")]
            )
        entry = registry.processing_ops.get(name)
        if entry is None:
            return OpaqueOp(name=name, tree=freeze(tree))
        if where not in entry.where:
            raise StructureProblems(
                [Problem(loc=(key,), message=f"expected an op for {where}, found {name!r}, which is for {entry.where[0]}")]
            )
        cls = entry.descr.get(version)
        if cls is None:
            versions = " and ".join(sorted(entry.descr))
            raise StructureProblems(
                [Problem(loc=(key,), message=f"expected an op of format {version}, found {name!r} of format {versions}")]
            )
        return handler_of(cls)(tree)

    return handle


def weights_handler(registry: Registry, version: ModelFormat, handler_of: Callable[[Any], Handler]) -> Handler:
    """Return the handler of the mapping ``weights``: the class of an entry goes by its key."""
    current = {alias: entry.name for entry in registry.weights_formats.values() for alias in entry.aliases}

    def entry_of(key: Any, tree: Any) -> Any:
        if key in current:
            raise ValueError(f"expected the key {current[key]!r}, found its old spelling {key!r}")
        entry = registry.weights_formats.get(key)
        if entry is None:
            if not isinstance(key, str) or not isinstance(tree, Mapping):
                raise ValueError(f"expected a mapping with the key source, found {found(tree)}")
            return OpaqueWeights(name=key, tree=freeze(tree))
        cls = entry.descr.get(version)
        if cls is None:
            raise ValueError(f"expected weights of format {version}, found {key!r} of format {' and '.join(sorted(entry.descr))}")
        return handler_of(cls)(tree)

    def handle(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise ValueError(f"expected a mapping of weights formats, found {found(value)}")
        entries: dict[str, Any] = {}
        problems: list[Problem] = []
        for key, tree in value.items():
            if tree is None:
                continue
            try:
                entries[key] = entry_of(key, tree)
            except ValueError as error:
                problems += prefixed(key, error)
        if problems:
            raise StructureProblems(problems)
        return FrozenMapping(entries)

    return handle
