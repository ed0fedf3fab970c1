"""Predictions of files of microscopes, as users make them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zarr
from pylibCZIrw import czi

import bioimageio_core as bc
from bioimageio_core.demo.run import model_folder
from bioimageio_core.demo.synthetic import nuclei_block


@pytest.fixture(scope="module")
def nuclei() -> np.ndarray:
    """Nuclei on 300 x 280 pixels."""
    return np.asarray(nuclei_block(0, 0, 0, 300, 280)[0], np.uint16)


def save_tiles(path: Path, plane: np.ndarray, *, scenes: int = 1) -> None:
    """Write a mosaic of six tiles; further scenes have nothing but zeros."""
    with czi.create_czi(str(path)) as document:
        for y in range(0, 300, 150):
            for x in range(0, 280, 100):
                for scene in range(scenes):
                    tile = np.ascontiguousarray(plane[y : y + 150, x : x + 100]) * np.uint16(scene == 0)
                    document.write(tile, location=(x + 2000 * scene, y), scene=scene)
        document.write_metadata(scale_x=0.5e-6, scale_y=0.5e-6)


def test_mosaic(tmp_path: Path, nuclei: np.ndarray) -> None:
    """``bmz predict`` gives for a mosaic, block by block, what the network gives for the array."""
    save_tiles(tmp_path / "slide.czi", nuclei)
    command = [sys.executable, "-P", "-m", "bioimageio_core.cli", "predict", str(model_folder()), str(tmp_path / "slide.czi")]
    done = subprocess.run(
        [*command, "-o", str(tmp_path / "{name}.zarr"), "--block", "128", "--ome", "none"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = bc.predict(model_folder(), nuclei, axes="yx", block=128)["probability"]
    (found,) = (array for _, array in zarr.open_group(tmp_path / "slide.zarr", mode="r").arrays())
    np.testing.assert_allclose(np.squeeze(found[:]), np.squeeze(np.asarray(expected)), atol=1e-5)


def test_scenes(tmp_path: Path, nuclei: np.ndarray) -> None:
    """All scenes of a file, each with an output of its own."""
    save_tiles(tmp_path / "slide.czi", nuclei, scenes=2)
    results = list(bc.predict_many(model_folder(), [tmp_path / "slide.czi"], tmp_path / "{name}_{scene}.zarr"))
    assert not any(isinstance(result, bc.Failed) for result in results)
    assert sorted(path.name for path in tmp_path.glob("*.zarr")) == ["slide_0.zarr", "slide_1.zarr"]
