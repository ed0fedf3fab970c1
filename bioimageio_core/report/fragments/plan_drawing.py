"""The blocks of a plan, drawn over a plane of the image."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import attrs

from ...prediction.planning.plan import Plan
from ...prediction.planning.planned_tensors import PlannedInput
from ...typing import AxisId
from ..html.data_url import data_url
from ..html.render import render
from ..pictures.array_planes import image_to_show, plane_picture

__all__ = ["plan_drawing"]

SIDE = 240
"""Pixels of the longer side on the screen."""

MOST_LINES = 48
"""Borders of blocks that are drawn along an axis; of more, every n-th is drawn."""

logger = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class DrawnAxis:
    """Blocks along one axis, in pixels of the screen."""

    borders: tuple[float, ...]
    """Between cores of neighbouring blocks."""

    core: tuple[float, float]
    """Start and stop of the core of one block."""

    window: tuple[float, float]
    """Start and stop of what that block reads, also beyond the image."""

    count: int
    every: int
    """Every n-th border is drawn."""


def plan_drawing(plan: Plan) -> str:
    """Return a drawing of the first image with axes y and x, and of its blocks; empty where there is none."""
    image = next((i for i in plan.inputs if {"y", "x"} <= set(i.bound.axes)), None)
    if image is None:
        return ""
    sizes = {axis: image.bound.shape[image.bound.axes.index(axis)] for axis in ("y", "x")}
    scale = SIDE / max(sizes.values())
    down, across = (_drawn(plan, image, axis, sizes[axis], scale) for axis in ("y", "x"))
    return render(
        "plan_drawing.html.j2",
        width=sizes["x"] * scale,
        height=sizes["y"] * scale,
        picture=_picture(image, scale),
        down=down,
        across=across,
        cut=down.count * across.count > 1,
    )


def _drawn(plan: Plan, image: PlannedInput, axis: AxisId, size: int, scale: float) -> DrawnAxis:
    tie = image.ties[image.bound.axes.index(axis)]
    if tie is None:
        return DrawnAxis(borders=(), core=(0, size * scale), window=(0, size * scale), count=1, every=1)
    grid, tied = plan.grids[tie.grid], tie.tied
    every = -(-grid.count // MOST_LINES)
    shown = grid.count // 2
    start, length = grid.input_window(shown, tied)
    return DrawnAxis(
        borders=tuple(tied.at(grid.core_of_image(n)[0]) * scale for n in range(every, grid.count, every)),
        core=_scaled([tied.at(at) for at in grid.core_of_image(shown)], scale),
        window=_scaled((max(0, start), min(size, start + length)), scale),
        count=grid.count,
        every=every,
    )


def _scaled(span: Sequence[int], scale: float) -> tuple[float, float]:
    return span[0] * scale, span[1] * scale


@attrs.frozen(kw_only=True)
class Placed:
    """A picture and its place in the drawing, in pixels of the screen."""

    url: str
    x: float
    y: float
    width: float
    height: float


def _picture(image: PlannedInput, scale: float) -> Placed | None:
    """Return the middle plane, or the middle of it; None where reading it takes too much, or fails."""
    shown = image_to_show(image)
    if shown is None or not shown.planes_to_read(1):
        return None
    middle = {"z": shown.source.size("z") // 2} if "z" in shown.source.axes else {}
    try:
        url = data_url("image/png", plane_picture(shown, SIDE)(middle, 0))
    except Exception as error:  # a plan is shown also where its image cannot be read any more
        logger.info("no picture: %s", error)
        return None
    (top, bottom), (left, right) = ((at * scale for at in shown.spans[axis]) for axis in ("y", "x"))
    return Placed(url=url, x=left, y=top, width=right - left, height=bottom - top)
