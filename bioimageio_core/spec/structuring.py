"""From trees of mappings, lists and scalars to node classes: every problem found at once, each with its path.

A *handler* takes one value of the tree and returns the structured value.
It raises ValueError for a single problem of that value, or `StructureProblems` for several, each with a path below the value.
Everything that can be known from a class is compiled into its handler once.
"""

from __future__ import annotations

import keyword
import typing
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any, Literal, TypeAlias, get_args, get_origin

import attrs

from ..typing import FrozenMapping
from .extensions import Extension
from .fields import found
from .freezing import thaw
from .node import Loc, Node, Problem, Written

__all__ = [
    "FieldInfo",
    "Handler",
    "StructureProblems",
    "collect_problems",
    "fields_of",
    "key_of",
    "keys_in_words",
    "prefixed",
    "structure_node",
    "unstructure",
]

Handler: TypeAlias = "Callable[[Any], Any]"


class StructureProblems(ValueError):
    """A tree does not fit its class; ``problems`` says where and why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(f"{'.'.join(map(str, p.loc)) or 'value'}: {p.message}" for p in self.problems)


@attrs.frozen(kw_only=True)
class FieldInfo:
    """A field of a node class, resolved."""

    name: str
    key: str
    """Its key in documents."""

    type: Any
    attribute: Any
    required: bool
    is_constant: bool
    """The type is a literal: always written, since it tells which class the mapping is."""


def key_of(name: str) -> str:
    """Return the key in documents for the name of a field."""
    return name[:-1] if name.endswith("_") and keyword.iskeyword(name[:-1]) else name


_FIRST = ("format_version", "type", "name", "id")


def fields_of(cls: Any) -> tuple[FieldInfo, ...]:
    """Return the fields that documents can set, in the order in which they are written: first those that tell what it is."""
    return _fields_of(cls)


@cache
def _fields_of(cls: Any) -> tuple[FieldInfo, ...]:
    # Classes that attrs made from a mapping have no annotations in its old releases.
    hints: dict[str, Any] = {a.name: a.type for a in attrs.fields(cls)} | typing.get_type_hints(cls, include_extras=True)
    fields = (
        FieldInfo(
            name=a.name,
            key=key_of(a.name),
            type=hints[a.name],
            attribute=a,
            required=a.default is attrs.NOTHING,
            is_constant=get_origin(hints[a.name]) is Literal and len(get_args(hints[a.name])) == 1,
        )
        for a in attrs.fields(cls)
        if a.name != "written"
    )
    return tuple(sorted(fields, key=lambda field: _FIRST.index(field.key) if field.key in _FIRST else len(_FIRST)))


def prefixed(key: str | int, error: ValueError) -> list[Problem]:
    """Return the problems of ``error`` as seen from one level up."""
    if isinstance(error, StructureProblems):
        return [_below((key,), problem) for problem in error.problems]
    return [Problem(loc=(key,), message=str(error))]


def structure_node(cls: type[Node], handler_of: Callable[[Any], Handler]) -> Handler:
    """Compile the handler of a node class.

    Args:
        cls: The class.
        handler_of: Gives the handler of a field's type.

    """
    fields = fields_of(cls)
    table = {f.key: (f.name, handler_of(f.type)) for f in fields}
    required = frozenset(f.key for f in fields if f.required)
    known = table.get

    def handle(tree: Any) -> Any:
        if tree.__class__ is not dict and not isinstance(tree, Mapping):
            raise ValueError(f"expected a mapping with {keys_in_words(fields)}, found {found(tree)}")
        values: dict[str, Any] = {}
        unknown: dict[str, Any] | None = None
        problems: list[Problem] | None = None
        for key, value in tree.items():
            entry = known(key)
            if entry is None:
                unknown = unknown or {}
                unknown[key] = value
                continue
            try:
                values[entry[0]] = entry[1](value)
            except ValueError as error:
                problems = problems or []
                problems += prefixed(key, error)
        if problems is None and required <= tree.keys() and (unknown is None or cls.allows_unknown_keys):
            written = _written(tuple(tree)) if unknown is None else _with_unknown(tree, unknown, handler_of)
            try:
                return cls(written=written, **values)
            except ValueError:
                pass
        raise StructureProblems((problems or []) + _further_problems(cls, tree, values, unknown or {}))

    return handle


@lru_cache(maxsize=1024)
def _written(keys: tuple[str, ...]) -> Written:
    """Return the same object for the same keys, since most nodes of a class are written with the same ones."""
    return Written(keys=frozenset(keys))


def _with_unknown(tree: Mapping[str, Any], unknown: dict[str, Any], handler_of: Callable[[Any], Handler]) -> Written:
    freeze = handler_of(Any)
    problems: list[Problem] = []
    frozen: dict[str, Any] = {}
    for key, value in unknown.items():
        try:
            frozen[key] = freeze(value)
        except ValueError as error:
            problems += prefixed(key, error)
    if problems:
        raise StructureProblems(problems)
    return Written(keys=frozenset(tree) - frozen.keys(), unknown=FrozenMapping(frozen))


def _further_problems(cls: type[Node], tree: Mapping[str, Any], values: dict[str, Any], unknown: dict[str, Any]) -> list[Problem]:
    """Find all that is wrong with a mapping that is known to be wrong somewhere: missing and unknown keys, constraints, children."""
    fields = fields_of(cls)
    problems = []
    for field in fields:
        if field.required and field.key not in tree:
            problems.append(Problem(loc=(field.key,), message="expected a value, found none"))
        if field.name not in values:
            continue
        value = values[field.name]
        if field.attribute.validator is not None:
            try:
                field.attribute.validator(None, field.attribute, value)
            except ValueError as error:
                problems += prefixed(field.key, error)
        problems += [p for p in collect_problems(value, (field.key,)) if p.severity == "error"]
    if unknown and not cls.allows_unknown_keys:
        keys = [field.key for field in fields]
        for key in unknown:
            close = get_close_matches(str(key), keys, n=1)
            others = f"{', '.join(keys[:12])}{', ...' if len(keys) > 12 else ''}"
            expected = f"did you mean {close[0]!r}?" if close else f"expected one of {others}"
            problems.append(Problem(loc=(key,), message=f"unknown key, {expected}", at_key=True))
    return problems


def collect_problems(value: Any, loc: Loc = ()) -> list[Problem]:
    """Return the problems of all nodes within ``value``, the outermost first."""
    problems: list[Problem] = []
    _collect(value, loc, problems)
    return problems


def _collect(value: Any, loc: Loc, problems: list[Problem]) -> None:
    cls = value.__class__
    if cls in _LEAVES:
        return
    if issubclass(cls, Node):
        has_rules, children = _walked(cls)
        if has_rules:
            problems += [_below(loc, problem) for problem in value.problems()]
        for name, key in children:
            _collect(getattr(value, name), (*loc, key), problems)
    elif cls is tuple:
        for index, item in enumerate(value):
            _collect(item, (*loc, index), problems)
    elif cls is FrozenMapping:
        for key, item in value.items():
            _collect(item, (*loc, key), problems)


_LEAVES = frozenset([str, int, float, bool, type(None)])


def _below(loc: Loc, problem: Problem) -> Problem:
    return attrs.evolve(problem, loc=loc + problem.loc) if loc else problem


@cache
def _walked(cls: Any) -> tuple[bool, tuple[tuple[str, str], ...]]:
    """Return whether nodes of a class have rules, and the names and keys of those of its fields within which there may be rules."""
    return cls.problems is not Node.problems, tuple((f.name, f.key) for f in _fields_of(cls) if _holds_rules(f.type))


def _holds_rules(type_: Any) -> bool:
    if any(isinstance(mark, Extension) for mark in getattr(type_, "__metadata__", ())):
        return True
    if isinstance(type_, type) and not get_args(type_):
        cls: Any = type_
        return issubclass(cls, Node) and _walked(cls) != (False, ())
    return get_origin(type_) is not Literal and any(_holds_rules(argument) for argument in get_args(type_))


def keys_in_words(fields: tuple[FieldInfo, ...]) -> str:
    """Return which keys a mapping with these fields has to have, or may have where it has to have none."""
    keys = [field.key for field in fields if field.required] or [field.key for field in fields]
    return f"the key {keys[0]}" if len(keys) == 1 else f"the keys {', '.join(keys[:6])}{', ...' if len(keys) > 6 else ''}"


def unstructure(value: Any) -> Any:
    """Return ``value`` as a tree of new dicts, lists and scalars.

    Of a node's fields those are written that the document had set, that differ from their default, or that tell the class.
    """
    if value.__class__ in _LEAVES:
        return value
    if isinstance(value, (list, tuple)):  # first, since asking for a mapping takes longer
        return [unstructure(item) for item in value]
    if isinstance(value, Node):
        as_tree = getattr(value, "as_tree", None)
        if as_tree is not None:
            return as_tree()
        tree: dict[str, Any] = {}
        for field in fields_of(type(value)):
            content = getattr(value, field.name)
            if field.required or field.is_constant or field.key in value.written.keys or content != _default(field.attribute):
                tree[field.key] = unstructure(content)
        for key, content in value.written.unknown.items():
            tree[key] = thaw(content)
        return tree
    if isinstance(value, Mapping):
        return {key: unstructure(item) for key, item in value.items()}
    return value


def _default(attribute: Any) -> Any:
    default = attribute.default
    return default.factory() if isinstance(default, attrs.Factory) else default  # type: ignore[arg-type]
