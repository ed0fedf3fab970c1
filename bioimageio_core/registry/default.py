"""The registry of all installed plugins."""

from __future__ import annotations

from functools import cache

from .collect import collect
from .registry import Registry

__all__ = ["default_registry"]


@cache
def default_registry() -> Registry:
    """Return the registry of all installed plugins, collected once."""
    return collect()
