"""SavedModels beside a ``config.xml``, as deepImageJ 1.x keeps them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from bioimageio_runtime_deepimagej.legacy_config import LegacyConfig, write_legacy
from made_folders import ELEMENTS
from written_macros import BINARIZE, MEAN_NORMALIZATION, pixels

import bioimageio_core as bc
from bioimageio_core.typing import FrozenMapping

tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed: the nox session tensorflow has it")
pytest.importorskip("bioimageio_runtime_tensorflow", reason="its plugin is not installed: the nox session tensorflow has it")


def save(folder: Path) -> Path:
    """Write a SavedModel that gives the image and its double as two channels; return its folder."""

    class Twice(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec([None, None, None, 1], tf.float32, name="raw")])  # type: ignore[untyped-decorator]
        def __call__(self, raw: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"out": tf.concat([raw, 2 * raw], axis=-1)}

    tf.saved_model.save(Twice(), str(folder))
    return folder


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel."""
    return save(tmp_path_factory.mktemp("saved") / "model")


@pytest.mark.parametrize("place", ["beside", "folder", "zip"])
def test_predicts(saved: Path, place: str, tmp_path: Path) -> None:
    """Beside the configuration, in a folder or in a zip: the model predicts, with the number of channels that its signature says."""
    folder = tmp_path / "legacy"
    folder.mkdir()
    files = [path for path in saved.rglob("*") if path.is_file()]
    if place == "zip":
        with zipfile.ZipFile(folder / "tensorflow_saved_model_bundle.zip", "w") as archive:
            for path in files:
                archive.write(path, path.relative_to(saved).as_posix())
    for path in files if place != "zip" else ():
        target = folder / ("model" if place == "folder" else ".") / path.relative_to(saved)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    (folder / "preprocessing.ijm").write_text(MEAN_NORMALIZATION)
    elements = {**ELEMENTS, "PostprocessingFile": "null", "Padding": "0"}
    (folder / "config.xml").write_text(write_legacy(LegacyConfig(FrozenMapping(elements))), encoding="utf-8")
    bc.import_model(folder / "config.xml", tmp_path / "model", "deepimagej")
    image = pixels(30, 40)
    found = np.asarray(bc.predict(tmp_path / "model", image, block={"y": 16, "x": 16})["out"])[0]
    wanted = (image.astype(np.float64) - image.mean(dtype=np.float64)) / np.ptp(image)
    np.testing.assert_allclose(found, np.stack([wanted, 2 * wanted], -1), rtol=1e-5, atol=1e-5)


def test_back(saved: Path, tmp_path: Path) -> None:
    """Written for deepImageJ 1 it lies beside the configuration, and predicts the same when it is read."""
    folder = tmp_path / "legacy"
    folder.mkdir()
    for path in saved.rglob("*"):
        if path.is_file():
            target = folder / path.relative_to(saved)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    (folder / "postprocessing.ijm").write_text(BINARIZE.format(threshold=50).replace('Mask"', 'Mask", "stack"'))
    elements = {**ELEMENTS, "PreprocessingFile": "null", "Padding": "0"}
    (folder / "config.xml").write_text(write_legacy(LegacyConfig(FrozenMapping(elements))), encoding="utf-8")
    bc.import_model(folder, tmp_path / "model", "deepimagej")
    bc.export_model(tmp_path / "model", "deepimagej", tmp_path / "written", layout="xml")
    assert (tmp_path / "written" / "saved_model.pb").is_file()
    bc.import_model(tmp_path / "written", tmp_path / "again", "deepimagej")
    image = pixels(20, 24)
    np.testing.assert_array_equal(
        np.asarray(bc.predict(tmp_path / "again", image)["out"])[0], np.stack([np.where(n * image >= 50, 255, 0) for n in (1, 2)], -1)
    )
