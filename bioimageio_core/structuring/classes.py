"""Structure hooks of classes: cattrs' own, and what it does not do.

By hand are the keys as they are written, which travel along with nodes, and further errors: where one field does not fit,
cattrs constructs nothing, so that validators and rules of the other fields are not heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cattrs import ClassValidationError, Converter
from cattrs.errors import AttributeValidationNote
from cattrs.gen import make_dict_structure_fn, override

from ..typing import FrozenMapping
from .class_fields import FieldInfo, fields_of, keys_in_words
from .format_value import format_value
from .freezing import freeze
from .node import Node, Written
from .problems import StructureProblems
from .rules import rule_errors
from .scalars import StructureHook

__all__ = ["class_hook"]


def class_hook(cls: Any, converter: Converter) -> StructureHook:
    """Return the structure hook of an attrs class, a `Node` among them, or a dataclass."""
    fields = fields_of(cls)
    known = frozenset(field.key for field in fields)
    is_node = issubclass(cls, Node)
    is_open = is_node and cls.allows_unknown_keys
    overrides: dict[str, Any] = {field.name: override(rename=field.key) for field in fields}
    if is_node:
        overrides["written"] = override(omit=True)
    structure_fields = make_dict_structure_fn(
        cls, converter, _cattrs_forbid_extra_keys=not is_open, _cattrs_use_linecache=False, **overrides
    )

    def structure(tree: Any, _: Any) -> Any:
        if tree.__class__ is not dict and not isinstance(tree, Mapping):
            raise ValueError(f"expected a mapping with {keys_in_words(fields)}, found {format_value(tree)}")
        try:
            made = structure_fields(tree, cls)
        except ClassValidationError as error:
            raise _with_constraints(error, tree, fields, converter) from None
        if is_node:
            written = _written(tuple(tree)) if not is_open or tree.keys() <= known else _with_unknown(tree, known)
            object.__setattr__(made, "written", written)  # the instance is frozen, but not in use yet
        return made

    return structure


@lru_cache(maxsize=1024)
def _written(keys: tuple[str, ...]) -> Written:
    """Return the same object for the same keys, since most nodes of a class are written with the same ones."""
    return Written(keys=frozenset(keys))


def _with_unknown(tree: Mapping[str, Any], known: frozenset[str]) -> Written:
    unknown = {}
    for key, value in tree.items():
        if key not in known:
            unknown[key] = freeze(value)
    return Written(keys=known & tree.keys(), unknown=FrozenMapping(unknown))


def _with_constraints(
    error: ClassValidationError, tree: Mapping[str, Any], fields: tuple[FieldInfo, ...], converter: Converter
) -> ClassValidationError:
    """Return the errors of a class, and those that validators and rules find in its well formed fields."""
    located, others = error.group_exceptions()
    errors: list[Exception] = [each for each, _ in located]
    failed = {note.name for _, note in located}
    for field in fields:
        if field.key in tree and field.name not in failed and not field.has_converter:
            value = converter.get_structure_hook(field.type)(tree[field.key], field.type)
            errors += [_noted(each, field) for each in _broken_constraints(field, value)]
    # An error of the constructor is that of a validator, if validators have one.
    unlocated = [each for each in others if not errors or not isinstance(each, (TypeError, ValueError))]
    return ClassValidationError(error.message, [*errors, *unlocated], error.cl)


def _broken_constraints(field: FieldInfo, value: Any) -> list[Exception]:
    broken: list[Exception] = []
    if field.validator is not None:
        try:
            field.validator(None, field.attribute, value)
        except (TypeError, ValueError) as error:
            broken.append(error)
        except Exception:  # noqa: S110 (the validator looks at other fields too; the error of the constructor is kept)
            pass
    found = rule_errors(value)
    return [*broken, StructureProblems(found)] if found else broken


def _noted(error: Exception, field: FieldInfo) -> Exception:
    error.add_note(AttributeValidationNote(f"in the field {field.name}", field.name, field.type))
    return error
