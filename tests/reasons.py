"""Why a verdict may differ from that of the reference implementation; whatever is not listed here has to agree.

A reason is a pattern for one error, as ``path: message``.
Where only one side finds errors, each of them needs a reason.
"""

from __future__ import annotations

import re
from typing import Any

from bioimageio_core.spec.validation import ValidationReport

ACCEPTED = {
    r"(pre|post)processing\.\d+: Input tag .* found using '(name|id)' does not match any": "unknown ops are kept, with an alert",
    r"^weights\.[^.]*: Extra inputs are not permitted": "unknown weights formats are kept, with an alert",
    r" is an absolute path\.": "the description alone is checked",
    r"File name too long": "the reference asks the file system about names of any length",
    r"^: Value error, Minimal shape \[.*\] of output .* is too small": "such sizes are increased in format 0.3",
    r"^parent": "parents of models 0.3 and 0.4 are kept unchanged; the reference drops them, but checks some",
}
"""Errors of the reference alone."""

REFUSED = {
    r"expected a file name ending in .*/'$": "a name that ends in a slash is a folder",
    r"^(authors|cite): expected a list, found '": "the reference reads each letter of the text as an author or citation",
    r"^outputs\.\d+\.id: expected distinct ids of outputs": "outputs with equal ids are ambiguous",
    r"^format_version: expected three numbers": "the reference reads any text as the newest version, except of models",
    r"^timestamp: expected a date and time in ISO 8601.*found '[^']*:\d'$": "a time that ends after one of two digits is not ISO 8601",
    r"^parent(\.\w+)?: expected": "parents of models 0.3 and 0.4 have an id or no content; the reference drops them unchecked",
}
"""Errors of this library alone."""


def unexplained(tree: Any, report: ValidationReport, errors: tuple[tuple[str, str], ...]) -> list[str]:
    """Return the errors of the side that refuses for which no reason is listed; none where both sides agree."""
    if report.status == "valid":
        return [error for error in _theirs(errors) if not any(re.search(pattern, error, re.DOTALL) for pattern in ACCEPTED)]
    ours = [f"{issue.path}: {issue.message}" for issue in report.errors]
    return [error for error in ours if not any(re.search(pattern, error) for pattern in REFUSED)]


def _theirs(errors: tuple[tuple[str, str], ...]) -> list[str]:
    """Return one text for each value that the reference refuses: it lists an error for every type that a value could have had."""
    by_value: dict[str, list[str]] = {}
    for loc, message in errors:
        parts = loc.split(".")
        types = [i for i, part in enumerate(parts) if i and (part[:1].isupper() or not re.fullmatch(r"\w+", part))]
        value = ".".join(parts[: types[0]]) if types else loc
        by_value.setdefault(value, []).append(message)
    return [f"{value}: {' | '.join(messages)}" for value, messages in by_value.items()]
