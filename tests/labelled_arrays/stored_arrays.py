"""The same array in memory, in storage, and over storage with axes in another order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import zarr

from bioimageio_core import LabelledArray
from bioimageio_core.prediction.output.tensor_array import TensorArray
from bioimageio_core.typing import FrozenMapping

AXES = ("batch", "channel", "y", "x")
NAMES = ("DAPI", "GFP")


def made(data: object, axes: tuple[str, ...] = AXES) -> LabelledArray:
    """Return a labelled array of two channels, with pixels of half a micrometer that begin at 10 along y."""
    return LabelledArray(
        data,
        axes,
        channel_names=NAMES,
        pixel_size=FrozenMapping({"y": (0.5, "micrometer"), "x": (0.5, "micrometer")}),
        position=FrozenMapping({"y": 10.0, "x": 0.0}),
        name="cells",
    )


def values() -> np.ndarray:
    """Return its values: (batch 1, channel 2, y 12, x 9), float32."""
    return np.random.default_rng(3).random((1, 2, 12, 9), dtype=np.float32)


def three_kinds(folder: Path) -> dict[str, LabelledArray]:
    """Return the array in memory, as zarr, and over zarr without its batch and with channels last."""
    array = values()
    stored = zarr.create_array(str(folder / "a.zarr"), data=array, chunks=(1, 1, 5, 4))
    other = zarr.create_array(str(folder / "b.zarr"), data=array[0].transpose(1, 2, 0).copy(), chunks=(5, 4, 2))
    over = TensorArray(source=other, source_axes=("y", "x", "channel"), axes=AXES, shape=array.shape, dtype=array.dtype)
    return {"memory": made(array), "zarr": made(stored), "other order": made(over)}
