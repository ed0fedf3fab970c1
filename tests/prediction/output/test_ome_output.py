"""OME-Zarr as output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr
from made_models import (
    BATCH,
    box_model,
    channels,
    follows,
    identity_graph,
    pointwise_model,
    resample_graph,
    save_description_0_5,
    space,
    tensor,
)

import bioimageio_core as bc
from bioimageio_core.errors import InputError
from bioimageio_core.io import open_image
from bioimageio_core.io.writing.pyramid import halved

ANY = {"min": 16, "step": 4}


def noise(*shape: int) -> np.ndarray:
    """Return noise."""
    return np.random.default_rng(0).random(shape, dtype=np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A mean filter."""
    (tmp_path / "model").mkdir()
    return box_model(tmp_path / "model", ANY, halo=4)


def ome_image(path: Path, data: np.ndarray, axes: str, scale: list[float], translation: list[float]) -> Path:
    """Write an OME-Zarr 0.4 image with micrometres."""
    group = zarr.create_group(str(path), zarr_format=2)
    group.create_array("0", data=data, chunks=tuple(min(n, 64) for n in data.shape))
    kinds = {"t": "time", "c": "channel"}
    named = [{"name": a, "type": kinds.get(a, "space"), **({"unit": "micrometer"} if a in "zyx" else {})} for a in axes]
    steps = [{"type": "scale", "scale": scale}, {"type": "translation", "translation": translation}]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": named, "datasets": [{"path": "0", "coordinateTransformations": steps}]}]
    return path


