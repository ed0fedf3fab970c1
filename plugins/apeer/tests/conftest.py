"""What the tests of this plugin share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import bioimageio_core as bc


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared test data, named by the environment variable BMZ_SHARED."""
    named = os.environ.get("BMZ_SHARED")
    if not named:
        pytest.skip("BMZ_SHARED names no folder of shared test data")
    return Path(named).resolve()


@pytest.fixture(scope="session")
def nuclei(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module of a published model."""
    path = tmp_path_factory.mktemp("modules") / "nuclei"
    return bc.export_model(shared / "models/unet2d_nuclei_broad/bioimageio.yaml", "apeer", path).path
