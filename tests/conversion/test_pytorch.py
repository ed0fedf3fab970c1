"""Weights of PyTorch in further formats, from descriptions to descriptions, as the command does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from bmz_process import run_process
from made_models import with_test_tensors
from made_networks import TENSORS, inputs_of, network, save_model
from recorded_runs import record_run

import bioimageio_core as bc
from bioimageio_core.errors import HashMismatchError, ModelRunError, TrustError
from bioimageio_core.weights.onnx import OnnxAdapter

torch: Any = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

WAYS = [("pytorch_state_dict", "torchscript"), ("pytorch_state_dict", "onnx"), ("torchscript", "onnx")]


def described(folder: Path, name: str, *formats: str, version: str = "0.5") -> Path:
    """Return a model with weights in some formats, and the test tensors that its network gives."""
    folder.mkdir()
    model = save_model(folder, name, *formats, version=version)
    given = inputs_of(name)
    outputs = network(name)(*map(torch.from_numpy, given))
    made = [outputs.numpy()] if isinstance(outputs, torch.Tensor) else [o.numpy() for o in outputs]
    inputs, expected = dict(zip(TENSORS[name][0], given, strict=True)), dict(zip(TENSORS[name][1], made, strict=True))
    if version == "0.5":
        return with_test_tensors(model, inputs, expected)
    for tensor, array in {**inputs, **expected}.items():
        np.save(folder / f"{tensor}.npy", array)
    return model


@pytest.mark.parametrize("name", ["unet", "two"])
@pytest.mark.parametrize(("before", "after"), WAYS)
class TestPairs:
    """Each way, on a U-Net of any size, and on two inputs and two outputs."""

    def test_converted(self, tmp_path: Path, name: str, before: str, after: str) -> None:
        """The new weights give the same in every size that was tried, and by themselves reproduce the test tensors."""
        model = described(tmp_path / "model", name, before)
        done = bc.convert_weights(model, after, tmp_path / "out", trust=True)
        print(f"{before} to {after} of {name}: {dict(done.deviations)} in {done.sizes} sizes")
        assert (done.from_format, done.to_format) == (before, after)
        assert done.sizes == 5
        assert max(done.deviations.values()) < 1e-5
        (entry,) = [w for key, w in yaml.safe_load((tmp_path / "out" / "bioimageio.yaml").read_text())["weights"].items() if key == after]
        assert entry["parent"] == before
        assert len(entry["sha256"]) == 64
        assert {"opset_version", "pytorch_version"} & entry.keys()
        report = bc.test_model(tmp_path / "out", trust=True)
        assert report.status == "passed"
        assert {t.weights_format for t in report.tests} == {before, after}
        record_run(
            f"{before} -> {after}", f"{name} of the tests", "converted", "torch", *(["onnx", "onnxruntime"] if after == "onnx" else [])
        )


class TestBothAtOnce:
    """From parameters to TorchScript, and from there to ONNX."""

    def test_chain(self, tmp_path: Path) -> None:
        """The model of the second conversion holds all three."""
        model = described(tmp_path / "model", "unet", "pytorch_state_dict")
        bc.convert_weights(model, "torchscript", tmp_path / "two", trust=True)
        done = bc.convert_weights(tmp_path / "two", "onnx", tmp_path / "three", weights_format="torchscript", trust=True)
        assert done.from_format == "torchscript"
        report = bc.test_model(tmp_path / "three", trust=True)
        assert [(t.weights_format, t.status) for t in report.tests] == [
            (name, "passed") for name in ("pytorch_state_dict", "torchscript", "onnx")
        ]
        assert max(pair.greatest_difference for pair in report.agreement) < 1e-5

    def test_format_0_4(self, tmp_path: Path) -> None:
        """Descriptions stay in their version."""
        model = described(tmp_path / "model", "unet", "pytorch_state_dict", version="0.4")
        bc.convert_weights(model, "onnx", tmp_path / "out", trust=True)
        tree = yaml.safe_load((tmp_path / "out" / "rdf.yaml").read_text())
        assert tree["format_version"].startswith("0.4")
        assert tree["weights"]["onnx"]["parent"] == "pytorch_state_dict"
        assert bc.test_model(tmp_path / "out", weights_format="onnx").status == "passed"


class TestRefused:
    """Nothing is written."""

    def test_without_trust(self, tmp_path: Path) -> None:
        """The architecture is code."""
        model = described(tmp_path / "model", "unet", "pytorch_state_dict")
        with pytest.raises(TrustError):
            bc.convert_weights(model, "onnx", tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_altered_after_the_export(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Weights that change between the export and the test are caught: here those of the last layer, by a hundredth."""
        import onnx
        from onnx import numpy_helper

        from bioimageio_core.conversion import convert

        original = convert.write_package

        def altering(descr: Any, package: Any, registry: Any, path: Path, **more: Any) -> None:
            for file in more.get("added", {}).values():
                graph = onnx.load(str(file))
                weight = next(i for i in graph.graph.initializer if i.name.endswith("last.weight"))
                changed = numpy_helper.to_array(weight) * np.float32(1.01)
                weight.CopyFrom(numpy_helper.from_array(changed, weight.name))
                onnx.save(graph, str(file))
                descr = _without_hash(descr, registry)
            original(descr, package, registry, path, **more)

        monkeypatch.setattr(convert, "write_package", altering)
        model = described(tmp_path / "model", "unet", "torchscript")
        with pytest.raises(ModelRunError, match="so nothing is written"):
            bc.convert_weights(model, "onnx", tmp_path / "out")
        assert sorted(p.name for p in tmp_path.iterdir()) == ["model"]

    def test_altered_on_the_way(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """So is a file that is no longer the one that was hashed."""
        from bioimageio_core.conversion import convert

        original = convert.write_package

        def altering(descr: Any, package: Any, registry: Any, path: Path, **more: Any) -> None:
            for file in more.get("added", {}).values():
                file.write_bytes(file.read_bytes() + b"\0")
            original(descr, package, registry, path, **more)

        monkeypatch.setattr(convert, "write_package", altering)
        model = described(tmp_path / "model", "unet", "torchscript")
        with pytest.raises(HashMismatchError, match="sha256"):
            bc.convert_weights(model, "onnx", tmp_path / "out")
        assert not (tmp_path / "out").exists()


def _without_hash(descr: Any, registry: Any) -> Any:
    """Return a description that says no hash of its ONNX weights."""
    from bioimageio_core.spec.validation import read_tree
    from bioimageio_core.structuring.converter import unstructure

    tree = unstructure(descr)
    tree["weights"]["onnx"] = {key: value for key, value in tree["weights"]["onnx"].items() if key != "sha256"}
    return read_tree(tree, registry)[0]


class TestCommand:
    """``bmz convert``."""

    def test_shared_model(self, shared: Path, tmp_path: Path) -> None:
        """A real U-Net at half the resolution, whose deviation is printed."""
        ran = run_process("convert", shared / "models" / "unet2d_diff_output_shape", "--to", "onnx", "-o", tmp_path / "out")
        assert ran.status == 0, ran.err
        assert "from torchscript" in ran.out
        assert "onnx from torchscript, by torchscript_to_onnx" in ran.out
        report = bc.test_model(tmp_path / "out", weights_format="onnx")
        assert report.status == "passed"
        record_run("torchscript -> onnx", "unet2d_diff_output_shape", "converted", "torch", "onnx", "onnxruntime")

    def test_shared_model_of_two(self, shared: Path, tmp_path: Path) -> None:
        """Two inputs, two outputs, sizes of 32 + 16 n."""
        ran = run_process("convert", shared / "models" / "unet2d_multi_tensor", "--to", "onnx", "-o", tmp_path / "out.zip", "--json")
        assert ran.status == 0, ran.err
        assert ran.json["sizes"] == 5
        assert max(ran.json["deviation_from_parent"].values()) < 1e-4
        record_run("torchscript -> onnx", "unet2d_multi_tensor", "converted", "torch", "onnx", "onnxruntime")


def test_adapter_has_the_sizes_of_the_graph(tmp_path: Path) -> None:
    """Axes that vary are free in what was converted."""
    model = described(tmp_path / "model", "unet", "torchscript")
    bc.convert_weights(model, "onnx", tmp_path / "out")
    with bc.open_predictor(tmp_path / "out", weights_format="onnx") as predictor, predictor.open_network() as adapter:
        assert isinstance(adapter, OnnxAdapter)
        assert adapter.input_shapes == [(None, 1, None, None)]
