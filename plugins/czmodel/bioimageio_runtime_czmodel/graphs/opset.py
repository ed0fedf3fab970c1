"""ONNX graphs in another version of the operators."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import numpy as np
import onnx
from onnx import defs, helper, inliner, numpy_helper, shape_inference, version_converter

from bioimageio_core.text import in_one_line
from bioimageio_core.typing import FrozenMapping

from ..networks import opset_of

__all__ = ["inner_names", "to_opset"]

STANDARD = ("", "ai.onnx")
CAST_LIKE = 15
"""The first version with casts to the type of another tensor."""


def to_opset(model: Any, opset: int) -> Any:
    """Return a model in a version of the standard operators, the same model if it is of that.

    Newer models are converted operator by operator: operators whose newer versions only accept further types stay,
    and operators with a newer notation get the older one.

    Raises:
        ValueError: Operators are of other domains, or do not exist, or mean something else, in that version; all are listed.

    """
    model = inliner.inline_local_functions(model) if model.functions else model
    strange = sorted({f"{node.domain}.{node.op_type}" for node in _nodes(model.graph) if node.domain not in STANDARD})
    if strange:
        raise ValueError(f"the network uses operators that are not those of ONNX: {', '.join(strange)}")
    found = opset_of(model)
    if found == opset:
        return model
    if found < opset:
        try:
            return version_converter.convert_version(model, opset)
        except Exception as error:  # of the converter, which is C++
            reason = in_one_line(str(error))[-200:]
            raise ValueError(f"the network is of ONNX opset {found} and cannot be brought to {opset}: {reason}") from None
    lowered = onnx.ModelProto()
    lowered.CopyFrom(_written_out(model, found, opset))
    problems = sorted(set(_lower(lowered.graph, found, opset, _known(lowered))))
    if problems:
        raise ValueError(f"the network is of ONNX opset {found} and cannot be brought to {opset}: {'; '.join(problems)}")
    del lowered.opset_import[:]
    lowered.opset_import.append(helper.make_opsetid("", opset))
    lowered.ir_version = min(lowered.ir_version, helper.find_min_ir_version_for(list(lowered.opset_import)))
    return lowered


def _nodes(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for inner in _inner_graphs(node):
            yield from _nodes(inner)


def _inner_graphs(node: Any) -> Iterator[Any]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _written_out(model: Any, found: int, opset: int) -> Any:
    """Return a model in which operators that the older version lacks are written out, where ONNX defines them by others."""
    absent = {name for name in {node.op_type for node in _nodes(model.graph)} if not defs.has(name, opset, "")}
    schemas = [defs.get_schema(name, found, "") for name in sorted(absent) if defs.has(name, found, "")]
    defined = [("", schema.name) for schema in schemas if schema.has_function or schema.has_context_dependent_function]
    if not defined:
        return model
    typed = shape_inference.infer_shapes(model)
    typed.graph.value_info.extend(helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in typed.graph.initializer)
    try:
        return inliner.inline_selected_functions(typed, defined, inline_schema_functions=True)
    except TypeError:  # of an older release of ONNX, which cannot; then they are listed as absent
        return model


def inner_names(node: Any) -> set[str]:
    """Return the names that the graphs within a node may take from around it."""
    return {name for graph in _inner_graphs(node) for inner in _nodes(graph) for name in inner.input} | {
        value.name for graph in _inner_graphs(node) for value in graph.output
    }


def _lower(graph: Any, found: int, opset: int, known: Known) -> Iterator[str]:
    """Rewrite the nodes of a graph, and yield what the older version cannot express."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    constants |= {node.output[0]: _constant(node.attribute[0]) for node in graph.node if node.op_type == "Constant"}
    lowered: list[Any] = []
    for node in graph.node:
        for inner in _inner_graphs(node):
            yield from _lower(inner, found, opset, known)
        rewritten = _rewritten(node, opset, constants, known)
        if isinstance(rewritten, str):
            yield rewritten
            continue
        for one in rewritten:
            if one.op_type == node.op_type:
                yield from _without_defaults(one, found, opset)
        lowered += rewritten
    del graph.node[:]
    graph.node.extend(lowered)


