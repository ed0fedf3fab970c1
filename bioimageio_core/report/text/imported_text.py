"""An imported model as text."""

from __future__ import annotations

from ...foreign import ImportedModel

__all__ = ["imported_text"]


def imported_text(imported: ImportedModel) -> str:
    """Return where the description is, and what validation found."""
    issues = [f"  {issue.severity}: {issue}" for issue in imported.report.issues]
    return "\n".join([f"{imported.folder}: model {imported.report.format_version}, from {imported.format}", *issues])
