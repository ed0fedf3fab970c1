"""The arguments of ops in words, for messages about wrong ones."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin

import attrs

from ..structuring.class_fields import FieldInfo, fields_of, has_fields
from .entries import ProcessingOpEntry

__all__ = ["arguments_in_words"]


def arguments_in_words(entry: ProcessingOpEntry) -> str:
    """Return the arguments of an op with their defaults and an example to copy, for the end of a message."""
    fields = list(_arguments(entry.descr["0.5"]))
    if not fields:
        return f"it takes no arguments, as in {entry.name!r}"
    listed = ", ".join(f"{field.key} (required)" if field.required else f"{field.key}={_written(field)}" for field in fields)
    shown = [field for field in fields if field.required] or fields[:1]
    example = ",".join(f"{field.key}={'VALUE' if field.required else _written(field)}" for field in shown)
    return f"its arguments are {listed}, as in postprocessing='{entry.name}:{example}' (--post '{entry.name}:{example}')"


def _arguments(descr: Any) -> Iterator[FieldInfo]:
    """Yield the arguments of the first form that an op has."""
    kwargs = next((field.type for field in fields_of(descr) if field.key == "kwargs"), None)
    forms = get_args(kwargs) if get_origin(kwargs) in (Union, types.UnionType) else (kwargs,)
    for form in filter(has_fields, forms):
        yield from (field for field in fields_of(form) if not field.is_constant)
        return


def _written(field: FieldInfo) -> str:
    """Return the default of an argument as YAML has it."""
    default = field.default_value()
    if default is None or default is attrs.NOTHING:
        return "null"
    if isinstance(default, bool):
        return str(default).lower()
    return f"[{','.join(map(str, default))}]" if isinstance(default, list | tuple) else str(default)
