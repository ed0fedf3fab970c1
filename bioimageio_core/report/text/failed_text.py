"""The failure of one of many images as text."""

from __future__ import annotations

from ...prediction.many.attempts import Failed
from ..plain_text import in_one_line

__all__ = ["failed_text"]


def failed_text(failed: Failed) -> str:
    """Return the image and the error."""
    return in_one_line(f"failed: {failed.image}: {failed.error}")
