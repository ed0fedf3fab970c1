"""Macros of ImageJ as trees."""

from __future__ import annotations

from typing import TypeAlias

import attrs

__all__ = [
    "Assign",
    "Binary",
    "Block",
    "Call",
    "Do",
    "Expression",
    "For",
    "Function",
    "If",
    "Index",
    "Length",
    "MacroError",
    "Name",
    "Number",
    "Program",
    "Return",
    "Statement",
    "Text",
    "Unary",
    "While",
]


class MacroError(ValueError):
    """A macro is invalid, or uses something unknown; one sentence."""


@attrs.frozen
class Number:
    """A number."""

    value: float


@attrs.frozen
class Text:
    """A string."""

    value: str


@attrs.frozen
class Name:
    """A variable."""

    name: str


@attrs.frozen
class Call:
    """A call of a function, built in or of the macro itself."""

    name: str
    arguments: tuple[Expression, ...]
    line: int


@attrs.frozen
class Index:
    """An element of an array."""

    array: Expression
    index: Expression


@attrs.frozen
class Length:
    """Number of elements of an array."""

    array: Expression


@attrs.frozen
class Unary:
    """A sign, or a negation."""

    operator: str
    operand: Expression


@attrs.frozen
class Binary:
    """An operator between two."""

    operator: str
    left: Expression
    right: Expression


Expression: TypeAlias = Number | Text | Name | Call | Index | Length | Unary | Binary


@attrs.frozen
class Assign:
    """An assignment; ``x += 1`` and ``x++`` are written out."""

    target: Name | Index
    value: Expression


@attrs.frozen
class Block:
    """Statements one after the other."""

    statements: tuple[Statement, ...]


@attrs.frozen
class If:
    """A condition with one or two ways."""

    condition: Expression
    then: Statement
    otherwise: Statement | None


@attrs.frozen
class While:
    """A loop that asks first."""

    condition: Expression
    body: Statement


@attrs.frozen
class Do:
    """A loop that asks last."""

    body: Statement
    condition: Expression


@attrs.frozen
class For:
    """A loop that counts."""

    start: Statement
    condition: Expression
    step: Statement
    body: Statement


@attrs.frozen
class Return:
    """The end of a function, with what it returns."""

    value: Expression | None


Statement: TypeAlias = Assign | Block | If | While | Do | For | Return | Call


@attrs.frozen
class Function:
    """A function of the macro."""

    parameters: tuple[str, ...]
    body: Block


@attrs.frozen
class Program:
    """A macro."""

    statements: tuple[Statement, ...]
    functions: dict[str, Function]
