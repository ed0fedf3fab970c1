"""Which member of a union a value is meant to be, so that its problems are those of one class and not of all.

Scalars go by their own type first.
Mappings go by a key whose value names the class (``type``, ``id``, ``name``), then by which class knows the keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from ..typing import FrozenMapping
from .fields import found
from .node import Node, Problem
from .structuring import Handler, StructureProblems, fields_of, keys_in_words

__all__ = ["discriminated", "union_handler"]

_DISCRIMINATORS = ("type", "id", "name")
_SCALARS = (str, int, float, bool)


def union_handler(members: tuple[Any, ...], handler_of: Callable[[Any], Handler]) -> Handler:
    """Compile the handler of a union type."""
    nodes = tuple(m for m in members if isinstance(m, type) and issubclass(m, Node))
    sequences = [handler_of(m) for m in members if _base(m) is tuple]
    mappings = [handler_of(m) for m in members if _base(m) is FrozenMapping]
    scalars = [m for m in members if m is not NoneType and m not in nodes and _base(m) not in (tuple, FrozenMapping)]
    by_mapping = _node_handler(nodes, handler_of) if nodes else mappings[0] if mappings else None
    nullable = NoneType in members
    words = _words(nodes, is_list=bool(sequences), is_mapping=bool(mappings), nullable=nullable)
    by_scalar = _scalar_handler(scalars, handler_of, words)

    def handle(value: Any) -> Any:
        if value is None and nullable:
            return None
        if value.__class__ is dict or isinstance(value, Mapping):
            if by_mapping is not None:
                return by_mapping(value)
        elif sequences and isinstance(value, (list, tuple)):
            return _first_that_fits(sequences, value)
        return by_scalar(value)

    return handle


def _scalar_handler(members: list[Any], handler_of: Callable[[Any], Handler], words: list[str]) -> Handler:
    """Return the handler of scalars; its errors name what else the union takes."""
    exact = {_base(m): handler_of(m) for m in reversed(members) if _base(m) in _SCALARS}
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
            except ValueError as error:
                messages.append(str(error))
        if len(messages) == 1 and not words:
            raise ValueError(messages[0])
        expected = [message.removeprefix("expected ").rpartition(", found ")[0] for message in messages]
        raise ValueError(f"expected {' or '.join(dict.fromkeys([*filter(None, expected), *words]))}, found {found(value)}")

    return handle


def _base(member: Any) -> Any:
    while get_origin(member) is Annotated:
        member = get_args(member)[0]
    return get_origin(member) or member


def _words(nodes: tuple[type[Node], ...], *, is_list: bool, is_mapping: bool, nullable: bool) -> list[str]:
    words = [f"a mapping with {keys_in_words(fields_of(cls))}" for cls in nodes[:4]]
    return words + ["a list"] * is_list + ["a mapping"] * (is_mapping and not nodes) + ["null"] * nullable


def _first_that_fits(handlers: list[Handler], value: Any) -> Any:
    failure: ValueError | None = None
    for handler in handlers:
        try:
            return handler(value)
        except ValueError as error:
            failure = failure or error
    raise failure or ValueError("expected something else")


def _node_handler(nodes: tuple[type[Node], ...], handler_of: Callable[[Any], Handler]) -> Handler:
    """Return the handler of mappings that are one of several node classes."""
    if len(nodes) == 1:
        return handler_of(nodes[0])
    key, groups = discriminated(nodes)
    if key is None:
        return _by_keys(nodes, handler_of)
    handlers = {value: _by_keys(tuple(group), handler_of) if len(group) > 1 else handler_of(group[0]) for value, group in groups.items()}
    words = f"one of {', '.join(map(repr, handlers))}"

    def handle(tree: Mapping[str, Any]) -> Any:
        if key not in tree:
            raise StructureProblems([Problem(loc=(key,), message=f"expected {words}, found none")])
        value = tree[key]
        try:
            handler = handlers[value]
        except (KeyError, TypeError):
            raise StructureProblems([Problem(loc=(key,), message=f"expected {words}, found {found(value)}")]) from None
        return handler(tree)

    return handle


def discriminated(nodes: tuple[type[Node], ...]) -> tuple[str | None, dict[Any, list[type[Node]]]]:
    """Return the key whose value names the class, None if there is none, and the classes by its values."""
    for key in _DISCRIMINATORS:
        groups: dict[Any, list[type[Node]]] = {}
        for cls in nodes:
            field = next((f for f in fields_of(cls) if f.key == key), None)
            if field is None or not field.is_constant:
                break
            groups.setdefault(get_args(field.type)[0], []).append(cls)
        else:
            if len(groups) > 1:
                return key, groups
    return None, {}


def _by_keys(nodes: tuple[type[Node], ...], handler_of: Callable[[Any], Handler]) -> Handler:
    """Take the class whose constants fit, that misses the fewest keys and knows the most; the first of those that are equally good."""
    candidates = [
        (
            frozenset(f.key for f in fields_of(cls) if f.required),
            frozenset(f.key for f in fields_of(cls)),
            {f.key: get_args(f.type)[0] for f in fields_of(cls) if f.is_constant},
            cls.allows_unknown_keys,
            handler_of(cls),
        )
        for cls in nodes
    ]

    def handle(tree: Mapping[str, Any]) -> Any:
        keys = tree.keys()
        best: Handler | None = None
        least = 0.0
        for required, known, constants, lenient, handler in candidates:
            unknown = len(keys - known)
            wrong = sum(tree.get(key, value) != value for key, value in constants.items())
            misfit = 10 * wrong + 2 * len(required - keys) + (0.01 if lenient else 2) * unknown - 0.001 * len(required)
            if best is None or misfit < least:
                best, least = handler, misfit
        assert best is not None
        return best(tree)

    return handle
