"""Outputs as labelled arrays: with what the plan knows of their axes."""

from __future__ import annotations

from typing import Any

from ...labelled_arrays import LabelledArray
from ...typing import FrozenMapping
from ..planning.outputs.ome_layout import pixel_placement
from ..planning.plan import Plan
from ..planning.planned_tensors import PlannedOutput

__all__ = ["labelled_output"]


def labelled_output(output: PlannedOutput, array: Any, plan: Plan) -> LabelledArray:
    """Return an output with names of axes and channels, sizes and positions of pixels.

    Args:
        output: The output.
        array: Its pixels, along the axes of the output.
        plan: The plan, for the images and the grids.

    """
    kinds = {axis.id: axis.kind for axis in output.tensor.axes}
    placed = {
        axis: pixel_placement(output, number, plan.inputs, plan.grids)
        for number, axis in enumerate(output.axes)
        if kinds.get(axis, "space") in ("space", "time")
    }
    # A size of one without a unit is what is not known.
    known = {axis: one for axis, one in placed.items() if (one[0], one[1]) != (1.0, None)}
    channel = output.tensor.axis("channel")
    names = None if channel is None else channel.channel_names
    if names is not None and array.shape[output.axes.index("channel")] != len(names):
        names = None
    return LabelledArray(
        array,
        output.axes,
        channel_names=names,
        pixel_size=FrozenMapping({axis: (size, unit) for axis, (size, unit, _) in known.items()}),
        position=FrozenMapping({axis: at for axis, (_, _, at) in known.items()}),
        labels=output.labelling is not None,
        name=output.id,
    )
