"""Cards of images, and their text; files are written by other packages."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import attrs
import numpy as np
import pytest
import zarr

import bioimageio_core as bc
from bioimageio_core.errors import AxesError, SourceError
from bioimageio_core.report.text.image_text import image_text

tifffile = pytest.importorskip("tifffile")


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two positions of 2 x 16 x 16 and 2 x 16 x 17 pixels of float32, 0.5 µm wide."""
    path = tmp_path / "two.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as tiff:
        for n in range(2):
            pixels = np.full((2, 16, 16 + n), n, np.float32)
            size = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.25, "PhysicalSizeYUnit": "µm"}
            metadata = {"axes": "CYX", "Name": f"Pos{n}", "Channel": {"Name": ["DAPI", "GFP"]}, **size}
            tiff.write(pixels, photometric="minisblack", metadata=metadata)
    return path


@pytest.fixture
def pyramid(tmp_path: Path) -> Path:
    """A plane of 64 x 48 pixels of uint8 in TIFF tiles, and one of half its size."""
    path = tmp_path / "pyramid.ome.tif"
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(np.zeros((64, 48), np.uint8), subifds=1, tile=(16, 16), photometric="minisblack", metadata={"axes": "YX"})
        tiff.write(np.zeros((32, 24), np.uint8), subfiletype=1, tile=(16, 16), photometric="minisblack")
    return path


class TestCard:
    """``bc.image_card``."""

    def test_fields(self, two: Path) -> None:
        """What the file says, of the first image."""
        card = bc.image_card(two)
        assert (card.reader, card.axes, card.shape, card.dtype) == ("tiff", ("channel", "y", "x"), (2, 16, 16), "float32")
        assert card.channel_names == ("DAPI", "GFP")
        assert dict(card.pixel_size) == {"x": (0.5, "micrometer"), "y": (0.25, "micrometer")}
        assert (card.pixel_bytes, card.file_bytes) == (2 * 16 * 16 * 4, two.stat().st_size)
        assert [(scene.number, scene.name) for scene in card.scenes] == [(0, "Pos0"), (1, "Pos1")]
        assert (card.scene, card.level, len(card.levels)) == (0, 0, 1)

    @pytest.mark.parametrize("scene", [1, "1", "Pos1"])
    def test_scene(self, two: Path, scene: int | str) -> None:
        """By number or name."""
        card = bc.image_card(two, scene=scene)
        assert (card.scene, card.shape) == (1, (2, 16, 17))

    def test_levels(self, pyramid: Path) -> None:
        """All of them, and which is shown."""
        card = bc.image_card(pyramid, level=1)
        assert (card.level, card.shape, card.chunks, card.scene) == (1, (32, 24), (16, 16), None)
        assert [level.shape for level in card.levels] == [(64, 48), (32, 24)]

    def test_read(self, tmp_path: Path, two: Path, pyramid: Path) -> None:
        """Contiguous files are memory mapped; of a file with one chunk, any region takes all."""
        np.save(tmp_path / "array.npy", np.zeros((4, 5)))
        zarr.create_array(str(tmp_path / "one.zarr"), data=np.zeros((4, 5)), chunks=(4, 5))
        zarr.create_array(str(tmp_path / "some.zarr"), data=np.zeros((4, 5)), chunks=(1, 5))
        found = {p.name: bc.image_card(p).read for p in (two, pyramid, *(tmp_path / n for n in ("array.npy", "one.zarr", "some.zarr")))}
        assert found == {
            "two.ome.tif": "memory mapped",
            "pyramid.ome.tif": "by region",
            "array.npy": "memory mapped",
            "one.zarr": "as a whole",
            "some.zarr": "by region",
        }
        assert bc.image_card(np.zeros((4, 5))).read == "in memory"

    def test_models(self, tmp_path: Path) -> None:
        """Which axes a model takes, and which are predicted position by position."""
        zarr.create_array(str(tmp_path / "tzyx.zarr"), data=np.zeros((2, 3, 4, 5)), dimension_names=["t", "z", "y", "x"])
        models = bc.image_card(tmp_path / "tzyx.zarr").models
        assert (models["planes"].axes, models["planes"].each) == (("y", "x"), ("time", "z"))
        assert (models["volumes"].axes, models["volumes"].each) == (("z", "y", "x"), ("time",))
        unnamed = bc.image_card(np.zeros((3, 4, 5))).models
        assert (unnamed["planes"].guesses, unnamed["volumes"].guesses) == (("cyx", "yxc"), ("zyx",))
        assert list(bc.image_card(np.zeros((3, 4, 5)), axes="tyx").models) == ["planes"]
        assert not bc.image_card(np.zeros((3, 4)), axes="tz").models

    def test_scenes_of_their_own(self, tmp_path: Path) -> None:
        """Arrays in a group are scenes by their paths."""
        group = zarr.create_group(str(tmp_path / "beside.zarr"))
        for name, size in (("raw", 7), ("segmentation", 8)):
            group.create_array(name, data=np.zeros((6, size), np.uint8))
        card = bc.image_card(tmp_path / "beside.zarr", scene="segmentation")
        assert (card.scene, card.shape, card.location) == (1, (6, 8), str(tmp_path / "beside.zarr" / "segmentation"))

    def test_refused(self, tmp_path: Path, two: Path, pyramid: Path) -> None:
        """In one sentence."""
        (tmp_path / "bad.tif").write_bytes(b"no image")
        for source, options in ((tmp_path / "bad.tif", {}), (tmp_path / "none.tif", {}), (two, {"scene": 2}), (pyramid, {"level": 2})):
            with pytest.raises(SourceError) as error:
                bc.image_card(source, **options)
            assert "\n" not in str(error.value)
        with pytest.raises(AxesError):
            bc.image_card(two, axes="yx")

    def test_plain_data(self, two: Path) -> None:
        """The keys of JSON stay; a card can be pickled."""
        card = bc.image_card(two)
        data = json.loads(json.dumps(card.as_dict()))
        assert list(data) == [field.name for field in attrs.fields(type(card))]
        assert data["pixel_size"]["x"] == {"size": 0.5, "unit": "micrometer"}
        assert data["scenes"][1]["name"] == "Pos1"
        assert data["models"]["planes"] == {"axes": ["channel", "y", "x"], "each": [], "guesses": []}
        assert pickle.loads(pickle.dumps(card)) == card


