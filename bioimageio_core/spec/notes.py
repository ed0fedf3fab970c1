"""Issues of upgrades: what they changed."""

from __future__ import annotations

from .node import Issue, Loc

__all__ = ["changed", "lost", "mended"]


def changed(loc: Loc, message: str) -> Issue:
    """Return an info: a value has another form now."""
    return Issue(loc=loc, message=message, severity="info")


def lost(loc: Loc, message: str) -> Issue:
    """Return a warning: the newer format has no place for a value, or another place."""
    return Issue(loc=loc, message=message, severity="warning")


def mended(loc: Loc, message: str) -> Issue:
    """Return a warning: a value broke the format and was repaired."""
    return Issue(loc=loc, message=message, severity="warning")
