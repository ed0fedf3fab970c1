"""Positions in OME-TIFF files, and names of channels in ImageJ TIFF files, as tifffile writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_models import box_model

import bioimageio_core as bc
from bioimageio_core.io import open_image

tifffile = pytest.importorskip("tifffile")
PIXELS = np.random.default_rng(0).random((2, 40, 60), dtype=np.float32)
PLANE: dict[str, Any] = {
    "PositionX": [100.0] * 2,
    "PositionXUnit": ["µm"] * 2,
    "PositionY": [0.05] * 2,
    "PositionYUnit": ["mm"] * 2,
}
SIZES = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.25, "PhysicalSizeYUnit": "µm"}


def write(path: Path, **more: Any) -> Path:
    """Write two channels, one plane each."""
    tifffile.imwrite(path, PIXELS, metadata={"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP"]}, **more})
    return path


def test_of_the_first_plane(tmp_path: Path) -> None:
    """In the unit of the size of pixels."""
    image = open_image(write(tmp_path / "a.ome.tif", Plane=PLANE, **SIZES))
    assert image.position == pytest.approx({"x": 100.0, "y": 50.0})


def test_level(tmp_path: Path) -> None:
    """Pixels of a level of twice the size begin at the same edge: the first centre lies half a fine pixel behind."""
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as tiff:
        tiff.write(PIXELS, subifds=1, metadata={"axes": "CYX", "Plane": PLANE, **SIZES})
        tiff.write(PIXELS[:, ::2, ::2], subfiletype=1)
    image = open_image(tmp_path / "a.ome.tif", level=1)
    assert image.pixel_size == {"x": (1.0, "micrometer"), "y": (0.5, "micrometer")}
    assert image.position == pytest.approx({"x": 100.25, "y": 50.125})


@pytest.mark.parametrize("more", [{}, SIZES, {"Plane": PLANE}, {"Plane": {"PositionX": [3.0] * 2}, **SIZES}])
def test_unknown(tmp_path: Path, more: dict[str, Any]) -> None:
    """Without a position, its unit or a size of pixels, there is none."""
    assert open_image(write(tmp_path / "a.ome.tif", **more)).position == {}


def test_predicted(tmp_path: Path) -> None:
    """A prediction, also of a part, has the position of its image; where that is not known, the file has none."""
    pytest.importorskip("onnxruntime")
    (tmp_path / "model").mkdir()
    model = box_model(tmp_path / "model", {"min": 8, "step": 1})
    for name, more, expected in (("placed", {"Plane": PLANE}, {"x": 110.0, "y": 52.5}), ("unplaced", {}, {})):
        image = write(tmp_path / f"{name}.ome.tif", **more, **SIZES)
        bc.predict(model, image, tmp_path / f"{name}_out.ome.tif", channel="GFP", roi={"y": (10, 30), "x": (20, 60)})
        found = open_image(tmp_path / f"{name}_out.ome.tif")
        assert (found.shape[-2:], found.position) == ((20, 40), pytest.approx(expected))
        written = tifffile.TiffFile(tmp_path / f"{name}_out.ome.tif").ome_metadata
        assert ("PositionX" in written) == bool(expected)


def test_channels_of_imagej(tmp_path: Path) -> None:
    """Labels that repeat name the channels; others are names of slices."""
    stack = np.zeros((3, 2, 8, 9), np.float32)
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata={"axes": "ZCYX", "Labels": ["DAPI", "GFP"] * 3})
    assert open_image(tmp_path / "a.tif").channel_names == ("DAPI", "GFP")
    tifffile.imwrite(tmp_path / "b.tif", stack, imagej=True, metadata={"axes": "ZCYX", "Labels": [f"slice {n}" for n in range(6)]})
    assert open_image(tmp_path / "b.tif").channel_names is None
