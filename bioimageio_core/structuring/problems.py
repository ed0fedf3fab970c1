"""Problems of trees: the one error of structuring, and how errors of cattrs become problems with paths."""

from __future__ import annotations

from typing import Any

import attrs
from cattrs import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError
from cattrs.errors import StructureHandlerNotFoundError

from ..text import did_you_mean
from .class_fields import fields_of
from .node import Issue, Loc

__all__ = ["StructureProblems", "message_of", "problems_of"]


MOST_UNKNOWN = 100
"""Unknown keys of one mapping that are listed; for each, all known names are compared."""


class StructureProblems(ValueError):
    """A tree does not fit its class; ``problems`` hold where and why."""

    def __init__(self, problems: list[Issue]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(f"{'.'.join(map(str, p.loc)) or 'value'}: {p.message}" for p in self.problems)


def problems_of(error: BaseException, loc: Loc = ()) -> list[Issue]:
    """Return an error of structuring as problems: groups of cattrs by the notes that name attribute or index.

    Raises:
        RecursionError: It is among the errors: the tree is too deep.

    """
    if isinstance(error, RecursionError):
        raise error
    if isinstance(error, ClassValidationError):
        keys = {field.name: field.key for field in fields_of(error.cl)}
        located, others = error.group_exceptions()
        within = [problem for each, note in located for problem in problems_of(each, (*loc, keys[note.name]))]
        return within + [problem for each in others for problem in problems_of(each, loc)]
    if isinstance(error, IterableValidationError):
        items, others = error.group_exceptions()
        within = [problem for each, note in items for problem in problems_of(each, (*loc, note.index))]
        return within + [problem for each in others for problem in problems_of(each, loc)]
    if isinstance(error, StructureProblems):
        return [attrs.evolve(problem, loc=loc + problem.loc) for problem in error.problems]
    if isinstance(error, ForbiddenExtraKeysError):
        unknown = sorted(error.extra_fields, key=str)
        left_out = len(unknown) - MOST_UNKNOWN
        more = [Issue(loc=loc, message=f"expected no unknown keys, found {left_out} more")] if left_out > 0 else []
        return [_unknown_key(error.cl, key, loc) for key in unknown[:MOST_UNKNOWN]] + more
    return [Issue(loc=loc, message=message_of(error))]


def message_of(error: BaseException) -> str:
    """Return what an error of one value says, in one line."""
    if isinstance(error, KeyError):  # raised by cattrs for a key that is missing
        return "expected a value, found none"
    # Errors of attrs validators hold the attribute and the value as further arguments.
    text = " ".join(str(error.args[0] if error.args else error).split())
    return text if isinstance(error, (TypeError, ValueError, StructureHandlerNotFoundError)) else f"{type(error).__name__}: {text}"


def _unknown_key(cls: Any, key: Any, loc: Loc) -> Issue:
    keys = [field.key for field in fields_of(cls)]
    others = f"{', '.join(keys[:12])}{', ...' if len(keys) > 12 else ''}"
    expected = did_you_mean(key, keys, otherwise=f"expected one of {others}")
    return Issue(loc=(*loc, key), message=f"unknown key, {expected}", at_key=True)
