"""The base of every description class."""

from __future__ import annotations

from ..structuring.node import NOTHING_WRITTEN, Issue, Loc, Node, Written, node

__all__ = ["NOTHING_WRITTEN", "Issue", "Loc", "Node", "Written", "node"]

"""The name of `Issue` in plugins written for earlier releases."""
