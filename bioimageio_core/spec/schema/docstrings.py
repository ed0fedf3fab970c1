"""The documentation of node classes and of their fields, read from their source."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from typing import Any

__all__ = ["describe_class", "describe_fields"]


def describe_class(cls: type[Any]) -> str:
    """Return the first line of the docstring of a class; empty without one."""
    return _first_line(cls.__doc__ or "")


def describe_fields(cls: type[Any]) -> dict[str, str]:
    """Return the first line of the docstring below each field, by its name; inherited fields included.

    Without source code there are none.
    """
    described: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        described |= _in_source(base)
    return described


@cache
def _in_source(cls: type[Any]) -> dict[str, str]:
    try:
        source = inspect.getsource(cls)
    except (OSError, TypeError):
        return {}
    definition = ast.parse(textwrap.dedent(source)).body[0]
    if not isinstance(definition, ast.ClassDef):
        return {}
    described = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            text = below.value.value if isinstance(below.value, ast.Constant) else None
            if isinstance(text, str):
                described[field.target.id] = _first_line(text)
    return described


def _first_line(text: str) -> str:
    lines = inspect.cleandoc(text).splitlines()
    return lines[0].replace("``", "`") if lines else ""
