"""The base of every description class."""

from __future__ import annotations

from ..structuring.node import NOTHING_WRITTEN, Loc, Node, Problem, Written, node

__all__ = ["NOTHING_WRITTEN", "Loc", "Node", "Problem", "Written", "node"]