class TestMetadata:
    """Metadata for viewers."""

    @pytest.mark.parametrize("version", ["0.4", "0.5"])
    def test_image(self, tmp_path: Path, model: Path, version: Any) -> None:
        """The output has axes, pixel size, unit and position of the input, without the batch axis, and can be read as an image."""
        image = ome_image(tmp_path / "in.zarr", noise(3, 100, 90), "tyx", [2.0, 0.5, 0.25], [0.0, 10.0, 20.0])
        found = bc.predict(model, image, tmp_path / "o.zarr", ome=version, block={"y": 40, "x": 40})["out"]
        assert found.axes == ("time", "batch", "channel", "y", "x")
        back = open_image(tmp_path / "o.zarr")
        assert back.axes == ("time", "channel", "y", "x")
        assert back.channel_names == ("intensity",)
        assert dict(back.pixel_size) == {"time": (2.0, None), "y": (0.5, "micrometer"), "x": (0.25, "micrometer")}
        assert dict(back.position) == {"time": 0.0, "y": 10.0, "x": 20.0}
        np.testing.assert_array_equal(np.asarray(found), np.asarray(bc.predict(model, image)["out"]))
        group = zarr.open_group(str(tmp_path / "o.zarr"), mode="r")
        assert group.metadata.zarr_format == (2 if version == "0.4" else 3)
        content = dict(group.attrs) if version == "0.4" else dict(group.attrs["ome"])  # type: ignore[arg-type]
        (multiscale,) = content["multiscales"]
        assert [a["name"] for a in multiscale["axes"]] == ["t", "c", "y", "x"]
        assert [a["type"] for a in multiscale["axes"]] == ["time", "channel", "space", "space"]

    def test_region_of_interest(self, tmp_path: Path, model: Path) -> None:
        """The output of a region of interest has its position."""
        image = ome_image(tmp_path / "in.zarr", noise(100, 90), "yx", [0.5, 0.25], [10.0, 20.0])
        bc.predict(model, image, tmp_path / "o.zarr", ome="0.5", roi={"y": (20, 61), "x": (8, 80)})
        assert dict(open_image(tmp_path / "o.zarr").position) == {"y": 20.0, "x": 22.0}

    def test_selected_channel(self, tmp_path: Path, model: Path) -> None:
        """Selecting a channel shifts nothing: channels have no position."""
        image = ome_image(tmp_path / "in.zarr", noise(3, 40, 40), "cyx", [1.0, 0.5, 0.25], [0.0, 10.0, 20.0])
        bc.predict(model, image, tmp_path / "o.zarr", ome="0.5", channel=2)
        (multiscale,) = zarr.open_group(str(tmp_path / "o.zarr"), mode="r").attrs["ome"]["multiscales"]  # type: ignore[index, call-overload]
        scale, translation = multiscale["datasets"][0]["coordinateTransformations"]
        assert (scale["scale"], translation["translation"]) == ([1.0, 0.5, 0.25], [0.0, 10.0, 20.0])

    @pytest.mark.parametrize(("unit", "written"), [("\u00c5", "angstrom"), ("cm", "centimeter"), ("pixel", None), ("furlong", None)])
    def test_units(self, tmp_path: Path, model: Path, unit: str, written: str | None) -> None:
        """Units have the names that the format lists; what it does not list is no unit."""
        data = xr.DataArray(noise(40, 40), dims=("y", "x"), coords={"y": ("y", np.arange(40) * 0.5 + 3, {"units": unit})})
        bc.predict(model, data, tmp_path / "o.zarr", ome="0.5")
        (multiscale,) = zarr.open_group(str(tmp_path / "o.zarr"), mode="r").attrs["ome"]["multiscales"]  # type: ignore[index, call-overload]
        assert multiscale["axes"][1] == {"name": "y", "type": "space", **({"unit": written} if written else {})}
        back = open_image(tmp_path / "o.zarr")
        assert (back.pixel_size["y"], back.position["y"]) == ((0.5, written), 3.0)

    @pytest.mark.parametrize(("up", "down", "position"), [(2, 1, -0.125), (1, 4, 0.75)])
    def test_other_scale(self, tmp_path: Path, up: int, down: int, position: float) -> None:
        """Outer edges coincide: the centre of the first output pixel is half an output pixel from the edge."""
        resample_graph(tmp_path / "weights.onnx", up=up, down=down)
        out = [space(a, follows(a), scale=down / up) for a in "yx"]
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), *(space(a, {"min": 4, "step": 4}) for a in "yx"))],
            [tensor("out", BATCH, channels(), *out)],
        )
        image = ome_image(tmp_path / "in.zarr", noise(40, 40), "yx", [0.5, 0.5], [0.0, 0.0])
        bc.predict(tmp_path, image, tmp_path / "o.zarr", ome="0.5")
        back = open_image(tmp_path / "o.zarr")
        assert back.pixel_size["y"][0] == 0.5 * down / up
        assert back.position["y"] == position

    def test_valid_convolution(self, tmp_path: Path) -> None:
        """The position accounts for the offset at either end."""
        from made_models import box_graph

        box_graph(tmp_path / "weights.onnx", size=5, padded=False)
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), *(space(a, {"min": 16, "step": 1}) for a in "yx"))],
            [tensor("out", BATCH, channels(), *(space(a, follows(a, offset=-4)) for a in "yx"))],
        )
        image = ome_image(tmp_path / "in.zarr", noise(40, 40), "yx", [0.5, 0.5], [1.0, 0.0])
        bc.predict(tmp_path, image, tmp_path / "o.zarr", ome="0.5")
        back = open_image(tmp_path / "o.zarr")
        assert (back.shape[-2:], dict(back.position)) == ((36, 36), {"y": 2.0, "x": 1.0})

    def test_several_outputs(self, tmp_path: Path) -> None:
        """Each output is an image below the path of the output."""
        identity_graph(tmp_path / "weights.onnx")
        from made_models import save_graph
        from onnx import helper

        nodes = [helper.make_node("Identity", ["raw"], ["a"]), helper.make_node("Neg", ["raw"], ["b"])]
        save_graph(tmp_path / "weights.onnx", nodes, {"raw": 4}, {"a": 4, "b": 4})
        follow = [space(x, follows(x)) for x in "yx"]
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), *(space(x, {"min": 4, "step": 1}) for x in "yx"))],
            [tensor("a", BATCH, channels("one"), *follow), tensor("b", BATCH, channels("two"), *follow)],
        )
        data = noise(30, 20)
        bc.predict(tmp_path, data, tmp_path / "o.zarr", axes="yx", ome="0.5")
        for name, sign, channel in (("a", 1, "one"), ("b", -1, "two")):
            back = open_image(tmp_path / "o.zarr" / name)
            assert back.channel_names == (channel,)
            np.testing.assert_array_equal(back.read((slice(None),) * 3)[0], sign * data)

    def test_refused(self, tmp_path: Path, model: Path) -> None:
        """Several items of a batch are refused, and nothing is written."""
        with pytest.raises(InputError, match="cannot be an OME-Zarr image"):
            bc.predict(model, noise(2, 1, 40, 40), tmp_path / "o.zarr", ome="0.5")
        assert not (tmp_path / "o.zarr").exists()
        for options in ({"ome": "0.6"}, {"ome": "none", "pyramid": True}, {"ome": "0.4", "shards": {"y": 64}}):
            with pytest.raises(InputError, match="OME-Zarr"):
                bc.predict(model, noise(40, 40), tmp_path / "o.zarr", **options)


