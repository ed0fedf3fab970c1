"""What the tests of foreign formats share."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_sites import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A folder without distributions."""
    folder = tmp_path / "plugins-installed"
    folder.mkdir()
    return Site(folder)
