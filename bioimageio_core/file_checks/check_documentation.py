"""Checks that documentation is text, with a section on validation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..spec.node import Issue, Loc
from ..typing import Severity

__all__ = ["documentation_problems"]

LARGEST_TEXT = 64 * 2**20


def documentation_problems(path: Path, loc: Loc, *, is_model: bool) -> Iterator[Issue]:
    """Yield a problem if the text is not UTF-8, and for models of format 0.5 if no heading contains "validation"."""
    size = path.stat().st_size
    if size > LARGEST_TEXT:
        yield Issue(loc=loc, message=f"expected a text of at most {LARGEST_TEXT} bytes, found {size}")
        return
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        severity: Severity = "error" if is_model else "warning"
        yield Issue(loc=loc, message=f"expected text in UTF-8, found other bytes ({error.reason} at {error.start})", severity=severity)
        return
    if is_model and not re.search(r"^#+.*validation", text, re.MULTILINE | re.IGNORECASE):
        hint = "Add one that explains how users can check that the model works on their images."
        yield Issue(loc=loc, message="expected a heading on validation, found none", severity="warning", hint=hint)
