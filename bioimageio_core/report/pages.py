"""Cards and reports as pages."""

from __future__ import annotations

from collections.abc import Sequence

from ..model_tests.test_report import TestReport
from .card_files import data_url
from .html import render
from .located import LocatedReport
from .markdown import markdown_html
from .measured_rows import MEASURED_HEADER, measured_rows
from .model_card import ModelCard
from .resource_card import ResourceCard
from .tensor_drawing import draw_tensors
from .test_pictures import pictures_of

__all__ = ["card_page", "test_page", "validation_page"]

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


def test_page(report: TestReport) -> str:
    """Return a page that shows what a test found, with pictures of the outputs."""
    return render(
        "test.html.j2",
        report=report,
        pictures={
            (test.weights_format, name): data_url("image/png", picture)
            for test in report.tests
            for name, picture in pictures_of(test, report).items()
        },
        status_class={"passed": "valid", "failed": "invalid", "skipped": "muted", "noted": "alert"},
    )


test_page.__test__ = False  # type: ignore[attr-defined]  # pytest collects functions of this name
