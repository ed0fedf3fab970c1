"""Shared functions of the ops: dtypes, arguments as arrays, and the affine map."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...typing import AxisId
from ..arguments import Along

__all__ = ["affine", "along", "as_floats", "compute_dtype", "result_dtype"]


def compute_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype that numbers are computed in: float32 where that holds them exactly, else float64."""
    exact = dtype.kind == "b" or dtype.itemsize <= 2 or dtype == np.float32
    return np.dtype(np.float32 if exact else np.float64)


def result_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of results computed from ``dtype``: float64 stays, everything else becomes float32."""
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


def as_floats(tensor: NDArray[Any]) -> NDArray[Any]:
    """Return a fresh array of the compute dtype."""
    return tensor.astype(compute_dtype(tensor.dtype))


def along(argument: Along, axes: tuple[AxisId, ...], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return an argument as a float64 array that broadcasts against a tensor.

    Raises:
        InputError: The tensor is longer or shorter along the axis than there are values.

    """
    values = np.array(argument.values, np.float64)
    if argument.axis is None:
        return values.reshape((1,) * len(shape))
    position = axes.index(argument.axis)
    if shape[position] != values.size:
        raise InputError(
            f"expected a tensor of size {values.size} along {argument.axis}, one for each of the op's arguments, found {shape[position]}"
        )
    return values.reshape([-1 if axis == position else 1 for axis in range(len(shape))])


def affine(
    tensor: NDArray[Any], shift: NDArray[np.float64], scale: NDArray[np.float64], offset: NDArray[np.float64] | None = None
) -> NDArray[Any]:
    """Return ``(tensor - shift) * scale + offset``.

    The shift comes first, so that no digits cancel if it is far from zero.
    If float32 cannot represent the shift, the rest is subtracted afterwards (if it matters in results of the order of 1).

    Args:
        tensor: Of any real dtype; it is not changed.
        shift: Broadcasts against ``tensor``, like the others.
        scale: In the inverse unit of the tensor.
        offset: In the unit of the result.

    Returns:
        A fresh array, float64 if the tensor is, else float32.

    """
    dtype = compute_dtype(tensor.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        out: NDArray[Any] = np.empty(tensor.shape, dtype)
        high = shift.astype(dtype)
        np.subtract(tensor, high, out=out)
        out *= scale.astype(dtype)
        rest = np.where(np.isfinite(shift), high - shift, 0.0) * scale
        if offset is not None:
            out += (rest + offset).astype(dtype)
        else:
            rest = np.where(np.abs(rest) > 2.0**-26, rest, 0.0)  # element by element, so that all blocks decide alike
            if rest.any():
                out += rest.astype(dtype)
        return out.astype(result_dtype(tensor.dtype), copy=False)
