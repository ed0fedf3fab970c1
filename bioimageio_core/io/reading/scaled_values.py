"""Images that are stored as integers with a scale: ``value = stored * scale_factor + add_offset``; pixels without a value are NaN.

These attributes of arrays are those of the CF conventions, which xarray applies too:
https://cfconventions.org/cf-conventions/cf-conventions.html#packed-data.
Outputs of predictions that are stored as integers have them.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from .image import Image
from .readers import Reader

__all__ = ["with_scale", "with_scaled_values"]


@attrs.frozen(kw_only=True, eq=False)
class ScaledReader:
    """Reads values of a scale from integers."""

    stored: Reader
    scale: float
    offset: float
    missing: tuple[int, ...] = ()
    """Integers that stand for no value."""

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Return the region as float32, computed in float64."""
        stored = self.stored.read(index)
        values = np.asarray(stored * np.float64(self.scale) + self.offset, np.float32)
        for number in self.missing:
            values[stored == number] = np.nan
        return values


def with_scaled_values(image: Image, array: Any) -> Image:
    """Return an image with the values that its integers stand for; as it is if its array has no scale.

    Args:
        image: The image as stored.
        array: Its zarr array.

    """
    attributes = dict(array.attrs)
    if array.metadata.zarr_format == 2 and "_ARRAY_DIMENSIONS" in attributes and array.fill_value:
        # Where xarray writes it. Zero is what is there without a chunk, and what predictions have outside of masks.
        attributes.setdefault("_FillValue", array.fill_value.item())
    return with_scale(image, attributes)


def with_scale(image: Image, attributes: Mapping[str, Any]) -> Image:
    """Return an image with the values that its integers stand for; as it is if its array has no scale.

    Args:
        image: The image as stored.
        attributes: The attributes of its array, as numbers, lists and texts.

    """
    scale, offset = _number(attributes.get("scale_factor")), _number(attributes.get("add_offset"))
    if (scale is None and offset is None) or image.dtype.kind not in "iu":
        return image
    reader = ScaledReader(
        stored=image.reader,
        scale=1.0 if scale is None else scale,
        offset=0.0 if offset is None else offset,
        missing=tuple(_missing(attributes)),
    )
    return attrs.evolve(image, dtype=np.dtype(np.float32), reader=reader)


def _missing(attributes: Mapping[str, Any]) -> Iterator[int]:
    """Yield the integers that the CF conventions call missing."""
    for name in ("_FillValue", "missing_value"):
        given = attributes.get(name)
        for one in given if isinstance(given, list) else [given]:
            number = _number(_decoded(one))
            if number is not None and number == int(number):
                yield int(number)


def _decoded(value: Any) -> Any:
    """Return a fill value as xarray writes it to zarr 3: integers as they are, floats in base 64."""
    if not isinstance(value, str):
        return value
    try:
        return float(np.frombuffer(b64decode(value, validate=True), "<f8")[0])
    except (ValueError, IndexError):
        return None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) else None
