"""What comes with the library passes the kit that plugins have to pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_models import box_graph
from made_networks import adapter_context, inputs_of, network, save_network

from bioimageio_core.registry import collect
from bioimageio_core.testing import (
    CONFORMANCE,
    ConsumerConformance,
    ProcessingOpConformance,
    WeightsAdapterConformance,
    WeightsConverterConformance,
    WeightsExample,
    WeightsFormatConformance,
)

REGISTRY = collect()
IMAGE = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)


def box_filtered() -> np.ndarray[Any, Any]:
    """Return the mean of 3 x 3 pixels of the image, zeros beyond the edge."""
    padded = np.pad(IMAGE, [(0, 0), (0, 0), (1, 1), (1, 1)])
    return np.asarray(sum(padded[:, :, i : i + 4, j : j + 4] for i in range(3) for j in range(3)) / 9, np.float32)


for name, op in REGISTRY.processing_ops.items():
    globals()[f"Test_op_{name}"] = type(f"Test_op_{name}", (ProcessingOpConformance,), {"entry": op})

for name, weights_format in REGISTRY.weights_formats.items():
    globals()[f"Test_format_{name}"] = type(f"Test_format_{name}", (WeightsFormatConformance,), {"entry": weights_format})

for name, consumer in REGISTRY.consumers.items():
    globals()[f"Test_consumer_{name}"] = type(f"Test_consumer_{name}", (ConsumerConformance,), {"entry": consumer})


class TestListedArguments(ProcessingOpConformance):
    """Arguments as authors list them."""

    entry = REGISTRY.processing_ops["scale_linear"]
    kwargs = ({"gain": 2.0}, {"axis": "channel", "gain": [1, 2, 3]})


class TestListedArgumentsOf04(ProcessingOpConformance):
    """Of an earlier format."""

    entry = REGISTRY.processing_ops["zero_mean_unit_variance"]
    format_version = "0.4"
    kwargs = ({"mode": "per_sample", "axes": "cyx"}, {"mode": "fixed", "axes": "yx", "mean": [1, 2, 3], "std": [3, 2, 1]})


class TestOnnxruntime(WeightsAdapterConformance):
    """ONNX Runtime."""

    entry = REGISTRY.weights_adapters["onnxruntime"]

    @pytest.fixture
    def example(self, tmp_path: Path) -> WeightsExample:
        """A mean filter."""
        box_graph(tmp_path / "weights.onnx")
        return WeightsExample(path=tmp_path / "weights.onnx", inputs=[IMAGE], outputs=[box_filtered()])


class TestTorchscript(WeightsAdapterConformance):
    """TorchScript."""

    entry = REGISTRY.weights_adapters["torchscript"]

    @pytest.fixture
    def example(self, tmp_path: Path) -> WeightsExample:
        """A mean filter."""
        torch = pytest.importorskip("torch")
        network = torch.nn.Conv2d(1, 1, 3, padding=1, bias=False)
        network.weight.data[:] = 1 / 9
        torch.jit.script(network).save(str(tmp_path / "weights.pt"))
        return WeightsExample(path=tmp_path / "weights.pt", inputs=[IMAGE], outputs=[box_filtered()])


def made_example(folder: Path, name: str, weights_format: str) -> WeightsExample:
    """Return what is expected of a made network."""
    torch = pytest.importorskip("torch")
    save_network(folder, name, weights_format)
    context = adapter_context(folder, name, weights_format)
    inputs = inputs_of(name)
    result = network(name)(*map(torch.from_numpy, inputs))
    outputs = [output.numpy() for output in (result if isinstance(result, tuple) else (result,))]
    return WeightsExample(path=Path(context.path), inputs=inputs, outputs=outputs, descr=context.weights, files=context.files)


class TestPytorch(WeightsAdapterConformance):
    """A PyTorch module with its parameters."""

    entry = REGISTRY.weights_adapters["pytorch"]

    @pytest.fixture(params=["unet", "two"])
    def example(self, tmp_path: Path, request: pytest.FixtureRequest) -> WeightsExample:
        """A U-Net, and a network of two inputs and outputs."""
        return made_example(tmp_path, request.param, "pytorch_state_dict")


class PytorchConversion(WeightsConverterConformance):
    """What PyTorch converts."""

    @pytest.fixture(params=["unet", "two"])
    def example(self, tmp_path: Path, request: pytest.FixtureRequest) -> WeightsExample:
        """A U-Net, and a network of two inputs and outputs."""
        self.needs_installed()
        return made_example(tmp_path, request.param, self.entry.from_format)


class TestPytorchToTorchscript(PytorchConversion):
    """Modules to scripts."""

    entry = REGISTRY.weights_converters["pytorch_to_torchscript"]


class TestPytorchToOnnx(PytorchConversion):
    """Modules to graphs."""

    entry = REGISTRY.weights_converters["pytorch_to_onnx"]


class TestTorchscriptToOnnx(PytorchConversion):
    """Scripts to graphs."""

    entry = REGISTRY.weights_converters["torchscript_to_onnx"]


ELSEWHERE = {("weights_adapters", "keras"), ("weights_adapters", "keras_hdf5")}
"""What passes the kit in ``tests/weights/test_keras.py``, which ``nox -s tensorflow`` runs where Keras is installed."""

IMAGE_FORMATS = {key for key in REGISTRY.provenance if key[0] in ("image_readers", "image_writers")}
"""What passes the kit in ``tests/image_formats``, which says itself whether something is left out."""


def test_nothing_is_left_out() -> None:
    """Every entry of the library has a class above; a new kind or adapter needs one."""
    tested = {(value.kind, value.entry.name) for value in globals().values() if isinstance(value, type) and hasattr(value, "entry")}
    own = {key for key, plugin in REGISTRY.provenance.items() if plugin.distribution == "bioimageio-runtime"}
    own -= IMAGE_FORMATS
    assert own - tested == ELSEWHERE, f"no test of {sorted(own - tested - ELSEWHERE)}"
    assert {kind for kind, _ in own | IMAGE_FORMATS} <= set(CONFORMANCE)
