"""Compares the pixel size of an image with that of the model, and resamples on request."""

from __future__ import annotations

from ...errors import InputError
from ...io import Image
from ...io.reading.rescaled import rescaled
from ...typing import AxisId
from ...units import metres_in
from ..model.tensor_spec import TensorIO
from ..options import PlanOptions

__all__ = ["fit_pixel_size"]

NOTICEABLE = 0.1
"""Relative difference of pixel sizes above which a warning is given."""


def fit_pixel_size(tensor: TensorIO, image: Image, options: PlanOptions) -> tuple[Image, tuple[str, ...]]:
    """Return the image, resampled to the pixel size of the model if `rescale` is set, and warnings where pixel sizes differ.

    Args:
        tensor: The input.
        image: The image; its axes are known.
        options: `pixel_size` and `rescale` are used.

    Raises:
        InputError: `rescale` is set, and a pixel size is unknown.

    """
    assert image.axes is not None
    described = {a.id: (a.scale, m) for a in tensor.axes if a.kind == "space" and (m := metres_in(a.unit)) is not None}
    factors: dict[AxisId, float] = {}
    for axis, (scale, metres) in described.items():
        if axis not in image.axes:
            continue
        size, unit = image.pixel_size.get(axis, (None, None))
        own = options.pixel_size[axis] * metres if axis in options.pixel_size else None
        in_metres = metres_in(unit)
        if own is None and size is not None and in_metres is not None:
            own = size * in_metres
        if own is not None:
            factors[axis] = own / (scale * metres)
    if options.rescale:
        space = [a.id for a in tensor.axes if a.kind == "space" and a.id in image.axes]
        unknown = [a for a in space if a not in factors]
        if unknown:
            whose = f"of {image.name}" if unknown[0] in described else f"of the model for input {tensor.id!r}"
            remedy = f"; give pixel_size= (--pixel-size {unknown[0]}=SIZE), in the unit of the model" if unknown[0] in described else ""
            raise InputError(f"the pixel size {whose} along axis {unknown[0]!r} is unknown, so the image cannot be rescaled{remedy}")
        changed = {a: f for a, f in factors.items() if abs(f - 1) > 1e-3}
        return (rescaled(image, changed) if changed else image), ()
    units = {a.id: a.unit for a in tensor.axes}
    return image, tuple(
        f"pixels of {image.name} are {f:.3g} times as large along axis {a!r} as those that the model was trained with "
        f"({described[a][0]:g} {units[a]}): results may suffer; rescale=True (--rescale) resamples the image"
        for a, f in factors.items()
        if abs(f - 1) > NOTICEABLE
    )
