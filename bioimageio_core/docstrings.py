"""The documentation of classes and of their fields, read from their source."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

__all__ = ["describe_class", "describe_fields", "first_line", "first_sentence"]

SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-Z`\"])")
"""Where a sentence ends and another one begins."""


def describe_class(cls: type[Any]) -> str:
    """Return the first line of the docstring of a class; empty without one."""
    return first_line(cls.__doc__ or "")


def describe_fields(cls: type[Any]) -> dict[str, str]:
    """Return the docstring below each field, by its name; inherited fields included.

    Without source code there are none.
    """
    described: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        described |= _classes_of(base.__module__).get(base.__qualname__, {})
    return described


def first_line(docstring: str) -> str:
    """Return the first line of a docstring."""
    lines = docstring.splitlines()
    return lines[0].replace("``", "`") if lines else ""


def first_sentence(docstring: str) -> str:
    """Return the first sentence of a docstring, which may take several lines, in one line."""
    paragraph = " ".join(docstring.partition("\n\n")[0].split())
    return SENTENCE.split(paragraph, maxsplit=1)[0]


@cache
def _classes_of(module: str) -> Mapping[str, Mapping[str, str]]:
    """Return what is written below the fields of each class of a module, by the qualified name of the class."""
    try:
        source = inspect.getsource(sys.modules[module])
    except (OSError, TypeError, KeyError):
        return {}
    return dict(_classes_in(ast.parse(source).body, ""))


def _classes_in(body: list[ast.stmt], within: str) -> list[tuple[str, dict[str, str]]]:
    found = []
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            name = within + statement.name
            found += [(name, _fields_in(statement)), *_classes_in(statement.body, f"{name}.")]
        elif isinstance(statement, ast.FunctionDef):
            found += _classes_in(statement.body, f"{within}{statement.name}.<locals>.")
    return found


def _fields_in(definition: ast.ClassDef) -> dict[str, str]:
    described = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            text = below.value.value if isinstance(below.value, ast.Constant) else None
            if isinstance(text, str):
                described[field.target.id] = inspect.cleandoc(text)
    return described
