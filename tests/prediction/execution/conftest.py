"""The model and the image of runs that are interrupted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr
from made_models import waiting_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Two outputs, one with a late pass; the input is normalised by its statistics."""
    folder = tmp_path / "model"
    folder.mkdir()
    return waiting_model(folder)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Noise of 900 x 800 pixels."""
    path = tmp_path / "image.zarr"
    noise = np.random.default_rng(0).random((900, 800), dtype=np.float32)
    zarr.create_array(str(path), data=noise, chunks=(64, 64), dimension_names=("y", "x"))
    return path
