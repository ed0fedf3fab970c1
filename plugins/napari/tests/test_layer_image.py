"""Layers as images, and what of them is seen."""

from __future__ import annotations

import numpy as np
import pytest
from bioimageio_runtime_napari.layer_image import SIDE, image_of_layer, visible_region
from napari.layers import Image, Labels, Points

from bioimageio_core.errors import InputError


class TestImage:
    """Axes, scale and position."""

    @pytest.mark.parametrize(
        ("shape", "axes"), [((8, 9), ("y", "x")), ((3, 8, 9), ("z", "y", "x")), ((2, 3, 8, 9), ("time", "z", "y", "x"))]
    )
    def test_axes_by_number(self, shape: tuple[int, ...], axes: tuple[str, ...]) -> None:
        assert image_of_layer(Image(np.zeros(shape))).axes == axes

    def test_named_axes(self) -> None:
        assert image_of_layer(Image(np.zeros((2, 8, 9)), axis_metadata=("t", "y", "x"))).axes == ("time", "y", "x")

    def test_colours(self) -> None:
        """The last axis of a picture is that of its channels."""
        image = image_of_layer(Image(np.zeros((8, 9, 3), np.uint8), rgb=True))
        assert (image.axes, image.shape) == (("y", "x", "channel"), (8, 9, 3))

    def test_placement(self) -> None:
        """In the units of the layer."""
        image = image_of_layer(
            Image(np.zeros((8, 9)), scale=(0.5, 0.25), translate=(10, 20), units=("micrometer", "micrometer"), name="cells")
        )
        assert image.name == "cells"
        assert dict(image.pixel_size) == {"y": (0.5, "micrometer"), "x": (0.25, "micrometer")}
        assert dict(image.position) == {"y": 10.0, "x": 20.0}

    def test_levels(self) -> None:
        """The finest level is taken."""
        pixels = np.random.default_rng(0).random((64, 48))
        image = image_of_layer(Image([pixels, pixels[::2, ::2]], multiscale=True))
        np.testing.assert_array_equal(image.read((slice(None), slice(None))), pixels)

    def test_no_image(self) -> None:
        """Points are none, and labels are."""
        with pytest.raises(InputError, match="Points"):
            image_of_layer(Points(np.zeros((3, 2))))
        assert image_of_layer(Labels(np.zeros((8, 9), int))).shape == (8, 9)

    def test_strange_axes(self) -> None:
        with pytest.raises(InputError, match="axis_metadata"):
            image_of_layer(Image(np.zeros((2, 2, 2, 8, 9))))


class TestVisibleRegion:
    """What a preview predicts."""

    def test_corners(self) -> None:
        """What the corners of the view enclose, at the position of the viewer."""
        layer = Image(np.zeros((5, 600, 700)), scale=(2, 1, 1))
        layer.corner_pixels = np.array([[0, 100, 200], [4, 299, 599]])
        region = visible_region(layer, image_of_layer(layer), (6.0, 0, 0), ("y", "x"))
        assert (region.start, region.shape) == ((3, 100, 200), (1, 200, 400))

    def test_depth(self) -> None:
        """Of a model of volumes, planes around the position."""
        layer = Image(np.zeros((100, 60, 70)))
        layer.corner_pixels = np.array([[0, 0, 0], [99, 59, 69]])
        region = visible_region(layer, image_of_layer(layer), (40.0, 0, 0), ("z", "y", "x"))
        assert (region.start, region.shape) == ((24, 0, 0), (32, 60, 70))

    def test_levels_and_limit(self) -> None:
        """Corners of a coarse level are those of the finest; a large view is cut to its middle."""
        pixels = np.zeros((4096, 4096), np.uint8)
        layer = Image([pixels, pixels[::4, ::4]], multiscale=True)
        layer._data_level = 1
        layer.corner_pixels = np.array([[0, 0], [1023, 1023]])
        region = visible_region(layer, image_of_layer(layer), (0, 0), ("y", "x"))
        assert region.shape == (SIDE, SIDE)
        assert abs(region.start[0] - 1536) <= 4
