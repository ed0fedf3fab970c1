"""What an ONNX file says of other files, read without a framework: before one opens them."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

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

VARINT, FIXED64, DELIMITED, FIXED32 = 0, 1, 2, 5


def external_locations(path: str | Path) -> frozenset[str]:
    """Return the names of the files that hold tensors of a graph, as they are written.

    Raises:
        ValueError: The file is no message of Protocol Buffers.
        OSError: It cannot be read.

    """
    with Path(path).open("rb") as file:
        if file.seek(0, 2) == 0:
            return frozenset()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if content.find(b"location") < 0:  # as almost always, in files of any size
                return frozenset()
            return frozenset(_locations(content))


def _locations(content: mmap.mmap) -> Iterator[str]:
    waiting = [("model", 0, len(content))]
    while waiting:
        kind, start, stop = waiting.pop()
        if kind == "entry":
            entry = {number: content[first:last] for number, first, last in _delimited(content, start, stop)}
            if entry.get(1) == b"location":
                yield entry.get(2, b"").decode("utf-8", errors="replace")
            continue
        within = _WITHIN[kind]
        waiting.extend((within[n], first, last) for n, first, last in _delimited(content, start, stop) if n in within)


def _delimited(content: mmap.mmap, at: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Yield the number, start and end of fields of a message that have a length."""
    while at < stop:
        tag, at = _varint(content, at, stop)
        wire = tag & 7
        if wire == VARINT:
            _, at = _varint(content, at, stop)
        elif wire == DELIMITED:
            length, at = _varint(content, at, stop)
            yield tag >> 3, at, at + length
            at += length
        elif wire in (FIXED64, FIXED32):
            at += 8 if wire == FIXED64 else 4
        else:
            raise ValueError("a field of a message has an unknown type")
        if at > stop:
            raise ValueError("a field is longer than its message")


def _varint(content: mmap.mmap, at: int, stop: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, and where it ends."""
    value = 0
    for place in range(10):
        if at >= stop:
            break
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at
    raise ValueError("a number has no end")
