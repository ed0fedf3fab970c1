"""What consoles and notebooks show of results: one mixin, and the one place that looks up forms, which are made above what they show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any, TypeVar

import attrs

from .option_spelling import spelt
from .text import kind_of_object

__all__ = ["Listing", "Shown", "ShownOptions", "form_of"]

T = TypeVar("T")

LONGEST = 80
"""Characters of the value of an option that are shown."""

LONGEST_REPR = 240
"""Characters of the entries of a listing in its ``repr``."""


def form_of(value: object, form: str, **options: Any) -> Any:
    """Return a value in a form that people read.

    Forms are made by the package `report`, which imports all that it shows. So it is looked up by name when a form is asked for:
    else a result could not have methods that show it.

    Args:
        value: What to show.
        form: Name of a function of `bioimageio_core.report.forms`: ``text``, ``html``, ``page`` or ``picture``.
        options: Further arguments of the function.

    """
    found = getattr(import_module("bioimageio_core.report.forms"), form)(value, **options)
    return spelt(found) if isinstance(found, str) else found


class Shown:
    """Base class of results that are shown: as text by ``print``, and as HTML in notebooks. A subclass defines its one-line ``repr``."""

    __slots__ = ()

    def __str__(self) -> str:
        return str(form_of(self, "text"))

    def _repr_html_(self) -> str:
        """Return a fragment of HTML, without scripts and without requests; IPython and other notebooks call this."""
        return str(form_of(self, "html"))


class Listing(tuple[T, ...], Shown):
    """A tuple that is shown as a table; its ``repr`` has entries with an attribute ``in_brief``."""

    what: str
    """What the entries are, in the plural."""

    def __new__(cls, entries: Iterable[T], what: str) -> Listing[T]:
        """Make a listing of entries."""
        listing = super().__new__(cls, entries)
        listing.what = what
        return listing

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self), self.what

    def __repr__(self) -> str:
        brief = ", ".join(filter(None, (getattr(entry, "in_brief", "") for entry in self)))
        return f"<{len(self)} {self.what}{f': {brief[:LONGEST_REPR]}' if brief else ''}>"


class ShownOptions(Shown):
    """Base class of options, which are shown where they differ from their defaults; an attrs class."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value}' for name, value in self.given.items())})"

    @property
    def given(self) -> dict[str, str]:
        """The options that differ from their defaults, by name, as text of limited length."""
        known: Any = type(self)
        default = known()
        pairs = [(a.name, getattr(self, a.name), getattr(default, a.name)) for a in attrs.fields(known)]
        # Masks are arrays, which compare element by element.
        return {name: _shown(value) for name, value, own in pairs if value is not own and (hasattr(value, "shape") or value != own)}


def _shown(value: Any) -> str:
    text = repr(dict(value)) if isinstance(value, Mapping) else kind_of_object(value) if hasattr(value, "shape") else repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
