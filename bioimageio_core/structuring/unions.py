"""Structure hooks of unions, by hand: they choose the member first, so that problems are those of one class and not of all.

cattrs tells apart classes by a literal or by keys that only one has, and combines neither with scalars, lists and null.
Here scalars go by their own type first.
Mappings go by a key whose value names the class (``type``, ``id``, ``name``), then by which class knows the keys.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from types import NoneType
from typing import Annotated, Any, NewType, get_args, get_origin

from cattrs import Converter

from .class_fields import fields_of, has_fields, keys_in_words
from .containers import is_fixed_tuple, is_list, is_mapping
from .format_value import format_value
from .node import Issue
from .problems import StructureProblems, message_of
from .scalars import StructureHook

__all__ = ["discriminated", "is_union", "union_hook", "unwrapped"]

_DISCRIMINATORS = ("type", "id", "name")
_SCALARS = (str, int, float, bool)
_Handler = Callable[[Any], Any]


def is_union(type_: Any) -> bool:
    """Return whether a type is a union, optional types among them."""
    return get_origin(type_) in (typing.Union, types.UnionType)


def union_hook(type_: Any, converter: Converter) -> StructureHook:
    """Return the structure hook of a union."""

    def handler_of(member: Any) -> _Handler:
        hook = converter.get_structure_hook(member)
        return lambda value: hook(value, member)

    members = get_args(type_)
    bases = {member: unwrapped(member) for member in members}
    nodes = tuple(member for member in members if has_fields(member))
    as_lists = tuple(m for m in members if is_list(bases[m]) or is_fixed_tuple(bases[m]))
    as_mappings = tuple(m for m in members if is_mapping(bases[m]))
    scalars = [m for m in members if m not in (NoneType, *nodes, *as_lists, *as_mappings)]
    sequences, mappings = [handler_of(m) for m in as_lists], [handler_of(m) for m in as_mappings]
    by_mapping = _class_handler(nodes, handler_of) if nodes else mappings[0] if mappings else None
    nullable = NoneType in members
    words = _words(nodes, is_list=bool(sequences), is_mapping=bool(mappings), nullable=nullable)
    by_scalar = _scalar_handler(scalars, handler_of, words)

    def structure(value: Any, _: Any) -> Any:
        if value is None and nullable:
            return None
        if value.__class__ is dict or isinstance(value, Mapping):
            if by_mapping is not None:
                return by_mapping(value)
        elif sequences and isinstance(value, (list, tuple)):
            return _first_that_fits(sequences, value)
        return by_scalar(value)

    return structure


def unwrapped(type_: Any) -> Any:
    """Return a type without annotations and new names."""
    while True:
        if get_origin(type_) is Annotated:
            type_ = get_args(type_)[0]
        elif isinstance(type_, NewType):
            type_ = type_.__supertype__
        else:
            return type_


def _scalar_handler(members: list[Any], handler_of: Callable[[Any], _Handler], words: list[str]) -> _Handler:
    """Return the handler of scalars; its errors name what else the union takes."""
    exact = {unwrapped(m): handler_of(m) for m in reversed(members) if unwrapped(m) in _SCALARS}
    lenient = [handler_of(m) for m in members]

    def handle(value: Any) -> Any:
        if value.__class__ in exact:
            try:
                return exact[value.__class__](value)
            except ValueError:
                pass
        messages = []
        for handler in lenient:
            try:
                return handler(value)
            except RecursionError:
                raise
            except Exception as error:  # hooks of plugins may raise anything
                messages.append(message_of(error))
        if len(messages) == 1 and not words:
            raise ValueError(messages[0])
        expected = [message.removeprefix("expected ").rpartition(", found ")[0] for message in messages]
        raise ValueError(f"expected {' or '.join(dict.fromkeys([*filter(None, expected), *words]))}, found {format_value(value)}")

    return handle


def _words(nodes: tuple[Any, ...], *, is_list: bool, is_mapping: bool, nullable: bool) -> list[str]:
    words = [f"a mapping with {keys_in_words(fields_of(cls))}" for cls in nodes[:4]]
    return words + ["a list"] * is_list + ["a mapping"] * (is_mapping and not nodes) + ["null"] * nullable


def _first_that_fits(handlers: list[_Handler], value: Any) -> Any:
    failure: Exception | None = None
    for handler in handlers:
        try:
            return handler(value)
        except RecursionError:
            raise
        except Exception as error:  # including groups of cattrs
            failure = failure or error
    raise failure or ValueError("expected something else")


def _class_handler(classes: tuple[Any, ...], handler_of: Callable[[Any], _Handler]) -> _Handler:
    """Return the handler of mappings that are one of several classes."""
    if len(classes) == 1:
        return handler_of(classes[0])
    key, groups = discriminated(classes)
    if key is None:
        return _by_keys(classes, handler_of)
    handlers = {value: _by_keys(tuple(group), handler_of) if len(group) > 1 else handler_of(group[0]) for value, group in groups.items()}
    words = f"one of {', '.join(map(repr, handlers))}"

    def handle(tree: Mapping[str, Any]) -> Any:
        if key not in tree:
            raise StructureProblems([Issue(loc=(key,), message=f"expected {words}, found none")])
        value = tree[key]
        try:
            handler = handlers[value]
        except (KeyError, TypeError):
            raise StructureProblems([Issue(loc=(key,), message=f"expected {words}, found {format_value(value)}")]) from None
        return handler(tree)

    return handle


def discriminated(classes: tuple[Any, ...]) -> tuple[str | None, dict[Any, list[Any]]]:
    """Return the key whose value names the class, None if there is none, and the classes by its values."""
    for key in _DISCRIMINATORS:
        groups: dict[Any, list[Any]] = {}
        for cls in classes:
            field = next((f for f in fields_of(cls) if f.key == key), None)
            if field is None or not field.is_constant:
                break
            groups.setdefault(get_args(field.type)[0], []).append(cls)
        else:
            if len(groups) > 1:
                return key, groups
    return None, {}


def _by_keys(classes: tuple[Any, ...], handler_of: Callable[[Any], _Handler]) -> _Handler:
    """Take the class whose constants fit, that misses the fewest keys and knows the most; the first of those that are equally good."""
    candidates = [
        (
            frozenset(f.key for f in fields_of(cls) if f.required),
            frozenset(f.key for f in fields_of(cls)),
            {f.key: get_args(f.type)[0] for f in fields_of(cls) if f.is_constant},
            getattr(cls, "allows_unknown_keys", False),
            handler_of(cls),
        )
        for cls in classes
    ]

    def handle(tree: Mapping[str, Any]) -> Any:
        keys = tree.keys()
        best: _Handler | None = None
        least = 0.0
        for required, known, constants, is_open, handler in candidates:
            unknown = len(keys - known)
            wrong = sum(tree.get(key, value) != value for key, value in constants.items())
            misfit = 10 * wrong + 2 * len(required - keys) + (0.01 if is_open else 2) * unknown - 0.001 * len(required)
            if best is None or misfit < least:
                best, least = handler, misfit
        assert best is not None
        return best(tree)

    return handle
