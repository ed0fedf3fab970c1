"""Pictures of predictions: ``bmz predict --picture``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from bmz_process import ForkedBmz
from PIL import Image

import bioimageio_core as bc
from bioimageio_core.errors import InputError, OutputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two images."""
    for n in range(2):
        tifffile.imwrite(tmp_path / f"i{n}.tif", np.full((20, 30), n, np.uint8))
    return tmp_path


class TestOne:
    """One image."""

    def test_drawn(self, bmz: ForkedBmz, made: Path, folder: Path) -> None:
        """The picture is a PNG, in which the image is beside the output; its name may be a template."""
        done = bmz("predict", made, folder / "i1.tif", "-o", folder / "out.zarr", "--picture", folder / "{name}.PNG")
        assert done.status == 0
        assert f"picture: {folder / 'i1.PNG'}" in done.out
        with Image.open(folder / "i1.PNG") as drawn:
            assert (drawn.format, drawn.size) == ("PNG", (300 + 6 + 300, 200 + 20))

    def test_not_overwritten(self, bmz: ForkedBmz, made: Path, folder: Path) -> None:
        """Nothing is computed where a picture exists, unless it is replaced; files of other kinds never are."""
        picture = folder / "p.png"
        picture.write_bytes(b"\x89PNG\r\n\x1a\n old")
        call = ("predict", made, folder / "i1.tif", "-o", folder / "out.zarr", "--picture", picture)
        assert f"the picture {picture} exists: --overwrite replaces it" in bmz(*call).error(2)
        assert not (folder / "out.zarr").exists()
        assert bmz(*call, "--overwrite").status == 0
        assert Image.open(picture).size == (606, 220)
        picture.write_text("a table")
        assert "is no PNG file" in bmz(*call, "--overwrite").error(2)
        assert picture.read_text() == "a table"

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("p.jpg", "ends in .png"),
            ("missing/p.png", "does not exist"),
            ("out.zarr/p.png", "does not exist"),
        ],
    )
    def test_names(self, bmz: ForkedBmz, made: Path, folder: Path, name: str, words: str) -> None:
        """What is no place for a picture is refused before anything is computed."""
        line = bmz("predict", made, folder / "i1.tif", "-o", folder / "out.zarr", "--picture", folder / name).error(2)
        assert words in line
        assert not (folder / "out.zarr").exists()

    def test_inputs_kept(self, bmz: ForkedBmz, made: Path, folder: Path) -> None:
        """A picture does not replace the image, whatever its name, nor a file of the model."""
        (folder / "i1.tif").rename(folder / "kept.tif")
        (folder / "link.png").symlink_to(folder / "kept.tif")
        before = (folder / "kept.tif").read_bytes()
        call = ("predict", made, folder / "kept.tif", "-o", folder / "out.zarr", "--overwrite", "--picture")
        assert "would overwrite" in bmz(*call, folder / "link.png").error(2)
        assert (folder / "kept.tif").read_bytes() == before

    def test_as_json(self, bmz: ForkedBmz, made: Path, folder: Path) -> None:
        """The path is in the report."""
        picture = folder / "p.png"
        done = bmz("predict", made, folder / "i1.tif", "-o", folder / "out.zarr", "--picture", picture, "--json")
        assert json.loads(done.out)["picture"] == str(picture)


class TestMany:
    """Many images."""

    def test_drawn(self, bmz: ForkedBmz, made: Path, folder: Path) -> None:
        """Each has its own picture."""
        (folder / "pictures").mkdir()
        call = ("predict", made, folder / "i*.tif", "-o", folder / "out" / "{name}.zarr")
        assert bmz(*call, "--picture", folder / "pictures" / "{name}.png").status == 0
        assert sorted(path.name for path in (folder / "pictures").iterdir()) == ["i0.png", "i1.png"]

    def test_template(self, bmz: ForkedBmz, made: Path, folder: Path) -> None:
        """One name for all is refused, also as a template that does not differ."""
        call = ("predict", made, folder / "i*.tif", "-o", folder / "out" / "{name}.zarr", "--picture")
        assert "expected a template" in bmz(*call, folder / "p.png").error(2)
        assert "several predictions have the same picture" in bmz(*call, folder / "p{folder}.png").error(2)
        assert not (folder / "out").exists()


class TestFunction:
    """`bioimageio_core.prediction_picture`."""

    def test_written(self, made: Path, folder: Path) -> None:
        """It returns what it writes, and refuses what the command refuses."""
        prediction = bc.predict(made, folder / "i1.tif", axes="yx")
        content = bc.prediction_picture(prediction, folder / "p.png")
        assert (folder / "p.png").read_bytes() == content
        with pytest.raises(OutputError, match="exists"):
            bc.prediction_picture(prediction, folder / "p.png")
        with pytest.raises(InputError, match=r"ends in \.png"):
            bc.prediction_picture(prediction, folder / "i1.tif", overwrite=True)
