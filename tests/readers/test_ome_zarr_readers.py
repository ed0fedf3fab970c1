"""Labels as programs of others read them: the package ome-zarr, its models of the format, and the reader of napari.

The session ``readers`` of nox installs them.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from labelling_ops import blobs, labelling_registry, loaded, truth
from made_models import pointwise_model
from numpy.typing import NDArray
from ome_images import POSITION, SIZE, write_image

from bioimageio_core.io.writing.label_metadata import label_colour
from bioimageio_core.prediction.options import PredictOptions
from bioimageio_core.prediction.predictor import Predictor

NOT_HERE = "is not installed: nox -s readers"
VERSIONS = pytest.mark.parametrize("version", ["0.4", "0.5"])
PLACES = pytest.mark.parametrize("place", ["image.zarr/labels/cells", "results/all/cells.zarr"])


def pixels() -> NDArray[np.float32]:
    """Return an image with objects on 600 x 300 pixels."""
    return blobs((600, 300))


@pytest.fixture
def labels(tmp_path: Path, version: Any, place: str) -> Path:
    """Labels of an image, with levels."""
    (tmp_path / "model").mkdir()
    model = loaded(pointwise_model(tmp_path / "model"), labelling_registry())
    image = write_image(tmp_path / "image.zarr", pixels(), version)
    with Predictor(model, PredictOptions(postprocessing="components", block=128, chunks=128, ome=version, pyramid=True)) as predictor:
        predictor.predict(image, tmp_path / place)
    return tmp_path / place


@VERSIONS
@PLACES
class TestOmeZarr:
    """The reader of the package ome-zarr."""

    def test_pixels_colours_and_image(self, labels: Path, place: str) -> None:
        """It finds the levels, their places, the colours as they were written, and the image that is labelled."""
        io = pytest.importorskip("ome_zarr.io", reason=f"ome-zarr {NOT_HERE}")
        reader = pytest.importorskip("ome_zarr.reader", reason=f"ome-zarr {NOT_HERE}")
        nodes = [node for node in reader.Reader(io.parse_url(str(labels)))() if node.data]  # the group of all labels has none
        (image,) = [node for node in nodes if "color" not in node.metadata]
        found = next(node for node in nodes if "color" in node.metadata)
        np.testing.assert_array_equal(np.asarray(image.data[0]), pixels())
        whole = truth(pixels())
        assert [level.dtype for level in found.data] == [np.uint32] * 4
        for level, factors in zip(found.data, ((1, 1), (1, 2), (2, 4), (4, 8)), strict=True):
            np.testing.assert_array_equal(np.asarray(level), whole[:: factors[0], :: factors[1]])
        placed = [[step[step["type"]] for step in steps] for steps in found.metadata["coordinateTransformations"]]
        assert placed[0] == [list(SIZE), list(POSITION)]
        assert placed[0] == [step[step["type"]] for step in image.metadata["coordinateTransformations"][0]]
        assert found.metadata["color"] == {n: [value / 255 for value in label_colour(n)] for n in range(1, whole.max() + 1)}

    def test_model_of_the_format(self, labels: Path, version: str) -> None:
        """The metadata are what the format allows, as the package ome-zarr-models reads it."""
        module = pytest.importorskip(f"ome_zarr_models.v{version.replace('.', '')}.image_label", reason=f"ome-zarr-models {NOT_HERE}")
        group = module.ImageLabel.from_zarr(zarr.open_group(str(labels), mode="r"))
        attributes = group.attributes if version == "0.4" else group.attributes.ome
        label = attributes.image_label
        assert [(c.label_value, tuple(c.rgba)) for c in label.colors] == [(n, label_colour(n)) for n in range(1, truth(pixels()).max() + 1)]
        assert label.source is not None


@VERSIONS
@PLACES
class TestNapari:
    """What the plugin napari-ome-zarr hands to napari."""

    @pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
    def test_layers(self, labels: Path, place: str) -> None:
        """A layer of labels over the one of the image, at the same place, in the same units, with the colours as written."""
        plugin = pytest.importorskip("napari_ome_zarr", reason=f"napari-ome-zarr {NOT_HERE}")
        opened = labels.parents[1] if "labels" in labels.parts[-2:] else labels
        read = importlib.import_module(f"{plugin.__name__}._reader").napari_get_reader(str(opened))
        layers = {kind: (data, about) for data, about, kind in read(str(opened))}
        data, about = layers["labels"]
        assert all(np.issubdtype(level.dtype, np.integer) for level in data)
        np.testing.assert_array_equal(np.asarray(data[0]), truth(pixels()))
        assert about["scale"] == list(SIZE)
        assert about["affine"].translate.tolist() in ([0, 0], list(POSITION))  # release 0.10 takes no translation, of images neither
        assert about["units"] == ("micrometer", "micrometer")
        assert about["colormap"] == {n: [value / 255 for value in label_colour(n)] for n in range(1, truth(pixels()).max() + 1)}
        if "image" in layers:
            pixels_of, image = layers["image"]
            np.testing.assert_array_equal(np.asarray(pixels_of[0]), pixels())
            assert (image["scale"], image["affine"].translate.tolist()) == (about["scale"], about["affine"].translate.tolist())
        assert ("image" in layers) == ("labels" in place)
