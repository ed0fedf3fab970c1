"""The op ``cellpose_flow_dynamics``: labels of the pixels whose flows lead to the same place, as Cellpose makes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bioimageio_core.errors import DescriptionError
from bioimageio_core.processing.descr_v0_5_objects import CellposeFlowDynamicsDescr
from bioimageio_core.registry import Needs, Objects, ProcessingOpEntry, ProcessingOpFactory, ShapeChange, hookimpl
from bioimageio_core.typing import AxisId

__all__ = ["bioimageio_processing_ops", "needs", "space_axes"]

OP = "cellpose_flow_dynamics"


def space_axes(kwargs: Any, axes: tuple[AxisId, ...]) -> tuple[AxisId, ...]:
    """Return the axes that flows are along, in the order of their channels: y and x, and before them z for volumes.

    Raises:
        DescriptionError: The tensor has other axes than batch, channel and these, or another order.

    """
    choices = (("y", "x"), ("z", "y", "x")) if kwargs.do_3D else (("y", "x"),)
    for space in choices:
        if axes == ("batch", "channel", *space):
            return space
    expected = " or ".join(", ".join(("batch", "channel", *space)) for space in choices)
    raise DescriptionError(f"{OP}: expected a tensor with the axes {expected} where do_3D is {kwargs.do_3D}, found {', '.join(axes)}")


def needs(kwargs: Any, axes: tuple[AxisId, ...]) -> Needs:
    """Return that the op labels objects, of which small ones are left out after they are joined.

    Raises:
        DescriptionError: The axes are such that it cannot.

    """
    flows = len(space_axes(kwargs, axes))
    return Needs(
        shape=ShapeChange(axes=axes, sizes={"channel": 1}, takes={"channel": flows + 1}),
        objects=Objects(join="overlap", overlap=0.5, least_pixels=max(0, kwargs.min_size)),
        dtype=kwargs.output_dtype,
    )


def _load() -> ProcessingOpFactory:
    from .op import make_cellpose_flow_dynamics

    return make_cellpose_flow_dynamics


@hookimpl
def bioimageio_processing_ops() -> Iterator[ProcessingOpEntry]:
    """Yield the op."""
    yield ProcessingOpEntry(
        name=OP,
        descr={"0.5": CellposeFlowDynamicsDescr},
        load=_load,
        requirements=needs,
        where=("postprocessing",),
        summary="labels from flows, as Cellpose makes them",
    )
