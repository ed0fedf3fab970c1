"""The base of every description class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, TypeVar, dataclass_transform

import attrs

from ..shown import Shown
from ..typing import FrozenMapping, Severity

__all__ = ["NOTHING_WRITTEN", "Issue", "Loc", "Node", "Written", "node"]

Loc = tuple[str | int, ...]


@attrs.frozen(kw_only=True)
class Written:
    """What the document said beyond the values: it travels along so that writing it back loses nothing."""

    keys: frozenset[str] = frozenset()
    """Keys that the document set explicitly, defaults included."""

    unknown: FrozenMapping[str, Any] = FrozenMapping()
    """Keys that the format allows here without naming them, with their values."""


NOTHING_WRITTEN = Written()


@attrs.frozen(kw_only=True)
class Issue:
    """One thing to know about a description, or about a part of one."""

    loc: Loc
    """Path below the part, for reports in the document: keys and list indices."""

    message: str
    severity: Severity = "error"
    hint: str = ""
    at_key: bool = False
    """The key is wrong, not its value."""

    line: int | None = None
    """Line of the text, counted from 1, where the text cannot be read; elsewhere ``loc`` says where it is."""

    column: int | None = None
    """Column of the text, in characters counted from 1."""

    @property
    def path(self) -> str:
        """The path with dots, such as ``inputs.0.axes.2.size``; empty for the document."""
        return ".".join(map(str, self.loc))

    def __str__(self) -> str:
        text = f"{self.path}: {self.message}" if self.loc else self.message
        return " ".join(text.split())


T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(attrs.field,))
def node(cls: type[T]) -> type[T]:
    """Make a subclass of `Node` a frozen, slotted attrs class that is built with keywords only."""
    # What notebooks show has a short representation of its own.
    return attrs.frozen(kw_only=True, repr=not issubclass(cls, Shown))(cls)


@node
class Node:
    """A part of a description: frozen, slotted, built with keywords only.

    A field's own constraints are attrs validators that raise ValueError with expected and found;
    rules that span fields are yielded by `problems`.
    Field names are the keys of the document (a trailing underscore is dropped where the key is a Python keyword).
    """

    allows_unknown_keys: ClassVar[bool] = False

    written: Written = attrs.field(default=NOTHING_WRITTEN, eq=False, repr=False)

    def problems(self) -> Iterator[Issue]:
        """Yield what is wrong across the fields of this node, given that each field alone is well formed."""
        yield from ()
