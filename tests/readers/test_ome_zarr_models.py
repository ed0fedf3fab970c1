"""OME-Zarr outputs, checked with the package ome-zarr-models, which the session ``readers`` of nox installs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from made_models import box_model

import bioimageio_core as bc

pytest.importorskip("onnxruntime")
IMAGE = np.random.default_rng(0).random((3, 700, 520), dtype=np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model of planes."""
    (tmp_path / "model").mkdir()
    return box_model(tmp_path / "model", {"min": 8, "step": 1})


@pytest.mark.parametrize(("options", "version"), [({}, "0.5"), ({"ome": "0.5", "pyramid": False}, "0.5"), ({"ome": "0.4"}, "0.4")])
def test_valid(model: Path, tmp_path: Path, options: dict[str, Any], version: str) -> None:
    """An output is a valid image of its version, with its levels, channels, axes, units and pixel sizes."""
    models = pytest.importorskip("ome_zarr_models", reason="ome-zarr-models is not installed: nox -s readers")
    pixel_size = {"y": 0.25, "x": 0.5}
    bc.predict(model, IMAGE, tmp_path / "out.zarr", axes="zyx", pixel_size=pixel_size, **options)
    image = models.open_ome_zarr(zarr.open_group(str(tmp_path / "out.zarr"), mode="r"))
    found = image.ome_attributes if version == "0.5" else image.attributes
    assert type(image).__module__.startswith(f"ome_zarr_models.v{version.replace('.', '')}")
    (multiscale,) = found.multiscales
    assert [axis.name for axis in multiscale.axes] == ["c", "z", "y", "x"]
    assert len(multiscale.datasets) == (1 if options.get("pyramid") is False else 4)
    scale = multiscale.datasets[0].coordinateTransformations[0].scale
    assert scale[2:] == [0.25, 0.5]
