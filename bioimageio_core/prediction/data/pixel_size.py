"""Pixel sizes of an image: those that the user gives, compared with that of the model, and resampled to it on request."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from ...errors import InputError
from ...io import Image
from ...io.reading.rescaled import rescaled
from ...typing import AxisId, FrozenMapping
from ...units import conversion, metres_in, normalised_unit
from ..model.tensor_spec import TensorIO

__all__ = ["fit_pixel_size", "with_given_pixel_size"]

NOTICEABLE = 0.1
"""Relative difference of pixel sizes above which a warning is given."""

EQUAL = 1e-3
"""Relative difference of pixel sizes up to which they count as equal: files round them."""


def with_given_pixel_size(
    tensor: TensorIO, image: Image, given: Mapping[AxisId, tuple[float, str | None]]
) -> tuple[Image, tuple[str, ...]]:
    """Return the image with given pixel sizes in place of its own, and a warning for each that differs.

    Args:
        tensor: The input.
        image: The image; its axes are known.
        given: Sizes by axis, each with its unit; None for the unit of the model, or that of the image if the model has none.

    Raises:
        InputError: A size is given in seconds where the model has metres, or the reverse.

    """
    assert image.axes is not None
    sizes, positions, warnings = dict(image.pixel_size), dict(image.position), []
    for axis, (size, given_unit) in given.items():
        described = tensor.axis(axis)
        if described is None or axis not in image.axes:
            continue
        old, old_unit = image.pixel_size.get(axis, (None, None))
        unit = normalised_unit(described.unit) or given_unit or old_unit
        size *= _factor(axis, given_unit, unit)
        sizes[axis] = size, unit
        if old is None:
            positions.pop(axis, None)  # without a pixel size it is in no unit
            continue
        factor = conversion(old_unit, unit)
        if abs(size / (old * (factor or 1.0)) - 1) > EQUAL:
            warnings.append(
                f"the pixel size of {image.name} along axis {axis!r} is {_quantity(old, old_unit)}, and {_quantity(size, unit)} is given: "
                "the latter is used, as given with pixel_size= (--pixel-size)"
            )
        # A position in an unknown unit is one in pixels of the size that the image has.
        positions[axis] = positions.get(axis, 0.0) * (size / old if factor is None else factor)
    return attrs.evolve(image, pixel_size=FrozenMapping(sizes), position=FrozenMapping(positions)), tuple(warnings)


def _factor(axis: AxisId, given: str | None, unit: str | None) -> float:
    """Return what converts a given size to the unit of the model."""
    factor = 1.0 if given is None else conversion(given, unit)
    if factor is None:
        raise InputError(
            f"pixel_size= (--pixel-size) of axis {axis!r} is in {given}, and the model has {unit}: expected a unit of the same kind"
        )
    return factor


def _quantity(size: float, unit: str | None) -> str:
    return f"{size:g} {unit}" if unit else f"{size:g} (without unit)"


def fit_pixel_size(tensor: TensorIO, image: Image, *, rescale: bool) -> tuple[Image, tuple[str, ...]]:
    """Return the image, resampled to the pixel size of the model on request, and warnings where pixel sizes differ.

    Args:
        tensor: The input.
        image: The image; its axes are known.
        rescale: Whether to resample.

    Raises:
        InputError: The image is to be resampled, and a pixel size is unknown, or so small that nothing would be left of the image.

    """
    assert image.axes is not None
    described = {a.id: (a.scale, m) for a in tensor.axes if a.kind == "space" and (m := metres_in(a.unit)) is not None}
    factors: dict[AxisId, float] = {}
    for axis, (scale, metres) in described.items():
        size, unit = image.pixel_size.get(axis, (None, None))
        own = metres_in(unit)
        if axis in image.axes and size is not None and own is not None:
            factors[axis] = size * own / (scale * metres)
    if rescale:
        space = [a.id for a in tensor.axes if a.kind == "space" and a.id in image.axes]
        unknown = [a for a in space if a not in factors]
        if unknown:
            whose = f"of {image.name}" if unknown[0] in described else f"of the model for input {tensor.id!r}"
            remedy = (
                f"; give pixel_size={{'{unknown[0]}': SIZE}} (--pixel-size {unknown[0]}=SIZE), in the "
                "unit of the model or with a unit, as in 0.5um"
                if unknown[0] in described
                else ""
            )
            raise InputError(f"the pixel size {whose} along axis {unknown[0]!r} is unknown, so the image cannot be rescaled{remedy}")
        changed = {a: f for a, f in factors.items() if abs(f - 1) > EQUAL}
        for axis, factor in changed.items():
            pixels = image.shape[image.axes.index(axis)]
            if pixels * factor < 0.5:
                raise InputError(
                    f"{image.name} is smaller than a pixel of the model along axis {axis!r}: expected more than its {pixels} pixels of "
                    f"{_quantity(*image.pixel_size[axis])}; give the right size with "
                    f"pixel_size={{'{axis}': SIZE}} (--pixel-size {axis}=SIZE)"
                )
        return (rescaled(image, changed) if changed else image), ()
    units = {a.id: a.unit for a in tensor.axes}
    return image, tuple(
        f"pixels of {image.name} are {f:.3g} times as large along axis {a!r} as those that the model was trained with "
        f"({described[a][0]:g} {units[a]}): results may suffer; rescale=True (--rescale) resamples the image"
        for a, f in factors.items()
        if abs(f - 1) > NOTICEABLE
    )
