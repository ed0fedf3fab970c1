"""Validation reports with the lines of the file that their issues are about."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias, get_args

import attrs

from ...shown import Shown
from ...spec.positions import Positions, Span
from ...spec.validation import Issue, ValidationReport
from ...text import in_one_line
from ...typing import Severity
from ..html.render import render

__all__ = ["AnnotatedIssue", "AnnotatedReport", "Excerpt", "Status", "annotate", "unreadable_report", "validation_page"]

Status: TypeAlias = Literal["valid", "invalid", "unreadable"]

EXCERPT_WIDTH = 100
"""Most characters of a line that an excerpt shows."""

_BEFORE = 30
"""Characters shown before the marked part of a line that is cut."""

_ALL_OPEN = 3
"""A page shows up to this many reports open; of more reports only those that are not valid."""

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What PyYAML counts as a line break."""


@attrs.frozen(kw_only=True)
class Excerpt:
    """A line of a file, in three parts; control characters are replaced by spaces."""

    before: str
    marked: str
    """The part that the issue is about; may be empty."""

    behind: str


@attrs.frozen(kw_only=True)
class AnnotatedIssue:
    """An issue and its place in the file: the value, or the mapping that lacks it."""

    issue: Issue
    line: int | None = None
    """Counted from 1; None if the description is not a file."""

    column: int | None = None
    """In characters, counted from 1."""

    excerpt: Excerpt | None = None
    """The line; None if the issue is about the complete document."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "path": self.issue.path,
            "message": self.issue.message,
            "severity": self.issue.severity,
            "hint": self.issue.hint,
            "line": self.line,
            "column": self.column,
        }


@attrs.frozen(kw_only=True, repr=False)
class AnnotatedReport(Shown):
    """The validation report of a source with excerpts of its text."""

    source: str
    name: str = ""
    """Name of the resource; empty if the description has none, or cannot be read."""

    type: str = ""
    format_version: str = ""
    status: Status
    issues: tuple[AnnotatedIssue, ...]

    def count(self, severity: Severity) -> int:
        """Return the number of issues of a severity."""
        return sum(i.issue.severity == severity for i in self.issues)

    def __repr__(self) -> str:
        counts = ", ".join(f"{n} {severity}" for severity in get_args(Severity) if (n := self.count(severity)))
        return f"<AnnotatedReport {self.source}: {self.status}{f'; {counts}' if counts else ''}>"

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "source": self.source,
            "name": self.name,
            "type": self.type,
            "format_version": self.format_version,
            "status": self.status,
            "issues": [i.as_dict() for i in self.issues],
        }

    def page(self) -> str:
        """Return a page that shows the report, with a filter by severity."""
        return validation_page([self])


def validation_page(reports: Sequence[AnnotatedReport]) -> str:
    """Return a page that shows validation reports, with a filter by severity."""
    return render(
        "validation.html.j2",
        reports=reports,
        counts={s: sum(r.count(s) for r in reports) for s in get_args(Severity)},
        statuses={s: sum(r.status == s for r in reports) for s in get_args(Status)},
        all_open=len(reports) <= _ALL_OPEN,
        made=datetime.now().astimezone().isoformat(timespec="seconds"),
    )


def annotate(report: ValidationReport, content: bytes | Mapping[str, Any]) -> AnnotatedReport:
    """Return a validation report with the lines of the text that its issues are about.

    Args:
        report: The report of the validation.
        content: The validated text; a mapping has no lines.

    """
    issues: tuple[AnnotatedIssue, ...]
    if isinstance(content, bytes) and report.issues:
        issues = _annotated(report, content)
    else:
        issues = tuple(AnnotatedIssue(issue=i) for i in report.issues)
    return AnnotatedReport(
        source=report.source,
        name=in_one_line(report.name),
        type=report.type,
        format_version=report.format_version,
        status=report.status,
        issues=issues,
    )


def unreadable_report(source: str, message: str) -> AnnotatedReport:
    """Return the report of a source that cannot be read."""
    return AnnotatedReport(
        source=source, status="unreadable", issues=(AnnotatedIssue(issue=Issue(loc=(), message=message, severity="error")),)
    )


def _annotated(report: ValidationReport, content: bytes) -> tuple[AnnotatedIssue, ...]:
    lines = _LINE_BREAK.split(content.decode("utf-8-sig", "replace"))
    return tuple(_annotate(i, report.positions, lines) for i in report.issues)


def _annotate(issue: Issue, positions: Positions | None, lines: list[str]) -> AnnotatedIssue:
    if positions is None:  # the text cannot be read
        at = Span(issue.line, issue.column, issue.line, issue.column + 1) if issue.line and issue.column else None
        return _at(issue, at, lines)
    known = issue.loc
    while known and known not in positions:
        known = known[:-1]
    position = positions[known]
    if not known:
        return AnnotatedIssue(issue=issue, line=position.value.line, column=position.value.column)
    at_key = issue.at_key and known == issue.loc
    return _at(issue, position.key if at_key and position.key else position.place, lines)


def _at(issue: Issue, span: Span | None, lines: list[str]) -> AnnotatedIssue:
    if span is None:
        return AnnotatedIssue(issue=issue)
    text = lines[span.line - 1] if span.line <= len(lines) else ""
    end = span.end_column - 1 if span.end_line == span.line else len(text.rstrip())
    return AnnotatedIssue(issue=issue, line=span.line, column=span.column, excerpt=_excerpt(text, span.column - 1, end))


def _excerpt(line: str, start: int, end: int) -> Excerpt:
    first, last = 0, len(line)
    if len(line) > EXCERPT_WIDTH:
        first = max(0, min(start - _BEFORE, len(line) - EXCERPT_WIDTH))
        last = first + EXCERPT_WIDTH
    text = "".join(c if c.isprintable() else " " for c in line[first:last])
    start, end = max(0, start - first), max(0, min(end, last) - first)
    return Excerpt(
        before=("…" if first else "") + text[:start], marked=text[start:end], behind=text[end:] + ("…" if last < len(line) else "")
    )
