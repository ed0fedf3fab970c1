"""The op ``seeded_watershed``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bioimageio_runtime_labels import SeededWatershedKwargs, bioimageio_processing_ops
from scipy import ndimage
from skimage.measure import label
from skimage.segmentation import watershed

from bioimageio_core.errors import DescriptionError
from bioimageio_core.registry import Needs, Objects, ShapeChange

_, _, ENTRY = bioimageio_processing_ops()
AXES = ("batch", "channel", "y", "x")
MICRO_SAM = {"seeds": "1 < 0.5 and 2 < 0.5", "smoothing": 1.6, "foreground_smoothing": 1.0}


def labels_of(maps: Any, axes: tuple[str, ...] = ("channel", "y", "x"), **kwargs: Any) -> np.ndarray[Any, Any]:
    """Return what the op gives."""
    return np.asarray(ENTRY.make(SeededWatershedKwargs(**kwargs), axes, None)(np.asarray(maps), {}))


def distances(shape: tuple[int, ...], count: int, radius: int) -> np.ndarray[Any, Any]:
    """Return the distance to the background of balls that overlap, float32."""
    random = np.random.default_rng(3)
    grid = np.indices(shape)
    balls = np.zeros(shape, bool)
    for centre in random.integers(radius, np.subtract(shape, radius), (count, len(shape))):
        balls |= sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)) <= radius**2
    return np.asarray(ndimage.distance_transform_edt(balls), np.float32)


class TestNeeds:
    """What is planned."""

    def test_needs(self) -> None:
        """Objects are joined where they overlap; blocks see what the Gaussians and the holes span."""
        kwargs = SeededWatershedKwargs(**MICRO_SAM, min_size=30)
        expected = Needs(
            objects=Objects(join="overlap", overlap=0.5, least_pixels=30),
            shape=ShapeChange(axes=AXES, sizes={"channel": 1}),
            halo={"y": 7, "x": 7},  # 4 * 1.6
            least={"channel": 3},
            dtype="uint32",
        )
        assert ENTRY.requirements(kwargs, AXES) == expected
        more = SeededWatershedKwargs(**MICRO_SAM, max_hole=10)
        assert ENTRY.requirements(more, AXES).halo == {"y": 14, "x": 14}  # 4 * 1.0 + 10

    @pytest.mark.parametrize(
        ("kwargs", "axes", "found"),
        [
            ({}, ("y", "x"), "seeded_watershed: expected seeds to name channel 0, .* no channel axis, found 1"),
            ({"seeds": "0 > 3", "flood": 2}, ("y", "x"), "expected flood to name channel 0, .* found 2"),
            ({"seeds": "0 > 3", "channel": 1}, ("y", "x"), "expected channel to name channel 0, .* found 1"),
            ({}, ("channel", "index", "y", "x"), "expected a tensor with 2 or 3 axes of space .* found axes channel, index, y, x"),
        ],
    )
    def test_refused(self, kwargs: Any, axes: tuple[str, ...], found: str) -> None:
        """Arguments that do not fit the axes are an error while planning."""
        with pytest.raises(DescriptionError, match=found):
            ENTRY.requirements(SeededWatershedKwargs(**kwargs), axes)

    @pytest.mark.parametrize(
        ("name", "kwargs"),
        [("channel", {"channel": 3}), ("flood", {"flood": 3}), ("seeds", {"seeds": "3 < 1 and 0 < 1"}), ("seeds", {"seeds": "3 < 1"})],
    )
    def test_missing_channel(self, name: str, kwargs: dict[str, Any]) -> None:
        """How many channels there are is known with the tensor."""
        with pytest.raises(DescriptionError, match=f"expected {name} to name a channel of the tensor, 0 to 1, found 3"):
            labels_of(np.ones((2, 4, 4)), **kwargs)

    @pytest.mark.parametrize(
        "seeds", ["", "1", "a < 1", "1 <= 2", "1 < 2 or 2 < 3", "1 < 2and 2 < 3", "1 < 2 and", "-1 < 2", "1 < x", "1 < nan"]
    )
    def test_wrong_conditions(self, seeds: str) -> None:
        """Are refused as a description is read."""
        with pytest.raises(ValueError, match=r"conditions on channels such as '1 < 0\.5 and 2 < 0\.5'"):
            SeededWatershedKwargs(seeds=seeds)


class TestByHand:
    """Rows of which the objects are known."""

    def test_foreground_and_boundary(self) -> None:
        """Objects meet at the ridge of the boundary; foreground without a seed is background."""
        foreground = [1, 1, 1, 1, 1, 1, 0, 1, 1]
        boundary = [0.1, 0.2, 0.6, 0.9, 0.7, 0.2, 0.1, 0.8, 0.6]
        assert labels_of([[foreground], [boundary]]).tolist() == [[[1, 1, 1, 1, 2, 2, 0, 0, 0]]]

    def test_distances(self) -> None:
        """Objects meet where the distance to the background is least, wherever seeds have large distances."""
        distance = [0, 2, 6, 4, 1, 2, 7, 3]
        assert labels_of([distance], ("y", "x"), threshold=0, seeds="0 > 5").tolist() == [[0, 1, 1, 1, 1, 2, 2, 2]]

    def test_flood_from(self) -> None:
        """The direction can be said: from high values the ridge is the least one; from low ones nothing divides the two."""
        maps = [[[1, 1, 1, 1, 1, 1]], [[0, 1, 1, 1, 1, 0]], [[9, 1, 2, 3, 4, 9]]]
        assert labels_of(maps, flood=2, flood_from="high").tolist() == [[[1, 1, 2, 2, 2, 2]]]
        assert labels_of(maps, flood=2).tolist() == [[[1, 1, 1, 2, 2, 2]]]

    def test_nothing(self) -> None:
        """Without seeds, and where maps are NaN, there is no object."""
        assert not labels_of(np.ones((2, 3, 4))).any()
        boundary = [np.nan, 0, 0, np.nan]
        assert labels_of([[[1, 1, 1, 1]], [boundary]]).tolist() == [[[0, 1, 1, 0]]]

    def test_hole(self) -> None:
        """A hole is filled before objects grow."""
        maps = np.zeros((2, 5, 5))
        maps[0, 1:4, 1:4] = 1
        maps[0, 2, 2] = 0
        assert labels_of(maps)[0].sum() == 8
        assert labels_of(maps, max_hole=1)[0].sum() == 9

    def test_batch(self) -> None:
        """Items are labelled on their own, and no two objects have one label."""
        maps = np.stack([np.ones((2, 2, 2)), np.zeros((2, 2, 2))], axis=1)
        assert labels_of(maps, AXES).tolist() == [[[[1, 1], [1, 1]]], [[[2, 2], [2, 2]]]]


class TestAsScikitImage:
    """The same labels as calls of scipy and scikit-image."""

    @pytest.mark.parametrize(("shape", "count", "radius"), [((90, 110), 25, 9), ((30, 60, 70), 25, 7)])
    def test_three_maps(self, shape: tuple[int, ...], count: int, radius: int) -> None:
        """Foreground, distance to the centre, and distance to the boundary, as micro-SAM decodes them."""
        edge = distances(shape, count, radius)
        noise = np.random.default_rng(0).normal(0, 0.05, (3, *shape)).astype(np.float32)
        boundary = 1 - edge / radius
        foreground, centre, boundary = np.stack([edge > 0, boundary**3, boundary]) + noise
        g = ndimage.gaussian_filter
        mask = g(foreground, 1.0) > 0.5
        seeds = label(mask & (g(centre, 1.6) < 0.5) & (g(boundary, 1.6) < 0.5))
        expected = watershed(g(boundary, 1.6), seeds, mask=mask)
        found = labels_of([foreground, centre, boundary], ("channel", *("z", "y", "x")[-len(shape) :]), **MICRO_SAM)
        assert expected.max() > 5
        np.testing.assert_array_equal(found[0], expected)

    def test_distance_transform(self) -> None:
        """Distances to the background, which are largest in the middle."""
        edge = distances((150, 160), 40, 10)
        expected = watershed(-edge, label(edge > 7), mask=edge > 0)
        assert expected.max() > 10
        np.testing.assert_array_equal(labels_of(edge, ("y", "x"), threshold=0, seeds="0 > 7"), expected)
