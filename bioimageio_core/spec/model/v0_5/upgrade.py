"""From earlier micro versions of format 0.5 to the latest, on trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...node import Loc, Problem
from .model import LATEST

__all__ = ["upgrade"]


def upgrade(tree: Mapping[str, Any], version: tuple[int, int, int]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the tree in the form of the latest micro version, and what was changed; ``tree`` itself is left as it is.

    Below 0.5.11 strings were allowed for ``documentation``, ``covers`` and ``icon`` where there are files now.
    In all versions ``version_number`` stands for ``version``.
    """
    new = dict(tree)
    notes: list[Problem] = []
    if version < (0, 5, 11):
        for key in ("documentation", "icon"):
            value = new.get(key)
            if isinstance(value, str) and (key != "icon" or len(value) > 2):
                new[key] = {"source": value}
                notes.append(_note((key,), "read as a file"))
        covers = new.get("covers")
        if isinstance(covers, (list, tuple)) and any(isinstance(cover, str) for cover in covers):
            new["covers"] = [{"source": cover} if isinstance(cover, str) else cover for cover in covers]
            notes.append(_note(("covers",), "read as files"))
    if "version_number" in new:
        new = _with_version(new)
        notes.append(_note(("version_number",), "read as version"))
    for key in ("parent", "training_data"):
        child = new.get(key)
        if isinstance(child, Mapping) and "version_number" in child and "inputs" not in child:
            new[key] = _with_version(child)
            notes.append(_note((key, "version_number"), "read as version"))
    new["format_version"] = LATEST
    return new, notes


def _with_version(tree: Mapping[str, Any]) -> dict[str, Any]:
    new = {key: value for key, value in tree.items() if key != "version_number"}
    if new.get("version") is None and tree["version_number"] is not None:
        new["version"] = tree["version_number"]
    return new


def _note(loc: Loc, message: str) -> Problem:
    return Problem(loc=loc, message=message, severity="info")
