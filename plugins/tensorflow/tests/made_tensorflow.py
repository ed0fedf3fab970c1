"""Weights of TensorFlow made on the spot, from the networks of `made_keras`."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from google.protobuf import json_format
from made_keras import Array
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from bioimageio_core.registry import AdapterContext, ConverterContext

ENTRIES: dict[str, dict[str, Any]] = {
    "keras_v3": {"source": "weights.keras", "keras_version": "3.12", "backend": ["tensorflow", "2.18"]},
    "keras_hdf5": {"source": "weights.h5", "tensorflow_version": "2.15"},
    "tensorflow_js": {"source": "weights.zip", "tensorflow_version": "2.15"},
    "tensorflow_saved_model_bundle": {"source": "weights.zip", "tensorflow_version": "2.15"},
}


def context(path: Path, **more: Any) -> AdapterContext:
    """Return what an adapter is given."""
    fields: dict[str, Any] = {"weights": None, "files": {}, "input_ids": ("a",), "output_ids": ("b",), "device": "cpu", "threads": 1}
    return AdapterContext(**{**fields, "path": str(path), **more})


def zipped(folder: Path, target: Path, *, inside: str = "") -> Path:
    """Write a zip of a folder, its content at the top or within a folder."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, inside + path.relative_to(folder).as_posix())
    return target


def save_saved_model(model: Any, folder: Path) -> Path:
    """Write a SavedModel, by whatever generation of Keras made the network; return the folder."""
    if hasattr(model, "export") and not isinstance(model, tf_keras.Model):
        model.export(str(folder), format="tf_saved_model", verbose=False)
    else:
        model.save(str(folder), save_format="tf")
    return folder


def save_layers_model(model: Any, folder: Path, *, quantized: str = "") -> Path:
    """Write a network of Keras 2 as TensorFlow.js does: two shards, cut within a number; weights as they are, or quantised."""
    manifest, data = [], b""
    for weight in model.weights:
        array, entry = weight.numpy(), {"name": weight.name.partition(":")[0], "shape": list(weight.shape), "dtype": "float32"}
        if quantized:
            low, levels = float(array.min()), np.iinfo(quantized).max
            scale = (float(array.max()) - low) / levels or 1.0
            entry["quantization"] = {"dtype": quantized, "scale": scale, "min": low}
            array = np.round((array - low) / scale).astype(quantized)
        manifest.append(entry)
        data += array.astype(array.dtype.newbyteorder("<")).tobytes()
    topology = {"keras_version": tf_keras.__version__, "backend": "tensorflow", "model_config": json.loads(model.to_json())}
    return save_shards(folder, {"format": "layers-model", "modelTopology": topology}, manifest, data)


def save_graph_model(model: Any, inputs: list[str], outputs: list[str], folder: Path) -> Path:
    """Write the frozen graph of a network as TensorFlow.js does: constants without values, which are in shards."""
    specs = [tf.TensorSpec(tensor.shape, tensor.dtype, name=name) for tensor, name in zip(model.inputs, inputs, strict=True)]
    called = tf.function(lambda *given: model(list(given) if len(given) > 1 else given[0], training=False)).get_concrete_function(*specs)
    frozen = convert_variables_to_constants_v2(called)
    graph = frozen.graph.as_graph_def()
    manifest, data = [], b""
    for node in graph.node:
        if node.op == "Const":
            array = tf.make_ndarray(node.attr["value"].tensor)
            if array.dtype in (np.float32, np.int32):
                manifest.append({"name": node.name, "shape": list(array.shape), "dtype": array.dtype.name})
                data += array.tobytes()
                node.attr["value"].tensor.ClearField("tensor_content")
                node.attr["value"].tensor.ClearField("float_val")
                node.attr["value"].tensor.ClearField("int_val")
    signature = {
        "inputs": {name: {"name": tensor.name} for name, tensor in zip(inputs, frozen.inputs, strict=True)},
        "outputs": {name: {"name": tensor.name} for name, tensor in zip(outputs, frozen.outputs, strict=True)},
    }
    topology = json_format.MessageToDict(graph)
    return save_shards(folder, {"format": "graph-model", "signature": signature, "modelTopology": topology}, manifest, data)


def save_shards(folder: Path, tree: dict[str, Any], manifest: list[dict[str, Any]], data: bytes) -> Path:
    """Write ``model.json`` and two shards, the cut within a number; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    cut = len(data) // 2 + 1
    (folder / "shard1.bin").write_bytes(data[:cut])
    (folder / "shard2.bin").write_bytes(data[cut:])
    paths = ["shard1.bin", "shard2.bin"]
    (folder / "model.json").write_text(json.dumps({**tree, "weightsManifest": [{"paths": paths, "weights": manifest}]}))
    return folder


def converter_context(source: AdapterContext, inputs: list[Array], target: Path, *axes: tuple[str, ...], **more: Any) -> ConverterContext:
    """Return what a converter is given, y, x and batch of all inputs being variable."""
    named = axes or (("batch", "y", "x", "channel"),) * len(inputs)
    variable = tuple(frozenset({"batch", "y", "x"}) for _ in named)
    return ConverterContext(source=source, inputs=inputs, target=target, input_axes=named, variable_axes=variable, **more)
