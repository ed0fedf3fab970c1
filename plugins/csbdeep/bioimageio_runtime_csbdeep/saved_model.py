"""Reads the network of a SavedModel without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs

from bioimageio_core.protobuf import ProtobufError, messages, number, text

__all__ = ["Node", "SavedNetwork", "Signed", "read_saved_model"]

FLOAT = 1
"""``DT_FLOAT`` of TensorFlow's types."""


@attrs.frozen(kw_only=True)
class Signed:
    """An input or output of a signature."""

    name: str
    tensor: str
    """Name of the tensor in the graph, as in ``input:0``."""

    shape: tuple[int, ...]
    """-1 where any size goes."""


@attrs.frozen(kw_only=True)
class Node:
    """A node of a graph."""

    op: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, bytes]
    """Values as messages ``AttrValue``."""


@attrs.frozen(kw_only=True)
class SavedNetwork:
    """The graph for serving, and the signature that is called."""

    inputs: tuple[Signed, ...]
    outputs: tuple[Signed, ...]
    tensorflow_version: str
    nodes: Mapping[str, Node]


def read_saved_model(path: Path) -> SavedNetwork:
    """Read a ``saved_model.pb``.

    Raises:
        ValueError: It is broken, or has no signature ``serving_default``.

    """
    try:
        return _network(path.read_bytes())
    except ProtobufError as error:
        raise ValueError(f"its saved_model.pb is broken, or cut off: {error}") from None


def _network(content: bytes) -> SavedNetwork:
    for graph in messages(content, 2):
        (info, *_) = [*messages(graph, 1), b""]
        if b"serve" not in list(messages(info, 4)):
            continue
        for entry in messages(graph, 5):
            if text(entry, 1) == "serving_default":
                (signature, *_) = [*messages(entry, 2), b""]
                return SavedNetwork(
                    inputs=_signed(signature, 1),
                    outputs=_signed(signature, 2),
                    tensorflow_version=text(info, 5),
                    nodes={text(node, 1): _node(node) for part in messages(graph, 2) for node in messages(part, 1)},
                )
    raise ValueError("its SavedModel has no signature 'serving_default' in a graph with the tag 'serve': expected what export_TF writes")


def _signed(signature: bytes, field: int) -> tuple[Signed, ...]:
    found = []
    for entry in messages(signature, field):
        (info, *_) = [*messages(entry, 2), b""]
        if number(info, 2) != FLOAT:
            raise ValueError(f"its tensor {text(entry, 1)!r} is not of float32: expected what export_TF writes")
        shapes = [*messages(info, 3)]
        shape = tuple(number(size, 1) for size in messages(shapes[0], 2)) if shapes else ()
        found.append(Signed(name=text(entry, 1), tensor=text(info, 1), shape=shape))
    return tuple(sorted(found, key=lambda signed: signed.name))


def _node(node: bytes) -> Node:
    attributes = {}
    for entry in messages(node, 5):
        (value, *_) = [*messages(entry, 2), b""]
        attributes[text(entry, 1)] = value
    return Node(op=text(node, 2), inputs=tuple(given.decode("utf-8") for given in messages(node, 3)), attributes=attributes)
