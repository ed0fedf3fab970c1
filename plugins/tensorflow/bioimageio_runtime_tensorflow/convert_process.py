"""``python -m bioimageio_runtime_tensorflow.convert_process``: convert weights as described on standard input.

The last line of standard output is JSON: the fields of the new weights entry, or an error.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import warnings
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import tensorflow as tf

from bioimageio_core.errors import BioimageioError, ModelRunError, TrustError
from bioimageio_core.registry import AdapterContext
from bioimageio_core.weights.keras import NetworkInLists, load_keras_3
from bioimageio_core.weights.keras_files import read_keras_file

from .graph_network import one_line
from .keras_files import load_keras_2
from .saved_model import load_served

__all__ = ["main"]

OPSET = 17
"""ONNX Runtime knows it since 1.13; tf2onnx writes up to 18."""

TENSOR_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")
"""What TensorFlow takes as a name."""


@attrs.frozen(kw_only=True)
class Loaded:
    """Weights as a function of positional tensors, and what must be kept with it."""

    function: Callable[..., Sequence[Any]]
    specs: Sequence[tf.TensorSpec]
    """What the network takes, in described order; sizes that it does not mind are None."""

    variables: Sequence[Any]


def main() -> None:
    """Convert, and print the result."""
    task = json.loads(sys.stdin.read())
    warnings.simplefilter("ignore")  # standard error is shown when all else fails
    try:
        loaded = _load(task)
        fields = {"onnx": _write_onnx, "saved_model": _write_saved_model}[task["target_format"]](task, loaded)
        answer: dict[str, Any] = {"fields": fields}
    except BioimageioError as error:
        answer = {"error": str(error), "kind": "trust" if isinstance(error, TrustError) else "weights"}
    except Exception as error:  # of TensorFlow, Keras and tf2onnx
        name = Path(task["path"]).name
        answer = {"error": f"{name} cannot be converted to {task['target_format']}: {one_line(error)}", "kind": "weights"}
    print(f"\n{json.dumps(answer)}")


def _load(task: dict[str, Any]) -> Loaded:
    context = AdapterContext(
        weights=None,
        path=task["path"],
        files={},
        input_ids=tuple(task["input_ids"]),
        output_ids=tuple(task["output_ids"]),
        device="cpu",
        threads=task["threads"],
        trust=task["trust"],
    )
    path = Path(task["path"])
    if path.is_dir() or (zipfile.is_zipfile(path) and not _is_keras(path)):
        served = load_served(context)
        return Loaded(function=served.function, specs=served.inputs, variables=[served.native])
    return _load_keras(context)


def _is_keras(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        return "config.json" in archive.namelist()


def _load_keras(context: AdapterContext) -> Loaded:
    import keras
    import tf_keras

    file = read_keras_file(context.path)
    try:
        library, model = keras, load_keras_3(keras, file)
        variables = [variable.value for variable in model.variables]
    except ModelRunError:
        if file.major > 2:
            raise
        library, model = tf_keras, load_keras_2(file)
        variables = list(model.variables)
    network = NetworkInLists(library, model, context.input_ids, context.output_ids, file.path.name)
    specs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in network.inputs]
    return Loaded(function=lambda *given: network(list(given)), specs=specs, variables=variables)


def _function(task: dict[str, Any], loaded: Loaded) -> tuple[Any, list[tf.TensorSpec]]:
    """Return the network as a function of tensors that are named by ids, which returns outputs by id; and what it takes."""
    inputs, outputs = _names(task)
    specs = [
        tf.TensorSpec(_shape(spec, given["shape"]), spec.dtype, name=name)
        for name, spec, given in zip(inputs, loaded.specs, task["inputs"], strict=False)
    ]

    def run(*given: Any) -> dict[str, Any]:
        return dict(zip(outputs, loaded.function(*given), strict=False))

    return tf.function(run, input_signature=specs, autograph=False), specs


def _shape(spec: tf.TensorSpec, given: Sequence[int | None]) -> list[int | None]:
    """Return the shape that the network is to take: what it minds is kept, all that it does not mind stays open."""
    return list(given) if spec.shape.rank is None else list(spec.shape)


def _names(task: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return the ids as names of input and output tensors, or numbered names where they cannot be names, or not those of both."""
    inputs, outputs = task["input_ids"], task["output_ids"]
    if all(TENSOR_NAME.fullmatch(i) for i in (*inputs, *outputs)) and not {*inputs} & {*outputs}:
        return inputs, outputs
    return [f"input_{number}" for number in range(len(inputs))], [f"output_{number}" for number in range(len(outputs))]


def _write_saved_model(task: dict[str, Any], loaded: Loaded) -> dict[str, Any]:
    module = tf.Module()
    module.kept = list(loaded.variables)
    function, _ = _function(task, loaded)
    with TemporaryDirectory(prefix="bmz-") as folder:
        tf.saved_model.save(module, folder, signatures={"serving_default": function})
        archive = shutil.make_archive(task["target"], "zip", folder)
    Path(archive).replace(task["target"])
    return {"tensorflow_version": tf.__version__}


def _write_onnx(task: dict[str, Any], loaded: Loaded) -> dict[str, Any]:
    import onnx
    import tf2onnx

    function, specs = _function(task, loaded)
    graph, _ = tf2onnx.convert.from_function(function, input_signature=specs, opset=OPSET)
    unknown = sorted({node.op_type for node in graph.graph.node if not onnx.defs.has(node.op_type, node.domain)})
    if unknown:  # tf2onnx leaves them in the graph, and only logs that
        raise ModelRunError(f"{Path(task['path']).name} cannot be converted to ONNX, which lacks {', '.join(unknown)}")
    for tensors, names in zip((graph.graph.input, graph.graph.output), _names(task), strict=True):
        tensors.sort(key=lambda tensor, names=names: names.index(tensor.name))  # what runs them goes by position
    onnx.save(graph, task["target"])
    return {"opset_version": max(opset.version for opset in graph.opset_import if not opset.domain)}


if __name__ == "__main__":
    main()
