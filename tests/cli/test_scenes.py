"""The option ``--scene``, and templates for files that hold several images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr
from bmz_process import ForkedBmz

tifffile = pytest.importorskip("tifffile")


@pytest.fixture
def positions(tmp_path: Path) -> Path:
    """Two positions of different size."""
    path = tmp_path / "run.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as tiff:
        for n in range(2):
            tiff.write(np.full((16, 16 + n), n, np.float32), metadata={"axes": "YX", "Name": f"Pos{n}"})
    return path


def width(path: Path) -> int:
    """Return the width of an output."""
    ((_, array),) = zarr.open_group(str(path), mode="r").arrays()
    return int(array.shape[-1])


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The path of the output."""
    return tmp_path / "out.zarr"


class TestSeries:
    """Choosing one of several images, or all of them."""

    def test_one(self, bmz: ForkedBmz, model: Path, positions: Path, out: Path) -> None:
        """``--scene`` chooses by name or number; without it, one line says so."""
        assert "--scene 1" in bmz("predict", model, positions, "-o", out).error(2)
        assert bmz("predict", model, positions, "-o", out, "--scene", "Pos1").status == 0
        assert width(out) == 17

    def test_two_runs(self, bmz: ForkedBmz, model: Path, positions: Path, tmp_path: Path) -> None:
        """Two runs for two scenes write two outputs, by their numbers."""
        for name in ("Pos0", "Pos1"):
            ran = bmz("predict", model, positions, "--scene", name, "-o", tmp_path / "{name}_{scene}.zarr")
            assert ran.status == 0
        assert [width(tmp_path / f"run_{n}.zarr") for n in range(2)] == [16, 17]

    def test_all(self, bmz: ForkedBmz, model: Path, positions: Path, tmp_path: Path) -> None:
        """A template with ``{scene}`` predicts all of them; ``--scene`` one of these."""
        template = tmp_path / "out" / "{name}-{scene}.zarr"
        ran = bmz("predict", model, positions, "-o", template, "--json")
        assert [one["image"] for one in ran.json["images"]] == [f"{positions} (scene {n})" for n in range(2)]
        assert [width(tmp_path / "out" / f"run-{n}.zarr") for n in range(2)] == [16, 17]

    def test_statistics(self, bmz: ForkedBmz, positions: Path) -> None:
        """Statistics are those of all images, or of one."""
        assert bmz("stats", positions, "--measure", "max", "--json").json["dataset"] == {"max over y, x": [[1.0]]}
        assert bmz("stats", positions, "--measure", "max", "--scene", "0", "--json").json["dataset"] == {"max over y, x": [[0.0]]}

    def test_missing_series(self, bmz: ForkedBmz, model: Path, tmp_path: Path) -> None:
        """A scene that is listed and missing is named, the rest is predicted, and the status is that of failed images."""
        root = zarr.open_group(str(tmp_path / "b.zarr"), mode="w")
        root.attrs["ome"] = {"version": "0.5", "bioformats2raw.layout": 3}
        root.create_group("OME").attrs["ome"] = {"version": "0.5", "series": ["0", "1"]}
        root.create_array("0", data=np.zeros((16, 16), np.float32), dimension_names=("y", "x"))
        ran = bmz("predict", model, tmp_path / "b.zarr", "-o", tmp_path / "{name}-{scene}.zarr")
        assert (ran.status, ran.out) == (1, "1 of 2 images predicted\n")
        assert f"{tmp_path / 'b.zarr' / '1'} does not exist" in ran.err
        assert width(tmp_path / "b-0.zarr") == 16
