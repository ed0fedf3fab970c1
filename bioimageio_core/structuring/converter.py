"""The converter between trees and frozen classes: cattrs, with the hooks of this package."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import cache
from pathlib import Path, PurePath
from types import NoneType
from typing import Annotated, Any, Literal, NewType, TypeVar, get_args, get_origin

from cattrs import Converter
from cattrs.errors import StructureHandlerNotFoundError

from .class_fields import has_fields
from .classes import class_hook
from .containers import Key, is_fixed_tuple, is_list, is_mapping, list_hook, mapping_hook, structure_key, tuple_hook
from .freezing import freeze
from .problems import StructureProblems, problems_of
from .scalars import NonFinite, Strict, StructureHook, literal_hook, scalar_hook, structure_enum
from .standard_types import date_hook, is_date, structure_path
from .unions import is_union, union_hook
from .unstructuring import add_unstructure_hooks

__all__ = ["ClassConverter", "plain_converter", "unstructure"]

T = TypeVar("T")


class ClassConverter(Converter):
    """A cattrs converter whose `structure` raises `StructureProblems`, which hold every problem of the tree with its path.

    It is fast where the tree fits.
    Where it does not, a second converter with the same hooks, and with detailed validation, has the last word:
    it finds all errors, and values that fit where the first one gave up early.
    """

    def __init__(self, configure: Callable[[Converter], None] | None = None) -> None:
        """Make the converter.

        Args:
            configure: Registers further hooks; they come before those of this package.

        """
        super().__init__(detailed_validation=False, structure_fallback_factory=_no_hook)
        self._detailed = Converter(detailed_validation=True, structure_fallback_factory=_no_hook)
        for converter in (self, self._detailed):
            _add_structure_hooks(converter)
            add_unstructure_hooks(converter)
            if configure is not None:
                configure(converter)

    def structure(self, obj: Any, cl: type[T]) -> T:
        """Return the tree ``obj`` as a value of the type ``cl``.

        Raises:
            StructureProblems: It does not fit.
            StructureHandlerNotFoundError: There is no hook for a type within ``cl``.

        """
        self.get_structure_hook(cl)  # a type without a hook is no problem of the tree
        for structure in (super().structure, self._detailed.structure):
            try:
                return structure(obj, cl)
            except RecursionError:
                raise
            except Exception as error:  # hooks and validators of plugins may raise anything
                failure = error
        raise StructureProblems(problems_of(failure)) from None


def _no_hook(type_: Any) -> StructureHook:
    """Refuse a type without a hook when hooks are made, and not only when a value comes; old releases of cattrs do the latter."""
    raise StructureHandlerNotFoundError(f"type {type_} cannot be structured", type_)


@cache
def plain_converter() -> Converter:
    """Return the converter for classes that need no hooks of plugins."""
    return ClassConverter()


def unstructure(value: Any) -> Any:
    """Return ``value`` as a tree of new dicts, lists and scalars.

    Of a node those fields are written that the document had set, that differ from their default, or that identify the class.
    Values of types for which plugins register hooks stay as they are: `make_converter` returns a converter that knows them.
    """
    return plain_converter().unstructure(value)


def _add_structure_hooks(converter: Converter) -> None:
    """Register the structure hooks of this package."""
    for scalar in (str, int, float, bool):
        converter.register_structure_hook(scalar, scalar_hook(scalar))
    converter.register_structure_hook(Enum, structure_enum)
    for path in (PurePath, Path):
        converter.register_structure_hook(path, structure_path)
    converter.register_structure_hook(Key, structure_key)
    converter.register_structure_hook_func(lambda t: t is None or t is NoneType, scalar_hook(NoneType))
    converter.register_structure_hook_func(lambda t: t is Any or t is object, lambda value, _: freeze(value))

    def register(applies: Callable[[Any], bool], make: Callable[[Any], StructureHook]) -> None:
        converter.register_structure_hook_factory(applies, make)

    register(has_fields, lambda t: class_hook(t, converter))
    register(is_date, date_hook)
    register(is_mapping, lambda t: mapping_hook(t, converter))
    register(is_list, lambda t: list_hook(t, converter))
    register(is_fixed_tuple, lambda t: tuple_hook(t, converter))
    register(is_union, lambda t: union_hook(t, converter))
    register(lambda t: get_origin(t) is Literal, lambda t: literal_hook(get_args(t)))
    register(lambda t: get_origin(t) is Annotated, lambda t: _annotated_hook(t, converter))
    register(lambda t: isinstance(t, NewType), lambda t: _new_type_hook(t.__supertype__, converter))


def _annotated_hook(type_: Any, converter: Converter) -> StructureHook:
    """Structure as the base, then apply every check in order; by hand, since cattrs passes over annotations."""
    base, marks = type_.__origin__, type_.__metadata__
    strict, non_finite = (any(isinstance(mark, kind) for mark in marks) for kind in (Strict, NonFinite))
    hook = scalar_hook(base, strict=strict, finite=not non_finite) if strict or non_finite else converter.get_structure_hook(base)
    checks = [mark for mark in marks if callable(mark)]
    if not checks:
        return hook
    if len(checks) == 1:
        only = checks[0]
        return lambda value, _: only(hook(value, base))

    def structure(value: Any, _: Any) -> Any:
        value = hook(value, base)
        for check in checks:
            value = check(value)
        return value

    return structure


def _new_type_hook(base: Any, converter: Converter) -> StructureHook:
    """Structure as the base; by hand, since hooks of scalars look at the type and cattrs passes the new one."""
    hook = converter.get_structure_hook(base)
    return lambda value, _: hook(value, base)
