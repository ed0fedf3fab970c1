"""Weights of PyTorch, converted to TorchScript and ONNX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from made_networks import NETWORKS, TENSORS, adapter_context, conversion, inputs_of, network, save_network
from recorded_runs import record_run

from bioimageio_core.errors import ModelRunError, OutputError, TrustError
from bioimageio_core.registry import collect

torch: Any = pytest.importorskip("torch")
onnx: Any = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

CONVERTERS = collect().weights_converters
FROM_PYTORCH = ["pytorch_to_torchscript", "pytorch_to_onnx", "torchscript_to_onnx"]
SIZES = ((33, 41), (48, 64), (16, 97))

UNSCRIPTABLE = """
import torch


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x, **nothing):
        return {"out": self.conv(x), "more": [x]}["out"]
"""

UNSCRIPTABLE_BRANCHES = """
import torch


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x, **nothing):
        return self.conv(x) if x.shape[3] < 40 else 2 * self.conv(x)
"""


@pytest.fixture(params=FROM_PYTORCH)
def name(request: pytest.FixtureRequest) -> str:
    """The name of a converter."""
    return str(request.param)


def run(name: str, folder: Path, which: str, **changes: Any) -> tuple[dict[str, Any], Callable[[Sequence[Any]], Any]]:
    """Convert a network; return the fields of the entry, and the converted network."""
    entry = CONVERTERS[name]
    target = folder / "converted"
    fields = entry.load()(conversion(folder, which, entry.from_format, target, **{"sizes": SIZES, **changes}))
    (adapter, *_) = collect().adapters_for(entry.to_format)
    return dict(fields), adapter.load()(adapter_context(folder, which, entry.to_format, path=str(target), weights=None))


class TestSameOutputs:
    """Converted networks give what the module gives."""

    @pytest.mark.parametrize("which", sorted(NETWORKS))
    def test_in_every_size(self, tmp_path: Path, name: str, which: str) -> None:
        """Also in sizes and numbers of items that the converter has not seen."""
        entry = CONVERTERS[name]
        save_network(tmp_path, which, entry.from_format)
        _, converted = run(name, tmp_path, which)
        for height, width, batch in ((32, 24, 1), (50, 34, 1), (35, 63, 3)):
            inputs = inputs_of(which, height, width, batch)
            expected = network(which)(*map(torch.from_numpy, inputs))
            for found, value in zip(converted(inputs), expected if which == "two" else [expected], strict=True):
                np.testing.assert_allclose(found, value, atol=1e-5)
        record_run(f"{entry.from_format} -> {entry.to_format}", which, "converted", *entry.requires)

    def test_mapping_of_outputs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        """Outputs that a module returns by their names are in described order."""
        code = NETWORKS["two"].replace(
            "return mixed[:, :1] - mask, mixed[:, 1:] * 2", 'return {"double": mixed[:, 1:] * 2, "difference": mixed[:, :1] - mask}'
        )
        monkeypatch.setitem(NETWORKS, "named", code)
        monkeypatch.setitem(TENSORS, "named", TENSORS["two"])
        save_network(tmp_path, "named", CONVERTERS[name].from_format)
        _, converted = run(name, tmp_path, "named")
        inputs = inputs_of("named")
        expected = network("named")(*map(torch.from_numpy, inputs))
        for found, key in zip(converted(inputs), ("difference", "double"), strict=True):
            np.testing.assert_allclose(found, expected[key], atol=1e-5)


class TestFields:
    """What the entry says."""

    def test_versions(self, tmp_path: Path, name: str) -> None:
        """Of the framework, or of the operators in the graph."""
        save_network(tmp_path, "unet", CONVERTERS[name].from_format)
        fields, _ = run(name, tmp_path, "unet")
        if CONVERTERS[name].to_format == "torchscript":
            assert fields == {"pytorch_version": torch.__version__.partition("+")[0]}
        else:
            graph = onnx.load(str(tmp_path / "converted"))
            assert fields == {"opset_version": graph.opset_import[0].version}


class TestGraph:
    """The inputs and outputs of ONNX graphs."""

    @pytest.mark.parametrize("name", FROM_PYTORCH[1:])
    def test_axes(self, tmp_path: Path, name: str) -> None:
        """Tensors are called as described; axes that vary by tensor and axis, the others have one size."""
        save_network(tmp_path, "two", CONVERTERS[name].from_format)
        variable = [frozenset({"y", "x"}), frozenset({"y", "x"}), frozenset({"y", "x"}), frozenset({"y", "x"})]
        run(name, tmp_path, "two", variable_axes=variable)
        graph = onnx.load(str(tmp_path / "converted")).graph
        shapes = {v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in (*graph.input, *graph.output)}
        assert shapes == {i: [1, 1, f"{i}_y", f"{i}_x"] for i in ("raw", "mask", "difference", "double")}
        onnx.checker.check_model(str(tmp_path / "converted"), full_check=True)

    @pytest.mark.parametrize("name", FROM_PYTORCH[1:])
    def test_fixed(self, tmp_path: Path, name: str) -> None:
        """A network that is described with one size has that in the graph."""
        save_network(tmp_path, "unet", CONVERTERS[name].from_format)
        run(name, tmp_path, "unet", variable_axes=[frozenset(), frozenset()], sizes=())
        graph = onnx.load(str(tmp_path / "converted")).graph
        assert [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim] == [1, 1, 32, 24]


class TestTraces:
    """Networks that are more than TorchScript knows."""

    def test_traced(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What they do is recorded, where it is the same in all sizes."""
        monkeypatch.setitem(NETWORKS, "branches", UNSCRIPTABLE)
        save_network(tmp_path, "branches", "pytorch_state_dict")
        _, converted = run("pytorch_to_torchscript", tmp_path, "branches")
        inputs = inputs_of("branches", 40, 50)
        np.testing.assert_allclose(converted(inputs)[0], network("branches")(torch.from_numpy(inputs[0])), atol=1e-6)

    @pytest.mark.parametrize("name", FROM_PYTORCH[:2])
    def test_not_general(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        """Where it is not, nothing is written, and each way says what is wrong."""
        monkeypatch.setitem(NETWORKS, "branches", UNSCRIPTABLE_BRANCHES)
        save_network(tmp_path, "branches", "pytorch_state_dict")
        with pytest.raises(ModelRunError, match=r"weights\.pt cannot be converted .*tracing gives .*of sizes.*scripting fails: ") as caught:
            run(name, tmp_path, "branches")
        assert "\n" not in str(caught.value)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["network.py", "weights.pt"]


class TestRefused:
    """What is not converted."""

    def test_no_trust(self, tmp_path: Path) -> None:
        """Code of the model does not run."""
        save_network(tmp_path, "unet", "pytorch_state_dict")
        source = adapter_context(tmp_path, "unet", "pytorch_state_dict", trust=False)
        for name in FROM_PYTORCH[:2]:
            with pytest.raises(TrustError, match="trust=True"):
                run(name, tmp_path, "unet", source=source)

    def test_inputs_that_do_not_fit(self, tmp_path: Path, name: str) -> None:
        """The network itself can not take them."""
        save_network(tmp_path, "unet", CONVERTERS[name].from_format)
        inputs = [np.zeros((1, 3, 8, 8), np.float32)]
        with pytest.raises(ModelRunError, match=r"fails on the test inputs, of shapes \(1, 3, 8, 8\)"):
            run(name, tmp_path, "unet", inputs=inputs)

    def test_target_that_exists(self, tmp_path: Path, name: str) -> None:
        """Nothing is overwritten."""
        save_network(tmp_path, "two", CONVERTERS[name].from_format)
        (tmp_path / "converted").write_text("mine")
        with pytest.raises(OutputError, match="exists already"):
            run(name, tmp_path, "two")
        assert (tmp_path / "converted").read_text() == "mine"

    def test_too_large(self) -> None:
        """ONNX files hold up to 2 GiB."""
        from bioimageio_core.weights.converters.to_onnx import check_size

        module = torch.nn.Module()
        module.weight = torch.nn.Parameter(torch.zeros(1).expand(2**29), requires_grad=False)  # takes four bytes here
        with pytest.raises(ModelRunError, match=r"w\.pt holds 2147483648 bytes of parameters: expected at most 2146435072"):
            check_size(module, "w.pt")
        check_size(torch.nn.Linear(2, 2), "w.pt")

    def test_hostile_source(self, tmp_path: Path, name: str) -> None:
        """Loaded as adapters load it."""
        entry = CONVERTERS[name]
        save_network(tmp_path, "unet", entry.from_format)
        source = adapter_context(tmp_path, "unet", entry.from_format)
        Path(source.path).write_bytes(Path(source.path).read_bytes()[:500])
        with pytest.raises(ModelRunError, match="PyTorch cannot load"):
            run(name, tmp_path, "unet", source=attrs.evolve(source))
