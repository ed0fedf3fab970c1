"""Images that are stored as integers with a scale: ``value = stored * scale_factor + add_offset``.

These attributes of arrays are those of the CF conventions, which xarray applies too:
https://cfconventions.org/cf-conventions/cf-conventions.html#packed-data.
Outputs of predictions that are stored as integers have them.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from .image import Image
from .readers import Reader

__all__ = ["with_scaled_values"]


@attrs.frozen(kw_only=True, eq=False)
class ScaledReader:
    """Reads values of a scale from integers."""

    stored: Reader
    scale: float
    offset: float

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Return the region as float32, computed in float64."""
        return np.asarray(self.stored.read(index) * np.float64(self.scale) + self.offset, np.float32)


def with_scaled_values(image: Image, attributes: Mapping[str, Any]) -> Image:
    """Return an image with the values that its integers stand for; as it is if its array has no scale.

    Args:
        image: The image as stored.
        attributes: Those of its zarr array.

    """
    scale, offset = _number(attributes.get("scale_factor")), _number(attributes.get("add_offset"))
    if (scale is None and offset is None) or image.dtype.kind not in "iu":
        return image
    reader = ScaledReader(stored=image.reader, scale=1.0 if scale is None else scale, offset=0.0 if offset is None else offset)
    return attrs.evolve(image, dtype=np.dtype(np.float32), reader=reader)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) else None
