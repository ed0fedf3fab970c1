"""Objects of blocks, joined, are those of the whole image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bioimageio_runtime_labels import ConnectedComponentsKwargs, SeededWatershedKwargs, bioimageio_processing_ops
from scipy import ndimage

from bioimageio_core.testing.trial import Trial

_, COMPONENTS, WATERSHED = bioimageio_processing_ops()

WHOLE: dict[str, list[int]] = {"y": [], "x": []}


def discs(shape: tuple[int, int], count: int, radius: int) -> np.ndarray[Any, Any]:
    """Return the distance to the background of discs, many of which overlap a little, float32."""
    random = np.random.default_rng(7)
    y, x = np.indices(shape)
    centres = np.empty((0, 2))
    mask = np.zeros(shape, bool)
    while len(centres) < count:
        centre = random.uniform(radius, np.subtract(shape, radius))
        if not len(centres) or np.hypot(*(centres - centre).T).min() > 1.6 * radius:
            centres = np.concatenate([centres, [centre]])
            mask |= np.hypot(y - centre[0], x - centre[1]) <= radius
    return np.asarray(ndimage.distance_transform_edt(mask), np.float32)


def cuts(shape: tuple[int, int], seed: int) -> dict[str, list[int]]:
    """Return places to cut each axis at."""
    random = np.random.default_rng(seed)
    return {axis: sorted(random.choice(n, 3, replace=False).tolist()) for axis, n in zip("yx", shape, strict=True)}


@pytest.fixture(scope="module")
def three_maps() -> np.ndarray[Any, Any]:
    """Foreground with holes of up to four pixels, distance to the centre and to the boundary, of 60 discs of radius 7, with noise."""
    edge = discs((160, 180), 60, 7)
    boundary = 1 - edge / edge.max()
    foreground = (edge > 0) & ~ndimage.binary_dilation(np.random.default_rng(1).random(edge.shape) < 0.003)
    noise = np.random.default_rng(0).normal(0, 0.05, (3, *edge.shape))
    return np.asarray(np.stack([foreground, boundary**2, boundary]) + noise, np.float32)


class TestWatershed:
    """Discs that touch each other."""

    @pytest.mark.parametrize("seed", range(3))
    def test_three_maps(self, three_maps: np.ndarray[Any, Any], seed: int) -> None:
        """Where blocks see the objects that touch an object, cuts change no pixel."""
        kwargs = SeededWatershedKwargs(seeds="1 < 0.5 and 2 < 0.5", smoothing=1.6, max_hole=12, min_size=20)
        trial = Trial.of(WATERSHED, kwargs, ("channel", "y", "x"), three_maps)
        expected = trial.in_boxes(WHOLE, {})
        found = trial.in_boxes(cuts(three_maps.shape[1:], seed), {"y": 45, "x": 45})
        assert 50 <= expected.max() <= 60
        np.testing.assert_array_equal(found, expected)

    def test_sees_one_object(self, three_maps: np.ndarray[Any, Any]) -> None:
        """Where blocks see an object more, no object is lost, cut or joined with another, and hardly a pixel differs."""
        trial = Trial.of(WATERSHED, SeededWatershedKwargs(seeds="2 < 0.5", smoothing=1.6), ("channel", "y", "x"), three_maps)
        expected = trial.in_boxes(WHOLE, {})
        found = trial.in_boxes(cuts(three_maps.shape[1:], 5), {"y": 15, "x": 15})
        assert found.max() == expected.max()
        assert np.mean(found != expected) < 0.001


class TestComponents:
    """What is connected, however long."""

    def test_spiral(self) -> None:
        """One object that crosses all blocks many times, with holes on the cuts, is one; a small one goes where blocks cut it, too."""
        y, x = np.indices((120, 120)) - 60
        angle, distance = np.arctan2(y, x), np.hypot(y, x)
        spiral = ((distance - angle * 12 / (2 * np.pi)) % 12 < 8) & (distance < 54)
        spiral[38:43, 38:43] = True
        spiral[40, 39:42] = False
        spiral[0, :] = False
        spiral[0, 37:43] = True
        kwargs = ConnectedComponentsKwargs(max_hole=3, min_size=7)
        trial = Trial.of(COMPONENTS, kwargs, ("y", "x"), spiral)
        expected = trial.in_boxes(WHOLE, {})
        assert expected.max() == 1
        assert expected[40, 40] == 1
        assert expected[0, 40] == 0
        found = trial.in_boxes({"y": [25, 40, 41, 90], "x": [7, 40, 55, 56]}, {})
        np.testing.assert_array_equal(found, expected)
