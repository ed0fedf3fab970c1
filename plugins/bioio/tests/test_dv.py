"""Files of DeltaVision that the package mrc writes: another reader of bioio."""

from __future__ import annotations

from pathlib import Path

import mrc
import numpy as np

from bioimageio_core.io import open_image


def test_stack(tmp_path: Path) -> None:
    """Channels without names, planes, and sizes of pixels."""
    stack = np.random.default_rng(0).integers(0, 2**16, (2, 3, 20, 30), np.uint16)
    mrc.imsave(str(tmp_path / "a.dv"), stack, resolution=(0.25, 0.5, 2.0))
    image = open_image(tmp_path / "a.dv")
    assert (image.axes, image.channel_names, image.name) == (("channel", "z", "y", "x"), None, "a")
    assert {axis: round(size, 6) for axis, (size, _) in image.pixel_size.items()} == {"x": 0.25, "y": 0.5, "z": 2.0}
    assert {unit for _, unit in image.pixel_size.values()} == {"micrometer"}
    np.testing.assert_array_equal(image.read((slice(None),) * 4), stack)
    np.testing.assert_array_equal(image.read((slice(1, 2), slice(0, 2), slice(3, 9), slice(4, 30))), stack[1:2, :2, 3:9, 4:])
