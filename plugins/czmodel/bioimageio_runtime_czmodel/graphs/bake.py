"""A network with all that a description wants around it, as one graph that takes and gives what ZEN does."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import attrs
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from bioimageio_core.onnx_runtime import import_onnxruntime
from bioimageio_core.prediction.model.tensor_spec import OpCall
from bioimageio_core.text import in_brief

from ..networks import onnx_dtype, opset_of
from .nodes import Nodes, Tensor
from .opset import inner_names, to_opset
from .steps import add_steps

__all__ = ["Baking", "Probabilities", "bake", "load_graph"]

Probabilities = Literal["as_is", "background", "softmax"]

TOLERANCE = 1e-3
"""How far, relative to the greatest value, a network in another version of the operators may be from the one before."""


@attrs.frozen(kw_only=True)
class Baking:
    """What to put around a network."""

    opset: int
    input_axes: tuple[str, ...]
    """Of the network, as described: batch, channel, and those in space, in any order; others have a size of 1."""

    input_ids: tuple[str, ...]
    """Of the same axes, as ops name them."""

    output_axes: tuple[str, ...]
    output_ids: tuple[str, ...]
    sizes: dict[str, int]
    """Of the axes of the input in space, in the order z, y, x."""

    channels: int
    channel_order: tuple[int, ...] | None = None
    """Which channel of ZEN each channel of the network is; None: the same."""

    maximum: float | None = None
    """What the input is multiplied by first."""

    preprocessing: tuple[OpCall, ...] = ()
    postprocessing: tuple[OpCall, ...] = ()
    output_number: int = 0
    probabilities: Probabilities = "as_is"


def load_graph(path: Path) -> Any:
    """Return an ONNX model with all its tensors.

    Raises:
        ValueError: It cannot be read.

    """
    try:
        return onnx.load(str(path))
    except Exception as error:  # of protobuf, and where tensors in other files are not there
        raise ValueError(f"{path.name} cannot be read as ONNX: {in_brief(error)}") from None


def bake(model: Any, baking: Baking) -> tuple[Any, tuple[int, ...]]:
    """Return a graph of one input and one output, both float32 and with channels last, and the shape of the output.

    Args:
        model: The network.
        baking: What to put around it.

    Raises:
        ValueError: The network cannot be brought to the version of the operators, does not run in the size, or gives other axes
            than are described.

    """
    network = onnx.ModelProto()
    network.CopyFrom(model)
    _use_initializers_alone(network.graph)
    if len(network.graph.input) != 1:
        raise ValueError(f"the network takes {len(network.graph.input)} inputs: expected one")
    entry = network.graph.input[0]
    described = tuple(baking.sizes.get(axis, baking.channels if axis == "channel" else 1) for axis in baking.input_axes)
    before = _fixed(network, described)
    after = _fixed(to_opset(before, baking.opset), described)
    dtype = onnx_dtype(entry.type.tensor_type.elem_type)
    raw = _checked_run(before, after, described, dtype, baking)
    nodes = Nodes(opset=baking.opset, prefix=_unused(network, "zen_"))
    image = Tensor(name=f"{nodes.prefix}image", shape=(1, *baking.sizes.values(), baking.channels))
    given = _to_network(nodes, image, baking)
    prepared = add_steps(nodes, given, baking.preprocessing, baking.input_ids, given, baking.input_ids)
    entry_name = after.graph.input[0].name
    nodes.nodes.append(helper.make_node("Cast", [prepared.name], [entry_name], to=entry.type.tensor_type.elem_type))
    tail = Nodes(opset=baking.opset, prefix=f"{nodes.prefix}out_")
    result = Tensor(name=tail.add("Cast", after.graph.output[baking.output_number].name, to=TensorProto.FLOAT), shape=raw)
    result = add_steps(tail, result, baking.postprocessing, baking.output_ids, given, baking.input_ids)
    result = _probabilities(tail, _to_zen(tail, result, baking), baking.probabilities)
    final = f"{nodes.prefix}prediction"
    tail.nodes.append(helper.make_node("Identity", [result.name], [final]))
    graph = helper.make_graph(
        [*nodes.nodes, *after.graph.node, *tail.nodes],
        network.graph.name or "network",
        [helper.make_tensor_value_info(image.name, TensorProto.FLOAT, image.shape)],
        [helper.make_tensor_value_info(final, TensorProto.FLOAT, result.shape)],
        [*after.graph.initializer, *nodes.initializers, *tail.initializers],
        sparse_initializer=list(after.graph.sparse_initializer),
    )
    _drop_unused(graph)
    opsets = [helper.make_opsetid("", baking.opset)]
    whole = helper.make_model(
        graph, opset_imports=opsets, ir_version=helper.find_min_ir_version_for(opsets), producer_name="bioimageio-runtime"
    )
    run(whole, np.zeros(image.shape, np.float32))
    return whole, result.shape


def run(model: Any, image: NDArray[Any], number: int = 0) -> NDArray[Any]:
    """Run a graph of one input, and return one of its outputs.

    Raises:
        ValueError: It does not run.

    """
    ort = import_onnxruntime()
    options = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return np.asarray(session.run([session.get_outputs()[number].name], {session.get_inputs()[0].name: image})[0])
    except Exception as error:  # onnxruntime's exceptions share no public base
        reason = in_brief(error)
        raise ValueError(f"the network (opset {opset_of(model)}) does not run on an input of {list(image.shape)}: {reason}") from None


def _use_initializers_alone(graph: Any) -> None:
    """Drop inputs that are parameters, as old graphs list them."""
    held = {tensor.name for tensor in graph.initializer}
    kept = [value for value in graph.input if value.name not in held]
    del graph.input[:]
    graph.input.extend(kept)


def _drop_unused(graph: Any) -> None:
    """Drop constants that nothing uses any more, and what comes out of outputs that are not kept."""
    used = {value.name for value in graph.output}
    kept = []
    for node in reversed(graph.node):
        if used & {*node.output}:
            kept.append(node)
            used |= {*node.input} | inner_names(node)
    del graph.node[:]
    graph.node.extend(reversed(kept))
    initializers = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(initializers)


def _fixed(model: Any, shape: tuple[int, ...]) -> Any:
    """Return a model with the shape of its input fixed, and no other shapes."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    _use_initializers_alone(fixed.graph)
    del fixed.graph.value_info[:]
    tensor_type = fixed.graph.input[0].type.tensor_type
    insisted = [dim.dim_value for dim in tensor_type.shape.dim]
    if tensor_type.HasField("shape") and (
        len(insisted) != len(shape) or any(own not in (0, size) for own, size in zip(insisted, shape, strict=True))
    ):
        raise ValueError(f"the ONNX network takes an input of the shape {insisted} and no other: expected it to take {list(shape)}")
    tensor_type.shape.Clear()
    for size in shape:
        tensor_type.shape.dim.add().dim_value = size
    for value in fixed.graph.output:
        value.type.tensor_type.ClearField("shape")
    return fixed


