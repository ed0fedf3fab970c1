"""Descriptions that break their format, brought to what they mean where that is certain; nothing is made up, nothing lost unsaid.

A repair is a function ``(tree) -> Iterator[Issue]``: it changes the tree in place and yields a warning for each thing that it mended.
"""

from .repairing import repaired

__all__ = ["repaired"]
