"""Documentation that others can read, with a section on validation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..spec.node import Loc, Problem
from ..typing import Severity

__all__ = ["documentation_problems"]


def documentation_problems(path: Path, loc: Loc, *, is_model: bool) -> Iterator[Problem]:
    """Yield that the text is not UTF-8; of models of format 0.5 also that no heading speaks of validation."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        severity: Severity = "error" if is_model else "warning"
        yield Problem(loc=loc, message=f"expected text in UTF-8, found other bytes ({error.reason} at {error.start})", severity=severity)
        return
    if is_model and not re.search(r"^#+.*validation", text, re.MULTILINE | re.IGNORECASE):
        hint = "Add one that says how users can tell that the model does on their images what it should."
        yield Problem(loc=loc, message="expected a heading on validation, found none", severity="warning", hint=hint)
