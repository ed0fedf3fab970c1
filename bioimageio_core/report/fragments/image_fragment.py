"""The card of an image in a notebook."""

from __future__ import annotations

import logging

from ...io import open_image
from ...places import local_path
from ..cards.image_card import ImageCard
from ..html.fragment import Fragment
from ..html.panels import Panels
from ..pictures.array_planes import file_to_show
from ..text.image_text import image_facts, image_text
from .plane_panels import plane_panels

__all__ = ["image_fragment"]

logger = logging.getLogger(__name__)


def image_fragment(card: ImageCard) -> Fragment:
    """Return what is known of an image, and a picture where reading one takes little."""
    return Fragment(
        kind="image",
        title=card.name,
        facts=tuple(image_facts(card)),
        panels=_panels(card),
        more=image_text(card),
        repeats=True,
    )


def _panels(card: ImageCard) -> Panels | None:
    """Return a picture of a file on this machine; None of arrays, which a card does not hold, and of URLs."""
    if card.location is None or local_path(card.location) is None:
        return None
    axes = card.axes or (("y", "x") if len(card.shape) == 2 else None)
    try:
        image = open_image(card.location, axes=axes, level=card.level, scene=card.scene)
        shown = file_to_show(image) if image.shape == card.shape else None
    except Exception as error:  # a card is shown also where its file cannot be read any more
        logger.info("no picture: %s", error)
        return None
    return None if shown is None else plane_panels([shown])
