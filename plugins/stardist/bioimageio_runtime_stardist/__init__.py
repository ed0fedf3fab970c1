"""The op ``stardist_postprocessing``: labels of star-convex objects, as StarDist makes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bioimageio_core.errors import DescriptionError
from bioimageio_core.processing.descr_v0_5_objects import StardistPostprocessingDescr
from bioimageio_core.registry import Needs, Objects, ProcessingOpEntry, ProcessingOpFactory, ShapeChange, hookimpl
from bioimageio_core.typing import AxisId

__all__ = ["bioimageio_processing_ops", "needs", "space_axes"]

OP = "stardist_postprocessing"
SPACE = {2: ("y", "x"), 3: ("z", "y", "x")}


def space_axes(kwargs: Any, axes: tuple[AxisId, ...]) -> tuple[AxisId, ...]:
    """Return the axes that the rays of objects are in: y and x, and before them z for volumes.

    Raises:
        DescriptionError: The tensor has other axes than these, batch and channel.

    """
    space = SPACE[len(kwargs.grid)]
    expected = ("batch", "channel", *space)
    if sorted(axes) != sorted(expected):
        raise DescriptionError(
            f"{OP}: expected a tensor with the axes {', '.join(expected)} for a grid of {len(space)} numbers, found {', '.join(axes)}"
        )
    return space


def needs(kwargs: Any, axes: tuple[AxisId, ...]) -> Needs:
    """Return that the op labels objects, at the size of the image, with the context that suppression takes.

    Raises:
        DescriptionError: The arguments or the axes are such that it cannot.

    """
    space = space_axes(kwargs, axes)
    if min(kwargs.grid) < 1:
        raise DescriptionError(f"{OP}: expected grid to be numbers of at least 1, found {kwargs.grid}")
    if kwargs.n_rays <= len(space):
        raise DescriptionError(f"{OP}: expected n_rays to be at least {len(space) + 1}, found {kwargs.n_rays}")
    if min(getattr(kwargs, "anisotropy", (1,))) <= 0:
        raise DescriptionError(f"{OP}: expected anisotropy to be numbers above 0, found {kwargs.anisotropy}")
    if getattr(kwargs, "overlap_label", None):
        raise DescriptionError(
            f"{OP}: expected overlap_label to be 0 or none, found {kwargs.overlap_label}: "
            "pixels of several objects would be one object more among the joined ones"
        )
    scale = {axis: pixels for axis, pixels in zip(space, kwargs.grid, strict=True) if pixels > 1}
    shape = ShapeChange(axes=("batch", *space, "channel"), sizes={"channel": 1}, scale=scale, takes={"channel": kwargs.n_rays + 1})
    return Needs(shape=shape, objects=Objects(join="owner", context=2), dtype="int32")


def _load() -> ProcessingOpFactory:
    from .op import make_stardist_postprocessing

    return make_stardist_postprocessing


@hookimpl
def bioimageio_processing_ops() -> Iterator[ProcessingOpEntry]:
    """Yield the op."""
    yield ProcessingOpEntry(
        name=OP,
        descr={"0.5": StardistPostprocessingDescr},
        load=_load,
        requirements=needs,
        where=("postprocessing",),
        summary="labels from star-convex shapes, as StarDist makes them",
    )
