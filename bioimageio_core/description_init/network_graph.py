"""The tensors of a network, by its file of weights."""

from __future__ import annotations

from typing import Any, TypeAlias

import attrs

from ..typing import FrozenMapping

__all__ = ["Dim", "Graph", "GraphTensor"]

Dim: TypeAlias = int | str | None
"""A fixed size, the name of a variable size, or None where nothing is known."""


@attrs.frozen(kw_only=True)
class GraphTensor:
    """An input or output in a file of weights."""

    name: str
    dtype: str = "float32"
    shape: tuple[Dim, ...] | None = None
    """None where even the number of axes is unknown."""


@attrs.frozen(kw_only=True)
class Graph:
    """The information about a network in its file of weights."""

    inputs: tuple[GraphTensor, ...]
    outputs: tuple[GraphTensor, ...] = ()
    """Empty where the file does not name them."""

    fields: FrozenMapping[str, Any] = FrozenMapping()
    """Fields of the weights entry beside source and SHA-256, such as ``opset_version``."""

    unknown: tuple[str, ...] = ()
    """Names of `fields` that are assumptions."""

    external: tuple[str, ...] = ()
    """Names of files beside the weights that hold some of the tensors."""

    spatial: int | None = None
    """Number of axes of space, where the weights show it."""

    channels: int | None = None
    """Input channels of the first operation, where the weights show it."""
