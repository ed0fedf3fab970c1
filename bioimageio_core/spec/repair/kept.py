"""Where repairs put values that they cannot read: nothing is lost."""

from __future__ import annotations

from typing import Any

from ...structuring.format_value import format_value
from ...structuring.freezing import as_finite
from ..node import Issue, Loc
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


def keep(tree: dict[str, Any], loc: Loc, value: Any, why: str) -> Issue:
    """Keep a value that was removed from its place in ``config``, and return an issue about it."""
    config = tree.get("config")
    if not isinstance(config, dict):
        config = tree["config"] = {} if config is None else {PLACE: {"config": config}}
    place, beside = config.setdefault(PLACE, {}), ""
    if not isinstance(place, dict):
        beside = f", with {format_value(place)}, which was there before"
        place = config[PLACE] = {PLACE: place}
    path = written = ".".join(map(str, loc))
    number, written_plainly = 1, as_finite(value)
    while path in place and place[path] != written_plainly:
        number += 1
        path = f"{written} ({number})"
    place[path] = written_plainly
    return mended(loc, f"{format_value(value)} was moved to config.{PLACE}{beside}: {why}")
