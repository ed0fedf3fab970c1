"""A report of validation in words, with the lines of the file that it is about."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from .located import Excerpt, LocatedIssue, LocatedReport
from .plain_text import in_one_line

__all__ = ["Paint", "validation_summary", "validation_text"]

Paint: TypeAlias = Callable[[str, str], str]
"""Returns a text in a colour: ``paint(text, role)`` with a severity, a status, or ``faint`` as role."""


def validation_text(report: LocatedReport, paint: Paint = lambda text, role: text) -> str:
    """Return a report for people."""
    lines = [f"{in_one_line(report.source)}: {paint(report.status, report.status)}{_kind(report)}"]
    for issue in report.issues:
        lines += _issue(issue, paint)
    return "\n".join(lines)


def validation_summary(reports: Sequence[LocatedReport]) -> str:
    """Return how many of several sources are good, in one line."""
    counts = {status: sum(r.status == status for r in reports) for status in ("valid", "invalid", "unreadable")}
    return f"{len(reports)} descriptions: " + ", ".join(f"{count} {status}" for status, count in counts.items())


def _kind(report: LocatedReport) -> str:
    if report.status == "unreadable":
        return ""
    kind = f"{report.type or 'unknown type'} {report.format_version}"
    return f" ({in_one_line(kind)})"


def _issue(located: LocatedIssue, paint: Paint) -> Iterator[str]:
    issue = located.issue
    where = f"{in_one_line(issue.path)}: " if issue.loc else ""
    yield f"  {paint(f'{issue.severity:<7}', issue.severity)} {where}{in_one_line(issue.message)}"
    if located.excerpt is not None:
        yield from _excerpt(located.line or 0, located.excerpt, paint, issue.severity)
    if issue.hint:
        yield paint(f"          {in_one_line(issue.hint)}", "faint")


def _excerpt(line: int, excerpt: Excerpt, paint: Paint, role: str) -> Iterator[str]:
    text = f"{excerpt.before}{excerpt.marked}{excerpt.behind}"
    lead = len(text) - len(text.lstrip())
    before = excerpt.before[min(lead, len(excerpt.before)) :]
    yield f"{paint(f'{line:>9} | ', 'faint')}{text.strip()}"
    yield f"{paint('          | ', 'faint')}{' ' * _width(before)}{paint('^' * max(1, _width(excerpt.marked)), role)}"


def _width(text: str) -> int:
    """Return the columns that a text takes on a terminal."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
