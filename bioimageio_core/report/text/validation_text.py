"""A validation report as text, with the lines of the file that its issues are about."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from ...spec.validation import ValidationReport
from ..cards.annotated_report import AnnotatedIssue, AnnotatedReport, Excerpt, annotate
from ..plain_text import in_one_line

__all__ = ["Paint", "validation_summary", "validation_text"]

Paint: TypeAlias = Callable[[str, str], str]
"""Returns a text in colour: ``paint(text, role)``, where the role is a severity, a status or ``faint``."""


def validation_text(found: AnnotatedReport | ValidationReport, paint: Paint = lambda text, role: text) -> str:
    """Return a report for people."""
    report = annotate(found, {}) if isinstance(found, ValidationReport) else found
    lines = [f"{in_one_line(report.source)}: {paint(report.status, report.status)}{_kind(report)}"]
    for issue in report.issues:
        lines += _issue(issue, paint)
    return "\n".join(lines)


def validation_summary(reports: Sequence[AnnotatedReport]) -> str:
    """Return the numbers of valid, invalid and unreadable sources, in one line."""
    counts = {status: sum(r.status == status for r in reports) for status in ("valid", "invalid", "unreadable")}
    return f"{len(reports)} descriptions: " + ", ".join(f"{count} {status}" for status, count in counts.items())


def _kind(report: AnnotatedReport) -> str:
    if report.status == "unreadable":
        return ""
    kind = f"{report.type or 'unknown type'} {report.format_version}"
    return f" ({in_one_line(kind)})"


def _issue(annotated: AnnotatedIssue, paint: Paint) -> Iterator[str]:
    issue = annotated.issue
    where = f"{in_one_line(issue.path)}: " if issue.loc else ""
    yield f"  {paint(f'{issue.severity:<7}', issue.severity)} {where}{in_one_line(issue.message)}"
    if annotated.excerpt is not None:
        yield from _excerpt(annotated.line or 0, annotated.excerpt, paint, issue.severity)
    if issue.hint:
        yield paint(f"          {in_one_line(issue.hint)}", "faint")


def _excerpt(line: int, excerpt: Excerpt, paint: Paint, role: str) -> Iterator[str]:
    text = f"{excerpt.before}{excerpt.marked}{excerpt.behind}"
    lead = len(text) - len(text.lstrip())
    before = excerpt.before[min(lead, len(excerpt.before)) :]
    yield f"{paint(f'{line:>9} | ', 'faint')}{text.strip()}"
    yield f"{paint('          | ', 'faint')}{' ' * _width(before)}{paint('^' * max(1, _width(excerpt.marked)), role)}"


def _width(text: str) -> int:
    """Return the number of terminal columns that a text takes."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
