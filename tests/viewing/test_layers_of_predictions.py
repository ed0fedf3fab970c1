"""Layers of predictions: in memory, in OME-Zarr, in plain zarr and in files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelling_ops import blobs, labelling_registry, loaded, truth
from made_models import box_model, follows, pointwise_model, resample_graph, save_description_0_5, save_graph, space, tensor
from ome_images import POSITION, SIZE, write_image
from onnx import helper

import bioimageio_core as bc
from bioimageio_core.io.writing.label_metadata import label_colour
from bioimageio_core.prediction.options import PredictOptions
from bioimageio_core.prediction.predictor import Predictor
from bioimageio_core.viewing.layer import Layer
from bioimageio_core.viewing.layers import layers_of

pytest.importorskip("onnxruntime")
IMAGE = blobs((700, 560))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A mean filter."""
    (tmp_path / "model").mkdir()
    return box_model(tmp_path / "model", {"min": 8, "step": 1})


@pytest.fixture
def labelling(tmp_path: Path) -> Predictor:
    """Labels what is above 0.5."""
    (tmp_path / "labelling").mkdir()
    return Predictor(loaded(pointwise_model(tmp_path / "labelling"), labelling_registry()), PredictOptions(postprocessing="components"))


def by_kind(layers: tuple[Layer, ...]) -> dict[str, Layer]:
    """Return the image, the output and the labels."""
    return {layer.kind if not layer.is_output or layer.kind == "labels" else "output": layer for layer in layers}


