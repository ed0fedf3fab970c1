"""Networks of a few lines of numpy, as adapters: what run modes are tried on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = ["BoxFilter", "Identity", "Network", "Pooling"]


@attrs.define(kw_only=True)
class Network:
    """One input, one output, both along batch, channel, y, x."""

    halo: ClassVar[int] = 0
    """Pixels that it looks to either side, along y and x."""

    grain: ClassVar[int] = 1
    """Height and width are multiples of it."""

    closed: bool = attrs.field(default=False, init=False)
    """Whether `close` was called."""

    def __call__(self, inputs: Sequence[NDArray[Any] | None]) -> list[NDArray[Any]]:
        """Run the network; see `bioimageio_core.registry.WeightsAdapter`."""
        (tensor,) = inputs
        assert tensor is not None
        return [self.run(tensor)]

    def run(self, tensor: NDArray[Any]) -> NDArray[Any]:
        """Return the output of one tensor."""
        raise NotImplementedError

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


@attrs.define(kw_only=True)
class Identity(Network):
    """The input as it is."""

    def run(self, tensor: NDArray[Any]) -> NDArray[Any]:
        """Return a copy."""
        return tensor.copy()


@attrs.define(kw_only=True)
class BoxFilter(Network):
    """The mean of 3 x 3 pixels, zeros beyond the edge: a convolution."""

    halo = 1

    def run(self, tensor: NDArray[Any]) -> NDArray[Any]:
        """Return the means, of the dtype of the tensor."""
        padded = np.pad(tensor, [(0, 0), (0, 0), (1, 1), (1, 1)])
        height, width = tensor.shape[2:]
        total = sum(padded[:, :, i : i + height, j : j + width] for i in range(3) for j in range(3))
        return np.asarray(total / 9, tensor.dtype)


@attrs.define(kw_only=True)
class Pooling(Network):
    """The mean of cells of 4 x 4 pixels, drawn over each cell: it sees where on its grid a pixel lies."""

    grain = 4

    def run(self, tensor: NDArray[Any]) -> NDArray[Any]:
        """Return the means; height and width are multiples of 4."""
        batch, channel, height, width = tensor.shape
        cells = tensor.reshape(batch, channel, height // 4, 4, width // 4, 4)
        return np.asarray(np.broadcast_to(cells.mean((3, 5), keepdims=True), cells.shape).reshape(tensor.shape), tensor.dtype)
