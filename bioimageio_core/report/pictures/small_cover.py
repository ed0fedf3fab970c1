"""Covers of resources, made small."""

from __future__ import annotations

import base64
import io
import logging
from importlib.util import find_spec

from ..html.data_url import data_url

__all__ = ["small_cover"]

MOST_PIXELS = 2**25
"""Pixels of a cover that is decoded."""

QUALITY = 80
"""Of JPEG, from 0 to 95."""

logger = logging.getLogger(__name__)


def small_cover(url: str, longest: int, width: int) -> str:
    """Return the URL of a cover with at most `longest` characters: as it is, or smaller; empty where it cannot be made smaller.

    Args:
        url: A data URL.
        longest: Characters of the result at most.
        width: Pixels of the longer side of a cover that is made smaller; half of them if that takes too many characters.

    """
    if len(url) <= longest:
        return url
    if find_spec("PIL") is None:
        return ""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])), formats=("PNG", "JPEG", "GIF")) as cover:
            if cover.width * cover.height > MOST_PIXELS:
                return ""
            shown = cover.convert("RGBA")
        page = Image.new("RGBA", shown.size, "white")
        page.alpha_composite(shown)
        for wide in (width, width // 2):
            page.thumbnail((wide, wide))
            buffer = io.BytesIO()
            page.convert("RGB").save(buffer, "JPEG", quality=QUALITY)
            small = data_url("image/jpeg", buffer.getvalue())
            if len(small) <= longest:
                return small
    except Exception as error:  # a cover is a file from elsewhere, and may be damaged in any way
        logger.info("no cover: %s", error)
        return ""
    return ""
