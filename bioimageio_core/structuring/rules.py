"""The rules of nodes, which span several fields: applied to all nodes within a value, each problem with its path."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, get_args, get_origin

import attrs

from ..typing import FrozenMapping
from .class_fields import fields_of, has_fields
from .node import Issue, Loc, Node

__all__ = ["collect_problems", "rule_errors"]


def collect_problems(value: Any, loc: Loc = ()) -> list[Issue]:
    """Return the problems of all nodes within ``value``, the outermost first."""
    problems: list[Issue] = []
    _collect(value, loc, problems)
    return problems


def rule_errors(value: Any) -> list[Issue]:
    """Return those problems of all nodes within ``value`` that make a description invalid."""
    return [problem for problem in collect_problems(value) if problem.severity == "error"]


_LEAVES = frozenset([str, int, float, bool, type(None)])


def _collect(value: Any, loc: Loc, problems: list[Issue]) -> None:
    cls = value.__class__
    if cls in _LEAVES:
        return
    if cls is tuple or cls is list:
        for index, item in enumerate(value):
            _collect(item, (*loc, index), problems)
    elif cls is FrozenMapping or cls is dict:
        for key, item in value.items():
            _collect(item, (*loc, key), problems)
    else:
        has_rules, children = _walked(cls)
        if has_rules:
            problems += [attrs.evolve(problem, loc=loc + problem.loc) if loc else problem for problem in value.problems()]
        for name, key in children:
            _collect(getattr(value, name), (*loc, key), problems)


@cache
def _walked(cls: Any) -> tuple[bool, tuple[tuple[str, str], ...]]:
    """Return whether values of a class have rules, and the names and keys of those of its fields within which there may be rules."""
    if not has_fields(cls):
        return False, ()
    has_rules = issubclass(cls, Node) and cls.problems is not Node.problems
    return has_rules, tuple((f.name, f.key) for f in fields_of(cls) if _may_hold_rules(f.type, (cls,)))


def _may_hold_rules(type_: Any, outer: tuple[Any, ...]) -> bool:
    """Return whether there may be rules within values of a type; ``outer`` are classes around it, which it may be one of."""
    if getattr(type_, "__metadata__", ()) and any(getattr(mark, "is_resolved_by_registry", False) for mark in type_.__metadata__):
        return True
    if type_ in outer:
        return True
    if has_fields(type_):
        return (
            type_ is Node
            or (issubclass(type_, Node) and type_.problems is not Node.problems)
            or any(_may_hold_rules(f.type, (*outer, type_)) for f in fields_of(type_))
        )
    return get_origin(type_) is not Literal and any(_may_hold_rules(argument, outer) for argument in get_args(type_))
