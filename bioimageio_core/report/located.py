"""Reports of validation with the lines of the file that they are about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import attrs

from ..spec.positions import Positions, Span
from ..spec.validation import Issue, ValidationReport
from ..typing import Severity

__all__ = ["Excerpt", "LocatedIssue", "LocatedReport", "Status", "locate", "unreadable"]

Status: TypeAlias = Literal["valid", "invalid", "unreadable"]

WIDEST = 100
"""Characters of a line that are shown."""

_BEFORE = 30
"""Characters shown before what is pointed at, where a line is cut."""

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What PyYAML counts as one."""


@attrs.frozen(kw_only=True)
class Excerpt:
    """A line of a file, in three parts; control characters are replaced by spaces."""

    before: str
    marked: str
    """What is pointed at; may be empty."""

    behind: str


@attrs.frozen(kw_only=True)
class LocatedIssue:
    """An issue, and where in the file it is: at the value, or at the mapping that lacks it."""

    issue: Issue
    line: int | None = None
    """Counted from 1; None where the description is no file."""

    column: int | None = None
    """In characters, counted from 1."""

    excerpt: Excerpt | None = None
    """The line; None where the issue is about the document as a whole."""

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


@attrs.frozen(kw_only=True)
class LocatedReport:
    """What validation found in a source; notebooks show it as a page."""

    source: str
    type: str = ""
    format_version: str = ""
    status: Status
    issues: tuple[LocatedIssue, ...]

    def count(self, severity: Severity) -> int:
        """Return how many issues there are of a severity."""
        return sum(i.issue.severity == severity for i in self.issues)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "source": self.source,
            "type": self.type,
            "format_version": self.format_version,
            "status": self.status,
            "issues": [i.as_dict() for i in self.issues],
        }

    def _repr_html_(self) -> str:
        from .html import framed
        from .pages import validation_page

        return framed(validation_page([self]))


def locate(report: ValidationReport, content: bytes | Mapping[str, Any]) -> LocatedReport:
    """Return a report with the lines of the text that it is about.

    Args:
        report: What validation said.
        content: The text that was validated; of a mapping no lines are known.

    """
    issues: tuple[LocatedIssue, ...]
    if isinstance(content, bytes) and report.issues:
        issues = _located(report, content)
    else:
        issues = tuple(LocatedIssue(issue=i) for i in report.issues)
    return LocatedReport(source=report.source, type=report.type, format_version=report.format_version, status=report.status, issues=issues)


def unreadable(source: str, message: str) -> LocatedReport:
    """Return the report of a source that can not be read."""
    return LocatedReport(source=source, status="unreadable", issues=(LocatedIssue(issue=Issue(loc=(), message=message, severity="error")),))


def _located(report: ValidationReport, content: bytes) -> tuple[LocatedIssue, ...]:
    lines = _LINE_BREAK.split(content.decode("utf-8-sig", "replace"))
    return tuple(_locate(i, report.positions, lines) for i in report.issues)


def _locate(issue: Issue, positions: Positions | None, lines: list[str]) -> LocatedIssue:
    if positions is None:  # the text cannot be read
        at = Span(issue.line, issue.column, issue.line, issue.column + 1) if issue.line and issue.column else None
        return _at(issue, at, lines)
    known = issue.loc
    while known and known not in positions:
        known = known[:-1]
    position = positions[known]
    if not known:
        return LocatedIssue(issue=issue, line=position.value.line, column=position.value.column)
    at_key = issue.at_key and known == issue.loc
    return _at(issue, position.key if at_key and position.key else position.place, lines)


def _at(issue: Issue, span: Span | None, lines: list[str]) -> LocatedIssue:
    if span is None:
        return LocatedIssue(issue=issue)
    text = lines[span.line - 1] if span.line <= len(lines) else ""
    end = span.end_column - 1 if span.end_line == span.line else len(text.rstrip())
    return LocatedIssue(issue=issue, line=span.line, column=span.column, excerpt=_excerpt(text, span.column - 1, end))


def _excerpt(line: str, start: int, end: int) -> Excerpt:
    text = "".join(c if c.isprintable() else " " for c in line)
    first, last = 0, len(text)
    if len(text) > WIDEST:
        first = max(0, min(start - _BEFORE, len(text) - WIDEST))
        last = first + WIDEST
    end = min(end, last)
    return Excerpt(
        before=("…" if first else "") + text[first:start], marked=text[start:end], behind=text[end:last] + ("…" if last < len(text) else "")
    )