def _checked_run(before: Any, after: Any, shape: tuple[int, ...], dtype: str, baking: Baking) -> tuple[int, ...]:
    """Run the network as it was and in the other version of the operators, and return the shape of what it gives.

    Raises:
        ValueError: They differ, or the output has another number of axes than is described.

    """
    example = np.random.default_rng(0).random(shape).astype(dtype)
    one = run(before, example, baking.output_number)
    if one.ndim != len(baking.output_axes):
        raise ValueError(f"the network gives {one.ndim} axes: expected {len(baking.output_axes)} ({', '.join(baking.output_axes)})")
    if opset_of(before) != baking.opset:
        other = run(after, example, baking.output_number)
        far = other.shape != one.shape or not np.allclose(one, other, rtol=0, atol=TOLERANCE * max(1.0, float(np.abs(one).max())))
        if far:
            raise ValueError(f"the network gives something else in ONNX opset {baking.opset} than in {opset_of(before)}")
    return one.shape


def _unused(model: Any, prefix: str) -> str:
    """Return a prefix that no name in the graph has."""
    names = {n for node in model.graph.node for n in (*node.input, *node.output)} | {t.name for t in model.graph.initializer}
    names |= {v.name for v in (*model.graph.input, *model.graph.output)}
    while any(name.startswith(prefix) for name in names):
        prefix = f"_{prefix}"
    return prefix


def _to_network(nodes: Nodes, image: Tensor, baking: Baking) -> Tensor:
    """Return an image of batch, axes in space, channel, with the axes of the network."""
    axes = ("batch", *baking.sizes, "channel")
    if baking.channel_order is not None:
        image = nodes.map("Gather", image, nodes.constant(list(baking.channel_order), "int64"), axis=len(axes) - 1)
    if baking.maximum is not None:
        image = nodes.map("Mul", image, nodes.constant(baking.maximum))
    kept = [axis for axis in baking.input_axes if axis in axes]
    # Axes that the network lacks have a size of 1, and go first, where dropping them moves nothing.
    order = [axes.index(axis) for axis in (*(axis for axis in axes if axis not in kept), *kept)]
    moved = nodes.transpose(image, order)
    sizes = {"batch": 1, "channel": baking.channels, **baking.sizes}
    return nodes.reshape(moved, tuple(sizes.get(axis, 1) for axis in baking.input_axes))


def _to_zen(nodes: Nodes, result: Tensor, baking: Baking) -> Tensor:
    """Return a result with the axes batch, those in space, channel."""
    sizes = dict(zip(baking.output_axes, result.shape, strict=True))
    wanted = ("batch", *baking.sizes, "channel")
    kept = [axis for axis in wanted if axis in sizes]
    rest = [axis for axis in baking.output_axes if axis not in wanted]
    large = [f"{axis} ({sizes[axis]})" for axis in rest if sizes[axis] != 1]
    if large:
        raise ValueError(f"the output has more than one position along {', '.join(large)}: expected batch, axes in space, and channels")
    moved = nodes.transpose(result, [baking.output_axes.index(axis) for axis in (*rest, *kept)])
    return nodes.reshape(moved, tuple(sizes.get(axis, 1) for axis in wanted))


def _probabilities(nodes: Nodes, result: Tensor, how: Probabilities) -> Tensor:
    """Let the channels, which are last, sum to 1."""
    if how == "softmax":
        return nodes.map("Softmax", result, axis=-1)
    if how == "as_is":
        return result
    bounded = nodes.map("Min", nodes.map("Max", result, nodes.constant(0)), nodes.constant(1))
    total = nodes.reduce("ReduceSum", bounded, [len(result.shape) - 1])
    classes = nodes.map("Div", bounded, nodes.map("Max", total, nodes.constant(1)).name)
    background = nodes.add("Max", nodes.add("Sub", nodes.constant(1), total.name), nodes.constant(0))
    shape = (*result.shape[:-1], result.shape[-1] + 1)
    return Tensor(name=nodes.add("Concat", background, classes.name, axis=len(shape) - 1), shape=shape)
