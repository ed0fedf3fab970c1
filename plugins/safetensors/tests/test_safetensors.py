"""Weights of the format ``pytorch_safetensors``."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
import torch
import yaml
from bioimageio_runtime_safetensors import PytorchSafetensorsWeightsDescr, bioimageio_weights_adapters, bioimageio_weights_formats
from bioimageio_runtime_safetensors.adapter import SafetensorsAdapter
from safetensors.torch import save_file

import bioimageio_core as bc
from bioimageio_core.errors import HashMismatchError, ModelRunError, TrustError
from bioimageio_core.registry import AdapterContext
from bioimageio_core.testing import WeightsAdapterConformance, WeightsExample, WeightsFormatConformance
from bioimageio_core.weights.architecture import ArchitectureFromFileDescr, ArchitectureFromLibraryDescr

(FORMAT,) = bioimageio_weights_formats()
(ADAPTER,) = bioimageio_weights_adapters()

NETWORK = """
import time

import torch
from affine import Affine


class Network(torch.nn.Module):
    \"\"\"gain * x + offset, and what was seen by the dropout layer that evaluation switches off.\"\"\"

    def __init__(self, channels=1):
        super().__init__()
        self.affine = Affine(channels)
        self.dropout = torch.nn.Dropout(0.9)
        self.seen = None

    def forward(self, x):
        self.seen = self.affine(x)
        time.sleep(0.001)  # time for others to change what is kept
        return self.dropout(self.seen)


def no_module():
    return "a network"


def fails(depth):
    raise ValueError(f"a network of depth {depth}\\nis impossible")
"""

AFFINE = """
import torch


class Affine(torch.nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(1, channels, 1, 1))
        self.offset = torch.nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x):
        return x * self.gain + self.offset
"""

TIED = """
import torch


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a = torch.nn.Linear(2, 2, bias=False)
        self.b = self.a

    def forward(self, x):
        return self.b(x)
"""

PARAMETERS = {"affine.gain": torch.full((1, 1, 1, 1), 3.0), "affine.offset": torch.full((1, 1, 1, 1), -2.0)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an architecture of two files, and its parameters."""
    (tmp_path / "network.py").write_text(NETWORK)
    (tmp_path / "affine.py").write_text(AFFINE)
    save_file(PARAMETERS, tmp_path / "weights.safetensors")
    return tmp_path


def entry(callable_: str = "Network", **kwargs: Any) -> PytorchSafetensorsWeightsDescr:
    """Return a weights entry of the folder."""
    architecture = ArchitectureFromFileDescr(source="network.py", callable=callable_, kwargs=kwargs)
    return PytorchSafetensorsWeightsDescr(source="weights.safetensors", architecture=architecture, pytorch_version="2.5")


def example(folder: Path, descr: PytorchSafetensorsWeightsDescr | None = None, **changes: Any) -> WeightsExample:
    """Return what is expected of the folder: 3 x - 2."""
    image = np.random.default_rng(0).random((2, 1, 5, 6), dtype=np.float32)
    return WeightsExample(
        path=folder / "weights.safetensors",
        descr=descr or entry(),
        files={"architecture": str(folder / "network.py"), "attachments/affine.py": str(folder / "affine.py")},
        inputs=[image],
        outputs=[3 * image - 2],
        **changes,
    )


def context(folder: Path, descr: PytorchSafetensorsWeightsDescr | None = None, **changes: Any) -> AdapterContext:
    """Return what an adapter is given."""
    return example(folder, descr).context(**changes)


class TestFormat(WeightsFormatConformance):
    """What every weights format keeps."""

    entry = FORMAT
    weights = (
        {
            "source": "a.safetensors",
            "architecture": {"source": "net.py", "callable": "Net", "kwargs": {"depth": 3}},
            "pytorch_version": "2.5",
        },
        {
            "source": "b.safetensors",
            "sha256": "0" * 64,
            "parent": "pytorch_state_dict",
            "architecture": {"import_from": "torch.nn", "callable": "Conv2d"},
            "pytorch_version": 2.5,
            "dependencies": {"source": "environment.yaml"},
            "attachments": [{"source": "layers.py", "sha256": "1" * 64}],
        },
    )


