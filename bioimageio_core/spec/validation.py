"""From trees to descriptions, and to reports that list every issue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs

from ..errors import InvalidDescriptionError
from ..registry import Registry
from ..shown import Shown
from ..structuring.format_value import shorten
from ..structuring.problems import StructureProblems
from ..structuring.rules import collect_problems
from ..typing import Severity
from .converters import converter_for
from .formats import Detected, detect
from .node import Issue
from .positions import Positions
from .versions import class_of, converter_format, upgrade_of

if TYPE_CHECKING:
    from .resource_descr import ResourceDescr

__all__ = [
    "Issue",
    "Reading",
    "ValidationReport",
    "combined",
    "read_tree",
    "reading_of",
    "report_of",
    "validate_tree",
    "with_problems",
]

MOST_ISSUES = 1000
"""Issues of one description that a report lists."""

_RANK: dict[Severity, int] = {"error": 0, "alert": 1, "warning": 2, "info": 3}


@attrs.frozen(kw_only=True, repr=False)
class ValidationReport(Shown):
    """The result of validation, which depends on the format alone and not on installed plugins."""

    source: str
    type: str
    """Resource type; empty if unknown."""

    format_version: str
    """As it is written."""

    status: Literal["valid", "invalid"]
    issues: tuple[Issue, ...] = ()
    """The worst first."""

    name: str = ""
    """The name in the description; empty if it has none."""

    positions: Positions | None = attrs.field(default=None, eq=False, repr=False)
    """Position of each value in the text; None without text."""

    @property
    def errors(self) -> tuple[Issue, ...]:
        """The issues that make the description invalid."""
        return tuple(issue for issue in self.issues if issue.severity == "error")

    def __repr__(self) -> str:
        return f"<ValidationReport {self.summary()}>"

    def summary(self) -> str:
        """Return one line: the source, and the first error or how many issues of each severity there are."""
        what = self.source or self.type or "description"
        errors = self.errors
        if errors:
            more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
            return f"{what} is invalid: {errors[0]}{more}"
        counts = [f"{count} {severity}" for severity in _RANK if (count := sum(issue.severity == severity for issue in self.issues))]
        return f"{what} is valid: {shorten(self.type)} {self.format_version}{', ' if counts else ''}{', '.join(counts)}"


def validate_tree(tree: Any, registry: Registry, source: str = "") -> ValidationReport:
    """Validate a tree, as `load_yaml` returns it; never raises because of its content.

    Args:
        tree: The description.
        registry: Where the classes of processing ops and weights come from.
        source: What to call the description.

    """
    return reading_of(tree, registry, source).report


def read_tree(tree: Any, registry: Registry, source: str = "") -> tuple[ResourceDescr, ValidationReport]:
    """Return the description that a tree holds, in the version in which it is written, and the report.

    Args:
        tree: The description, as `load_yaml` returns it.
        registry: Where the classes of processing ops and weights come from.
        source: What to call the description in errors.

    Raises:
        InvalidDescriptionError: The description breaks its format; ``report`` holds every problem.

    """
    reading = reading_of(tree, registry, source)
    return reading.valid(), reading.report


def combined(notes: Iterable[Issue], report: ValidationReport) -> ValidationReport:
    """Return the report with notes before its own issues of the same severity."""
    return attrs.evolve(report, issues=_sorted((*notes, *report.issues)))


def with_problems(report: ValidationReport, problems: Iterable[Issue]) -> ValidationReport:
    """Return the report with problems behind its own issues of the same severity; an error makes it invalid."""
    issues = _sorted((*report.issues, *problems))
    return attrs.evolve(report, issues=issues, status="invalid" if issues and issues[0].severity == "error" else "valid")


@attrs.frozen(kw_only=True)
class Reading:
    """The result of reading a tree: its type and version, the description if there is one, and the report."""

    detected: Detected
    descr: ResourceDescr | None = None
    """None if the tree does not fit its class; a description that only breaks rules is kept."""

    notes: tuple[Issue, ...] = ()
    """Changes made to read it in the latest micro version of its format."""

    report: ValidationReport

    def valid(self) -> ResourceDescr:
        """Return the description.

        Raises:
            InvalidDescriptionError: It breaks its format; ``report`` holds every problem.

        """
        if self.descr is None or self.report.status == "invalid":
            raise InvalidDescriptionError(self.report.summary(), self.report)
        return self.descr


def reading_of(tree: Any, registry: Registry, source: str = "") -> Reading:
    """Read a tree, as `load_yaml` returns it; never raises because of its content.

    Args:
        tree: The description.
        registry: Where the classes of processing ops and weights come from.
        source: What to call the description.

    """
    if not isinstance(tree, Mapping):
        problem = Issue(loc=(), message=f"expected a mapping, found {type(tree).__name__}")
        return Reading(detected=Detected(), report=report_of(source, Detected(), [problem]))
    detected = detect(tree)
    name = tree["name"] if isinstance(tree.get("name"), str) else ""
    if detected.format is None:
        return Reading(detected=detected, report=report_of(source, detected, detected.problems, name))
    notes: list[Issue] = []
    problems: list[Issue] = []
    descr = None
    try:
        newest, notes = upgrade_of(detected.family, detected.format)(tree, detected.version)
        cls = class_of(detected.family, detected.format)
        descr = converter_for(registry, converter_format(detected.family, detected.format)).structure(newest, cls)
        problems += collect_problems(descr)
    except StructureProblems as error:
        problems += error.problems
    except RecursionError:
        problems.append(Issue(loc=(), message="expected at most a hundred levels of nesting, found more"))
    notes = [*detected.problems, *notes]
    return Reading(detected=detected, descr=descr, notes=tuple(notes), report=report_of(source, detected, [*notes, *problems], name))


def report_of(source: str, detected: Detected, problems: Iterable[Issue], name: str = "") -> ValidationReport:
    """Return the problems as a report of the description with this name."""
    issues = _sorted(problems)
    return ValidationReport(
        source=source,
        type=detected.type,
        format_version=detected.format_version,
        status="invalid" if issues and issues[0].severity == "error" else "valid",
        issues=issues,
        name=name,
    )


def _sorted(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Return the worst issues, the worst first, and how many more there are."""
    found = sorted(issues, key=lambda issue: _RANK[issue.severity])
    left_out = len(found) - MOST_ISSUES
    if left_out <= 0:
        return tuple(found)
    worst = found[MOST_ISSUES].severity
    return (*found[:MOST_ISSUES], Issue(loc=(), message=f"{left_out} more issues are not listed", severity=worst))
