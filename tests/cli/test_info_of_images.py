"""``bmz info`` on images: which sources are images, and what is printed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr
from bmz_process import ForkedBmz


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """An array without names of axes."""
    path = tmp_path / "cells.npy"
    np.save(path, np.zeros((3, 8, 9), np.float32))
    return path


class TestDispatch:
    """Images by their names, or since they are zarr folders; anything else is a resource."""

    def test_file(self, bmz: ForkedBmz, image: Path) -> None:
        """By the ending of its name."""
        ran = bmz("info", image)
        assert ran.status == 0
        assert ran.out.splitlines()[0] == "cells"
        assert "dtype       float32, 864 B of pixels" in ran.out

    def test_zarr_folder(self, bmz: ForkedBmz, tmp_path: Path) -> None:
        """Whatever its name is."""
        zarr.create_array(str(tmp_path / "folder"), data=np.zeros((4, 5)), dimension_names=["y", "x"])
        assert bmz("info", tmp_path / "folder", "--json").json["axes"] == ["y", "x"]

    def test_model_stays_a_model(self, bmz: ForkedBmz, model: Path, tmp_path: Path) -> None:
        """A folder, its description, and a zip."""
        archive = shutil.make_archive(str(tmp_path / "packed"), "zip", model)
        for source in (model, next(model.glob("*.yaml")), archive):
            ran = bmz("info", source, "--json")
            assert ran.status == 0, ran.err
            assert ran.json["type"] == "model"

    @pytest.mark.parametrize("name", ["missing.tif", "missing.nrrd", "broken.tif"])
    def test_bad_file(self, bmz: ForkedBmz, tmp_path: Path, name: str) -> None:
        """One line, with its name."""
        (tmp_path / "broken.tif").write_bytes(b"no image")
        assert name in bmz("info", tmp_path / name).error(2)


class TestOptions:
    """Options of images, and of resources."""

    def test_axes(self, bmz: ForkedBmz, image: Path) -> None:
        """In place of those of the file."""
        assert bmz("info", image, "--axes", "cyx", "--json").json["axes"] == ["channel", "y", "x"]
        assert "cells" in bmz("info", image, "--axes", "yx").error(2)

    def test_of_the_other_kind(self, bmz: ForkedBmz, image: Path, model: Path, tmp_path: Path) -> None:
        """Are refused, by name."""
        assert "--html is of models" in bmz("info", image, "--html", tmp_path / "card.html").error(2)
        assert "--measure is of models" in bmz("info", image, "--measure").error(2)
        assert "--scene is of images" in bmz("info", model, "--scene", "1").error(2)
        assert not (tmp_path / "card.html").exists()
