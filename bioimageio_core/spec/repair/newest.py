"""What the newest versions ask for that earlier ones did not, and what documents in their form take from earlier ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..node import Issue, Loc
from ..notes import mended
from .kept import keep
from .tensors import refer, tensors_of

__all__ = ["ids_for_names", "long_description", "name", "people_without_slashes", "short_ids"]

_DESCRIPTION = 1024
_TENSOR_ID = 32
"""Greatest lengths."""


def long_description(tree: dict[str, Any]) -> Iterator[Issue]:
    """Cut a description to its greatest length; the full text is kept in ``config``."""
    text = tree.get("description")
    if isinstance(text, str) and len(text) > _DESCRIPTION:
        tree["description"] = text[:_DESCRIPTION]
        yield keep(tree, ("description",), text, f"descriptions have at most {_DESCRIPTION} characters, the first of which were kept")


def name(tree: dict[str, Any]) -> Iterator[Issue]:
    """Replace characters that names do not have, and cut a name to its greatest length."""
    written = tree.get("name")
    clean = re.sub(r"[^A-Za-z0-9_+\-() ]", " ", written)[:128] if isinstance(written, str) else written
    if clean != written:
        tree["name"] = clean
        yield mended(("name",), f"{written!r} became {clean!r}: letters, digits, spaces and _ + - ( ) are allowed, at most 128")


def people_without_slashes(tree: dict[str, Any]) -> Iterator[Issue]:
    """Remove slashes from names of people, as earlier versions did on reading."""
    for key in ("authors", "maintainers", "packaged_by"):
        people = tree.get(key)
        for index, person in enumerate(people if isinstance(people, list) else ()):
            written = person.get("name") if isinstance(person, dict) else None
            if isinstance(written, str) and (clean := re.sub(r"[/\\]", "", written)) != written:
                person["name"] = clean
                yield mended((key, index, "name"), f"{written!r} became {clean!r}: slashes are not allowed")


def ids_for_names(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read names of tensors and ops as ids, in models whose axes are those of format 0.5."""
    for side, index, tensor in tensors_of(tree):
        if not isinstance(tensor.get("axes"), list) or not str(tree.get("format_version")).startswith("0.5"):
            continue
        key = "preprocessing" if side == "inputs" else "postprocessing"
        steps = tensor.get(key)
        nodes: list[tuple[Loc, Any]] = [((side, index), tensor)]
        nodes += [((side, index, key, position), step) for position, step in enumerate(steps if isinstance(steps, list) else ())]
        for loc, node in nodes:
            if isinstance(node, dict) and "name" in node and "id" not in node:
                node["id"] = node.pop("name")
                yield mended((*loc, "name"), "read as id")


def short_ids(tree: dict[str, Any]) -> Iterator[Issue]:
    """Cut ids of tensors to their greatest length, where they still differ; references to an id change along with it."""
    present = {tensor.get("id") for _, _, tensor in tensors_of(tree) if isinstance(tensor.get("id"), str)}
    for side, index, tensor in tensors_of(tree):
        written = tensor.get("id")
        if isinstance(written, str) and len(written) > _TENSOR_ID and (cut := written[:_TENSOR_ID]) not in present:
            present.add(cut)
            tensor["id"] = cut
            refer(tree, written, cut)
            yield mended((side, index, "id"), f"{written!r} became {cut!r}: ids of tensors have at most {_TENSOR_ID} characters")
