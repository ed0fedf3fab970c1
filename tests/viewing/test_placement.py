"""Where pixels of several layers lie."""

from __future__ import annotations

import attrs
import numpy as np

from bioimageio_core.io import Image
from bioimageio_core.io.reading.readers import ArrayReader
from bioimageio_core.typing import FrozenMapping
from bioimageio_core.viewing.layer import Layer
from bioimageio_core.viewing.make_layer import labels_layer
from bioimageio_core.viewing.neuroglancer_state import dimensions
from bioimageio_core.viewing.placement import PlacedAxis, space_of


def layer(
    size: float | None = None, unit: str | None = None, position: float = 0.0, shape: tuple[int, ...] = (8, 8), axes: str = "yx"
) -> Layer:
    """Return labels with the same pixel size along all axes."""
    pixels = np.zeros(shape, np.uint8)
    image = Image(name="made", shape=shape, dtype=pixels.dtype, axes=tuple(axes), reader=ArrayReader(array=pixels))
    if size is not None:
        image = attrs.evolve(
            image, pixel_size=FrozenMapping(dict.fromkeys(axes, (size, unit))), position=FrozenMapping(dict.fromkeys(axes, position))
        )
    return labels_layer("made", [image])


class TestSpace:
    """Sizes and positions in the units of the first layer."""

    def test_units(self) -> None:
        """Other units are converted."""
        image, labels = layer(0.5, "micrometer", 2.0), layer(1000.0, "nanometer", 3000.0)
        assert space_of([image, labels]).place(labels, "y") == PlacedAxis(size=1.0, unit="micrometer", position=3.0)

    def test_unknown_size(self) -> None:
        """A layer of which none is known lies on the first that knows it, before or after it."""
        image, labels = layer(0.5, "micrometer", 2.0), layer()
        for both in ([image, labels], [labels, image]):
            assert space_of(both).place(labels, "y") == PlacedAxis(size=0.5, unit="micrometer", position=2.0)

    def test_unknown_unit(self) -> None:
        """Numbers without a unit are in that of others."""
        image, labels = layer(0.5, "micrometer"), layer(1.0, None)
        assert space_of([image, labels]).place(labels, "y") == PlacedAxis(size=1.0, unit="micrometer", position=0.0)

    def test_nothing_known(self) -> None:
        """Pixels are counted."""
        assert space_of([layer()]).place(layer(), "y") == PlacedAxis(size=1.0, unit=None, position=0.0)


class TestDimensions:
    """Of neuroglancer."""

    def test_first_layer_begins_at_zero(self) -> None:
        """Pixels of the first layer are counted from 0; pixels of twice the size whose outer edges agree begin there, too."""
        image, coarse = layer(0.5, "micrometer"), layer(1.0, "micrometer", 0.25)
        space = space_of([image, coarse])
        assert [(d.name, d.size, d.scale, d.unit, d.offset) for d in dimensions(image, space)] == [
            ("x", 8, 0.5e-6, "m", 0.0),
            ("y", 8, 0.5e-6, "m", 0.0),
            ("z", 1, 0.5e-6, "m", 0.0),
        ]
        assert [(d.scale, d.offset) for d in dimensions(coarse, space)][:2] == [(1e-6, 0.0)] * 2

    def test_position(self) -> None:
        """A part of an image lies where it was cut out."""
        image, part = layer(0.5, "micrometer"), layer(0.5, "micrometer", 2.0)
        assert [d.offset for d in dimensions(part, space_of([image, part]))] == [4.0, 4.0, 0.0]
        assert [d.offset for d in dimensions(part, space_of([part]))] == [4.0, 4.0, 0.0], "a plane lies at 0 along z"

    def test_order(self) -> None:
        """The reverse of the axes; time is shared, and all others are of the layer alone."""
        pixels = np.zeros((2, 3, 4, 5, 6), np.uint8)
        image = Image(
            name="m", shape=pixels.shape, dtype=pixels.dtype, axes=("time", "angle", "z", "y", "x"), reader=ArrayReader(array=pixels)
        )
        found = dimensions(labels_layer("made", [image]), space_of([]))
        assert [(d.name, d.axis, d.size) for d in found] == [
            ("x", "x", 6),
            ("y", "y", 5),
            ("z", "z", 4),
            ("t", "time", 2),
            ("angle'", "angle", 3),
        ]
