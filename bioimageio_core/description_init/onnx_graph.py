"""Inputs, outputs and opset of ONNX files, read without any package.

The messages and their numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto;
the encoding: https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..errors import InputError
from ..typing import FrozenMapping
from .graph import Dim, Graph, GraphTensor

__all__ = ["read_onnx"]

_DTYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "float64",
    12: "uint32", 13: "uint64",
}  # fmt: skip
"""Of ``TensorProto.DataType``, those that arrays can have."""


def read_onnx(path: Path) -> Graph:
    """Return what an ONNX file says of itself.

    Raises:
        InputError: It is none, or is cut off.

    """
    try:
        return _graph(memoryview(path.read_bytes()))
    except (IndexError, ValueError, UnicodeDecodeError, RecursionError):
        raise InputError(f"{path} cannot be read as ONNX: it is broken or something else") from None


def _graph(model: memoryview) -> Graph:
    graphs = [value for number, value in _fields(model) if number == 7 and isinstance(value, memoryview)]
    opsets = [dict(_fields(value)) for number, value in _fields(model) if number == 8 and isinstance(value, memoryview)]
    versions = [o.get(2) for o in opsets if not bytes(_view(o.get(1))).decode().replace("ai.onnx", "")]
    if len(graphs) != 1 or not versions or not isinstance(versions[0], int):
        raise ValueError("no graph, or no opset")
    initial: set[str] = set()
    external: dict[str, None] = {}
    inputs, outputs = [], []
    for number, value in _fields(graphs[0]):
        if number == 5:
            name, location = _initializer(_view(value))
            initial.add(name)
            external.update(dict.fromkeys(location))
        elif number == 11:
            inputs.append(_tensor(_view(value)))
        elif number == 12:
            outputs.append(_tensor(_view(value)))
    return Graph(
        inputs=tuple(i for i in inputs if i.name not in initial),  # old files list weights among the inputs
        outputs=tuple(outputs),
        fields=FrozenMapping(opset_version=versions[0]),
        external=tuple(external),
    )


def _initializer(tensor: memoryview) -> tuple[str, list[str]]:
    name, external = "", []
    for number, value in _fields(tensor):
        if number == 8:
            name = bytes(_view(value)).decode()
        elif number == 13:
            entry = {n: bytes(_view(v)).decode() for n, v in _fields(_view(value))}
            if entry.get(1) == "location":
                external.append(entry.get(2, ""))
    return name, external


def _tensor(info: memoryview) -> GraphTensor:
    name, dtype, shape = "", "float32", None
    for number, value in _fields(info):
        if number == 1:
            name = bytes(_view(value)).decode()
        elif number == 2:
            for kind, tensor in _fields(_view(value)):
                if kind == 1:
                    parts = dict(_fields(_view(tensor)))
                    dtype = _DTYPES.get(int(parts[1]) if isinstance(parts.get(1), int) else 0, "")
                    shape = tuple(_dim(_view(d)) for n, d in _fields(_view(parts[2])) if n == 1) if 2 in parts else None
    if not dtype:
        raise InputError(f"the ONNX graph has a tensor {name!r} of a type that no array has")
    return GraphTensor(name=name, dtype=dtype, shape=shape)


def _dim(dim: memoryview) -> Dim:
    for number, value in _fields(dim):
        if number == 1 and isinstance(value, int):
            return value if 0 < value < 1 << 32 else None
        if number == 2:
            return bytes(_view(value)).decode()
    return None


def _view(value: int | memoryview | None) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number in place of a message")
    return memoryview(b"") if value is None else value


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield number and value of each field: a whole number, or bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        size = {1: 8, 5: 4}.get(kind)
        if size is None:
            if kind != 2:
                raise ValueError(f"kind {kind} of a field")
            size, at = _varint(message, at)
        if at + size > len(message):
            raise ValueError("cut off")
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")
