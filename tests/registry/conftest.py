"""What the tests of plugins share."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_sites import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A folder without distributions."""
    folder = tmp_path / "site"
    folder.mkdir()
    return Site(folder)