class TestOutputs:
    """Maps."""

    @pytest.mark.parametrize("options", [{}, {"ome": "none"}, {"pyramid": False}])
    def test_stored(self, model: Path, tmp_path: Path, options: dict[str, Any]) -> None:
        """A prediction shows its image and its output, with the levels, sizes and positions of both; its path shows the output."""
        path = write_image(tmp_path / "cells.zarr", IMAGE, "0.5")
        result = bc.predict(model, path, tmp_path / "result.zarr", **options)
        found = by_kind(layers_of(result))
        assert set(found) == {"image", "output"}
        assert (found["image"].name, found["output"].name) == ("cells", "out")
        of_path = layers_of(tmp_path / "result.zarr")[0] if "ome" in options else by_kind(layers_of(tmp_path / "result.zarr"))["output"]
        for layer in (found["output"], of_path):
            assert layer.is_output
            np.testing.assert_array_equal(np.squeeze(layer.levels[0][:]), np.asarray(result["out"])[0, 0])
            assert layer.channels[0].limits == (0.0, 1.0), "probabilities mean the same in every image"
        assert [found["output"].pixel_size[axis] for axis in "yx"] == [(size, "micrometer") for size in SIZE]
        assert [found["output"].position[axis] for axis in "yx"] == list(POSITION)
        assert [level.shape for level in found["output"].levels] == (
            [(700, 560), (700, 280), (350, 140), (175, 70)] if not options else [(700, 560)]
        ), "pixels of coarser levels become square"

    def test_in_memory(self, model: Path) -> None:
        """The same without a file; an array is an image."""
        result = bc.predict(model, IMAGE, axes="yx", pixel_size={"y": 0.25, "x": 0.5})
        image, output = layers_of(result)
        assert (image.name, output.name) == ("array", "out")
        np.testing.assert_array_equal(image.levels[0][:], IMAGE)
        np.testing.assert_array_equal(output.levels[0][:], np.asarray(result["out"])[0, 0])
        assert output.pixel_size["y"][0] == 0.25

    def test_smaller_numbers(self, model: Path, tmp_path: Path) -> None:
        """Integers that stand for values are shown as these, wherever they are stored."""
        for place in (None, tmp_path / "small.zarr", tmp_path / "plain.zarr"):
            options = {"ome": "none"} if place is not None and place.stem == "plain" else {}
            result = bc.predict(model, IMAGE, place, axes="yx", dtype="uint8", **options)
            for found in (layers_of(result), *([] if place is None else [layers_of(place)])):
                np.testing.assert_allclose(np.squeeze(found[-1].levels[0][:]), np.asarray(result["out"])[0, 0] / 255, atol=1e-6)
                assert found[-1].kind == "image"

    def test_given_axes_and_sizes(self, model: Path, tmp_path: Path) -> None:
        """The image has the axes and pixel sizes that were given, as its output has, and the levels of its file."""
        tifffile = pytest.importorskip("tifffile")
        with tifffile.TiffWriter(tmp_path / "cells.ome.tif") as tiff:
            tiff.write(IMAGE, subifds=1, tile=(16, 16), photometric="minisblack", metadata={"axes": "YX", "PhysicalSizeX": 7})
            tiff.write(IMAGE[::2, ::2], subfiletype=1, tile=(16, 16), photometric="minisblack")
        result = bc.predict(model, tmp_path / "cells.ome.tif", axes="xy", pixel_size={"y": 0.25, "x": 0.5})
        image, output = layers_of(result)
        assert image.pixel_size == output.pixel_size
        assert (image.shape, output.shape) == (IMAGE.T.shape, IMAGE.T.shape)
        assert [level.shape for level in image.levels] == [(560, 700), (280, 350)]

    def test_other_resolution(self, tmp_path: Path) -> None:
        """Pixels of an output of half the size are twice as large, and lie on those of the image."""
        (tmp_path / "half").mkdir()
        resample_graph(tmp_path / "half" / "weights.onnx", down=2)
        axes = [space(a, {"min": 2, "step": 2}, scale=0.5, unit="micrometer") for a in "yx"]
        out = [space(a, follows(a), scale=1.0, unit="micrometer") for a in "yx"]
        one = {"type": "channel", "channel_names": ["intensity"]}
        save_description_0_5(
            tmp_path / "half", [tensor("raw", {"type": "batch"}, one, *axes)], [tensor("out", {"type": "batch"}, one, *out)]
        )
        _, output = layers_of(bc.predict(tmp_path / "half", IMAGE, axes="yx"))
        assert output.shape == (350, 280)
        assert output.pixel_size["y"] == (1.0, "micrometer")
        assert output.position["y"] == 0.25, "the centre of the first pixel lies between the first two of the image"

    @pytest.mark.parametrize("options", [{}, {"ome": "none"}])
    def test_several(self, tmp_path: Path, options: dict[str, Any]) -> None:
        """Each output is a layer; integers are labels, also of classes."""
        (tmp_path / "two").mkdir()
        nodes = [helper.make_node("Identity", ["raw"], ["map"]), helper.make_node("Ceil", ["raw"], ["classes"])]
        save_graph(tmp_path / "two" / "weights.onnx", nodes, {"raw": 4}, {"map": 4, "classes": 4})
        one = {"type": "channel", "channel_names": ["intensity"]}
        given = [
            tensor(n, {"type": "batch"}, one, *map(space, "yx", map(follows, "yx")), dtype=d)
            for n, d in [("map", "float32"), ("classes", "uint8")]
        ]
        taken = tensor("raw", {"type": "batch"}, one, *(space(a, {"min": 1, "step": 1}) for a in "yx"))
        save_description_0_5(tmp_path / "two", [taken], given)
        result = bc.predict(tmp_path / "two", IMAGE, tmp_path / "result.zarr", axes="yx", **options)
        for found in (layers_of(result)[1:], layers_of(tmp_path / "result.zarr")):
            assert [(layer.name, layer.kind) for layer in found] == [("map", "image"), ("classes", "labels")]
            np.testing.assert_array_equal(np.squeeze(found[1].levels[0][:]), np.ceil(IMAGE))

    def test_names_of_axes(self, tmp_path: Path) -> None:
        """Models may have other names of y and x."""
        (tmp_path / "named").mkdir()
        found = layers_of(bc.predict(pointwise_model(tmp_path / "named", axes=("height", "width")), IMAGE, axes="yx"))
        assert [layer.axes for layer in found] == [("y", "x")] * 2
        assert set(found[1].pixel_size) == {"y", "x"}

    def test_with_image(self, model: Path, tmp_path: Path) -> None:
        """Of an image that is given beside its prediction, there is one layer."""
        path = write_image(tmp_path / "cells.zarr", IMAGE, "0.5")
        assert [layer.name for layer in layers_of(path, bc.predict(model, path))] == ["cells", "out"]

    def test_colour(self, model: Path) -> None:
        """Over an image, an output is in colour; alone, it is grey."""
        result = bc.predict(model, IMAGE, axes="yx")
        assert [layer.channels[0].colour for layer in layers_of(result)] == [(255, 255, 255), (255, 0, 255)]
        assert layers_of(result["out"])[0].channels[0].colour == (255, 255, 255)

    def test_one_output(self, model: Path) -> None:
        """An output alone."""
        (layer,) = layers_of(bc.predict(model, IMAGE, axes="yx")["out"])
        assert (layer.kind, layer.axes) == ("image", ("y", "x"))

    def test_chain(self, model: Path) -> None:
        """Of a chain of models, the image of the first is shown."""
        found = layers_of(bc.predict([model, model], IMAGE, axes="yx"))
        np.testing.assert_array_equal(found[0].levels[0][:], IMAGE)
        assert len(found) == 2

    def test_file(self, model: Path, tmp_path: Path) -> None:
        """A file that a run wrote is an output, with its levels."""
        pytest.importorskip("tifffile")
        result = bc.predict(model, IMAGE, tmp_path / "result.ome.tif", axes="yx")
        for layer in (layers_of(result)[-1], layers_of(tmp_path / "result.ome.tif")[0]):
            assert (layer.kind, layer.is_output) == ("image", True)
            np.testing.assert_array_equal(layer.levels[0][:], np.asarray(result["out"])[0, 0])


