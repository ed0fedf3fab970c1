"""Covers of resources, made small."""

from __future__ import annotations

import io
import logging
from importlib.util import find_spec

__all__ = ["small_cover"]

MOST_PIXELS = 2**25
"""Pixels of a cover that is decoded."""

QUALITY = 80
"""Of JPEG, from 0 to 95."""

logger = logging.getLogger(__name__)


def small_cover(content: bytes, longest: int, width: int) -> bytes:
    """Return a cover as a JPEG picture of at most `longest` bytes; empty where it cannot be made so small.

    Args:
        content: A file of PNG, JPEG or GIF.
        longest: Bytes of the result at most.
        width: Pixels of the longer side; half of them if that takes too many bytes.

    """
    if find_spec("PIL") is None:
        return b""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "GIF")) as cover:
            if cover.width * cover.height > MOST_PIXELS:
                return b""
            shown = cover.convert("RGBA")
        page = Image.new("RGBA", shown.size, "white")
        page.alpha_composite(shown)
        for wide in (width, width // 2):
            page.thumbnail((wide, wide))
            buffer = io.BytesIO()
            page.convert("RGB").save(buffer, "JPEG", quality=QUALITY)
            if buffer.tell() <= longest:
                return buffer.getvalue()
    except Exception as error:  # a cover is a file from elsewhere, and may be damaged in any way
        logger.info("no cover: %s", error)
        return b""
    return b""
