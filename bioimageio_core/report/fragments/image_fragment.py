"""The card of an image in a notebook."""

from __future__ import annotations

from ..cards.image_card import ImageCard
from ..html.fragment import Fragment
from ..text.image_text import image_facts, image_text

__all__ = ["image_fragment"]


def image_fragment(card: ImageCard) -> Fragment:
    """Return what is known of an image."""
    return Fragment(kind="image", title=card.name, facts=tuple(image_facts(card)), more=image_text(card), repeats=True)
