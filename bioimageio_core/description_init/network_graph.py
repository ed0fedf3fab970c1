"""What a file of weights says of the tensors that go in and come out."""

from __future__ import annotations

from typing import Any, TypeAlias

import attrs

from ..typing import FrozenMapping

__all__ = ["Dim", "Graph", "GraphTensor"]

Dim: TypeAlias = int | str | None
"""A size, the name of one that may be any, or nothing at all."""


@attrs.frozen(kw_only=True)
class GraphTensor:
    """An input or output as the file names it."""

    name: str
    dtype: str = "float32"
    shape: tuple[Dim, ...] | None = None
    """None where the file says nothing, not even the number of axes."""


@attrs.frozen(kw_only=True)
class Graph:
    """A network as its file tells of it."""

    inputs: tuple[GraphTensor, ...]
    outputs: tuple[GraphTensor, ...] = ()
    """Empty where the file does not say."""

    fields: FrozenMapping[str, Any] = FrozenMapping()
    """Of the weights entry, beside source and SHA-256, such as ``opset_version``."""

    unknown: tuple[str, ...] = ()
    """Those of `fields` that were assumed."""

    external: tuple[str, ...] = ()
    """Names of files beside the weights that hold a part of them."""

    spatial: int | None = None
    """Axes of space, where the weights tell."""

    channels: int | None = None
    """Channels of the first operation, where the weights tell."""
