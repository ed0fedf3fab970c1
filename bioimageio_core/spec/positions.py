"""Where in the text of a description each of its values stands; looked up only for reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import attrs

from .node import Loc
from .yaml import scalar_of

__all__ = ["Position", "Positions", "Span", "find_positions"]


@attrs.frozen
class Span:
    """A stretch of text; lines and columns (in characters) count from 1, and the end is behind the last character."""

    line: int
    column: int
    end_line: int
    end_column: int


@attrs.frozen(kw_only=True)
class Position:
    """Where a value stands."""

    value: Span
    key: Span | None
    """Its key; None for items of lists and for the whole document."""

    @property
    def place(self) -> Span:
        """What to point at: the key of a value of several lines, else the value."""
        return self.key if self.key is not None and self.value.line != self.value.end_line else self.value


Positions: TypeAlias = Mapping[Loc, Position]
"""Positions by path; what stands within an alias has none of its own."""


def find_positions(text: str | bytes) -> dict[Loc, Position]:
    """Return the position of every value of a YAML document that `load_yaml` reads, by its path.

    Args:
        text: The document; bytes are UTF-8, with or without a byte order mark.

    """
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
    return dict(_positions(yaml.parse(decoded, Loader=loader)))


@attrs.define
class _Open:
    """A mapping or sequence that has not ended."""

    loc: Loc
    start: Any
    """Where it starts."""

    key_span: Span | None
    items: int | None
    """Items so far; None for mappings."""

    key: Any = None
    key_at: Span | None = None
    """Of the key that still lacks its value; None where a key comes next."""


def _positions(events: Iterator[Any]) -> Iterator[tuple[Loc, Position]]:
    import yaml

    stack: list[_Open] = []
    for event in events:
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            loc, key = _next(stack)
            stack.append(_Open(loc, event.start_mark, key, 0 if isinstance(event, yaml.SequenceStartEvent) else None))
        elif isinstance(event, yaml.CollectionEndEvent):
            ended = stack.pop()
            yield ended.loc, Position(value=_span(ended.start, event.end_mark), key=ended.key_span)
        elif isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent)):
            span = _span(event.start_mark, event.end_mark)
            if stack and stack[-1].items is None and stack[-1].key_at is None:
                # Aliases as keys stand for scalars that are not kept here: what they lead to has no position.
                stack[-1].key = scalar_of(event) if isinstance(event, yaml.ScalarEvent) else event
                stack[-1].key_at = span
            else:
                loc, key = _next(stack)
                yield loc, Position(value=span, key=key)


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
