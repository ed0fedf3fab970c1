"""Structure hooks of collections: cattrs' own, once it is certain that the value is a list or a mapping.

cattrs takes any iterable, so that a string would become a list of characters.
"""

from __future__ import annotations

from collections import abc
from collections.abc import Mapping
from typing import Any, get_args, get_origin

from cattrs import Converter, IterableValidationError
from cattrs.cols import list_structure_factory, mapping_structure_factory
from cattrs.errors import IterableValidationNote

from ..typing import FrozenMapping
from .format_value import format_value
from .problems import StructureProblems
from .rules import rule_errors
from .scalars import StructureHook

__all__ = ["Key", "base_of", "is_fixed_tuple", "is_list", "is_mapping", "list_hook", "mapping_hook", "structure_key", "tuple_hook"]

_LISTS: dict[Any, Any] = {
    tuple: tuple,
    abc.Sequence: tuple,
    list: list,
    abc.MutableSequence: list,
    frozenset: frozenset,
    abc.Set: frozenset,
    set: set,
    abc.MutableSet: set,
}
"""What documents hold as a list, and the class that is made of it."""

_MAPPINGS: dict[Any, Any] = {FrozenMapping: FrozenMapping, abc.Mapping: FrozenMapping, dict: dict, abc.MutableMapping: dict}


def base_of(type_: Any) -> Any:
    """Return the class of a collection, with or without types of its items."""
    return get_origin(type_) or type_


def is_list(type_: Any) -> bool:
    """Return whether documents hold values of a type as a list of any length."""
    return base_of(type_) in _LISTS and not is_fixed_tuple(type_)


def is_fixed_tuple(type_: Any) -> bool:
    """Return whether a type is a tuple with a type for each of its items."""
    return get_origin(type_) is tuple and get_args(type_)[-1:] != (Ellipsis,)


def is_mapping(type_: Any) -> bool:
    """Return whether a type is a free mapping."""
    return base_of(type_) in _MAPPINGS


def list_hook(type_: Any, converter: Converter) -> StructureHook:
    """Return the structure hook of a list, tuple or set."""
    item_type = _item(*(get_args(type_)[:1] or (Any,)))
    items: Any = list[item_type]  # type: ignore[valid-type]
    structure_items = list_structure_factory(items, converter)
    made = _LISTS[base_of(type_)]

    def structure(value: Any, _: Any) -> Any:
        if value.__class__ is not list and not isinstance(value, (list, tuple)):
            raise ValueError(f"expected a list, found {format_value(value)}")
        try:
            return made(structure_items(value, items))
        except IterableValidationError as error:
            hook = converter.get_structure_hook(item_type)
            raise _with_rules(error, value, [(hook, item_type)] * len(value)) from None

    return structure


def tuple_hook(type_: Any, converter: Converter) -> StructureHook:
    """Return the structure hook of a tuple of fixed length; by hand, since cattrs has no public factory of its own for it."""
    hooks = [(converter.get_structure_hook(item), item) for item in get_args(type_)]

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"expected a list of {len(hooks)}, found {format_value(value)}")
        if len(value) != len(hooks):
            raise ValueError(f"expected a list of {len(hooks)}, found {len(value)} items")
        structured, errors = [], []
        for index, (item, (hook, item_type)) in enumerate(zip(value, hooks, strict=True)):
            try:
                structured.append(hook(item, item_type))
            except RecursionError:
                raise
            except Exception as error:  # hooks of plugins may raise anything, as in cattrs
                errors.append(_noted(error, index))
        if errors:
            raise _with_rules(IterableValidationError("in a tuple", errors, tuple), value, hooks) from None
        return tuple(structured)

    return structure


def mapping_hook(type_: Any, converter: Converter) -> StructureHook:
    """Return the structure hook of a free mapping."""
    key, value_type = get_args(type_) or (Any, Any)
    made = _MAPPINGS[base_of(type_)]
    items: Any = dict[Key if key is str else _item(key), _item(value_type)]  # type: ignore[misc]
    structure_items = mapping_structure_factory(items, converter, detailed_validation=converter.detailed_validation)

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, Mapping):
            raise ValueError(f"expected a mapping, found {format_value(value)}")
        structured = structure_items(value, items)
        return structured if made is dict else made(structured)

    return structure


class Key(str):
    """The type of keys that are strings, with a message of its own."""

    __slots__ = ()


def structure_key(value: Any, _: Any) -> Any:
    """Return a key of a free mapping."""
    if not isinstance(value, str):
        raise ValueError(f"expected a string as key, found {format_value(value)}")
    return value


def _item(type_: Any) -> Any:
    """Return the type of items as cattrs needs it: for Any it takes a short cut past the hook, for object it does not."""
    return object if type_ is Any else type_


def _with_rules(error: IterableValidationError, value: Any, hooks: list[tuple[StructureHook, Any]]) -> IterableValidationError:
    """Return the errors of a list, and those that rules find in its well formed items: cattrs drops these items."""
    failed = {note.index for _, note in error.group_exceptions()[0]}
    errors = list(error.exceptions)
    for index, (item, (hook, item_type)) in enumerate(zip(value, hooks, strict=True)):
        if index not in failed and (found := rule_errors(hook(item, item_type))):
            errors.append(_noted(StructureProblems(found), index))
    return IterableValidationError(error.message, errors, error.cl)


def _noted(error: Exception, index: int) -> Exception:
    error.add_note(IterableValidationNote(f"at index {index}", index, Any))
    return error
