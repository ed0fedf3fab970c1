"""The outputs of a plan as OME-Zarr images."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....blocks import AxisGrid, FixedSize
from ....errors import InputError
from ....io.writing.ome_output import OmeImage, ome_axes
from ....io.writing.pyramid import plan_levels
from ....typing import AxisId, FrozenMapping
from ....units import normalised_unit
from ...options import PlanOptions
from ..planned_tensors import PlannedInput, PlannedOutput

__all__ = ["ome_images", "pixel_placement"]


def ome_images(
    inputs: tuple[PlannedInput, ...], outputs: tuple[PlannedOutput, ...], grids: tuple[AxisGrid, ...], options: PlanOptions
) -> FrozenMapping[str, OmeImage]:
    """Return an image for each output, by id; none of outputs that are plain zarr arrays.

    Args:
        inputs: All inputs, for pixel sizes and positions.
        outputs: All outputs.
        grids: All grids.
        options: `ome`, `pyramid` and `codec` are used.

    Raises:
        InputError: A version is chosen, and an output cannot be such an image, because of its axes or a size that the network determines.

    """
    images = {}
    for output in outputs if options.ome != "none" else ():
        try:
            images[output.id] = _image(output, inputs, grids, options, path=output.id if len(outputs) > 1 else "")
        except InputError:
            if options.ome != "auto":
                raise
    return FrozenMapping(images)


def _image(
    output: PlannedOutput, inputs: tuple[PlannedInput, ...], grids: tuple[AxisGrid, ...], options: PlanOptions, *, path: str
) -> OmeImage:
    assert options.ome != "none"
    name = output.id
    if output.data_dependent:
        raise InputError(
            f"output {name!r} has a size that the network determines, so it cannot be an OME-Zarr image: "
            "write plain zarr, with ome='none' (--ome none)"
        )
    order = ome_axes(output.axes, output.shape, name=name)
    if output.labelling is not None:  # labels have no channels
        order = tuple(n for n in order if output.axes[n] != "channel" or output.shape[n] > 1)
    axes = tuple(output.axes[n] for n in order)
    placed = [pixel_placement(output, n, inputs, grids) for n in order]
    # A late pass writes boxes of complete chunks, wherever the blocks of the network are cut.
    cut = [output.has_late_pass or ((tie := output.ties[n]) is not None and grids[tie.grid].count > 1) for n in order]
    kind = np.dtype(output.storage_dtype.dtype).kind
    levels = plan_levels(
        [output.shape[n] for n in order],
        [output.chunks[n] for n in order],
        [output.unit[n] if c else None for n, c in zip(order, cut, strict=True)],
        [a in ("z", "y", "x") for a in axes],
        [p[0] for p in placed],
    )
    names = output.tensor.axis("channel")
    scale = output.storage_dtype.scale
    attributes: dict[str, Any] = {} if scale is None else {"scale_factor": scale[0], "add_offset": scale[1]}
    return OmeImage(
        path=path,
        name=name,
        version="0.5" if options.ome == "auto" else options.ome,
        order=order,
        axes=axes,
        dtype=output.storage_dtype.dtype,
        nearest=kind in "iub" and output.storage_dtype.range is None,
        levels=levels[:1] if options.pyramid is False else levels,
        shards=None if output.shards is None else tuple(output.shards[n] for n in order),
        codec=options.codec,
        pixel_size=tuple(p[0] for p in placed),
        units=tuple(p[1] for p in placed),
        position=tuple(p[2] for p in placed),
        channel_names=None if names is None else names.channel_names,
        attributes=FrozenMapping(attributes),
        labels=output.labelling is not None,
    )


def pixel_placement(
    output: PlannedOutput, number: int, inputs: tuple[PlannedInput, ...], grids: tuple[AxisGrid, ...]
) -> tuple[float, str | None, float]:
    """Return size and unit of a pixel along an axis, and the position of the centre of the first pixel.

    Pixel j of an output at ratio r with offset o covers input pixels around ``(j + 1/2 - o/2) / r - 1/2``, counted from the centre of
    the first: valid convolutions lose as much at either end, and pixels of another size share their outer edges.
    """
    axis: AxisId = output.axes[number]
    tie = output.ties[number]
    if axis == "channel":
        return 1.0, None, 0.0
    described = output.tensor.axis(axis)
    own = (1.0, None) if described is None or described.kind not in ("space", "time") else (described.scale, described.unit)
    if tie is None:
        return own[0], normalised_unit(own[1]), 0.0
    group, tied = grids[tie.grid].group, tie.tied
    base = group.inputs[0]
    image = next(i.bound.image for i in inputs if i.id == base.tensor)
    ratio = float(tied.ratio)
    size, unit, position = own[0] * ratio, own[1], 0.0
    if base.axis in image.pixel_size:
        size, unit = image.pixel_size[base.axis]
        position = image.position.get(base.axis, 0.0)
    start = image.start[image.axes.index(base.axis)] if image.start and image.axes and base.axis in image.axes else 0
    at = (output.origin[number] + 0.5 - tied.offset / 2) / ratio - 0.5 + start
    if isinstance(group.size, FixedSize) and group.size.value == 1:  # items, such as time points
        at = output.origin[number] + start
    return size / ratio, normalised_unit(unit), position + at * size
