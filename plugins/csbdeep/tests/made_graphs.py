"""SavedModels made on the spot, as far as a reader without TensorFlow looks at them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

Graph = Mapping[str, tuple[str, Sequence[str], Mapping[str, bytes]]]


def varint(value: int) -> bytes:
    """Return an int64 as Protocol Buffers write it."""
    value &= (1 << 64) - 1
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number: int, value: bytes | str | int) -> bytes:
    """Return a field of a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def shape(*sizes: int) -> bytes:
    """Return a ``TensorShapeProto``."""
    return b"".join(field(2, field(1, size)) for size in sizes)


def integers(*values: int) -> bytes:
    """Return an attribute with a list of integers, packed."""
    return field(1, field(3, b"".join(varint(v) for v in values)))


def kernel(*sizes: int) -> bytes:
    """Return an attribute with a shape."""
    return field(7, shape(*sizes))


def constant(*values: int) -> bytes:
    """Return an attribute with a tensor of int32."""
    content = b"".join(v.to_bytes(4, "little") for v in values)
    return field(8, field(1, 3) + field(2, shape(len(values))) + field(4, content))


SAME = field(2, "SAME")
VALID = field(2, "VALID")


def saved_model(
    graph: Graph,
    given: Sequence[int],
    results: Mapping[str, Sequence[int]],
    *,
    kind: int = 1,
    signature: str = "serving_default",
    tag: str = "serve",
) -> bytes:
    """Return a ``saved_model.pb`` whose input is the node ``input`` and whose outputs are nodes, with the shapes of each."""

    def info(node: str, sizes: Sequence[int]) -> bytes:
        return field(1, node) + field(2, field(1, f"{node}:0") + field(2, kind) + field(3, shape(*sizes)))

    nodes = b""
    for name, (op, inputs, attributes) in graph.items():
        attrs = b"".join(field(5, field(1, key) + field(2, value)) for key, value in attributes.items())
        nodes += field(1, field(1, name) + field(2, op) + b"".join(field(3, i) for i in inputs) + attrs)
    signed = field(1, info("input", given)) + b"".join(field(2, info(node, sizes)) for node, sizes in results.items())
    meta = field(4, tag) + field(5, "1.15.0")
    return field(1, 1) + field(2, field(1, meta) + field(2, nodes) + field(5, field(1, signature) + field(2, signed)))


def conv(image: str, weights: str, *strides: int, padding: bytes = SAME, dims: int = 2) -> tuple[str, Sequence[str], Mapping[str, bytes]]:
    """Return a convolution."""
    return f"Conv{dims}D", [image, weights], {"strides": integers(1, *(strides or (1,) * dims), 1), "padding": padding}


def write_zip(path: Path, files: Mapping[str, bytes | str]) -> Path:
    """Write a zip."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path
