"""The promises of docs/security.md: each names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| promise ")]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:40])
def test_shown_by_tests(row: str) -> None:
    """At least one, as a file or folder."""
    named = re.findall(r"`((?:plugins/\w+/)?tests[\w/.]*)`", row.rpartition(" | ")[2])
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
