"""Cards and reports as pages."""

from __future__ import annotations

from collections.abc import Sequence

from .html import render
from .located import LocatedReport
from .markdown import markdown_html
from .measured_rows import MEASURED_HEADER, measured_rows
from .model_card import ModelCard
from .resource_card import ResourceCard
from .tensor_drawing import draw_tensors

__all__ = ["card_page", "validation_page"]

_OPEN = 3
"""Reports up to this number are shown open, whatever they say; of more only those with errors."""


def validation_page(reports: Sequence[LocatedReport]) -> str:
    """Return a page that shows what validation found, with a filter by severity."""
    return render(
        "validation.html.j2",
        reports=reports,
        counts={s: sum(r.count(s) for r in reports) for s in ("error", "alert", "warning", "info")},
        statuses={s: sum(r.status == s for r in reports) for s in ("valid", "invalid", "unreadable")},
        all_open=len(reports) <= _OPEN,
    )


def card_page(card: ResourceCard) -> str:
    """Return a page that shows a resource, with its pictures and documentation."""
    return render(
        "card.html.j2",
        card=card,
        is_model=isinstance(card, ModelCard),
        measured=(MEASURED_HEADER, measured_rows(card)) if isinstance(card, ModelCard) else ((), []),
        drawings=draw_tensors(card.inputs, card.outputs) if isinstance(card, ModelCard) else ((), ()),
        documentation=None if card.documentation_text is None else markdown_html(card.documentation_text),
    )
