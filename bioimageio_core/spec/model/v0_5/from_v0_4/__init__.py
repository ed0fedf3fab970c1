"""From model format 0.4.10 to 0.5, on trees of valid descriptions."""

from .description import convert

__all__ = ["convert"]
