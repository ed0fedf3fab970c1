"""Structure hooks of the parts whose classes the registry brings: processing steps, weights and run modes.

By hand, since which class a part has depends on the registry and not on its type.

An issue of a part that the format defines is an error.
An issue of a part that a plugin adds is a warning, since validity depends on the format alone:
such a part is kept unchanged, with the issues, and cannot run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeAlias

from ..registry import DescriptionEntry, Registry
from ..registry.entries.base import NAME_IN_WORDS, NAME_PATTERN
from ..registry.entries.processing import op_key
from ..structuring.format_value import format_value
from ..structuring.freezing import freeze
from ..structuring.node import Issue
from ..structuring.problems import StructureProblems, problems_of
from ..structuring.rules import rule_errors
from ..structuring.scalars import StructureHook
from ..typing import FrozenMapping, ModelFormat
from .extensions import OpaqueOp, OpaqueWeights

__all__ = ["Structure", "op_hook", "run_mode_hook", "weights_hook"]

Structure: TypeAlias = "Callable[[DescriptionEntry, Any, type], Any]"
"""``(entry, tree, class of the entry) -> structured part``; raises `StructureProblems`."""


def op_hook(
    where: Literal["preprocessing", "postprocessing"], registry: Registry, version: ModelFormat, structure: Structure
) -> StructureHook:
    """Return the hook of one processing step: its class goes by ``id``, in format 0.4 by ``name``."""
    key = op_key(version)

    def known(name: str, tree: Any) -> Any:
        entry = registry.processing_ops[name]
        if where not in entry.where:
            raise StructureProblems(
                [Issue(loc=(key,), message=f"expected an op for {where}, found {name!r}, which is for {entry.where[0]}")]
            )
        cls = entry.descr.get(version)
        if cls is None:
            raise StructureProblems(
                [Issue(loc=(key,), message=f"expected an op of format {version}, found {name!r} of format {_versions(entry.descr)}")]
            )
        return structure(entry, tree, cls)

    def structure_part(tree: Any, _: Any) -> Any:
        if not isinstance(tree, Mapping):
            raise ValueError(f"expected a mapping with the key {key}, found {format_value(tree)}")
        name = tree.get(key)
        if not isinstance(name, str):
            raise StructureProblems(
                [Issue(loc=(key,), message=f"expected the name of an op, found {format_value(name) if key in tree else 'none'}")]
            )
        if name not in registry.processing_ops:
            _check_name(name, (key,))
            return OpaqueOp(name=name, tree=freeze(tree))
        if ("processing_ops", name) not in registry.additions:
            return known(name, tree)
        step, refused = _judged(lambda: known(name, tree))
        return OpaqueOp(name=name, tree=freeze(tree), refused=refused) if refused else step

    return structure_part


def weights_hook(registry: Registry, version: ModelFormat, structure: Structure) -> StructureHook:
    """Return the hook of the mapping ``weights``: the class of an entry goes by its key."""
    current = {alias: entry.name for entry in registry.weights_formats.values() for alias in entry.aliases}

    def known(key: str, tree: Any) -> Any:
        if key in current:
            raise ValueError(f"expected the key {current[key]!r}, found its old spelling {key!r}")
        entry = registry.weights_formats[key]
        cls = entry.descr.get(version)
        if cls is None:
            raise ValueError(f"expected weights of format {version}, found {key!r} of format {_versions(entry.descr)}")
        return structure(entry, tree, cls)

    def entry_of(key: Any, tree: Any) -> Any:
        name = current.get(key, key)
        if name in registry.weights_formats and ("weights_formats", name) not in registry.additions:
            return known(key, tree)
        if not isinstance(key, str) or not isinstance(tree, Mapping):
            raise ValueError(f"expected a mapping with the key source, found {format_value(tree)}")
        if name not in registry.weights_formats:
            _check_name(name, ())
            return OpaqueWeights(name=key, tree=freeze(tree))
        entry, refused = _judged(lambda: known(key, tree))
        return OpaqueWeights(name=key, tree=freeze(tree), refused=refused) if refused else entry

    def structure_part(value: Any, _: Any) -> Any:
        if not isinstance(value, Mapping):
            raise ValueError(f"expected a mapping of weights formats, found {format_value(value)}")
        return _each_entry({key: tree for key, tree in value.items() if tree is not None}, entry_of)

    return structure_part


def run_mode_hook(structure_written: StructureHook, registry: Registry, structure: Structure) -> StructureHook:
    """Return the hook of ``run_mode``: the class of its arguments goes by ``name``.

    Args:
        structure_written: The hook of the run mode as the format has it.
        registry: Where the classes of arguments come from.
        structure: Structures the arguments.

    """
    from .model.run_mode import OpaqueRunMode  # a part of models, which the rest of this module is not

    def structure_part(tree: Any, type_: Any) -> Any:
        run_mode = structure_written(tree, type_)
        if run_mode is None:
            return None
        entry = registry.run_modes.get(run_mode.name)
        refused: tuple[Issue, ...] = ()
        if entry is not None:
            arguments = entry.kwargs
            if arguments is not None:
                refused = _judged(lambda: structure(entry, tree.get("kwargs") or {}, arguments), ("kwargs",))[1]
            if not refused:
                return run_mode
        return OpaqueRunMode(name=run_mode.name, tree=freeze(tree), refused=refused)

    return structure_part


def _check_name(name: str, loc: tuple[str, ...]) -> None:
    """Refuse the name of an unknown part that no plugin can have.

    Raises:
        StructureProblems: It is no name.

    """
    if re.fullmatch(NAME_PATTERN, name) is None:
        raise StructureProblems([Issue(loc=loc, message=f"expected {NAME_IN_WORDS}, found {format_value(name)}")])


def _judged(structure: Callable[[], Any], loc: tuple[str, ...] = ()) -> tuple[Any, tuple[Issue, ...]]:
    """Return the structured part, or None and the errors of a plugin's class, below ``loc``."""
    try:
        part = structure()
        errors = rule_errors(part)
    except RecursionError:
        raise
    except Exception as error:  # rules of plugins may raise anything, and types may lack a hook
        return None, tuple(problems_of(error, loc))
    return (None, tuple(problems_of(StructureProblems(errors), loc))) if errors else (part, ())


def _versions(descr: Iterable[str]) -> str:
    return " and ".join(sorted(descr))


def _each_entry(trees: Mapping[Any, Any], entry_of: Callable[[Any, Any], Any]) -> FrozenMapping[str, Any]:
    entries: dict[str, Any] = {}
    problems: list[Issue] = []
    for key, tree in trees.items():
        try:
            entries[key] = entry_of(key, tree)
        except ValueError as error:
            problems += problems_of(error, (key,))
    if problems:
        raise StructureProblems(problems)
    return FrozenMapping(entries)
