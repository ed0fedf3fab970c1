"""Files of ZEN that hold SavedModels: they predict what TensorFlow itself says.

``nox -s tensorflow`` runs them; nothing is skipped there.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comparing import assert_same, exported
from made_files import network_of, spec_101
from numpy.typing import NDArray

import bioimageio_core as bc

tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed: run 'nox -s tensorflow'")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning:.*keras.*")


def called(network: bytes, folder: Path, image: NDArray[Any]) -> NDArray[Any]:
    """Return what TensorFlow makes of an image."""
    with zipfile.ZipFile(io.BytesIO(network)) as archive:
        archive.extractall(folder)
    signature = tf.saved_model.load(str(folder)).signatures["serving_default"]
    (name,) = signature.structured_input_signature[1]
    (output,) = signature(**{name: tf.constant(image.astype(np.float32))}).values()
    return np.asarray(output)


class TestSharedFiles:
    """What official packages wrote."""

    def test_czmodel(self, fixtures: Path, tmp_path: Path) -> None:
        """A file with a SavedModel, in memory and out of core."""
        bc.import_model(fixtures / "savedmodel_101.czmodel", tmp_path / "model")
        image = np.random.default_rng(0).integers(0, 255, (1, 64, 128, 1)).astype(np.uint8)
        network = network_of(fixtures / "savedmodel_101.czmodel")
        halves = [called(network, tmp_path / "network", image[:, :, side]) for side in (slice(0, 64), slice(64, 128))]
        options: dict[str, Any] = {"axes": "byxc"}
        for output in (None, tmp_path / "out.zarr"):
            found = bc.predict(tmp_path / "model", image, output, **options)["prediction"]
            np.testing.assert_allclose(np.asarray(found), np.concatenate(halves, axis=2), atol=1e-5)

    def test_specification(self, fixtures: Path, tmp_path: Path) -> None:
        """A specification that names the folder of one."""
        bc.import_model(spec_101(fixtures, tmp_path / "spec"), tmp_path / "model")
        image = np.random.default_rng(0).integers(0, 60_000, (1, 64, 64, 1)).astype(np.uint16)
        expected = called(network_of(fixtures / "savedmodel_101.czmodel"), tmp_path / "network", image)
        found = bc.predict(tmp_path / "model", image, axes="byxc")["prediction"]
        np.testing.assert_allclose(np.asarray(found), expected, atol=1e-5)


class TestConverted:
    """Models that have a SavedModel alone."""

    def test_written(self, shared: Path, tmp_path: Path) -> None:
        """It is converted to ONNX on the way."""
        model = shared / "models" / "tiktorch_dummy_tensorflow" / "rdf.yaml"
        path = exported(model, tmp_path / "m.czann", type="Regression", file_version="2.0.0")
        image = np.random.default_rng(0).integers(0, 255, (1, 32, 32, 1)).astype(np.uint8)
        assert_same(model, path, image, weights_format="tensorflow_saved_model_bundle")