class TestAdapter(WeightsAdapterConformance):
    """What every adapter keeps; the network remembers what it saw, which threads must not share."""

    entry = ADAPTER

    @pytest.fixture
    def example(self, folder: Path) -> WeightsExample:
        """Return 3 x - 2."""
        return example(folder)


class TestAdapterOfOneModule(TestAdapter):
    """The same for a network that cannot be copied, since it holds a tensor that was computed from its parameters."""

    @pytest.fixture
    def example(self, folder: Path) -> WeightsExample:
        """Return 3 x - 2."""
        path = folder / "network.py"
        path.write_text(NETWORK.replace("self.seen = None", "self.seen = self.affine.gain * 2"))
        return example(folder)


class TestLoading:
    """What goes wrong says so in one line."""

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"affine.gain": PARAMETERS["affine.gain"]}, "the file lacks affine.offset, the architecture lacks none"),
            ({**PARAMETERS, "head": torch.zeros(1)}, "the file lacks none, the architecture lacks head"),
            (
                {f"layer{n}": torch.zeros(1) for n in range(7)},
                "lacks affine.gain, affine.offset, the architecture lacks .*layer4 and 2 more$",
            ),
            ({**PARAMETERS, "affine.gain": torch.zeros(1, 4, 1, 1)}, r"do not fit the architecture: .*affine.gain.*\[1, 4, 1, 1\]"),
        ],
    )
    def test_parameters(self, folder: Path, parameters: dict[str, torch.Tensor], message: str) -> None:
        """Names and shapes have to be those of the architecture."""
        save_file(parameters, folder / "weights.safetensors")
        with pytest.raises(ModelRunError, match=message) as caught:
            SafetensorsAdapter(context(folder))
        assert "\n" not in str(caught.value)

    def test_no_trust(self, folder: Path) -> None:
        """Code that comes with the model does not run."""
        with pytest.raises(TrustError, match=r"the architecture file network.py.*trust=True"):
            SafetensorsAdapter(context(folder, trust=False))

    @pytest.mark.parametrize(
        ("descr", "message"),
        [
            (entry("no_module"), "returns str: expected a torch.nn.Module"),
            (entry("fails", depth=3), "ValueError: a network of depth 3 is impossible"),
            (entry("Missing"), "network.py has no 'Missing'"),
        ],
    )
    def test_architecture(self, folder: Path, descr: PytorchSafetensorsWeightsDescr, message: str) -> None:
        """Whatever the architecture does instead of returning a module."""
        with pytest.raises(ModelRunError, match=message):
            SafetensorsAdapter(context(folder, descr))

    def test_channels(self, folder: Path) -> None:
        """Arguments reach the callable."""
        save_file({name: value.repeat(1, 2, 1, 1) for name, value in PARAMETERS.items()}, folder / "weights.safetensors")
        adapter = SafetensorsAdapter(context(folder, entry(channels=2)))
        np.testing.assert_array_equal(adapter([np.ones((1, 2, 3, 3), np.float32)])[0], np.ones((1, 2, 3, 3)))
        adapter.close()

    def test_half(self, folder: Path) -> None:
        """Parameters of half precision are those of the module in its own precision."""
        save_file({name: value.half() for name, value in PARAMETERS.items()}, folder / "weights.safetensors")
        (found,) = SafetensorsAdapter(context(folder))([np.full((1, 1, 2, 2), 2, np.float32)])
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, np.full((1, 1, 2, 2), 4))

    def test_library(self, folder: Path) -> None:
        """A callable of a library that is trusted."""
        save_file({"weight": torch.full((1, 1, 1, 1), 2.0), "bias": torch.ones(1)}, folder / "weights.safetensors")
        kwargs = {"in_channels": 1, "out_channels": 1, "kernel_size": 1}
        architecture = ArchitectureFromLibraryDescr(import_from="torch.nn", callable="Conv2d", kwargs=kwargs)
        descr = PytorchSafetensorsWeightsDescr(source="weights.safetensors", architecture=architecture, pytorch_version="2.5")
        (found,) = SafetensorsAdapter(context(folder, descr))([np.full((1, 1, 2, 2), 3, np.float32)])
        np.testing.assert_array_equal(found, np.full((1, 1, 2, 2), 7))
        with pytest.raises(TrustError, match=r"torch.nn.Conv2d.*trust=True"):
            SafetensorsAdapter(context(folder, descr, trust=False))

    def test_tied_parameters(self, folder: Path) -> None:
        """Parameters that a module has under two names are in the file once."""
        (folder / "network.py").write_text(TIED)
        save_file({"a.weight": torch.eye(2)}, folder / "weights.safetensors")
        image = np.ones((1, 1, 2, 2), np.float32)
        np.testing.assert_array_equal(SafetensorsAdapter(context(folder))([image])[0], image)


