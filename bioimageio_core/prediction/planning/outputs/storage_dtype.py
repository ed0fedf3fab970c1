"""The dtype that an output is stored in, where it is not the described one."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ....errors import InputError
from ...model.tensor_spec import TensorIO
from ...options import PlanOptions

__all__ = ["StoredAs", "stored", "stored_as"]

PIECE = 2**15
"""Values that are scaled at once."""


@attrs.frozen(kw_only=True)
class StoredAs:
    """A dtype, and the range of values that its integers stand for where the described values are floating point."""

    dtype: str
    range: tuple[float, float] | None = None

    @property
    def scale(self) -> tuple[float, float] | None:
        """``(factor, offset)`` with ``value = stored * factor + offset``; None where values are stored as they are."""
        if self.range is None:
            return None
        low, high = self.range
        return (high - low) / int(np.iinfo(self.dtype).max), low

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, with the scaling stated."""
        scale = self.scale
        return {"dtype": self.dtype, **({} if scale is None else {"scale_factor": scale[0], "add_offset": scale[1]})}


def stored_as(tensor: TensorIO, options: PlanOptions) -> StoredAs:
    """Return how an output is stored.

    Raises:
        InputError: The dtype asked for is none, or cannot hold the described values.

    """
    asked = options.dtype.get(tensor.id) if not isinstance(options.dtype, str) and options.dtype is not None else options.dtype
    if asked is None:
        return StoredAs(dtype=tensor.dtype)
    try:
        wanted = np.dtype(asked)
    except TypeError:
        wanted = np.dtype(object)
    described = np.dtype(tensor.dtype)
    if wanted.kind not in "iuf" and wanted != described:
        raise InputError(f"dtype {asked!r} cannot be stored: expected an integer or floating point type, such as uint8 or float16")
    if described.kind == "f" and wanted.kind in "iu":
        low, high = options.value_range
        if not low < high:
            raise InputError(f"value_range is {low}, {high}: expected a lower and a higher value")
        return StoredAs(dtype=str(wanted), range=(float(low), float(high)))
    return StoredAs(dtype=str(wanted))


def stored(array: NDArray[Any], how: StoredAs) -> NDArray[Any]:
    """Return values in the dtype that they are stored in.

    Where ``how`` has a range, ``round((value - low) / (high - low) * most)``, cut off at 0 and the largest integer ``most``; NaN becomes 0.

    Raises:
        InputError: An integer does not fit.

    """
    wanted = np.dtype(how.dtype)
    if array.dtype == wanted:
        return array
    if how.range is None:
        if wanted.kind in "iu" and not np.can_cast(array.dtype, wanted, "safe") and array.size:
            least, greatest = int(array.min()), int(array.max())
            limits = np.iinfo(wanted)
            if least < limits.min or greatest > limits.max:
                raise InputError(f"an output holds values from {least} to {greatest}, which do not fit dtype {wanted}: choose a wider one")
        return array.astype(wanted)
    low, high = how.range
    most = np.iinfo(wanted).max
    result = np.empty(array.shape, wanted)
    values, found = np.ascontiguousarray(array).reshape(-1), result.reshape(-1)
    # float64 holds every integer up to 32 bits, float32 does not; piece by piece, it stays in the caches of the processor.
    buffer = np.empty(min(PIECE, values.size))
    for start in range(0, values.size, PIECE):
        piece = values[start : start + PIECE]
        scaled = np.subtract(piece, low, out=buffer[: piece.size], dtype=np.float64)
        scaled *= most / (high - low)
        np.rint(scaled, out=scaled)
        np.fmax(scaled, 0, out=scaled)  # of NaN and 0, 0
        np.fmin(scaled, most, out=scaled)
        found[start : start + PIECE] = scaled
    return result
