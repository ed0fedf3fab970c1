"""Small networks of PyTorch, with the weights and descriptions that are made of them: real layers, random parameters of a fixed seed.

Their code is text, since it comes with models as a file; `network` returns the module that it makes.
PyTorch is imported where it is used: tests import this file before they know that it is installed.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from made_models import BATCH, channels, follows, save_description_0_4, save_description_0_5, space, tensor
from numpy.typing import NDArray

from bioimageio_core.registry import AdapterContext, ConverterContext
from bioimageio_core.weights import descr_v0_5 as v0_5
from bioimageio_core.weights.architecture import module_from_file

__all__ = [
    "HALO",
    "NETWORKS",
    "adapter_context",
    "conversion",
    "entry",
    "inputs_of",
    "network",
    "save_model",
    "save_network",
    "with_weights",
]

UNET = """
import torch
from torch.nn import functional as F


class Network(torch.nn.Module):
    def __init__(self, features: int = 4):
        super().__init__()
        self.fine = torch.nn.Conv2d(1, features, 3, padding=1)
        self.norm = torch.nn.BatchNorm2d(features)
        self.coarse = torch.nn.Conv2d(features, 2 * features, 3, padding=1)
        self.up = torch.nn.ConvTranspose2d(2 * features, features, 2, stride=2)
        self.last = torch.nn.Conv2d(2 * features, 1, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        fine = F.relu(self.norm(self.fine(x)))
        coarse = F.relu(self.coarse(F.max_pool2d(fine, 2)))
        up = self.up(coarse)
        up = F.pad(up, [0, fine.shape[3] - up.shape[3], 0, fine.shape[2] - up.shape[2]])  # odd sizes lose a pixel
        return self.last(torch.cat([up, fine], 1))
"""
"""One level down and up again: looks at 6 pixels to either side."""

BRANCHES = """
import torch


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.small = torch.nn.Conv2d(1, 1, 3, padding=1)
        self.large = torch.nn.Conv2d(1, 1, 5, padding=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[3] < 40:
            return self.small(x)
        return self.large(x)
"""
"""Another convolution for wide images: what was recorded with one size is wrong for others."""

TWO = """
import torch


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = torch.nn.Conv2d(2, 2, 3, padding=1)

    def forward(self, raw: torch.Tensor, mask: torch.Tensor):
        mixed = self.mix(torch.cat([raw, mask], 1))
        return mixed[:, :1] - mask, mixed[:, 1:] * 2
"""
"""Two inputs, two outputs of the same size."""

NETWORKS = {"unet": UNET, "branches": BRANCHES, "two": TWO}
TENSORS = {name: ((("raw", "mask"), ("difference", "double")) if name == "two" else (("raw",), ("out",))) for name in NETWORKS}
HALO = 8


def network(name: str, seed: int = 0, **kwargs: Any) -> Any:
    """Return the module of a network in evaluation mode."""
    import torch

    names: dict[str, Any] = {}
    exec(NETWORKS[name], names)
    torch.manual_seed(seed)
    module = names["Network"](**kwargs)
    for buffer in module.buffers():
        if buffer.is_floating_point():
            buffer.uniform_(0.5, 1.5)  # means and variances of normalisations
    return module.eval().requires_grad_(False)


def inputs_of(name: str, height: int = 32, width: int = 24, batch: int = 1) -> list[NDArray[np.float32]]:
    """Return noise for each input of a network."""
    random = np.random.default_rng(0)
    return [random.random((batch, 1, height, width), dtype=np.float32) for _ in TENSORS[name][0]]


def save_network(folder: Path, name: str, *formats: str) -> Path:
    """Write ``network.py`` and the weights in some formats: ``pytorch_state_dict``, ``torchscript``, ``onnx``; return the folder."""
    import torch

    module = network(name)
    (folder / "network.py").write_text(NETWORKS[name])
    if "pytorch_state_dict" in formats:
        torch.save(module.state_dict(), folder / "weights.pt")
    if "torchscript" in formats:
        script = torch.jit.trace(module, tuple(map(torch.from_numpy, inputs_of(name)))) if name == "two" else scripted(folder, module)
        torch.jit.save(script, str(folder / "script.pt"))
    if "onnx" in formats:
        inputs, outputs = TENSORS[name]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of the exporter that follows branches, in favour of one that does not
            torch.onnx.export(
                module,
                tuple(map(torch.from_numpy, inputs_of(name))),
                str(folder / "weights.onnx"),
                dynamo=False,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_axes={i: {0: f"{i}_b", 2: f"{i}_y", 3: f"{i}_x"} for i in (*inputs, *outputs)},
            )
    return folder


def scripted(folder: Path, module: Any) -> Any:
    """Return the script of a network, whose code PyTorch reads from the file."""
    import torch

    found = module_from_file(folder / "network.py", "Network", {}, trust=True)
    found.load_state_dict(module.state_dict())
    return torch.jit.script(found.eval())


def entry(folder: Path, weights_format: str, version: str = "0.5") -> dict[str, Any]:
    """Return the weights entry of a network in a folder."""
    code = sha256((folder / "network.py").read_bytes()).hexdigest()
    if weights_format == "onnx":
        return {"source": "weights.onnx", "opset_version": 17}
    if weights_format == "torchscript":
        return {"source": "script.pt", "pytorch_version": "2.5"}
    if version == "0.4":
        architecture = {"architecture": "network.py:Network", "architecture_sha256": code}
    else:
        architecture = {"architecture": {"source": "network.py", "callable": "Network", "sha256": code}}
    return {"source": "weights.pt", "pytorch_version": "2.5", **architecture}


def save_model(folder: Path, name: str, *formats: str, version: str = "0.5") -> Path:
    """Write a network, its weights in some formats, and a description of images of any size from 24 pixels."""
    save_network(folder, name, *formats)
    weights = {weights_format: entry(folder, weights_format, version) for weights_format in formats}
    inputs, outputs = TENSORS[name]
    if version == "0.4":
        shape = {"min": [1, 1, 24, 24], "step": [0, 0, 2, 2]}
        same = {"reference_tensor": inputs[0], "scale": [1, 1, 1, 1], "offset": [0, 0, 0, 0]}
        return save_description_0_4(
            folder,
            [{"name": i, "axes": "bcyx", "data_type": "float32", "shape": shape} for i in inputs],
            [{"name": o, "axes": "bcyx", "data_type": "float32", "shape": same, "halo": [0, 0, HALO, HALO]} for o in outputs],
            weights=weights,
        )
    size = {"min": 24, "step": 2}
    first = inputs[0]
    given = [tensor(i, BATCH, channels(), *(space(a, size if i == first else follows(a, tensor=first)) for a in "yx")) for i in inputs]
    made = [tensor(o, BATCH, channels(), *(space(a, follows(a, tensor=first), halo=HALO) for a in "yx")) for o in outputs]
    return save_description_0_5(folder, given, made, weights=weights)


def with_weights(folder: Path, **weights: Any) -> Path:
    """Replace the weights entries of a description."""
    path = next(folder.glob("*.yaml"))
    tree = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**tree, "weights": weights}, sort_keys=False))
    return folder


def adapter_context(folder: Path, name: str, weights_format: str, **changes: Any) -> AdapterContext:
    """Return what an adapter is given of a network in a folder."""
    described = v0_5.PytorchStateDictWeightsDescr(
        source="weights.pt",
        pytorch_version="2.5",
        architecture=v0_5.ArchitectureFromFileDescr(source="network.py", callable="Network"),
    )
    fields: dict[str, Any] = {
        "weights": described if weights_format == "pytorch_state_dict" else None,
        "path": str(folder / entry(folder, weights_format)["source"]),
        "files": {"architecture": str(folder / "network.py")},
        "input_ids": TENSORS[name][0],
        "output_ids": TENSORS[name][1],
        "device": "cpu",
        "threads": 1,
        "trust": True,
    }
    return AdapterContext(**{**fields, **changes})


def conversion(
    folder: Path, name: str, weights_format: str, target: Path, sizes: Sequence[tuple[int, int]] = ((48, 64),), **changes: Any
) -> ConverterContext:
    """Return what a converter is given of a network in a folder: batch, y and x vary."""
    count = len(TENSORS[name][0]) + len(TENSORS[name][1])
    fields: dict[str, Any] = {
        "source": adapter_context(folder, name, weights_format),
        "inputs": inputs_of(name),
        "target": target,
        "input_axes": [("batch", "channel", "y", "x")] * len(TENSORS[name][0]),
        "output_axes": [("batch", "channel", "y", "x")] * len(TENSORS[name][1]),
        "variable_axes": [frozenset({"batch", "y", "x"})] * count,
        "other_inputs": [inputs_of(name, *size) for size in sizes],
    }
    return ConverterContext(**{**fields, **changes})
