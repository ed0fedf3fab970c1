"""One cattrs converter for each registry and format version."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from cattrs import Converter

from ..registry import Registry
from ..typing import FrozenMapping, ModelFormat
from .extensions import AlsoAs, Extension
from .fields import found
from .freezing import freeze
from .node import Node, Problem
from .plugged import op_handler, run_mode_handler, weights_handler
from .scalars import NonFinite, Strict, literal_handler, scalar_handler
from .structuring import Handler, StructureProblems, collect_problems, prefixed, structure_node, unstructure
from .unions import union_handler

__all__ = ["make_converter", "plain_converter"]

_SCALARS = (str, int, float, bool, types.NoneType)


def make_converter(registry: Registry, format: ModelFormat) -> Converter:  # noqa: A002 (the word of the format)
    """Return a converter between trees and node classes.

    ``converter.structure(tree, cls)`` raises `StructureProblems`, which holds every problem of the tree with its path.
    ``converter.unstructure(node)`` writes back what was written and what differs from the defaults.

    Args:
        registry: Where the classes of ops and weights come from; names that it does not have become opaque nodes.
        format: The version whose classes of these are taken.

    """
    handlers = _Handlers(registry, format)
    converter = Converter(detailed_validation=False)

    def hook(type_: Any) -> Any:
        handler = handlers.of(type_)
        return lambda tree, _: handler(tree)

    converter.register_structure_hook_factory(lambda t: isinstance(t, type) and issubclass(t, Node), hook)
    converter.register_unstructure_hook_factory(
        lambda t: isinstance(t, type) and issubclass(t, (Node, FrozenMapping)), lambda _: unstructure
    )
    return converter


@cache
def plain_converter() -> Converter:
    """Return a converter for node classes within which nothing is brought by plugins."""
    return make_converter(Registry(), "0.5")


class _Handlers:
    """The handlers of all types that a description is made of, compiled when first asked for."""

    def __init__(self, registry: Registry, format: ModelFormat) -> None:  # noqa: A002
        self.registry = registry
        self.format = format
        self.known: dict[Any, Handler] = {}

    def of(self, type_: Any) -> Handler:
        if type_ not in self.known:
            self.known[type_] = self.compiled(type_)
        return self.known[type_]

    def compiled(self, type_: Any) -> Handler:
        if type_ is Any:
            return freeze
        if type_ in _SCALARS or type_ is None:
            return scalar_handler(type_ or types.NoneType)
        origin = get_origin(type_)
        if origin is Annotated:
            return self.annotated(type_.__origin__, type_.__metadata__)
        if origin is Literal:
            return literal_handler(get_args(type_))
        if origin in (typing.Union, types.UnionType):
            return union_handler(get_args(type_), self.of)
        if origin is tuple:
            return self.tuple(get_args(type_))
        if origin is FrozenMapping:
            return self.mapping(get_args(type_)[1])
        if isinstance(type_, type) and issubclass(type_, Node):
            return structure_node(type_, self.of)
        raise TypeError(f"no way is known to structure {type_!r}")

    def annotated(self, base: Any, metadata: tuple[Any, ...]) -> Handler:
        for mark in metadata:
            if isinstance(mark, Extension):
                if mark.kind == "weights":
                    return weights_handler(self.registry, self.format, self.of)
                if mark.kind == "run_mode":
                    return run_mode_handler(base, self.registry, self.of)
                return op_handler(mark.kind, self.registry, self.format, self.of)
        if any(isinstance(mark, (Strict, NonFinite)) for mark in metadata):
            strict = any(isinstance(mark, Strict) for mark in metadata)
            handler = scalar_handler(base, strict=strict, finite=not any(isinstance(mark, NonFinite) for mark in metadata))
        else:
            handler = self.of(base)
        checks = [mark for mark in metadata if callable(mark)]
        checks += [_also(self.of(mark.cls)) for mark in metadata if isinstance(mark, AlsoAs)]
        if not checks:
            return handler
        if len(checks) == 1:
            check = checks[0]
            return lambda value: check(handler(value))

        def handle(value: Any) -> Any:
            value = handler(value)
            for check in checks:
                value = check(value)
            return value

        return handle

    def tuple(self, items: tuple[Any, ...]) -> Handler:
        if len(items) == 2 and items[1] is Ellipsis:
            return _list_handler(self.of(items[0]))
        handlers = [self.of(item) for item in items]

        def handle(value: Any) -> Any:
            if not isinstance(value, (list, tuple)):
                raise ValueError(f"expected a list of {len(handlers)}, found {found(value)}")
            if len(value) != len(handlers):
                raise ValueError(f"expected a list of {len(handlers)}, found {len(value)} items")
            return _items(zip(value, handlers, strict=True))

        return handle

    def mapping(self, item: Any) -> Handler:
        handler = self.of(item)

        def handle(value: Any) -> Any:
            if not isinstance(value, Mapping):
                raise ValueError(f"expected a mapping, found {found(value)}")
            structured: dict[str, Any] = {}
            problems: list[Problem] = []
            for key, content in value.items():
                if not isinstance(key, str):
                    problems.append(Problem(loc=(key,), message=f"expected a string as key, found {found(key)}"))
                    continue
                try:
                    structured[key] = handler(content)
                except ValueError as error:
                    problems += prefixed(key, error)
            if problems:
                raise StructureProblems(problems)
            return FrozenMapping(structured)

        return handle


def _also(handler: Handler) -> Handler:
    def check(value: Any) -> Any:
        failed = [p for p in collect_problems(handler(value)) if p.severity == "error"]
        if failed:
            raise StructureProblems(failed)
        return value

    return check


def _list_handler(handler: Handler) -> Handler:
    def handle(value: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"expected a list, found {found(value)}")
        try:
            return tuple([handler(item) for item in value])
        except ValueError:
            return _items((item, handler) for item in value)

    return handle


def _items(pairs: Any) -> tuple[Any, ...]:
    structured: list[Any] = []
    problems: list[Problem] = []
    for index, (item, handler) in enumerate(pairs):
        try:
            structured.append(handler(item))
        except ValueError as error:
            problems += prefixed(index, error)
            structured.append(None)
    if problems:
        for index, item in enumerate(structured):
            problems += [p for p in collect_problems(item, (index,)) if p.severity == "error"]
        raise StructureProblems(problems)
    return tuple(structured)
