"""A validation report in a notebook."""

from __future__ import annotations

from typing import get_args

from ...spec.validation import ValidationReport
from ...typing import Severity
from ..cards.annotated_report import AnnotatedReport, annotate
from ..html.fragment import Fragment, FragmentTable
from ..text.validation_text import validation_text

__all__ = ["validation_fragment"]


def validation_fragment(found: AnnotatedReport | ValidationReport) -> Fragment:
    """Return the status of a description, and its issues, the worst first."""
    report = annotate(found, {}) if isinstance(found, ValidationReport) else found
    counted = [(severity, report.count(severity)) for severity in get_args(Severity)]
    counts = ", ".join(f"{count} {severity}{'s' * (count != 1 and severity != 'info')}" for severity, count in counted if count)
    return Fragment(
        kind="validation",
        title=report.source,
        status=report.status,
        good=report.status == "valid",
        facts=(("format", f"{report.type} {report.format_version}".strip()), ("issues", counts or "none")),
        tables=(
            FragmentTable(
                header=("", "path", "message", "what to do"),
                rows=tuple((i.issue.severity, i.issue.path or "(whole)", i.issue.message, i.issue.hint) for i in report.issues),
            ),
        ),
        opens="lines and page",
        more=validation_text(report),
        page=report.page(),
        file_name="validation.html",
    )
