"""The op ``spots``: an object of one pixel wherever a pixel is brighter than all its neighbours."""

from collections.abc import Iterator
from itertools import product
from typing import Any, Literal

import attrs
import numpy as np

from bioimageio_core.registry import Needs, Objects, ProcessingOpEntry, ShapeChange, hookimpl
from bioimageio_core.spec.node import Node, node


@node
class SpotsDescr(Node):
    id: Literal["spots"] = "spots"


def needs(kwargs: None, axes: tuple[str, ...]) -> Needs:
    space = [axis for axis in axes if axis in ("z", "y", "x")]
    objects = Objects(join="owner", size=dict.fromkeys(space, 1))  # a spot is one pixel, and belongs to the block that has it
    shape = ShapeChange(axes=axes, sizes={"channel": 1} if "channel" in axes else {})
    return Needs(objects=objects, shape=shape, dtype="uint32", halo=dict.fromkeys(space, 1))


@attrs.frozen(kw_only=True)
class SpotsOp:
    axes: tuple[str, ...]

    def __call__(self, tensor: Any, measured: Any) -> Any:
        image = tensor.max(self.axes.index("channel"), keepdims=True) if "channel" in self.axes else tensor
        reach = [int(axis in ("z", "y", "x")) for axis in self.axes]
        padded = np.pad(image.astype("float64"), [(n, n) for n in reach], constant_values=-np.inf)
        windows = product(*(range(2 * n + 1) for n in reach))
        around = [padded[tuple(slice(n, n + size) for n, size in zip(w, image.shape, strict=True))] for w in windows]
        spots = sum(neighbour >= image for neighbour in around) == 1  # only the pixel itself
        return np.where(spots, np.cumsum(spots).reshape(spots.shape), 0).astype("uint32")


def make(kwargs: None, axes: tuple[str, ...]) -> SpotsOp:
    return SpotsOp(axes=axes)


@hookimpl
def bioimageio_processing_ops() -> Iterator[ProcessingOpEntry]:
    yield ProcessingOpEntry(name="spots", descr={"0.5": SpotsDescr}, load=lambda: make, requirements=needs)
