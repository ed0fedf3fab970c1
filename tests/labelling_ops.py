"""Ops that label objects, for tests that need no plugin, and images with what they label in them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from numpy.typing import NDArray

from bioimageio_core.api import default_registry
from bioimageio_core.prediction.model.loaded_model import LoadedModel
from bioimageio_core.registry import Measured, Needs, Objects, ProcessingOpEntry, Registry, ShapeChange
from bioimageio_core.sources import open_package
from bioimageio_core.spec.node import Node, node
from bioimageio_core.spec.validation import read_tree
from bioimageio_core.spec.yaml import load_yaml
from bioimageio_core.typing import FrozenMapping

__all__ = ["ComponentsKwargs", "blobs", "components", "entry", "labelling_registry", "loaded", "truth"]

ndimage = pytest.importorskip("scipy.ndimage", reason="scipy is not installed")


@node
class ComponentsKwargs(Node):
    """Arguments of `ComponentsDescr`."""

    threshold: float = 0.5
    min_size: int = 0


@node
class ComponentsDescr(Node):
    """Components of the pixels above a threshold."""

    id: str = "components"
    kwargs: ComponentsKwargs = ComponentsKwargs()


def components(kwargs: Any, tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
    """Label a tensor with axes batch, channel, y, x, in numbers that depend on where it is cut."""
    found = np.stack([ndimage.label(item[0] > kwargs.threshold, np.ones((3, 3)))[0][None] for item in tensor])
    return np.where(found, 7 * found + tensor.shape[-1], 0).astype(np.int32)


def needs(objects: Objects, kwargs: Any, axes: tuple[str, ...]) -> Needs:
    return Needs(
        shape=ShapeChange(axes=axes, sizes={"channel": 1}), dtype="int32", objects=attrs.evolve(objects, least_pixels=kwargs.min_size)
    )


def entry(name: str, descr: type, objects: Objects) -> ProcessingOpEntry:
    return ProcessingOpEntry(
        name=name,
        descr={"0.5": descr},
        load=lambda: lambda kwargs, axes: partial(components, kwargs),
        requirements=partial(needs, objects),
        where=("postprocessing",),
    )


def labelling_registry() -> Registry:
    """Return what is installed, with the op `components`."""
    known = default_registry()
    op = entry("components", ComponentsDescr, Objects(join="touch"))
    return attrs.evolve(known, processing_ops=FrozenMapping({**known.processing_ops, op.name: op}))


def loaded(folder: Path, registry: Registry) -> LoadedModel:
    package = open_package(folder)
    assert isinstance(package.content, bytes)
    return LoadedModel.of(read_tree(load_yaml(package.content), registry)[0], package, registry)


def blobs(shape: tuple[int, ...], seed: int = 0) -> NDArray[np.float32]:
    """Return an image of components of all sizes, some of which span it."""
    return ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), 1.5).astype(np.float32)


def truth(image: NDArray[Any], threshold: float = 0.5) -> NDArray[Any]:
    labels: NDArray[Any] = ndimage.label(image > threshold, np.ones((3, 3)))[0]
    return labels