def _rewritten(node: Any, opset: int, constants: Mapping[str, Any], known: Known) -> list[Any] | str:
    """Return the nodes of the older version that replace a node, or a sentence if there are none."""
    if node.op_type == "CastLike" and opset < CAST_LIKE and known.types.get(node.input[1]):
        return [helper.make_node("Cast", [node.input[0]], list(node.output), to=known.types[node.input[1]])]
    if not defs.has(node.op_type, opset, ""):
        return f"it has no operator {node.op_type}"
    rewrite = _REWRITES.get(node.op_type)
    rewritten = [node] if rewrite is None else rewrite(node, opset, constants, known)
    return f"{node.op_type} cannot be expressed in it with computed arguments" if rewritten is None else rewritten


def _constant(attribute: Any) -> Any:
    value = helper.get_attribute_value(attribute)
    return numpy_helper.to_array(value) if attribute.HasField("t") else np.asarray(value)


def _without_defaults(node: Any, found: int, opset: int) -> Iterator[str]:
    """Drop attributes that the older version lacks if their value is its behaviour; yield those that cannot be dropped."""
    newer, older = (defs.get_schema(node.op_type, version, "") for version in (found, opset))
    if newer.since_version == older.since_version:
        return
    for attribute in list(node.attribute):
        if attribute.name in older.attributes:
            continue
        default = newer.attributes[attribute.name].default_value
        value = helper.get_attribute_value(attribute)
        neutral = NEUTRAL.get((node.op_type, attribute.name))
        same = default.type != onnx.AttributeProto.UNDEFINED and helper.get_attribute_value(default) == value
        if same or (neutral is not None and neutral(value)):
            node.attribute.remove(attribute)
        else:
            yield f"{node.op_type} has no attribute {attribute.name} in it"
    while node.input and not node.input[-1]:
        node.input.pop()
    if len(node.input) > older.max_input:
        yield f"{node.op_type} takes no {len(node.input)} inputs in it"


NEUTRAL: Mapping[tuple[str, str], Callable[[Any], bool]] = FrozenMapping(
    {
        ("AveragePool", "dilations"): lambda value: set(value) <= {1},
        ("Split", "num_outputs"): lambda value: True,  # as many as the node has
    }
)
"""Attributes without a default, and their values that are the behaviour of the older version."""


@attrs.frozen(kw_only=True)
class Known:
    """What is known of the tensors of a graph, by name."""

    ranks: Mapping[str, int]
    """Numbers of axes."""

    types: Mapping[str, int]
    """Element types, by the numbers that ONNX has for them."""


def _known(model: Any) -> Known:
    try:
        graph = shape_inference.infer_shapes(model).graph
    except Exception:  # what cannot be inferred is not known
        graph = model.graph
    values = [*graph.input, *graph.output, *graph.value_info]
    ranks = {v.name: len(v.type.tensor_type.shape.dim) for v in values if v.type.tensor_type.HasField("shape")}
    return Known(
        ranks=ranks | {tensor.name: len(tensor.dims) for tensor in graph.initializer},
        types={v.name: v.type.tensor_type.elem_type for v in values} | {tensor.name: tensor.data_type for tensor in graph.initializer},
    )


def _axes_as_attribute(node: Any, opset: int, constants: Mapping[str, Any], known: Known) -> list[Any] | None:
    """Say axes, which newer versions take as an input, as an attribute."""
    if len(node.input) > 1 and node.input[1]:
        axes = constants.get(node.input[1])
        if axes is None:
            return None
        node.attribute.append(helper.make_attribute("axes" if node.op_type != "Split" else "split", [int(n) for n in axes.ravel()]))
    del node.input[1:]
    return [node]


def _reduce(node: Any, opset: int, constants: Mapping[str, Any], known: Known) -> list[Any] | None:
    if opset >= (13 if node.op_type == "ReduceSum" else 18):
        return [node]
    noop = next((a for a in node.attribute if a.name == "noop_with_empty_axes"), None)
    without_axes = len(node.input) < 2 or not node.input[1] or constants.get(node.input[1], np.ones(1)).size == 0
    if noop is not None:
        node.attribute.remove(noop)
        if noop.i and without_axes:
            return [helper.make_node("Identity", [node.input[0]], list(node.output))]
    if without_axes:
        del node.input[1:]
    return _axes_as_attribute(node, opset, constants, known)


