"""What the newest versions ask of text that earlier ones did not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..node import Problem
from ..notes import mended
from .kept import keep

__all__ = ["long_description", "name", "people_without_slashes"]

_DESCRIPTION = 1024


def long_description(tree: dict[str, Any]) -> Iterator[Problem]:
    """Cut a description to its greatest length; the whole is kept."""
    text = tree.get("description")
    if isinstance(text, str) and len(text) > _DESCRIPTION:
        tree["description"] = text[:_DESCRIPTION]
        yield keep(tree, ("description",), text, f"descriptions have at most {_DESCRIPTION} characters, the first of which were kept")


def name(tree: dict[str, Any]) -> Iterator[Problem]:
    """Replace characters that names do not have, and cut a name to its greatest length."""
    written = tree.get("name")
    clean = re.sub(r"[^A-Za-z0-9_+\-() ]", " ", written)[:128] if isinstance(written, str) else written
    if clean != written:
        tree["name"] = clean
        yield mended(("name",), f"{written!r} became {clean!r}: letters, digits, spaces and _ + - ( ) are allowed, at most 128")


def people_without_slashes(tree: dict[str, Any]) -> Iterator[Problem]:
    """Remove slashes from names of people, as earlier versions did on reading."""
    for key in ("authors", "maintainers", "packaged_by"):
        people = tree.get(key)
        for index, person in enumerate(people if isinstance(people, list) else ()):
            written = person.get("name") if isinstance(person, dict) else None
            if isinstance(written, str) and (clean := re.sub(r"[/\\]", "", written)) != written:
                person["name"] = clean
                yield mended((key, index, "name"), f"{written!r} became {clean!r}: slashes are not allowed")
