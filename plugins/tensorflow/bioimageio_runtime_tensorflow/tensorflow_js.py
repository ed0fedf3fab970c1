"""TensorFlow.js weights without JavaScript: TensorFlow runs the graph, or Keras the layers, that the file holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf import json_format

from bioimageio_core.errors import ModelRunError, TrustError
from bioimageio_core.registry import AdapterContext
from bioimageio_core.weights.archives import WeightsFolder
from bioimageio_core.weights.keras import NetworkInLists
from bioimageio_core.weights.keras_files import check_keras_config

from .graph_code import refuse_graph
from .graph_network import GraphNetwork, one_line, use_device
from .keras_files import refuse_functions
from .separate_ops import separate_ops
from .signatures import in_described_order
from .tensorflow_js_files import TensorflowJsModel, read_tensorflow_js

__all__ = ["TensorflowJsAdapter"]

Function = Callable[..., Sequence[Any]]


class TensorflowJsAdapter(GraphNetwork):
    """A layers-model or a graph-model of TensorFlow.js; all of it is read when it is loaded."""

    def __init__(self, context: AdapterContext) -> None:
        device, name = use_device(context), Path(context.path).name
        folder = WeightsFolder(context.path, "model.json")
        try:
            model = read_tensorflow_js(folder.path / "model.json", name)
        finally:
            folder.close()
        build = {"layers-model": _layers, "graph-model": _graph}.get(model.format)
        if build is None:
            raise ModelRunError(f"{name} holds a TensorFlow.js model of format {model.format!r}: expected layers-model or graph-model")
        try:
            with tf.device(device):
                native, function, dtypes = build(model, context, name)
        except (ModelRunError, TrustError):
            raise
        except Exception as error:  # of TensorFlow, Keras and protobuf
            raise ModelRunError(f"TensorFlow {tf.__version__} cannot load the {model.format} in {name}: {one_line(error)}") from error
        super().__init__(context, device, native, function, dtypes=dtypes)


def _layers(model: TensorflowJsModel, context: AdapterContext, name: str) -> tuple[Any, Function, Sequence[tf.DType | None]]:
    """Return the Keras network of a layers-model; TensorFlow.js knows the layers of Keras 2."""
    import tf_keras

    config = model.topology.get("model_config", model.topology)
    check_keras_config(config, name)
    refuse_functions(config, name)
    network = tf_keras.models.model_from_json(json.dumps(config))
    wanted = {weight.name.partition(":")[0]: weight for weight in network.weights}
    missing, surplus = sorted({*wanted} - {*model.weights}), sorted({*model.weights} - {*wanted})
    if missing or surplus:
        raise ModelRunError(
            f"the parameters in {name} are not those of its layers: the shards lack {', '.join(missing[:5]) or 'none'}, "
            f"the layers lack {', '.join(surplus[:5]) or 'none'}"
        )
    for key, weight in wanted.items():
        weight.assign(model.weights[key])
    in_lists = NetworkInLists(tf_keras, network, context.input_ids, context.output_ids, name)
    return network, tf.function(lambda *given: in_lists(list(given)), autograph=False, reduce_retracing=True), ()


def _graph(model: TensorflowJsModel, context: AdapterContext, name: str) -> tuple[Any, Function, Sequence[tf.DType | None]]:
    """Return the graph of a graph-model as a function."""
    graph = tf.compat.v1.GraphDef()
    json_format.ParseDict(model.topology, graph)
    refuse_graph(graph, name, trust=context.trust)
    separate_ops(graph)
    for node in graph.node:
        if node.op == "Const" and node.name in model.weights:
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(model.weights[node.name]))
    inputs, outputs = _ends(model, graph, context, name)
    wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
    tensors = [wrapped.graph.get_tensor_by_name(tensor) for tensor in inputs]
    pruned = wrapped.prune(tensors, [wrapped.graph.get_tensor_by_name(tensor) for tensor in outputs])
    return pruned, pruned, [tensor.dtype for tensor in tensors]


def _ends(model: TensorflowJsModel, graph: Any, context: AdapterContext, name: str) -> tuple[list[str], list[str]]:
    """Return the names of the graph's input and output tensors in described order."""
    where = f"the graph in {name}"
    if model.signature:
        inputs, outputs = ({key: str(tensor["name"]) for key, tensor in model.signature[end].items()} for end in ("inputs", "outputs"))
    else:
        used = {source.lstrip("^").partition(":")[0] for node in graph.node for source in node.input}
        inputs = {node.name: node.name for node in graph.node if node.op == "Placeholder"}
        outputs = {node.name: node.name for node in graph.node if node.name not in used and node.op not in ("Const", "NoOp", "Placeholder")}
    return (
        [_tensor_name(inputs[i]) for i in in_described_order(list(inputs), context.input_ids, "inputs", where)],
        [_tensor_name(outputs[o]) for o in in_described_order(list(outputs), context.output_ids, "outputs", where)],
    )


def _tensor_name(name: str) -> str:
    return name if ":" in name else f"{name}:0"
