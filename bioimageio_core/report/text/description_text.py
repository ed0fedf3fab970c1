"""A description as text: its YAML."""

from __future__ import annotations

from typing import Any

from ...registry import default_registry
from ...spec.saving import description_yaml

__all__ = ["description_text"]


def description_text(descr: Any) -> str:
    """Return a description as YAML, as it is saved."""
    return description_yaml(descr, default_registry()).rstrip()
