"""Reports with the lines that they are about."""

from __future__ import annotations

import pytest

import bioimageio_core as bc
from bioimageio_core.report.cards.annotated_report import AnnotatedReport, annotate, unreadable_report
from bioimageio_core.report.text.validation_text import validation_text


def annotated(content: bytes) -> AnnotatedReport:
    """Return the report of a text."""
    return annotate(bc.validate(content), content)


class TestAnnotate:
    """`annotate`."""

    @pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\x85", "\u2028"])
    def test_line_breaks(self, line_break: str) -> None:
        """Lines are those that the reader of YAML counts."""
        lines = ["type: dataset", "format_version: 0.3.0", 'description: "a', '  b"', "name: [1]"]
        (issue,) = [i for i in annotated(line_break.join(lines).encode()).issues if i.issue.path == "name"]
        assert (issue.line, issue.column) == (5, 7)
        assert issue.excerpt is not None
        assert (issue.excerpt.before, issue.excerpt.marked, issue.excerpt.behind) == ("name: ", "[1]", "")

    def test_within_an_alias(self) -> None:
        """The alias is pointed at."""
        content = b"type: dataset\nformat_version: 0.3.0\nname: Some cells\nconfig: {kept: &k {name: [1]}}\nauthors: [*k]\n"
        (issue,) = [i for i in annotated(content).issues if i.issue.severity == "error"]
        assert issue.issue.path == "authors.0.name"
        assert (issue.line, issue.column) == (5, 11)

    def test_mappings_have_no_lines(self) -> None:
        """Issues stay as they are."""
        assert {(i.line, i.column, i.excerpt) for i in annotate(bc.validate({}), {}).issues} == {(None, None, None)}

    def test_a_value_longer_than_a_line_is_cut(self) -> None:
        """At both ends if need be."""
        content = b"{type: dataset, format_version: 0.3.0, tags: [" + b"x, " * 100 + b"], name: " + b"y" * 500 + b"}"
        (issue,) = [i for i in annotated(content).issues if i.issue.path == "name"]
        assert issue.excerpt is not None
        assert len(issue.excerpt.before + issue.excerpt.marked + issue.excerpt.behind) == 102
        assert issue.excerpt.behind == "…"


class TestText:
    """`validation_text`."""

    def test_unreadable_report(self) -> None:
        """What could not be read, and why."""
        assert validation_text(unreadable_report("nowhere", "no such file")) == "nowhere: unreadable\n  error   no such file"

    def test_roles(self) -> None:
        """Status, severity and lines are painted, each in its role."""
        roles: list[str] = []

        def paint(text: str, role: str) -> str:
            roles.append(role)
            return text

        report = annotated(b"type: dataset\nformat_version: 0.3.0\nname: [1]\n")
        plain = validation_text(report)
        assert validation_text(report, paint) == plain
        assert roles == ["invalid", "error", "faint", "faint", "error"]
