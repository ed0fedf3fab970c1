"""Datasets that are described within another description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from ..formats import detect
from ..node import Issue
from ..versions import upgrade_of

__all__ = ["upgrade_embedded"]


def upgrade_embedded(new: dict[str, Any], key: str) -> list[Issue]:
    """Bring a dataset under ``key`` to the latest micro version of its format, in place; return what was changed."""
    tree = new.get(key)
    if not isinstance(tree, Mapping) or tree.get("type") != "dataset":
        return []
    detected = detect(tree)
    if detected.format is None:
        return []
    new[key], notes = upgrade_of("dataset", detected.format)(tree, detected.version)
    return [attrs.evolve(note, loc=(key, *note.loc)) for note in (*detected.problems, *notes)]
