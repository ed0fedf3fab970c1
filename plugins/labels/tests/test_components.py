"""The op ``connected_components``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bioimageio_runtime_labels import ConnectedComponentsKwargs, bioimageio_processing_ops
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.measure import label

from bioimageio_core.errors import DescriptionError
from bioimageio_core.registry import Needs, Objects, ShapeChange

_, ENTRY, _ = bioimageio_processing_ops()
AXES = ("batch", "channel", "y", "x")


def labels_of(tensor: np.ndarray[Any, Any], axes: tuple[str, ...] = ("y", "x"), **kwargs: Any) -> np.ndarray[Any, Any]:
    """Return what the op gives."""
    return np.asarray(ENTRY.make(ConnectedComponentsKwargs(**kwargs), axes, None)(tensor, {}))


class TestNeeds:
    """What is planned."""

    def test_with_channels(self) -> None:
        """One channel; the smallest object is looked for when objects are joined; blocks see holes completely."""
        kwargs = ConnectedComponentsKwargs(min_size=20, max_hole=5)
        expected = Needs(
            objects=Objects(join="touch", least_pixels=20),
            shape=ShapeChange(axes=AXES, sizes={"channel": 1}),
            halo={"y": 5, "x": 5},
            dtype="uint32",
        )
        assert ENTRY.requirements(kwargs, AXES) == expected

    def test_without_channels(self) -> None:
        """The shape stays."""
        needs = ENTRY.requirements(ConnectedComponentsKwargs(), ("z", "y", "x"))
        assert needs.shape is None
        assert needs.halo == {"z": 0, "y": 0, "x": 0}

    @pytest.mark.parametrize(
        ("kwargs", "axes", "found"),
        [
            ({}, ("batch", "channel", "x"), "expected a tensor with 2 or 3 axes of space .* found axes batch, channel, x"),
            ({}, ("time", "y", "x"), "found axes time, y, x"),
            ({}, ("u", "z", "y", "x"), "found axes u, z, y, x"),
            ({"connectivity": 3}, ("batch", "y", "x"), "expected connectivity of at most 2, for axes of space y, x, found 3"),
            ({"channel": 1}, ("y", "x"), "expected channel to name channel 0, .*axes y, x.* found 1"),
        ],
    )
    def test_refused(self, kwargs: Any, axes: tuple[str, ...], found: str) -> None:
        """Arguments that do not fit the axes are an error while planning."""
        with pytest.raises(DescriptionError, match=found):
            ENTRY.requirements(ConnectedComponentsKwargs(**kwargs), axes)

    @pytest.mark.parametrize("wrong", [{"channel": -1}, {"connectivity": 0}, {"connectivity": 4}, {"min_size": -1}, {"max_hole": -1}])
    def test_wrong_values(self, wrong: dict[str, int]) -> None:
        """Values that never fit are refused as a description is read."""
        with pytest.raises(ValueError, match="expected a number"):
            ConnectedComponentsKwargs(**wrong)

    def test_later_channel(self) -> None:
        """A tensor has the channel that is read."""
        assert ENTRY.requirements(ConnectedComponentsKwargs(channel=2), AXES).least == {"channel": 3}

    def test_missing_channel(self) -> None:
        """How many channels there are is known with the tensor."""
        with pytest.raises(DescriptionError, match="expected channel to name a channel of the tensor, 0 to 1, found 2"):
            labels_of(np.zeros((2, 3, 3)), ("channel", "y", "x"), channel=2)


class TestForeground:
    """Where objects are."""

    def test_above_the_threshold(self) -> None:
        """Not at it, and not where NaN is."""
        pixels = np.array([[0.5, np.nan, 0.6, 0, np.inf, -np.inf]])
        assert labels_of(pixels).tolist() == [[0, 0, 1, 0, 2, 0]]

    def test_channel(self) -> None:
        """One channel is labelled, wherever its axis is."""
        pixels = np.zeros((1, 4, 2), np.uint8)
        pixels[0, [0, 3], 1] = 9
        assert labels_of(pixels, ("y", "x", "channel"), threshold=8.5, channel=1)[..., 0].tolist() == [[1, 0, 0, 2]]

    def test_batch(self) -> None:
        """Items are labelled on their own, and no two objects have one label."""
        pixels = np.ones((2, 1, 2, 2), bool)
        assert labels_of(pixels, AXES).tolist() == [[[[1, 1], [1, 1]]], [[[2, 2], [2, 2]]]]

    @settings(deadline=None, max_examples=50)
    @given(st.integers(0, 2**32 - 1), st.sampled_from([(5, 6), (1, 7), (4, 3, 5), (1, 1, 6)]), st.data())
    def test_as_scikit_image(self, seed: int, shape: tuple[int, ...], data: st.DataObject) -> None:
        """The same labels as `skimage.measure.label`, for every connectivity."""
        pixels = np.random.default_rng(seed).random(shape)
        connectivity = data.draw(st.none() | st.integers(1, len(shape)))
        found = labels_of(pixels, ("z", "y", "x")[-len(shape) :], threshold=0.6, connectivity=connectivity)
        np.testing.assert_array_equal(found, label(pixels > 0.6, connectivity=connectivity))


class TestHoles:
    """Background that foreground encloses."""

    RINGS = np.array(
        [
            [1, 1, 1, 0, 1, 1, 1, 1],
            [1, 0, 1, 0, 1, 0, 0, 1],
            [1, 1, 1, 0, 1, 1, 1, 1],
            [0, 0, 0, 0, 0, 0, 0, 0],
            [1, 1, 1, 1, 0, 0, 1, 0],
            [0, 0, 0, 1, 0, 1, 0, 1],
            [1, 1, 1, 1, 0, 0, 1, 0],
        ]
    )

    def test_size(self) -> None:
        """Holes of at most so many pixels are filled; what reaches the edge is none; diagonal pixels enclose a hole."""
        expected = np.where(self.RINGS, 1, 0)
        expected[1, 1] = expected[5, 6] = 1
        np.testing.assert_array_equal(labels_of(self.RINGS, max_hole=1) > 0, expected)
        expected[1, 5:7] = 1
        np.testing.assert_array_equal(labels_of(self.RINGS, max_hole=2) > 0, expected)
        np.testing.assert_array_equal(labels_of(self.RINGS, max_hole=999) > 0, expected)

    def test_at_faces(self) -> None:
        """Diagonal pixels enclose nothing where only faces connect."""
        found = labels_of(self.RINGS, max_hole=2, connectivity=1)
        assert found[5, 6] == 0
        assert found[1, 5] == found[0, 5] > 0

    @settings(deadline=None, max_examples=50)
    @given(st.integers(0, 2**32 - 1), st.sampled_from([(7, 8), (5, 5, 5)]))
    def test_all_as_scipy(self, seed: int, shape: tuple[int, ...]) -> None:
        """All holes are those of `scipy.ndimage.binary_fill_holes`."""
        pixels = np.random.default_rng(seed).random(shape)
        found = labels_of(pixels, ("z", "y", "x")[-len(shape) :], threshold=0.35, max_hole=pixels.size)
        np.testing.assert_array_equal(found > 0, ndimage.binary_fill_holes(pixels > 0.35))
