"""Positions of the values of a description in its text, for reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import attrs

from .node import Loc
from .yaml import scalar_of

__all__ = ["Position", "PositionFinder", "Positions", "Span"]


@attrs.frozen
class Span:
    """A range of text; lines and columns (in characters) count from 1, and the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


@attrs.frozen(kw_only=True)
class Position:
    """Position of a value."""

    value: Span
    key: Span | None
    """Position of its key; None for items of lists and for the document."""

    @property
    def place(self) -> Span:
        """The range to show: the key of a value of several lines, otherwise the value."""
        return self.key if self.key is not None and self.value.line != self.value.end_line else self.value


Positions: TypeAlias = Mapping[Loc, Position]
"""Positions by path; values within an alias have none."""


@attrs.define
class _Open:
    """A mapping or sequence that is still open."""

    loc: Loc
    start: Any
    """Where it starts."""

    key_span: Span | None
    items: int | None
    """Items so far; None for mappings."""

    key: Any = None
    key_at: Span | None = None
    """Of the key that still lacks its value; None where a key comes next."""


@attrs.define
class PositionFinder:
    """Collects positions from the events of one document while it is read."""

    found: dict[Loc, Position] = attrs.field(factory=dict)
    _open: list[_Open] = attrs.field(factory=list)

    def add(self, event: Any) -> None:
        """Record the position of the value that an event of PyYAML begins or ends; events come in order."""
        import yaml

        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            loc, key = _next(self._open)
            self._open.append(_Open(loc, event.start_mark, key, 0 if isinstance(event, yaml.SequenceStartEvent) else None))
        elif isinstance(event, yaml.CollectionEndEvent):
            ended = self._open.pop()
            self.found[ended.loc] = Position(value=_span(ended.start, event.end_mark), key=ended.key_span)
        elif isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent)):
            span = _span(event.start_mark, event.end_mark)
            if self._open and self._open[-1].items is None and self._open[-1].key_at is None:
                # Aliases as keys stand for scalars that are not kept here: what they lead to has no position.
                self._open[-1].key = scalar_of(event) if isinstance(event, yaml.ScalarEvent) else event
                self._open[-1].key_at = span
            else:
                loc, key = _next(self._open)
                self.found[loc] = Position(value=span, key=key)


def _next(stack: list[_Open]) -> tuple[Loc, Span | None]:
    """Return path and key of the value that comes next in the innermost collection."""
    if not stack:
        return (), None
    inner = stack[-1]
    if inner.items is not None:
        inner.items += 1
        return (*inner.loc, inner.items - 1), None
    key, inner.key_at = inner.key_at, None
    return (*inner.loc, inner.key), key


def _span(start: Any, end: Any) -> Span:
    return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1)