class TestPyramid:
    """Coarser levels."""

    @pytest.mark.parametrize("block", [64, 512, 1024])
    @pytest.mark.parametrize("version", ["0.4", "0.5"])
    def test_means(self, tmp_path: Path, block: int, version: Any) -> None:
        """Each level is the mean of the previous one, whether regions or a separate pass write it, also at ragged edges."""
        model = pointwise_model(tmp_path, size={"min": 32, "step": 32}, gain=1.0)
        data = noise(1500, 1030)
        bc.predict(model, data, tmp_path / "o.zarr", axes="yx", ome=version, pyramid=True, block={"y": block, "x": block})
        expected = data[None]
        for level in range(4):
            image = open_image(tmp_path / "o.zarr", level=level)
            np.testing.assert_array_equal(image.read((slice(None),) * 3), expected)
            assert image.position["y"] == (2**level - 1) / 2
            expected = halved(expected, (1, 2, 2), nearest=False)
        with pytest.raises(OSError, match="has 4 levels"):
            open_image(tmp_path / "o.zarr", level=4)

    def test_halved(self) -> None:
        """Expected numbers are computed by hand."""
        array = np.array([[1, 3, 5], [5, 7, 8]], "uint8")
        np.testing.assert_array_equal(halved(array, (2, 2), nearest=False), [[4, 6]])  # 6.5 goes to the even one
        np.testing.assert_array_equal(halved(array, (1, 2), nearest=False), [[2, 5], [6, 8]])
        np.testing.assert_array_equal(halved(array, (2, 2), nearest=True), [[1, 5]])

    def test_labels(self, tmp_path: Path) -> None:
        """Labels take the nearest pixel, and are never averaged."""
        post = [{"id": "ensure_dtype", "kwargs": {"dtype": "int32"}}]
        model = pointwise_model(tmp_path, out_dtype="int32", post=post)
        data = np.random.default_rng(0).integers(0, 1000, (600, 600)).astype(np.float32)
        bc.predict(model, data, tmp_path / "o.zarr", axes="yx", ome="0.5", pyramid=True)
        image = open_image(tmp_path / "o.zarr", level=1)
        np.testing.assert_array_equal(image.read((slice(None),) * 3)[0], data[::2, ::2])
        assert image.position["y"] == 0

    def test_anisotropic(self, tmp_path: Path) -> None:
        """Planes far apart are not halved until pixels within them are as large."""
        model = pointwise_model(tmp_path, axes=("z", "y", "x"), gain=1.0)
        image = ome_image(tmp_path / "in.zarr", noise(20, 600, 520), "zyx", [2.0, 0.5, 0.5], [0.0, 0.0, 0.0])
        bc.predict(model, image, tmp_path / "o.zarr", ome="0.5", pyramid=True)
        shapes = [open_image(tmp_path / "o.zarr", level=n).shape[1:] for n in range(3)]
        assert shapes == [(20, 600, 520), (20, 300, 260), (20, 150, 130)]
