"""Calls of a network with synthetic inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, ModelRunError
from ..prediction.geometry.signature import NetworkInput, Signature, Variable, shape_at
from ..typing import AxisId

__all__ = ["Arrays", "Network", "NetworkCaller", "Sizes"]

Arrays: TypeAlias = "list[NDArray[Any] | None]"
Network: TypeAlias = "Callable[[Sequence[NDArray[Any] | None]], Sequence[NDArray[Any]]]"
Sizes: TypeAlias = "Mapping[tuple[str, AxisId], int]"
"""Sizes by `Variable.key`."""

Shapes: TypeAlias = "tuple[tuple[int, ...], ...]"


class NetworkCaller:
    """Calls a network, and counts the calls.

    Args:
        network: Takes and returns arrays in the order of the signature.
        signature: Its tensors.

    """

    def __init__(self, network: Network, signature: Signature) -> None:
        self._network = network
        self._shapes: dict[Any, Shapes | None] = {}
        self.signature = signature
        self.calls = 0

    def run(self, inputs: Arrays) -> list[NDArray[Any]]:
        """Call the network.

        Raises:
            ModelRunError: It fails, or returns other tensors than the signature has.

        """
        self.calls += 1
        outputs = list(self._network(inputs))
        wanted = self.signature.outputs
        if len(outputs) < len(wanted):
            raise ModelRunError(f"the network returned {len(outputs)} tensors: expected {len(wanted)}")
        for output, array in zip(wanted, outputs, strict=False):
            if array.ndim != len(output.axes):
                raise ModelRunError(f"the network returned {output.id!r} with {array.ndim} axes: expected {', '.join(output.axes)}")
        return outputs[: len(wanted)]

    def images(self, variables: tuple[Variable, ...], sizes: Sizes, *, seed: int, amplitude: float = 1.0) -> Arrays | None:
        """Return inputs of noise; None where the sizes do not fit together."""
        arrays: Arrays = []
        for number, tensor in enumerate(self.signature.inputs):
            shape = None if tensor.optional else shape_at(tensor, variables, sizes)
            if shape is None and not tensor.optional:
                return None
            arrays.append(None if shape is None else noise(tensor, shape, seed=seed + number, amplitude=amplitude))
        return arrays

    def shapes(self, variables: tuple[Variable, ...], sizes: Sizes) -> Shapes | None:
        """Return the shapes of outputs; None where the network does not accept these sizes."""
        key = (variables, tuple(sorted(sizes.items())))
        if key not in self._shapes:
            self._shapes[key] = self._called(self.images(variables, sizes, seed=0))
        return self._shapes[key]

    def _called(self, images: Arrays | None) -> Shapes | None:
        if images is None or any(i is not None and not i.size for i in images):
            return None
        try:
            return tuple(o.shape for o in self.run(images))
        except (ModelRunError, InputError):
            return None


def noise(tensor: NetworkInput, shape: tuple[int, ...], *, seed: int, amplitude: float = 1.0) -> NDArray[Any]:
    """Return white noise in the dtype of an input: with this standard deviation around 0, or integers from 0 to 200."""
    random, dtype = np.random.default_rng(seed), np.dtype(tensor.dtype)
    if dtype.kind == "f":
        return (random.standard_normal(shape, np.float32) * amplitude).astype(dtype)
    if dtype.kind == "b":
        return random.random(shape) < 0.5
    greatest = min(200, np.iinfo(dtype).max)
    return random.integers(0, greatest, shape, endpoint=True).astype(dtype)
