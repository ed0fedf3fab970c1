"""Recognises the weights format of a file by its first bytes, the members of a zip, and its name."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Collection
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..errors import InputError, SourceError
from ..typing import FrozenMapping
from .network_graph import Graph, GraphTensor

__all__ = ["EXPORTED", "read_graph", "recognise"]

EXPORTED = "pytorch_exported_program"
"""Format of `torch.export.save`, which descriptions do not have; TorchScript is made from it."""

_HDF5 = b"\x89HDF\r\n\x1a\n"
_BY_SUFFIX = {".onnx": "onnx", ".keras": "keras_v3", ".h5": "keras_hdf5", ".hdf5": "keras_hdf5"}


def recognise(path: Path) -> str:
    """Return the weights format of a file, or `EXPORTED`.

    Raises:
        SourceError: The file does not exist.
        InputError: The file is of no known format, or of one that holds no network.

    """
    if path.is_dir():
        raise InputError(f"{path} is a folder: expected a file; a TensorFlow SavedModel goes into one zip")
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from None
    if start == _HDF5:
        return "keras_hdf5"
    if start.startswith(b"PK"):
        return _of_zip(path)
    if path.suffix.lower() == ".onnx":
        return "onnx"
    if path.suffix.lower() in (".pt", ".pth", ".ckpt", ".safetensors"):
        raise _no_network(path)
    if path.suffix.lower() in _BY_SUFFIX:
        raise InputError(
            f"{path} has the name of a {_BY_SUFFIX[path.suffix.lower()]} file and other content: it is broken, or of another format"
        )
    raise InputError(
        f"{path} is of no format that a model can be drafted from: expected ONNX, TorchScript, .pt2, .keras, .h5 or a SavedModel zip"
    )


def _of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as opened:
            names = opened.namelist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise InputError(f"{path} is a broken zip: {error}") from None
    inner = {name.partition("/")[2] for name in names}
    if "config.json" in names and "metadata.json" in names:
        return "keras_v3"
    if any(name.rpartition("/")[2] == "saved_model.pb" for name in names):
        return "tensorflow_saved_model_bundle"
    if any(name.rpartition("/")[2] == "model.json" and name.count("/") <= 1 for name in names):
        return "tensorflow_js"
    if any(i.startswith("code/") for i in inner) and "constants.pkl" in inner:
        return "torchscript"
    if "archive_format" in inner | set(names) or any(name.endswith("serialized_exported_program.json") for name in names):
        return EXPORTED
    if "data.pkl" in inner:
        raise _no_network(path)
    raise InputError(f"{path} is a zip without a network of a known format: expected TorchScript, .pt2, .keras or a SavedModel")


def _no_network(path: Path) -> InputError:
    return InputError(
        f"{path} holds parameters without their network: a state dict needs its architecture, "
        "so export the network as ONNX (torch.onnx.export) or TorchScript (torch.jit.script) and draft from that file"
    )


def read_graph(path: Path, weights_format: str, *, trust: bool = False, libraries: Collection[str] = ()) -> Graph:
    """Return the information about tensors in a file of weights; the rest is found by calling the network.

    Args:
        path: The file.
        weights_format: Its format.
        trust: Whether code that comes with the weights may run.
        libraries: Names of libraries that have been imported for the weights.

    Raises:
        TrustError: The file would have to run code.
        InputError: The file is broken.
        MissingRequirementError: Reading it needs a framework that is not installed.

    """
    if weights_format == "onnx":
        from .read_onnx import read_onnx

        return read_onnx(path)
    if weights_format == "torchscript":
        from .read_torch import read_torchscript

        return read_torchscript(path, trust=trust, libraries=libraries)
    if weights_format == "keras_v3":
        return _read_keras(path)
    found = _installed("tensorflow")
    return Graph(
        inputs=(GraphTensor(name="input"),),
        fields=FrozenMapping(tensorflow_version=found or "2.0"),
        unknown=("tensorflow_version",),
    )


def _read_keras(path: Path) -> Graph:
    """Return the inputs in the JSON of a ``.keras`` file."""
    try:
        with zipfile.ZipFile(path) as opened:
            metadata, config = (json.loads(opened.read(name)) for name in ("metadata.json", "config.json"))
    except (zipfile.BadZipFile, OSError, ValueError, KeyError) as error:
        raise InputError(f"{path} cannot be read as a Keras file: {error}") from None
    layers = [layer for layer in _layers(config) if layer.get("class_name") == "InputLayer"]
    inputs = []
    for layer in layers:
        config = layer.get("config", {})
        shape = config.get("batch_shape") or config.get("batch_input_shape")
        inputs.append(
            GraphTensor(
                name=str(config.get("name", "input")), dtype=str(config.get("dtype") or "float32"), shape=tuple(shape) if shape else None
            )
        )
    backend = "torch" if _installed("torch") else "jax" if _installed("jax") else "tensorflow"
    return Graph(
        inputs=tuple(inputs) or (GraphTensor(name="input"),),
        fields=FrozenMapping(keras_version=str(metadata.get("keras_version", "3.0")), backend=(backend, _installed(backend) or "2.0")),
        unknown=("backend",),
    )


def _layers(config: Any) -> list[dict[str, Any]]:
    found = config.get("config", {}).get("layers", []) if isinstance(config, dict) else []
    return [layer for layer in found if isinstance(layer, dict)]


def _installed(distribution: str) -> str | None:
    try:
        return version(distribution).partition("+")[0]
    except PackageNotFoundError:
        return None
