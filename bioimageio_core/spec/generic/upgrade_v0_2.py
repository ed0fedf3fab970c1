"""From earlier micro versions of format 0.2 to the latest, on trees."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...structuring.format_value import format_value
from ..node import Issue
from ..notes import changed, lost
from .v0_2 import LATEST

__all__ = ["name_people", "take_nickname", "upgrade", "without_slashes"]


def upgrade(tree: Mapping[str, Any], version: tuple[int, int, int]) -> tuple[dict[str, Any], list[Issue]]:
    """Return the tree in the form of the latest micro version, and what was changed; ``tree`` is not changed."""
    new = dict(tree)
    notes = name_people(new, "authors")
    if version < (0, 2, 3):
        notes += without_slashes(new)
    if version < (0, 2, 4):
        notes += take_nickname(new)
    new["format_version"] = LATEST
    return new, notes


def name_people(new: dict[str, Any], *keys: str) -> list[Issue]:
    """Read strings in lists of people as their names."""
    notes = []
    for key in keys:
        people = new.get(key)
        if isinstance(people, (list, tuple)) and any(isinstance(person, str) for person in people):
            new[key] = [{"name": person} if isinstance(person, str) else person for person in people]
            notes.append(changed((key,), "strings were read as names"))
    return notes


def without_slashes(new: dict[str, Any]) -> list[Issue]:
    """Remove slashes from the name, where early versions allowed them."""
    if not isinstance(new.get("name"), str) or not re.search(r"[/\\]", new["name"]):
        return []
    new["name"] = re.sub(r"[/\\]", "", new["name"])
    return [changed(("name",), "slashes were removed")]


def take_nickname(new: dict[str, Any]) -> list[Issue]:
    """Set ``id`` and ``id_emoji`` from the nickname in ``config``, which early versions had instead."""
    config = new.get("config")
    own = config.get("bioimageio") if isinstance(config, Mapping) else None
    notes = []
    for old, key in (("nickname", "id"), ("nickname_icon", "id_emoji")):
        if isinstance(own, Mapping) and old in own:
            if new.get(key) not in (None, own[old]):
                notes.append(
                    lost((key,), f"{format_value(new[key])} was dropped for {format_value(own[old])}, as config.bioimageio.{old} says")
                )
            new[key] = own[old]
            notes.append(changed(("config", "bioimageio", old), f"read as {key}"))
    return notes
