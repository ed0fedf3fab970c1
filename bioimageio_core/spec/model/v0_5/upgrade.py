"""From earlier micro versions of format 0.5 to the latest, on trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from ...dataset.embedded import upgrade_embedded
from ...generic.upgrade_v0_3 import read_files, read_version_number
from ...node import Issue
from .model import LATEST

__all__ = ["upgrade"]


def upgrade(tree: Mapping[str, Any], version: tuple[int, int, int]) -> tuple[dict[str, Any], list[Issue]]:
    """Return the tree in the form of the latest micro version, and what was changed; ``tree`` is not changed.

    Below 0.5.11 strings were allowed for ``documentation``, ``covers`` and ``icon`` where there are files now.
    In all versions ``version_number`` stands for ``version``.
    """
    new = dict(tree)
    notes: list[Issue] = []
    if version < (0, 5, 11):
        notes += read_files(new)
    notes += read_version_number(new)
    notes += upgrade_embedded(new, "training_data")
    for key in ("parent", "training_data"):
        child = new.get(key)
        if isinstance(child, Mapping) and "version_number" in child and "inputs" not in child and child.get("type") != "dataset":
            new[key] = dict(child)
            notes += [attrs.evolve(note, loc=(key, *note.loc)) for note in read_version_number(new[key])]
    new["format_version"] = LATEST
    return new, notes
