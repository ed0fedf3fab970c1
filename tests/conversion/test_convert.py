"""Conversions of weights: verified, written whole, or not at all."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

import npz_plugin
import numpy as np
import pytest
import yaml
from made_models import BATCH, channels, follows, save_description_0_5, space, tensor, with_test_tensors

import bioimageio_core as bc
from bioimageio_core.conversion import ConvertedWeights, convert_weights
from bioimageio_core.errors import (
    BioimageioError,
    InputError,
    InvalidDescriptionError,
    MissingRequirementError,
    ModelRunError,
    OutputError,
    PluginError,
    UnknownExtensionError,
)
from bioimageio_core.prediction.model.loaded_model import LoadedModel
from bioimageio_core.prediction.options import PredictOptions
from bioimageio_core.registry import Registry, collect
from bioimageio_core.sources import open_package, sha256_of
from bioimageio_core.spec.updating import package_tree
from bioimageio_core.spec.validation import read_tree

pytest.importorskip("onnxruntime")

IMAGE = np.random.default_rng(0).random((1, 1, 16, 16), dtype=np.float32)
GAIN = np.float32(0.75)


@pytest.fixture(scope="module")
def registry() -> Registry:
    """What is installed, and the plugin of these tests."""
    own = metadata.entry_points(group="bioimageio_core")
    return collect([*own, metadata.EntryPoint(name="npz", value="npz_plugin", group="bioimageio_core")])


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``fault("altered")`` lets the converter do something wrong."""
    return lambda name: monkeypatch.setitem(npz_plugin.FAULT, "of", name)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model with ``npz`` weights, any size, normalised input and test tensors."""
    folder = tmp_path / "model"
    folder.mkdir()
    np.savez(folder / "weights.npz", gain=GAIN)
    pre = [{"id": "scale_linear", "kwargs": {"gain": 2.0, "offset": 1.0}}]
    size = {"min": 8, "step": 4}
    save_description_0_5(
        folder,
        [tensor("raw", BATCH, channels(), space("y", size), space("x", size), preprocessing=pre)],
        [tensor("out", BATCH, channels(), space("y", follows("y")), space("x", follows("x")))],
        weights={"npz": {"source": "weights.npz"}},
    )
    return with_test_tensors(folder, {"raw": IMAGE}, {"out": (IMAGE * 2 + 1) * GAIN})


def convert(model: Path, to: str, path: Path, registry: Registry, *, overwrite: bool = False, **options: Any) -> ConvertedWeights:
    """Convert with the plugins of a registry."""
    with open_package(str(model)) as package:
        descr, _ = read_tree(package_tree(package), registry, package.name)
        loaded = LoadedModel.of(descr, package, registry)
        return convert_weights(loaded, to, path, PredictOptions(**options), overwrite=overwrite)


class TestGood:
    """What a conversion leaves."""

    def test_description(self, model: Path, tmp_path: Path, registry: Registry) -> None:
        """The new entry names the file, its hash, its parent, and what the converter says; the old one is as it was."""
        done = convert(model, "onnx", tmp_path / "out", registry)
        assert (done.from_format, done.converter) == ("npz", "npz_onnx")
        (path,) = (tmp_path / "out").glob("*.yaml")
        weights = yaml.safe_load(path.read_text())["weights"]
        file = tmp_path / "out" / weights["onnx"]["source"]
        assert file.suffix == ".onnx"
        assert weights["onnx"] == {"source": file.name, "sha256": sha256_of(file), "parent": "npz", "opset_version": 17}
        assert weights["npz"]["source"] == "weights.npz"
        assert bc.validate(tmp_path / "out", check_files=True).status == "valid"

    def test_it_runs(self, model: Path, tmp_path: Path, registry: Registry) -> None:
        """By itself, with what was converted, without the plugin."""
        convert(model, "onnx", tmp_path / "out", registry)
        found = bc.predict(tmp_path / "out", IMAGE[0, 0, :12, :9])["out"]
        np.testing.assert_allclose(np.asarray(found)[0, 0], (IMAGE[0, 0, :12, :9] * 2 + 1) * GAIN, rtol=1e-6)

    def test_deviation(self, model: Path, tmp_path: Path, registry: Registry) -> None:
        """It is measured on the test tensors, on two smaller sizes, and on a batch."""
        done = convert(model, "onnx", tmp_path / "out.zip", registry)
        assert (done.sizes, done.contents) == (4, 5)
        assert done.deviations == {"out": 0.0}
        assert done.test.outputs[0].greatest_deviation < 1e-6
        assert bc.test_model(tmp_path / "out.zip", weights_format="onnx").status == "passed"

    def test_terminal_and_warnings(
        self, model: Path, tmp_path: Path, registry: Registry, fault: Any, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """What the exporter prints is discarded, what it warns of is passed on, except for deprecations."""
        fault("noisy")
        done = convert(model, "onnx", tmp_path / "out", registry)
        assert done.warnings == ("the gain is exported as a constant of this value",)
        assert capfd.readouterr() == ("", "")
        print("printed again")
        assert capfd.readouterr().out == "printed again\n"

    def test_source_is_left_alone(self, model: Path, tmp_path: Path, registry: Registry) -> None:
        """The model that was converted is as it was."""
        before = {p.name: p.read_bytes() for p in model.iterdir()}
        convert(model, "onnx", tmp_path / "out", registry)
        assert {p.name: p.read_bytes() for p in model.iterdir()} == before


class TestBad:
    """A wrong conversion is caught, and nothing is written."""

    def test_files_from_elsewhere(self, model: Path, tmp_path: Path, registry: Registry) -> None:
        """A file of the user that the description names is not given away with the new package."""
        (tmp_path / "id_rsa.txt").write_text("key")
        tree = yaml.safe_load((model / "bioimageio.yaml").read_text()) | {"attachments": [{"source": "../id_rsa.txt"}]}
        (model / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
        with pytest.raises(InputError, match=r"outside of its folder: '\.\./id_rsa\.txt'"):
            convert(model, "onnx", tmp_path / "out", registry)
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize(
        ("name", "kind", "words"),
        [
            ("altered", ModelRunError, "so nothing is written"),
            ("one size", ModelRunError, "take 16 along axis 'y' of 'raw' and no other size"),
            ("one branch", ModelRunError, "give other outputs than the npz weights for dark test inputs"),
            ("truncated", ModelRunError, "onnxruntime cannot load"),
            ("refuses", ModelRunError, "make it simpler"),
            ("raises", PluginError, "converter 'npz_onnx' of .* fails: KeyError"),
            ("writes nothing", PluginError, "expected the file weights_onnx.onnx, which it did not write"),
            ("wrong fields", InvalidDescriptionError, "opset_version"),
        ],
    )
    def test_caught(
        self, model: Path, tmp_path: Path, registry: Registry, fault: Any, name: str, kind: type[BioimageioError], words: str
    ) -> None:
        """One error, and no package."""
        fault(name)
        with pytest.raises(kind, match=words):
            convert(model, "onnx", tmp_path / "out", registry)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["model"]

    def test_altered_a_little(self, model: Path, tmp_path: Path, registry: Registry, fault: Any) -> None:
        """Two per mille lie within what test outputs may differ by in places, and are caught beside the weights that were there."""
        fault("altered")
        tree = yaml.safe_load((model / "bioimageio.yaml").read_text())
        tree["config"] = {"bioimageio": {"reproducibility_tolerance": [{"relative_tolerance": 0.01, "absolute_tolerance": 0.01}]}}
        (model / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
        with pytest.raises(ModelRunError, match="give other outputs than the npz weights"):
            convert(model, "onnx", tmp_path / "out", registry)

    def test_test_tensors_of_other_weights(self, model: Path, tmp_path: Path, registry: Registry) -> None:
        """Weights that never gave the test outputs are not converted either."""
        np.savez(model / "weights.npz", gain=np.float32(0.8))
        with pytest.raises(ModelRunError, match="do not match the description"):
            convert(model, "onnx", tmp_path / "out", registry)

    def test_what_is_there_stays(self, model: Path, tmp_path: Path, registry: Registry, fault: Any) -> None:
        """A package that was to be replaced is kept when the conversion fails."""
        convert(model, "onnx", tmp_path / "out", registry)
        before = sorted(p.name for p in (tmp_path / "out").iterdir())
        with pytest.raises(OutputError, match="exists already"):
            convert(model, "onnx", tmp_path / "out", registry)
        fault("altered")
        with pytest.raises(ModelRunError):
            convert(model, "onnx", tmp_path / "out", registry, overwrite=True)
        assert sorted(p.name for p in (tmp_path / "out").iterdir()) == before


class TestWays:
    """Which converter is taken, and what is said where there is none."""

    def test_unknown_format(self, model: Path, tmp_path: Path, registry: Registry) -> None:
        """The known ones are named."""
        with pytest.raises(
            UnknownExtensionError, match=r"no installed plugin describes weights in the format 'caffe': expected one of .*onnx"
        ):
            convert(model, "caffe", tmp_path / "out", registry)

    def test_no_way(self, model: Path, tmp_path: Path, registry: Registry) -> None:
        """The known ways are named."""
        with pytest.raises(UnknownExtensionError, match=r"converts npz to keras_hdf5: expected one of .*npz to onnx"):
            convert(model, "keras_hdf5", tmp_path / "out", registry)

    def test_missing_requirement(self, model: Path, tmp_path: Path, registry: Registry) -> None:
        """What to install is said."""
        with pytest.raises(MissingRequirementError, match=r"npz to torchscript needs nonesuch \(pip install 'nonesuch\[all\]'\)"):
            convert(model, "torchscript", tmp_path / "out", registry)

    def test_there_already(self, model: Path, tmp_path: Path, registry: Registry) -> None:
        """Weights are not converted over others."""
        with pytest.raises(InputError, match="has 'npz' weights already"):
            convert(model, "npz", tmp_path / "out", registry)

    def test_not_of_these(self, model: Path, tmp_path: Path, registry: Registry) -> None:
        """The weights that the model has are named."""
        with pytest.raises(InputError, match="has no 'onnx' weights: expected one of npz"):
            convert(model, "onnx", tmp_path / "out", registry, weights_format="onnx")

    def test_nothing_verifies(self, model: Path, tmp_path: Path, registry: Registry) -> None:
        """What cannot be run is not written."""
        with pytest.raises(MissingRequirementError, match="cannot be verified here, so nothing is written"):
            convert(model, "npz64", tmp_path / "out", registry)
        assert not (tmp_path / "out").exists()
