"""Repairs of descriptions that break their format, where the meaning is certain; nothing is invented, and every change is reported.

A repair is a function ``(tree) -> Iterator[Issue]``: it changes the tree in place and yields a warning for each change.
"""

from .repairing import repaired

__all__ = ["repaired"]
