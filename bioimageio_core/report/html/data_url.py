"""Files as part of a page."""

from __future__ import annotations

import base64

__all__ = ["data_url"]


def data_url(media_type: str, content: bytes) -> str:
    """Return a URL that contains a file, such as ``data:image/png;base64,...``."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"
