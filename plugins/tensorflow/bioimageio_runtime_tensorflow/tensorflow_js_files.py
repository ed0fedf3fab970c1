"""What TensorFlow.js stores: ``model.json`` with the network as a tree, and its parameters in shards.

A reader of our own, since the package `tensorflowjs` needs frameworks of several gigabytes besides TensorFlow.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from bioimageio_core.errors import ModelRunError
from bioimageio_core.text import in_brief

__all__ = ["TensorflowJsModel", "read_tensorflow_js"]

DTYPES: Mapping[str, str] = {
    "float32": "<f4",
    "float16": "<f2",
    "int32": "<i4",
    "bool": "|b1",
    "uint8": "|u1",
    "uint16": "<u2",
    "complex64": "<c8",
}
"""Of numpy, by the names in ``model.json``; everything is little endian."""


@attrs.frozen(kw_only=True)
class TensorflowJsModel:
    """A network and its parameters, before any framework has seen it."""

    format: str
    """``layers-model``: the topology is a configuration of Keras; ``graph-model``: it is a graph of TensorFlow."""

    topology: Mapping[str, Any]
    signature: Mapping[str, Any]
    """Of a graph: ``inputs`` and ``outputs`` by name; empty in old files."""

    weights: Mapping[str, NDArray[Any]]


def read_tensorflow_js(path: Path, name: str) -> TensorflowJsModel:
    """Read ``model.json`` and the shards beside it.

    Args:
        path: The file.
        name: How to call the weights.

    Raises:
        ModelRunError: It is malformed, or shards are missing, too short or too long.

    """
    try:
        tree = json.loads(path.read_bytes())
        topology, manifest = tree["modelTopology"], tree["weightsManifest"]
        stated = tree.get("format") or ("graph-model" if "node" in topology else "layers-model")
        signature = tree.get("signature") or (tree.get("userDefinedMetadata") or {}).get("signature") or {}
        weights = {weight: array for group in manifest for weight, array in _group(group, path.parent)}
    except ModelRunError as error:
        raise ModelRunError(f"{name}: {error}") from None
    except Exception as error:  # of a tree of any shape
        reason = in_brief(error, named=True)
        raise ModelRunError(
            f"model.json in {name} is not what TensorFlow.js writes ({reason}): expected modelTopology and weightsManifest"
        ) from None
    if tree.get("initializerSignature") or tree.get("modelInitializer"):
        raise ModelRunError(
            f"the graph in {name} fills tables before it runs, which is not supported: expected one that is a function alone"
        )
    return TensorflowJsModel(format=stated, topology=topology, signature=signature, weights=weights)


def _group(group: Mapping[str, Any], folder: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the weights of a group: its shards, one after the other, hold them one after the other."""
    data = b"".join(_shard(str(shard), folder) for shard in group["paths"])
    start = 0
    for weight in group["weights"]:
        shape = tuple(int(size) for size in weight["shape"])
        quantization = weight.get("quantization") or {}
        stored = str(quantization.get("dtype", weight["dtype"]))
        if stored not in DTYPES or weight["dtype"] not in DTYPES or min(shape, default=0) < 0:
            raise ModelRunError(f"the weight {weight['name']} has shape {shape} and dtype {stored}: expected one of {', '.join(DTYPES)}")
        dtype = np.dtype(DTYPES[stored])
        stop = start + dtype.itemsize * math.prod(shape)
        if stop > len(data):
            raise ModelRunError(f"the shards end within the weight {weight['name']}: expected at least {stop} bytes, found {len(data)}")
        array = np.frombuffer(data[start:stop], dtype).reshape(shape)
        yield str(weight["name"]), _plain(array, np.dtype(DTYPES[weight["dtype"]]), quantization)
        start = stop
    if start != len(data):
        raise ModelRunError(f"the shards {', '.join(map(str, group['paths']))} have {len(data)} bytes: expected {start} for their weights")


def _plain(array: NDArray[Any], dtype: np.dtype[Any], quantization: Mapping[str, Any]) -> NDArray[Any]:
    """Return numbers from what was stored: ``scale * stored + minimum`` where a scale is given."""
    if "scale" in quantization:
        array = array * np.float32(quantization["scale"]) + np.float32(quantization.get("min", 0))
        array = np.round(array) if dtype.kind == "i" else array
    return array.astype(dtype.newbyteorder("="))


def _shard(shard: str, folder: Path) -> bytes:
    """Return a file beside ``model.json``."""
    path = (folder / shard.replace("\\", "/")).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ModelRunError(f"model.json names the shard {shard!r}, which lies outside of its folder: expected files beside it")
    if not path.is_file():
        raise ModelRunError(f"model.json names the shard {shard!r}, which is not there")
    return path.read_bytes()
