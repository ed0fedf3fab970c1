"""The command ``bmz``."""

from .main import main

__all__ = ["main"]
