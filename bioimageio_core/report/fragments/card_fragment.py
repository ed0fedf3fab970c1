"""The card of a resource in a notebook."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import get_args

from ...spec.validation import Issue
from ...typing import Severity
from ..cards.model_card import ModelCard
from ..cards.resource_card import ResourceCard
from ..cards.tensor_card import TensorCard
from ..html.data_url import data_url
from ..html.fragment import Fragment
from ..html.panels import Panel, Panels
from ..pictures.small_cover import small_cover
from ..plain_text import bytes_in_words
from ..text.card_text import card_text

__all__ = ["card_fragment"]

COVER = 200
"""Pixels of the width of a cover; its height follows from that of pictures of models, which the format asks for."""

LARGEST_COVER = 30_000
"""Characters of the URL of a cover that is shown: a notebook stores it. A larger one is made smaller."""


def card_fragment(card: ResourceCard) -> Fragment:
    """Return what a resource is, takes and gives, with a small cover; `page()` shows everything."""
    covers = (_small(c.data_url) for c in card.covers if c.data_url)
    cover = next(filter(None, covers), "")
    panel = Panel(title="", pictures={(0, 0): cover}, channels=("",), width=COVER, height=COVER // 2, smooth=True)
    return Fragment(
        kind=f"{card.type} {card.format_version}",
        title=card.name,
        facts=tuple(_facts(card)),
        panels=Panels(panels=(panel,)) if cover else None,
        more=card_text(card),
        opens="all",
        has_page=True,
    )


def _small(cover: str) -> str:
    """Return the URL of a cover with fewer characters; empty where it cannot be made small."""
    if len(cover) <= LARGEST_COVER:
        return cover
    # In a URL, 3 bytes are 4 characters.
    small = small_cover(base64.b64decode(cover.partition(",")[2]), LARGEST_COVER * 3 // 4 - 40, 2 * COVER)
    return data_url("image/jpeg", small) if small else ""


def _facts(card: ResourceCard) -> Iterator[tuple[str, str]]:
    yield "about", card.description
    if isinstance(card, ModelCard):
        for tensor in card.inputs:
            yield f"input {tensor.id}", _tensor(tensor)
        for tensor in card.outputs:
            yield f"output {tensor.id}", _tensor(tensor)
        for weights in card.weights:
            size = "not on this machine" if weights.size is None else bytes_in_words(weights.size)
            runs = f"cannot run here: {weights.why_not}" if weights.why_not else f"runs here, with {weights.adapter}"
            yield f"weights {weights.weights_format}", f"{size}; {runs}"
    yield "by", ", ".join(person.name for person in card.authors)
    yield "license", card.license or ""
    yield "issues", _issues(card.issues)


def _issues(issues: Sequence[Issue]) -> str:
    """Return the number of issues by severity, and the message of the worst."""
    found = [(severity, [i for i in issues if i.severity == severity]) for severity in get_args(Severity)]
    counts = [f"{len(some)} {severity}{'s' * (len(some) != 1 and severity != 'info')}" for severity, some in found if some]
    worst = next((some[0] for _, some in found if some), None)
    return "" if worst is None else f"{', '.join(counts)}; {worst.path or 'the whole'}: {worst.message}"


def _tensor(tensor: TensorCard) -> str:
    axes = ", ".join(f"{axis.id} {axis.size_in_words()}" for axis in tensor.axes)
    return f"{axes}; {tensor.dtype}{f', {tensor.values}' if tensor.values else ''}"
