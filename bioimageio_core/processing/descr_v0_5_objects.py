"""Postprocessing steps of model format 0.5 that turn predictions into objects, or run code that comes with the model.

The former are described here, so that models with them can be read, validated and written; plugins run them.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from ..spec.files import FileDescr
from ..spec.node import Node, node
from ..structuring.freezing import FiniteMapping
from ..typing import FrozenMapping

__all__ = [
    "CellposeFlowDynamicsDescr",
    "CellposeFlowDynamicsKwargs",
    "CustomProcessingDescr",
    "StardistPostprocessingDescr",
    "StardistPostprocessingKwargs2D",
    "StardistPostprocessingKwargs3D",
]

Border: TypeAlias = tuple[int, int]


@node
class StardistPostprocessingKwargs2D(Node):
    """Arguments of `StardistPostprocessingDescr` for images."""

    prob_threshold: float
    """Least probability of an object's centre."""

    nms_threshold: float
    """Intersection over union above which the less probable of two objects is dropped."""

    n_rays: int
    grid: tuple[int, int]
    """Pixels of the image for each pixel of the prediction, along y, x."""

    b: int | tuple[Border, Border]
    """Width of the border without centres: one for all sides, or before and after along each axis."""


@node
class StardistPostprocessingKwargs3D(Node):
    """Arguments of `StardistPostprocessingDescr` for volumes."""

    prob_threshold: float
    nms_threshold: float
    n_rays: int
    grid: tuple[int, int, int]
    b: int | tuple[Border, Border, Border]
    anisotropy: tuple[float, float, float]
    """Size of a voxel along z, y, x."""

    overlap_label: int | None = None
    """Label where objects overlap."""


@node
class StardistPostprocessingDescr(Node):
    """Non-maximum suppression of star-convex shapes, rendered as labels."""

    id: Literal["stardist_postprocessing"] = "stardist_postprocessing"
    kwargs: StardistPostprocessingKwargs2D | StardistPostprocessingKwargs3D


@node
class CellposeFlowDynamicsKwargs(Node):
    """Arguments of `CellposeFlowDynamicsDescr`."""

    cellprob_threshold: float
    flow_threshold: float
    do_3D: bool  # noqa: N815 (the key of the format)
    min_size: int = 15
    """Pixels of the smallest object that is kept."""

    output_dtype: Literal["uint16", "uint32"] = "uint16"


@node
class CellposeFlowDynamicsDescr(Node):
    """Labels of the pixels whose flows lead to the same place."""

    id: Literal["cellpose_flow_dynamics"] = "cellpose_flow_dynamics"
    kwargs: CellposeFlowDynamicsKwargs


@node
class CustomProcessingDescr(FileDescr):
    """A callable from a Python file that comes with the model."""

    id: Literal["custom"] = "custom"
    callable: str
    """Name of the class or function in the file that is called with ``kwargs`` and returns the op."""

    kwargs: FiniteMapping = FrozenMapping()
