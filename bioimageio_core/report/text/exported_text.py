"""An exported model as text."""

from __future__ import annotations

from ...foreign import ExportedModel

__all__ = ["exported_text"]


def exported_text(exported: ExportedModel) -> str:
    """Return where the model is, and what the format cannot store."""
    return "\n".join([f"{exported.path}: {exported.format}", *(f"  lost: {sentence}" for sentence in exported.lost)])
