"""From format 0.3 and earlier micro versions of 0.4 to the latest, on trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...dataset.embedded import upgrade_embedded
from ...generic.upgrade_v0_2 import name_people, take_nickname, without_slashes
from ...node import Issue
from ...notes import changed
from .model import LATEST
from .upgrade_v0_3 import from_v0_3, kept_in_config

__all__ = ["upgrade"]


def upgrade(tree: Mapping[str, Any], version: tuple[int, int, int]) -> tuple[dict[str, Any], list[Issue]]:
    """Return the tree in the form of the latest micro version, and what was changed; ``tree`` is not changed."""
    new, notes = from_v0_3(tree, version) if version < (0, 4, 0) else (dict(tree), [])
    if version < (0, 4, 1):
        notes += _move_dependencies(new)
    if version < (0, 4, 5):
        notes += _name_parent(new)
    if version < (0, 4, 7):
        notes += without_slashes(new)
    if version < (0, 4, 10):
        notes += take_nickname(new)
    notes += name_people(new, "authors")
    if isinstance(new.get("config"), Mapping) and not new["config"]:
        del new["config"]
    notes += upgrade_embedded(new, "training_data")
    new["format_version"] = LATEST
    return new, notes


def _name_parent(new: dict[str, Any]) -> list[Issue]:
    """Up to 0.4.4 a parent was a text: its id, or where it was."""
    parent = new.get("parent")
    if not isinstance(parent, str):
        return []
    key = "uri" if "://" in parent else "id"
    new["parent"] = {key: parent}
    return [changed(("parent",), f"read as its {key}")]


def _move_dependencies(new: dict[str, Any]) -> list[Issue]:
    """Up to 0.4.0 dependencies stood at the top level; they are those of the PyTorch weights."""
    if "dependencies" not in new:
        return []
    weights = new.get("weights")
    entry = weights.get("pytorch_state_dict") if isinstance(weights, Mapping) else None
    if not new["dependencies"]:
        del new["dependencies"]
        return [changed(("dependencies",), "read as none")]
    if not isinstance(weights, Mapping) or not isinstance(entry, Mapping):
        return [kept_in_config(new, "dependencies")]
    dependencies = new.pop("dependencies")
    new["weights"] = {**weights, "pytorch_state_dict": {**entry, "dependencies": dependencies}}
    return [changed(("dependencies",), "read as weights.pytorch_state_dict.dependencies")]
