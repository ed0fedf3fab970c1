"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared test data, named by the environment variable BMZ_SHARED."""
    named = os.environ.get("BMZ_SHARED")
    if not named:
        pytest.skip("BMZ_SHARED names no folder of shared test data")
    folder = Path(named).resolve()
    assert (folder / "models").is_dir(), f"BMZ_SHARED={named} holds no models/"
    return folder


settings.register_profile("default", deadline=None)
settings.load_profile("default")
