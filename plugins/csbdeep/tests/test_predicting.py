"""Imported models predict what CSBDeep, StarDist and TensorFlow say themselves; needs all three."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import bioimageio_core as bc

NEEDED = ("tensorflow", "bioimageio_runtime_tensorflow", "csbdeep", "stardist", "tf_keras")

pytestmark = [
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in NEEDED),
        reason=f"needs {', '.join(NEEDED)}: run by the nox session tensorflow",
    ),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]

Array = NDArray[Any]
PAD = 64
"""More than the networks see, and a multiple of what sizes have to be."""

EXPORT = Path(__file__).with_name("export_stardist.py")


def image(*shape: int) -> Array:
    """Return counts of photons, uint16."""
    return np.random.default_rng(0).gamma(2.0, 300.0, shape).astype(np.uint16)


def normalised(img: Array, low: float, high: float, axis: tuple[int, ...]) -> Array:
    """Return what CSBDeep's ``normalize`` does, in its types."""
    lowest, highest = (np.percentile(img, p, axis=axis, keepdims=True).astype(np.float32) for p in (low, high))
    return (img.astype(np.float32) - lowest) / (highest - lowest + np.float32(1e-20))


def called(export: Path, batch: Array, folder: Path) -> dict[str, Array]:
    """Return what TensorFlow itself says."""
    import tensorflow as tf

    with zipfile.ZipFile(export) as archive:
        archive.extractall(folder / "called")
    network = tf.saved_model.load(str(folder / "called")).signatures["serving_default"]
    return {name: np.asarray(output) for name, output in network(input=tf.constant(batch)).items()}


def called_on_padded(export: Path, batch: Array, folder: Path) -> Array:
    """Return the same for a batch (1, y, x, channel), padded as predictions are, and cropped."""
    padded = np.pad(batch, ((0, 0), (PAD, PAD), (PAD, PAD), (0, 0)), mode="symmetric")
    return called(export, padded, folder)["output"][:, PAD:-PAD, PAD:-PAD]


def out_of_core(model: Path, img: Array, folder: Path, axes: str, block: dict[str, int]) -> dict[str, Array]:
    """Predict from zarr to zarr, in several blocks."""
    import zarr

    zarr.create_array(str(folder / "image.zarr"), data=img, chunks=(32,) * img.ndim)
    result = bc.predict(model, folder / "image.zarr", folder / "result.zarr", axes=axes, block=block)
    assert result.plan.regions.block_count > 1
    return {name: np.asarray(array) for name, array in result.items()}


@pytest.mark.parametrize(("name", "low"), [("care_plain", 2), ("care_prob", 2), ("sd2d", 1)])
def test_as_tensorflow(exports: Path, tmp_path: Path, name: str, low: float) -> None:
    """To 1e-5, in memory and out of core in several blocks."""
    model = bc.import_model(exports / f"{name}.zip", tmp_path / "model").folder
    img = image(200, 152)
    wanted = called_on_padded(exports / f"{name}.zip", normalised(img, low, 99.8, (0, 1))[None, ..., None], tmp_path)
    np.testing.assert_allclose(np.asarray(bc.predict(model, img, axes="yx")["output"]), wanted, rtol=1e-5, atol=1e-5)
    found = out_of_core(model, img, tmp_path, "yx", {"y": 160, "x": 144})
    np.testing.assert_allclose(found["output"], wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["care_plain", "care_prob"])