class TestLabels:
    """Labels that ops give."""

    @pytest.mark.parametrize("place", [None, "labels.zarr", "plain.zarr", "labels.ome.tif", "cells.zarr/labels/cells"])
    def test_kind(self, labelling: Predictor, tmp_path: Path, place: str | None) -> None:
        """Labels are known as such, by the prediction and by what is stored."""
        if place is not None and place.endswith(".tif"):
            pytest.importorskip("tifffile")
        image = write_image(tmp_path / "cells.zarr", IMAGE, "0.5")
        options: dict[str, Any] = {"ome": "none"} if place == "plain.zarr" else {}
        result = labelling.predict(image, None if place is None else tmp_path / place, **options)
        expected = truth(IMAGE)
        shown = [layers_of(result)] + ([layers_of(image, tmp_path / place)] if place is not None else [])
        for found in shown:
            assert [layer.kind for layer in found] == ["image", "labels"]
            np.testing.assert_array_equal(np.squeeze(found[-1].levels[0][:]), expected)
        if place in ("labels.zarr", "cells.zarr/labels/cells"):
            assert dict(shown[1][-1].colours) == {n: label_colour(n)[:3] for n in range(1, expected.max() + 1)}

    def test_table(self, labelling: Predictor, tmp_path: Path) -> None:
        """What a prediction measured is the table of its labels; its file may be given, too."""
        result = labelling.predict(IMAGE, tmp_path / "labels.zarr", axes="yx", table=tmp_path / "cells.csv")
        *_, labels = layers_of(result)
        *_, read = layers_of(tmp_path / "labels.zarr", table=tmp_path / "cells.csv")
        assert labels.table is not None
        assert read.table is not None
        np.testing.assert_array_equal(labels.table["pixels"], np.bincount(truth(IMAGE).ravel())[1:])
        assert list(read.table) == list(labels.table)
        np.testing.assert_array_equal(read.table["pixels"], labels.table["pixels"])

    def test_without_table(self, labelling: Predictor) -> None:
        """Where nothing was measured, there is none."""
        *_, labels = layers_of(labelling.predict(IMAGE, axes="yx"))
        assert labels.table is None
