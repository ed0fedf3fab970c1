"""The names of further files in an ONNX file, read without a framework, before a framework opens them."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from .protobuf import fields, text

__all__ = ["external_locations"]

_WITHIN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
}
"""The fields, by number, that lead to tensors, as the schema of ONNX has them (onnx.proto3)."""


def external_locations(path: str | Path) -> frozenset[str]:
    """Return the names of the files that hold tensors of a graph, as the graph has them.

    Raises:
        ValueError: The file is not a message of Protocol Buffers.
        OSError: It cannot be read.

    """
    with Path(path).open("rb") as file:
        if file.seek(0, 2) == 0:
            return frozenset()
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # closed with the last view of it
    if content.find(b"location") < 0:  # as almost always, in files of any size
        return frozenset()
    return frozenset(_locations(memoryview(content)))


def _locations(content: memoryview) -> Iterator[str]:
    waiting = [("model", content)]
    while waiting:
        kind, message = waiting.pop()
        if kind == "entry":
            if text(message, 1) == "location":
                yield text(message, 2)
            continue
        within = _WITHIN[kind]
        waiting.extend((within[n], value) for n, value in fields(message) if n in within and not isinstance(value, int))
