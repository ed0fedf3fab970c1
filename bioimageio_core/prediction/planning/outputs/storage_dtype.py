"""The dtype in which an output is stored, which may differ from the described dtype."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ....errors import InputError
from ...model.tensor_spec import TensorIO
from ...option_values import value_for_tensor
from ...options import PlanOptions

__all__ = ["StorageDtype", "plan_storage_dtype", "to_storage_dtype"]

PIECE = 2**15
"""Number of values that are scaled at once."""


@attrs.frozen(kw_only=True)
class StorageDtype:
    """A dtype, and the range of values that its integers represent if the described values are floating point."""

    dtype: str
    range: tuple[float, float] | None = None

    @property
    def scale(self) -> tuple[float, float] | None:
        """``(factor, offset)`` with ``value = stored * factor + offset``; None without scaling."""
        if self.range is None:
            return None
        low, high = self.range
        return (high - low) / int(np.iinfo(self.dtype).max), low

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, including the scaling."""
        scale = self.scale
        return {"dtype": self.dtype, **({} if scale is None else {"scale_factor": scale[0], "add_offset": scale[1]})}


def plan_storage_dtype(tensor: TensorIO, options: PlanOptions) -> StorageDtype:
    """Return the storage dtype of an output.

    Raises:
        InputError: The requested dtype cannot hold the described values.

    """
    requested = value_for_tensor(options.dtype, tensor.id)
    if requested is None:
        return StorageDtype(dtype=tensor.dtype)
    dtype, described = np.dtype(requested), np.dtype(tensor.dtype)
    if dtype.kind not in "iuf" and dtype != described:
        raise InputError(f"dtype {requested!r} cannot be stored: expected an integer or floating point type, such as uint8 or float16")
    if described.kind == "f" and dtype.kind in "iu":
        low, high = options.value_range
        return StorageDtype(dtype=str(dtype), range=(float(low), float(high)))
    return StorageDtype(dtype=str(dtype))


def to_storage_dtype(array: NDArray[Any], storage: StorageDtype) -> NDArray[Any]:
    """Return an array converted to its storage dtype.

    If ``storage`` has a range, values become ``round((value - low) / (high - low) * most)``, clipped to 0 and the largest integer ``most``;
    NaN becomes 0.

    Raises:
        InputError: An integer does not fit into the storage dtype.

    """
    dtype = np.dtype(storage.dtype)
    if array.dtype == dtype:
        return array
    if storage.range is None:
        if dtype.kind in "iu" and not np.can_cast(array.dtype, dtype, "safe") and array.size:
            least, greatest = int(array.min()), int(array.max())
            limits = np.iinfo(dtype)
            if least < limits.min or greatest > limits.max:
                raise InputError(
                    f"an output holds values from {least} to {greatest}, which do not fit dtype {dtype}: choose a wider dtype= (--dtype)"
                )
        return array.astype(dtype)
    low, high = storage.range
    most = np.iinfo(dtype).max
    result = np.empty(array.shape, dtype)
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