def test_as_csbdeep(exports: Path, tmp_path: Path, name: str) -> None:
    """`CARE.predict` with its own normalisation, which it undoes afterwards; at the border it pads otherwise, so that is left out."""
    from csbdeep.models import CARE

    img = image(120, 104)
    care = CARE(None, name, str(exports))
    if name == "care_plain":
        wanted = {"restored": care.predict(img, "YX")}
    else:
        both = care.predict_probabilistic(img, "YX")
        wanted = {"mean": both.mean(), "scale": both.scale()}
    model = bc.import_model(exports / f"{name}.zip", tmp_path / "model").folder
    found = np.asarray(bc.predict(model, img, axes="yx")["output"])[0]
    lowest, highest = np.percentile(img, [2, 99.8]).astype(np.float32)
    inner = (slice(24, -24), slice(24, -24))
    for channel, (part, array) in enumerate(wanted.items()):
        normal = (array - (0 if part == "scale" else lowest)) / (highest - lowest)
        np.testing.assert_allclose(found[..., channel][inner], normal[inner], rtol=1e-5, atol=1e-5)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models that StarDist made with random parameters: with their exports, and with others that keep the grid."""
    folder = tmp_path_factory.mktemp("stardist")
    variables = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "KERAS_BACKEND": "tensorflow"}  # it exports with Keras 2 alone
    done = subprocess.run([sys.executable, str(EXPORT), str(folder)], env=variables, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


class TestStarDist:
    """Networks of StarDist: in 2D and 3D, U-Nets and ResNets."""

    @pytest.mark.parametrize("name", ["unet2d", "unet3d", "resnet3d"])
    def test_sizes(self, made: Path, tmp_path: Path, name: str) -> None:
        """The graph says what StarDist says of sizes, and sees at least as far as StarDist found."""
        said = json.loads((made / f"{name}.json").read_text())
        model = bc.load_model_description(bc.import_model(made / name, tmp_path / "model").folder)
        spatial = [axis for axis in model.inputs[0].axes if axis.type == "space"]
        assert [axis.size.step for axis in spatial] == said["div_by"]
        halos = [axis.halo for axis in model.outputs[0].axes if axis.type == "space"]
        assert all(found <= halo <= 1.2 * found + 1 for halo, found in zip(halos, said["overlap"], strict=True))

    @pytest.mark.parametrize(("name", "block"), [("unet3d", {"z": 32, "y": 64, "x": 64}), ("resnet3d", {"z": 30, "y": 54, "x": 54})])
    def test_volumes(self, made: Path, tmp_path: Path, name: str, block: dict[str, int]) -> None:
        """Far from the border, as TensorFlow says for the whole; in blocks as in memory."""
        model = bc.import_model(made / name, tmp_path / "model").folder
        img = image(32, 64, 72)
        wanted = called(made / name / "TF_SavedModel.zip", normalised(img, 1, 99.8, (0, 1, 2))[None, ..., None], tmp_path)["output"]
        found = np.asarray(bc.predict(model, img, axes="zyx")["output"])
        inner = (slice(None), slice(12, -12), slice(24, -24), slice(24, -24))
        np.testing.assert_allclose(found[inner], wanted[inner], rtol=1e-5, atol=1e-5)
        assert (out_of_core(model, img, tmp_path, "zyx", block)["output"] == found).all()

    def test_colours_on_a_grid(self, made: Path, tmp_path: Path) -> None:
        """Three channels, each with its own percentiles; outputs by name, smaller than the image by the grid."""
        model = bc.import_model(made / "unet2d_raw.zip", tmp_path / "model").folder
        img = image(152, 136, 3)
        wanted = called(made / "unet2d_raw.zip", normalised(img, 1, 99.8, (0, 1))[None], tmp_path)
        found = bc.predict(model, img, axes="yxc")
        assert {name: dict(array.sizes) for name, array in found.items()} == {
            "dist": {"batch": 1, "y": 76, "x": 68, "channel": 8},
            "prob": {"batch": 1, "y": 76, "x": 68, "channel": 1},
        }
        for name, array in found.items():
            inner = (slice(None), slice(26, -26), slice(26, -26))
            np.testing.assert_allclose(np.asarray(array)[inner], wanted[name][inner], rtol=1e-5, atol=1e-5)


def test_from_keras(tmp_path: Path) -> None:
    """A Keras network becomes an export, which predicts the same when it is read again."""
    import keras
    from made_keras import UNET, describe, images, predicted_in_memory, unet
    from made_models import with_test_tensors

    network = unet(keras)
    network.save(tmp_path / "weights.keras")
    folder = describe(tmp_path, UNET, {"keras_v3": {"source": "weights.keras", "keras_version": "3.12", "backend": ["tensorflow", "2.18"]}})
    given = images(UNET)
    batch = given["raw"][None, ..., None]
    with_test_tensors(folder, {"raw": batch}, {"mask": np.asarray(network(batch, training=False))})
    written = bc.export_model(folder, "csbdeep", tmp_path / "network.zip")
    assert any("made of Keras weights" in sentence for sentence in written.lost)
    again = bc.import_model(written.path, tmp_path / "again", percentiles=None).folder
    wanted = predicted_in_memory(folder, given, axes="yx")["mask"]
    np.testing.assert_allclose(np.asarray(bc.predict(again, given["raw"], axes="yx")["output"]), wanted, rtol=1e-5, atol=1e-5)
