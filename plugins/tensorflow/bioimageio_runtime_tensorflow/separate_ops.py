"""Operations that TensorFlow.js melts into one, apart again: TensorFlow lacks some of these, and others on some devices."""

from __future__ import annotations

from typing import Any

from bioimageio_core.errors import ModelRunError

__all__ = ["separate_ops"]

SEPARATED = {"FusedDepthwiseConv2dNative": "DepthwiseConv2dNative", "_FusedConv2D": "Conv2D", "_FusedMatMul": "MatMul"}

OF_THE_WHOLE = ("epsilon", "fused_ops", "leakyrelu_alpha", "num_args", "num_host_args", "TArgs", "host_args", "user_ops")
"""Settings that only the melted operation has."""

PLAIN = ("Elu", "Relu", "Relu6", "Sigmoid", "Tanh")


def separate_ops(graph: Any) -> None:
    """Replace, in place, each melted operation of a ``GraphDef`` by the operations that it is made of; the last keeps its name.

    Raises:
        ModelRunError: It is made of others than biases and activations.

    """
    for node in list(graph.node):
        if node.op in SEPARATED:
            _separate(graph, node)


def _separate(graph: Any, node: Any) -> None:
    steps = [step.decode() for step in node.attr["fused_ops"].list.s]
    name, more = node.name, list(node.input)[2:]
    slope = node.attr["leakyrelu_alpha"].f
    dtype = node.attr["T"]
    first = graph.node.add()
    first.CopyFrom(node)
    first.op, first.name = SEPARATED[node.op], f"{name}/separate"
    del first.input[2:]
    for key in OF_THE_WHOLE:
        first.attr.pop(key, None)
    last = first
    for number, step in enumerate(steps):
        added = graph.node.add()
        added.name, added.op = f"{name}/separate{number}", step
        added.input.append(last.name)
        added.attr["T"].CopyFrom(dtype)
        if step == "BiasAdd":
            added.input.append(more.pop(0))
            if "data_format" in first.attr:
                added.attr["data_format"].CopyFrom(first.attr["data_format"])
        elif step == "LeakyRelu":
            added.attr["alpha"].f = slope
        elif step == "Prelu":
            added = _prelu(graph, added, last.name, more.pop(0))
        elif step not in PLAIN:
            raise ModelRunError(f"the graph melts {step} into {node.op}, which is not known: expected BiasAdd and activations")
        last = added
    last.name = name
    graph.node.remove(node)


def _prelu(graph: Any, relu: Any, source: str, slopes: str) -> Any:
    """Add ``relu(x) - slopes * relu(-x)``, which is what PReLU is; return its last operation."""
    relu.op = "Relu"
    previous = relu
    for op, inputs in (("Neg", [source]), ("Relu", None), ("Mul", [slopes]), ("Sub", [relu.name])):
        added = graph.node.add()
        added.op, added.name = op, f"{relu.name}/{op}"
        added.attr["T"].CopyFrom(relu.attr["T"])
        added.input.extend([*(inputs or []), *([] if op == "Neg" else [previous.name])])
        previous = added
    return previous
