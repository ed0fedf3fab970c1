"""Weights of described models in further formats: verified on test tensors and in other sizes, and added to the description."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml
from made_keras import TWO, UNET, Made, called, describe, two_by_two, unet
from made_models import with_test_tensors
from made_tensorflow import ENTRIES, save_saved_model, zipped
from recorded_runs import record_run

import bioimageio_core as bc
from bioimageio_core.errors import ModelRunError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

NETWORKS: dict[str, tuple[Any, Made]] = {"U-Net of the tests": (unet, UNET), "two by two of the tests": (two_by_two, TWO)}

WAYS = [
    ("keras_v3", "tensorflow_saved_model_bundle"),
    ("keras_hdf5", "tensorflow_saved_model_bundle"),
    ("keras_v3", "onnx"),
    ("keras_hdf5", "onnx"),
    ("tensorflow_saved_model_bundle", "onnx"),
]


def described(folder: Path, name: str, weights_format: str) -> Path:
    """Return a model with weights in one format, and the test tensors that its network gives."""
    make, made = NETWORKS[name]
    folder.mkdir()
    network = make(keras)
    entry = dict(ENTRIES[weights_format])
    if weights_format == "tensorflow_saved_model_bundle":
        zipped(save_saved_model(network, folder.parent / "saved"), folder / entry["source"])
    else:
        network.save(folder / entry["source"])
    model = describe(folder, made, {weights_format: entry})
    generator = np.random.default_rng(2)
    given = {i: generator.random((1, 48, 40, 1), dtype=np.float32) for i in made.inputs}
    outputs = called(network, *given.values())
    return with_test_tensors(model, given, dict(zip(made.outputs, outputs, strict=True)))


@pytest.mark.parametrize("name", list(NETWORKS))
@pytest.mark.parametrize(("before", "after"), WAYS)
def test_pairs(tmp_path: Path, name: str, before: str, after: str) -> None:
    """The new weights reproduce the test tensors, take all described sizes, and give what the others give."""
    model = described(tmp_path / "model", name, before)
    done = bc.convert_weights(model, after, tmp_path / "out", trust=True)
    print(f"{before} to {after} of {name}: {dict(done.deviations)} in {done.sizes} sizes")
    assert done.sizes == 5
    assert max(done.deviations.values()) < 1e-5
    entry = yaml.safe_load((tmp_path / "out" / "bioimageio.yaml").read_text())["weights"][after]
    assert entry["parent"] == before
    assert bc.test_model(tmp_path / "out", trust=True).status == "passed"
    record_run(f"{before} -> {after}", name, "converted", "tensorflow-cpu", "keras", *(["tf2onnx"] if after == "onnx" else []))


@pytest.mark.parametrize(
    ("model", "before"),
    [("tiktorch_dummy_tensorflow", "tensorflow_saved_model_bundle"), ("keras_tf_unet", "keras_hdf5")],
)
def test_published_models(shared: Path, tmp_path: Path, model: str, before: str) -> None:
    """Real models of TensorFlow 1."""
    package = tmp_path / "model"
    bc.save_package(shared / "models" / model, package, weights_formats=[before]) if model != "keras_tf_unet" else _copied(shared, package)
    done = bc.convert_weights(package, "onnx", tmp_path / "out", trust=True)
    print(f"{before} to onnx of {model}: {dict(done.deviations)} in {done.sizes} sizes")
    assert bc.test_model(tmp_path / "out", weights_format="onnx", quick=True).status == "passed"
    record_run(f"{before} -> onnx", model, "converted", "tensorflow-cpu", "tf2onnx")


def _copied(shared: Path, package: Path) -> None:
    """Copy the model whose description names files that were never published, without these."""
    import shutil

    shutil.copytree(shared / "models" / "keras_tf_unet", package)
    package.chmod(0o755)
    path = package / "rdf.yaml"
    tree = yaml.safe_load(path.read_text())
    path.unlink()
    del tree["attachments"], tree["weights"]["tensorflow_saved_model_bundle"]
    tree["covers"] = []
    path.write_text(yaml.safe_dump(tree))


def test_altered_weights(tmp_path: Path) -> None:
    """Weights that never gave the test outputs are not converted, and nothing is written."""
    model = described(tmp_path / "model", "U-Net of the tests", "keras_v3")
    network = unet(keras)
    network.set_weights([w * np.float32(1.05) for w in network.get_weights()])
    (model / "weights.keras").unlink()
    network.save(model / "weights.keras")
    with pytest.raises(ModelRunError, match="so nothing is written"):
        bc.convert_weights(model, "onnx", tmp_path / "out", trust=True)
    assert not (tmp_path / "out").exists()
