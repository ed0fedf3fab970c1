"""What upgrades say about what they changed."""

from __future__ import annotations

from .node import Issue, Loc

__all__ = ["changed", "lost", "mended"]


def changed(loc: Loc, message: str) -> Issue:
    """Return the note that something is said in another way now."""
    return Issue(loc=loc, message=message, severity="info")


def lost(loc: Loc, message: str) -> Issue:
    """Return the warning that the newer format can not say something, or not there."""
    return Issue(loc=loc, message=message, severity="warning")


def mended(loc: Loc, message: str) -> Issue:
    """Return the warning that something was not as the format has it, and what was made of it."""
    return Issue(loc=loc, message=message, severity="warning")
