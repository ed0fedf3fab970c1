"""Where repairs put what they can not read: nothing is lost."""

from __future__ import annotations

from typing import Any

from ..fields import found
from ..node import Loc, Problem
from ..notes import mended

__all__ = ["NOTHING", "PLACE", "keep", "value_at"]

PLACE = "repaired"
"""Key of ``config`` under which values are kept, by the path where they stood."""


class _Nothing:
    """Stands for no value, where null is one."""


NOTHING = _Nothing()


def value_at(tree: Any, loc: Loc) -> Any:
    """Return the value at a path, or `NOTHING`."""
    for key in loc:
        is_there = (isinstance(tree, dict) and key in tree) or (isinstance(tree, list) and isinstance(key, int) and key < len(tree))
        if not is_there:
            return NOTHING
        tree = tree[key]
    return tree


def keep(tree: dict[str, Any], loc: Loc, value: Any, why: str) -> Problem:
    """Keep a value, which has been taken from its place, in ``config``, and return what to say of it."""
    config = tree.get("config")
    if not isinstance(config, dict):
        config = tree["config"] = {} if config is None else {PLACE: {"config": config}}
    place = config.setdefault(PLACE, {})
    if not isinstance(place, dict):
        place = config[PLACE] = {PLACE: place}
    path = written = ".".join(map(str, loc))
    number = 1
    while path in place and place[path] != value:
        number += 1
        path = f"{written} ({number})"
    place[path] = value
    return mended(loc, f"{found(value)} was moved to config.{PLACE}: {why}")