class TestPrediction:
    """From a description to pixels."""

    def test_trusted(self, folder: Path) -> None:
        """Blocks in several threads, and the whole."""
        image = np.random.default_rng(0).random((64, 96), dtype=np.float32)
        model = save_description(folder)
        with pytest.raises(TrustError):
            bc.predict(model, image, axes="yx")
        for options in ({}, {"block": {"y": 16, "x": 16}, "workers": 4}):
            found = bc.predict(model, image, axes="yx", trust=True, **options)
            np.testing.assert_allclose(np.asarray(found["out"])[0, 0], 3 * image - 2, atol=1e-6)

    def test_packaged(self, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        """A package holds every file of the entry; nothing is left behind beside them."""
        save_description(folder)
        image = np.ones((16, 16), np.float32)
        target = bc.save_package(folder, tmp_path_factory.mktemp("package") / "model.zip")
        with ZipFile(target) as opened:
            assert {"network.py", "affine.py", "weights.safetensors"} <= {*opened.namelist()}
        found = bc.predict(target, image, axes="yx", trust=True)
        np.testing.assert_array_equal(np.asarray(found["out"])[0, 0], image)
        assert not list(folder.glob("__pycache__"))

    def test_changed_code(self, folder: Path) -> None:
        """Code that is not the described one does not run, trusted or not."""
        model = save_description(folder)
        (folder / "affine.py").write_text(AFFINE + "\n# changed\n")
        with pytest.raises(HashMismatchError, match=r"affine\.py"):
            bc.predict(model, np.ones((16, 16), np.float32), axes="yx", trust=True)


def save_description(folder: Path) -> Path:
    """Write a description of the model in the folder."""
    (folder / "README.md").write_text("# Made for a test\n")

    def file(name: str) -> dict[str, str]:
        return {"source": name, "sha256": sha256((folder / name).read_bytes()).hexdigest()}

    first = [{"type": "batch"}, {"type": "channel", "channel_names": ["intensity"]}]
    raw = [{"type": "space", "id": a, "size": {"min": 4, "step": 4}} for a in "yx"]
    out = [{"type": "space", "id": a, "size": {"tensor_id": "raw", "axis_id": a}} for a in "yx"]
    for name in ("raw", "out"):
        np.save(folder / f"{name}.npy", np.ones((1, 1, 4, 4), np.float32))
    tree = {
        "type": "model",
        "format_version": "0.5.4",
        "name": "made model",
        "description": "made for a test",
        "authors": [{"name": "An author"}],
        "cite": [{"text": "nothing", "url": "https://example.com/"}],
        "license": "MIT",
        "documentation": "README.md",
        "timestamp": "2024-01-01T00:00:00+00:00",
        "inputs": [{"id": "raw", "axes": [*first, *raw], "data": {"type": "float32"}, "test_tensor": {"source": "raw.npy"}}],
        "outputs": [{"id": "out", "axes": [*first, *out], "data": {"type": "float32"}, "test_tensor": {"source": "out.npy"}}],
        "weights": {
            "pytorch_safetensors": {
                **file("weights.safetensors"),
                "architecture": {**file("network.py"), "callable": "Network"},
                "attachments": [file("affine.py")],
                "pytorch_version": "2.5",
            }
        },
    }
    (folder / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
    return folder
