"""A description in a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..html.fragment import Fragment
from ..text.description_text import description_text

__all__ = ["description_fragment"]


def description_fragment(descr: Any) -> Fragment:
    """Return the main facts of a description of any type and version; its YAML can be opened."""
    return Fragment(
        kind=f"{descr.type} {descr.format_version}",
        title=descr.name,
        facts=(
            ("about", descr.description or ""),
            *_of_model(descr),
            ("by", _people(descr)),
            ("license", _name(getattr(descr, "license", None))),
        ),
        opens="YAML",
        more=description_text(descr),
    )


def _of_model(descr: Any) -> Iterator[tuple[str, str]]:
    for kind in ("input", "output"):
        for tensor in getattr(descr, f"{kind}s", ()):
            yield f"{kind} {_name(getattr(tensor, 'id', None) or getattr(tensor, 'name', ''))}", _axes(tensor.axes)
    if hasattr(descr, "weights"):
        yield "weights", ", ".join(map(str, descr.weights))


def _axes(axes: Any) -> str:
    return axes if isinstance(axes, str) else ", ".join(str(getattr(axis, "id", axis)) for axis in axes)


def _people(descr: Any) -> str:
    return ", ".join(person.name for person in descr.authors if person.name)


def _name(value: Any) -> str:
    return "" if value is None else str(getattr(value, "source", value))
