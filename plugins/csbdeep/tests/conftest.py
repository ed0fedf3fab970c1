"""What the tests of this plugin share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def exports() -> Path:
    """The folder of exports that CSBDeep and StarDist wrote, in that named by the environment variable BMZ_SHARED."""
    named = os.environ.get("BMZ_SHARED")
    if not named:
        pytest.skip("BMZ_SHARED names no folder of shared test data")
    return Path(named).resolve() / "formats" / "fixtures" / "csbdeep"


@pytest.fixture
def trained(exports: Path, tmp_path: Path) -> Path:
    """The folder of a StarDist model as training leaves it, with its thresholds and its export."""
    folder = tmp_path / "nuclei_model"
    folder.mkdir()
    for name in ("config.json", "weights_best.h5"):
        (folder / name).write_bytes((exports / "sd2d" / name).read_bytes())
    (folder / "thresholds.json").write_text('{"prob": 0.5, "nms": 0.3}')
    (folder / "TF_SavedModel.zip").write_bytes((exports / "sd2d.zip").read_bytes())
    return folder