def _softmax(node: Any, opset: int, constants: Mapping[str, Any], known: Known) -> list[Any] | None:
    """Over the last axis it is the same in all versions; over others only since 13."""
    if opset >= 13:
        return [node]
    axis = next((a.i for a in node.attribute if a.name == "axis"), -1)
    rank = known.ranks.get(node.input[0])
    if rank is None and axis != -1:
        return None
    del node.attribute[:]
    node.attribute.append(helper.make_attribute("axis", -1))
    if rank is None or axis % rank == rank - 1:
        return [node]
    order = [*(n for n in range(rank) if n != axis % rank), axis % rank]
    first, last = f"{node.output[0]}_last_axis", f"{node.output[0]}_softmax"
    there = helper.make_node("Transpose", [node.input[0]], [first], perm=order)
    back = helper.make_node("Transpose", [last], [node.output[0]], perm=[order.index(n) for n in range(rank)])
    node.input[0], node.output[0] = first, last
    return [there, node, back]


def _resize(node: Any, opset: int, constants: Mapping[str, Any], known: Known) -> list[Any] | None:
    """Say the region and the scales, which newer versions may leave out, as empty tensors."""
    if opset >= 13:
        return [node]
    added = []
    for number in (1, 2):
        if len(node.input) <= number:
            node.input.append("")
        if not node.input[number]:
            name = f"{node.output[0]}_{('roi', 'scales')[number - 1]}"
            added.append(helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.zeros(0, np.float32))))
            node.input[number] = name
    return [*added, node]


def _pad(node: Any, opset: int, constants: Mapping[str, Any], known: Known) -> list[Any] | None:
    """Say amounts for some axes, which newer versions take, for all of them."""
    if opset >= 18 or len(node.input) < 4 or not node.input[3]:
        return [node]
    axes, pads, rank = constants.get(node.input[3]), constants.get(node.input[1]), known.ranks.get(node.input[0])
    if axes is None or pads is None or rank is None:
        return None
    full = np.zeros((2, rank), np.int64)
    full[:, [int(axis) % rank for axis in axes]] = pads.reshape(2, -1)
    name = f"{node.output[0]}_pads"
    node.input[1] = name
    del node.input[3:]
    return [helper.make_node("Constant", [], [name], value=numpy_helper.from_array(full.ravel())), node]


def _shape(node: Any, opset: int, constants: Mapping[str, Any], known: Known) -> list[Any] | None:
    """Cut the shape afterwards, where only a part of it is asked for."""
    given = {a.name: a.i for a in node.attribute}
    if opset >= 15 or not given:
        return [node]
    del node.attribute[:]
    whole, bounds = f"{node.output[0]}_whole", []
    for name, default in (("start", 0), ("end", 2**31 - 1)):
        value = numpy_helper.from_array(np.array([given.get(name, default)], np.int64))
        bounds.append(helper.make_node("Constant", [], [f"{node.output[0]}_{name}"], value=value))
    part = helper.make_node("Slice", [whole, *(bound.output[0] for bound in bounds)], [node.output[0]])
    node.output[0] = whole
    return [node, *bounds, part]


def _split(node: Any, opset: int, constants: Mapping[str, Any], known: Known) -> list[Any] | None:
    return [node] if opset >= 13 else _axes_as_attribute(node, opset, constants, known)


def _squeeze(node: Any, opset: int, constants: Mapping[str, Any], known: Known) -> list[Any] | None:
    return [node] if opset >= 13 else _axes_as_attribute(node, opset, constants, known)


Rewrite = Callable[[Any, int, Mapping[str, Any], Known], list[Any] | None]

_REWRITES: Mapping[str, Rewrite] = FrozenMapping(
    {
        **{f"Reduce{kind}": _reduce for kind in ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare")},
        "LogSoftmax": _softmax,
        "Pad": _pad,
        "Resize": _resize,
        "Shape": _shape,
        "Softmax": _softmax,
        "Split": _split,
        "Squeeze": _squeeze,
        "Unsqueeze": _squeeze,
    }
)
