"""What the tests of this plugin share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something about the machine alone.
settings.register_profile("files", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("files")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared test data, named by the environment variable BMZ_SHARED."""
    named = os.environ.get("BMZ_SHARED")
    if not named:
        pytest.skip("BMZ_SHARED names no folder of shared test data")
    return Path(named).resolve()


@pytest.fixture(scope="session")
def fixtures(shared: Path) -> Path:
    """Files that the official packages wrote."""
    return shared / "formats" / "fixtures" / "czmodel"
