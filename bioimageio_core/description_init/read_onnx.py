"""Reads inputs, outputs and opset of ONNX files without a package.

The messages and the numbers of their fields: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError
from ..protobuf import messages, number, text
from ..typing import FrozenMapping
from .network_graph import Dim, Graph, GraphTensor

__all__ = ["read_onnx"]

_DTYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "float64",
    12: "uint32", 13: "uint64",
}  # fmt: skip
"""Of ``TensorProto.DataType``, those that arrays can have."""


def read_onnx(path: Path) -> Graph:
    """Return the inputs, outputs and opset of an ONNX file.

    Raises:
        InputError: The file is not an ONNX file, or is cut off.

    """
    try:
        return _graph(memoryview(path.read_bytes()))
    except ValueError:
        raise InputError(f"{path} cannot be read as ONNX: it is broken, or of another format") from None


def _graph(model: memoryview) -> Graph:
    graphs = [*messages(model, 7)]
    opsets = [number(opset, 2) for opset in messages(model, 8) if text(opset, 1) in ("", "ai.onnx")]
    if len(graphs) != 1 or not opsets:
        raise ValueError("no graph, or no opset")
    initial: set[str] = set()
    external: dict[str, None] = {}
    (graph,) = graphs
    for tensor in messages(graph, 5):
        initial.add(text(tensor, 8))
        external.update((text(entry, 2), None) for entry in messages(tensor, 13) if text(entry, 1) == "location")
    inputs = [_tensor(info) for info in messages(graph, 11)]
    return Graph(
        inputs=tuple(i for i in inputs if i.name not in initial),  # old files list weights among the inputs
        outputs=tuple(_tensor(info) for info in messages(graph, 12)),
        fields=FrozenMapping(opset_version=opsets[0]),
        external=tuple(external),
    )


def _tensor(info: memoryview) -> GraphTensor:
    name, dtype, shape = text(info, 1), "float32", None
    for kind in messages(info, 2):
        for tensor in messages(kind, 1):
            dtype = _DTYPES.get(number(tensor, 1), "")
            shape = next((tuple(map(_dim, messages(dims, 1))) for dims in messages(tensor, 2)), None)
    if not dtype:
        raise InputError(f"the ONNX graph has a tensor {name!r} of a type that no array has")
    return GraphTensor(name=name, dtype=dtype, shape=shape)


def _dim(dim: memoryview) -> Dim:
    size = number(dim, 1)
    return size if 0 < size < 1 << 32 else text(dim, 2) or None
