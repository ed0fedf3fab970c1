"""From earlier micro versions of format 0.4 to the latest, on trees."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...node import Loc, Problem
from .model import LATEST

__all__ = ["upgrade"]


def upgrade(tree: Mapping[str, Any], version: tuple[int, int, int]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the tree in the form of the latest micro version, and what was changed; ``tree`` itself is left as it is."""
    new = dict(tree)
    notes: list[Problem] = []
    if version < (0, 4, 1):
        notes += _move_dependencies(new)
    if version < (0, 4, 7) and isinstance(new.get("name"), str) and re.search(r"[/\\]", new["name"]):
        new["name"] = re.sub(r"[/\\]", "", new["name"])
        notes.append(_note(("name",), "slashes were removed"))
    if version < (0, 4, 10):
        notes += _take_nickname(new)
    notes += _name_authors(new)
    if isinstance(new.get("config"), Mapping) and not new["config"]:
        del new["config"]
    new["format_version"] = LATEST
    return new, notes


def _move_dependencies(new: dict[str, Any]) -> list[Problem]:
    """Up to 0.4.0 dependencies stood at the top level; they are those of the PyTorch weights."""
    if "dependencies" not in new:
        return []
    dependencies = new.pop("dependencies")
    weights = new.get("weights")
    entry = weights.get("pytorch_state_dict") if isinstance(weights, Mapping) else None
    if not isinstance(weights, Mapping) or not isinstance(entry, Mapping):
        return [_note(("dependencies",), "dropped, since there are no weights of format pytorch_state_dict that they could be for")]
    new["weights"] = {**weights, "pytorch_state_dict": {**entry, "dependencies": dependencies}}
    return [_note(("dependencies",), "read as weights.pytorch_state_dict.dependencies")]


def _take_nickname(new: dict[str, Any]) -> list[Problem]:
    """Up to 0.4.9 ids were nicknames in config."""
    config = new.get("config")
    own = config.get("bioimageio") if isinstance(config, Mapping) else None
    notes = []
    for old, key in (("nickname", "id"), ("nickname_icon", "id_emoji")):
        if isinstance(own, Mapping) and old in own:
            new[key] = own[old]
            notes.append(_note(("config", "bioimageio", old), f"read as {key}"))
    return notes


def _name_authors(new: dict[str, Any]) -> list[Problem]:
    notes = []
    for key in ("authors",):
        people = new.get(key)
        if isinstance(people, (list, tuple)) and any(isinstance(person, str) for person in people):
            new[key] = [{"name": person} if isinstance(person, str) else person for person in people]
            notes.append(_note((key,), "strings were read as names"))
    return notes


def _note(loc: Loc, message: str) -> Problem:
    return Problem(loc=loc, message=message, severity="info")
