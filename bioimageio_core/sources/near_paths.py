"""Paths that were probably meant by paths at which there is nothing: messages begin with them."""

from __future__ import annotations

from pathlib import Path

from ..text import close_names

__all__ = ["asked_for_near", "near_path"]

ALIKE = 0.7
"""Least similarity of two names, from 0 to 1 (equal)."""


def asked_for_near(path: Path) -> str:
    """Return the question ``did you mean ...? `` for the beginning of a message about a missing file; empty where no name is near."""
    meant = near_path(path)
    return "" if meant is None else f"did you mean {meant}? "


def near_path(path: Path) -> Path | None:
    """Return the path that differs from a missing one by the spelling of the first part that is missing; None if there is none."""
    missing = path
    try:
        while missing.parent != missing and not missing.parent.exists():
            missing = missing.parent
        names = [other.name for other in missing.parent.iterdir()]
        for name in close_names(missing.name, names, most=3, cutoff=ALIKE):
            meant = missing.parent / name / path.relative_to(missing)
            if meant.exists():
                return meant
    except OSError:  # a folder that cannot be read
        pass
    return None