class TestText:
    """What ``bmz info`` prints."""

    def test_scenes(self, two: Path) -> None:
        """A numbered list, and how to choose."""
        text = image_text(bc.image_card(two))
        lines = text.splitlines()
        assert lines[0] == "two (scene 0)"
        assert "axes        channel 2, y 16, x 16" in lines
        assert "channels    DAPI, GFP" in lines
        assert "pixel size  y 0.25 µm, x 0.5 µm" in lines or "pixel size  x 0.5 µm, y 0.25 µm" in lines
        assert any(line.startswith("scenes      0: Pos0, ") and line.endswith("(this one)") for line in lines)
        assert lines[-1].strip() == "another with scene=1 (--scene 1)"

    def test_without_names(self) -> None:
        """Axes that are not named are guessed by a model, which the text says."""
        text = image_text(bc.image_card(np.zeros((3, 4, 5))))
        assert "axes        not named, of sizes 3, 4, 5" in text
        assert "models of planes (y, x): axes are guessed as cyx or yxc" in text
        assert "--axes zyx" in text

    def test_hostile_names(self, tmp_path: Path) -> None:
        """A name in a file cannot add lines, or control characters."""
        path = tmp_path / "hostile.zarr"
        group = zarr.create_group(str(path))
        group.create_array("0", data=np.zeros((2, 4, 4), np.uint8))
        axes = [{"name": "c", "type": "channel"}, *({"name": n, "type": "space"} for n in "yx")]
        scale = [{"type": "scale", "scale": [1, 1, 1]}]
        channels = [{"label": "one\nscenes \x1b[31m"}, {"label": "two"}]
        multiscale = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}
        group.attrs["ome"] = {"version": "0.5", "multiscales": [multiscale], "omero": {"channels": channels}}
        text = image_text(bc.image_card(path))
        assert "\x1b" not in text
        assert any(line.startswith("channels    one scenes") and line.endswith("two") for line in text.splitlines())
