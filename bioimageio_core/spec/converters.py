"""One cattrs converter for each registry and format version."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any

from cattrs import Converter

from ..registry import DescriptionEntry, Registry
from ..registry.entries.processing import op_key
from ..structuring.class_fields import FieldInfo, fields_of
from ..structuring.converter import ClassConverter
from ..structuring.problems import StructureProblems
from ..structuring.rules import rule_errors
from ..structuring.scalars import StructureHook
from ..typing import ModelFormat
from .extension_handlers import op_hook, run_mode_hook, weights_hook
from .extensions import AlsoAs, Extension

__all__ = ["converter_for", "make_converter", "unstructured"]


def make_converter(
    registry: Registry,
    format: ModelFormat,  # noqa: A002 (the word of the format)
    configure: Callable[[Converter], None] | None = None,
) -> Converter:
    """Return a converter between trees and node classes.

    ``converter.structure(tree, cls)`` raises `StructureProblems`, which holds every problem of the tree with its path.
    ``converter.unstructure(node)`` writes back what was written and what differs from the defaults.

    Args:
        registry: Where the classes of ops, weights and run modes come from; names that it does not have become opaque nodes.
        format: The version whose classes of these are taken.
        configure: That of an entry, to structure its classes on their own; None: descriptions, with the hooks of every plugin.

    """
    return _Converters(registry, format).of(configure)


def converter_for(registry: Registry, format: ModelFormat) -> Converter:  # noqa: A002
    """Return the converter of descriptions for a registry and format version; it is made once."""
    return _converter(_ByIdentity(registry), format)


def unstructured(descr: Any, registry: Registry) -> Any:
    """Return a description as a tree of new dicts, lists and scalars, with the hooks of the plugins that bring parts of it."""
    return converter_for(registry, "0.5").unstructure(descr)


class _ByIdentity:
    """A registry as key of a cache: comparing the entries would cost more than it saves."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def __hash__(self) -> int:
        return id(self.registry)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and other.registry is self.registry


@lru_cache(maxsize=8)
def _converter(registry: _ByIdentity, format_: ModelFormat) -> Converter:
    return make_converter(registry.registry, format_)


class _Converters:
    """The converter of a registry and format, and one for each plugin that registers hooks of its own.

    Only the classes of a plugin see its hooks, whatever types they are for.
    """

    def __init__(self, registry: Registry, format: ModelFormat) -> None:  # noqa: A002
        self.registry = registry
        self.format = format
        self._made: dict[Callable[[Converter], None] | None, Converter] = {}

    def of(self, configure: Callable[[Converter], None] | None) -> Converter:
        """Return the converter for the classes of entries with this `configure`."""
        if configure not in self._made:
            self._made[configure] = ClassConverter(lambda converter: self._add_hooks(converter, configure))
        return self._made[configure]

    def _add_hooks(self, converter: Converter, configure: Callable[[Converter], None] | None) -> None:
        converter.register_structure_hook_factory(lambda t: _mark(t, AlsoAs) is not None, lambda t: _also_as_hook(t, converter))
        converter.register_structure_hook_factory(lambda t: _mark(t, Extension) is not None, lambda t: self._extension_hook(t, converter))
        if configure is not None:
            configure(converter)
            return
        for entry in (*self.registry.processing_ops.values(), *self.registry.weights_formats.values()):
            if entry.configure is not None:
                for _, cls in entry.classes():
                    converter.register_unstructure_hook(cls, self._unstructure_hook(entry))
        for op in self.registry.processing_ops.values():
            for version, cls in op.descr.items():
                name = next((field for field in fields_of(cls) if field.key == op_key(version)), None)
                if name is not None and not name.is_constant:
                    write = converter.get_unstructure_hook(cls)
                    converter.register_unstructure_hook(cls, _named(name, write))

    def _unstructure_hook(self, entry: DescriptionEntry) -> Callable[[Any], Any]:
        return lambda value: self.of(entry.configure).unstructure(value)

    def _extension_hook(self, type_: Any, converter: Converter) -> StructureHook:
        mark: Extension = _mark(type_, Extension)

        def structure(entry: DescriptionEntry, tree: Any, cls: type) -> Any:
            return self.of(entry.configure).structure(tree, cls)

        if mark.kind == "weights":
            return weights_hook(self.registry, self.format, structure)
        if mark.kind == "run_mode":
            return run_mode_hook(converter.get_structure_hook(type_.__origin__), self.registry, structure)
        return op_hook(mark.kind, self.registry, self.format, structure)


def _named(field: FieldInfo, write: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return an unstructure hook that always writes the name of an op, also where it is the default of a class that is no node."""
    return lambda value: {field.key: getattr(value, field.name), **write(value)}


def _mark(type_: Any, kind: type) -> Any:
    return next((mark for mark in getattr(type_, "__metadata__", ()) if isinstance(mark, kind)), None)


def _also_as_hook(type_: Any, converter: Converter) -> StructureHook:
    """Structure without the mark, then judge the value by the class that the mark names."""
    mark = _mark(type_, AlsoAs)
    others = tuple(each for each in type_.__metadata__ if each is not mark)
    base = Annotated[(type_.__origin__, *others)] if others else type_.__origin__
    hook, judge = converter.get_structure_hook(base), converter.get_structure_hook(mark.cls)

    def structure(value: Any, _: Any) -> Any:
        value = hook(value, base)
        errors = rule_errors(judge(value, mark.cls))
        if errors:
            raise StructureProblems(errors)
        return value

    return structure
