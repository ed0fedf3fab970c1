"""Volumes of objects, an op that labels them slice by slice, and what joining the slices of a whole volume gives."""

from __future__ import annotations

from functools import partial
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bioimageio_core.api import default_registry
from bioimageio_core.registry import JoinRule, Measured, Needs, Objects, ProcessingOpEntry, Registry, ShapeChange
from bioimageio_core.spec.node import Node, node
from bioimageio_core.typing import FrozenMapping

__all__ = ["balls", "branches", "joined", "registry_with_ops", "sliced", "tubes"]

EIGHT = np.ones((3, 3))


@node
class PlanarDescr(Node):
    """Components of pixels above 0.5, in two dimensions."""

    id: str = "planar"


def planar(tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
    """Label a tensor with axes batch, channel, y, x, in numbers that depend on where it is cut."""
    found = np.stack([ndimage.label(item[0] > 0.5, EIGHT)[0][None] for item in tensor])
    return np.where(found, 7 * found + tensor.shape[-1], 0).astype(np.int32)


def make(kwargs: None, axes: tuple[str, ...]) -> Any:
    """Return the op."""
    return planar


def needs(join: JoinRule, kwargs: None, axes: tuple[str, ...]) -> Needs:
    """Return what the op needs; objects span up to 24 pixels."""
    return Needs(shape=ShapeChange(axes=axes, sizes={"channel": 1}), dtype="int32", objects=Objects(join=join, size={"y": 24, "x": 24}))


def registry_with_ops() -> Registry:
    """Return the registry with the op, under one name for each rule by which objects are joined across blocks."""
    known = default_registry()
    names: dict[str, JoinRule] = {"planar": "touch", "planar_overlap": "overlap", "planar_owner": "owner"}
    ops = {
        name: ProcessingOpEntry(
            name=name,
            descr={"0.5": PlanarDescr},
            load=lambda: make,
            requirements=partial(needs, rule),
            where=("postprocessing",),
        )
        for name, rule in names.items()
    }
    return attrs.evolve(known, processing_ops=FrozenMapping({**known.processing_ops, **ops}))


def balls(seed: int = 0, shape: tuple[int, int, int] = (9, 70, 60), count: int = 40) -> NDArray[np.float32]:
    """Return balls of different sizes, in pixels that are longer along z; some touch or overlap."""
    random = np.random.default_rng(seed)
    z, y, x = np.indices(shape)
    volume = np.zeros(shape, np.float32)
    for _ in range(count):
        centre, radius = random.uniform(0, shape), random.uniform(2, 7)
        volume[(2 * (z - centre[0])) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2 <= radius**2] = 1
    return volume


def tubes(shape: tuple[int, int, int] = (9, 70, 60)) -> NDArray[np.float32]:
    """Return bars across all slices and many blocks, which turn and shift from slice to slice; some cross each other."""
    z, y, x = np.indices(shape)
    upright = np.abs(x - 6 - z) < 5
    wavy = np.abs(y - 35 - 10 * np.sin(x / 9 + z / 6)) < 4
    steep = np.abs(x - 45 - 5 * (z % 2)) < 5  # half of it stays from slice to slice
    volume: NDArray[np.float32] = ((upright & (y < 20)) | wavy | (steep & (y > 52))).astype(np.float32)
    return volume


def branches() -> NDArray[np.float32]:
    """Return slices in which two objects become one, one becomes two, and one moves away.

    Of slices 0 and 1, intersections over union are 40 / 96 and 24 / 96; of slices 1 and 2, 32 / 96 twice, a tie.
    """
    volume = np.zeros((4, 40, 50), np.float32)
    volume[0, 10:14, 4:14] = volume[0, 10:14, 18:24] = 1
    volume[1, 10:14, 4:28] = 1
    volume[2, 10:14, 4:12] = volume[2, 10:14, 20:28] = 1
    volume[3, 30:34, 4:12] = volume[3, 10:14, 24:40] = 1
    return volume


def sliced(volume: NDArray[Any]) -> NDArray[np.int64]:
    """Return the labels of all slices, numbered through."""
    labels = np.zeros(volume.shape, np.int64)
    for z, mask in enumerate(volume > 0.5):
        found = ndimage.label(mask, EIGHT)[0]
        labels[z] = np.where(found, found + labels.max(), 0)
    return labels


def joined(labels: NDArray[np.int64], overlap: float) -> NDArray[np.int64]:
    """Join the slices of a whole volume, slice by slice and object by object, as plainly as the rule is written."""
    alone, labels = labels, labels.copy()
    for z in range(len(labels) - 1):
        here, there = alone[z], alone[z + 1]
        matches = []
        for a in np.unique(here[here > 0]):
            for b in np.unique(there[(here == a) & (there > 0)]):
                quotient = np.count_nonzero((here == a) & (there == b)) / np.count_nonzero((here == a) | (there == b))
                if quotient > overlap:
                    matches.append((-quotient, a, b))
        taken: set[int] = set()
        given: set[int] = set()
        for _, a, b in sorted(matches):
            if a not in taken and b not in given:
                taken.add(a)
                given.add(b)
                labels[z + 1][there == b] = labels[z][here == a][0]
    ids, first = np.unique(labels, return_index=True)
    numbers = np.zeros(labels.max(initial=0) + 1, np.int64)
    objects = ids[np.argsort(first)]
    objects = objects[objects > 0]
    numbers[objects] = np.arange(1, objects.size + 1)
    return numbers[labels]
