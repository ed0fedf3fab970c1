"""The op ``argmax``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bioimageio_runtime_labels import ArgmaxKwargs, bioimageio_processing_ops
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimageio_core.errors import DescriptionError
from bioimageio_core.registry import Needs, ShapeChange

ENTRY, _, _ = bioimageio_processing_ops()
AXES = ("batch", "channel", "y", "x")


def classes_of(tensor: Any, axes: tuple[str, ...] = ("channel", "x"), **kwargs: Any) -> np.ndarray[Any, Any]:
    """Return what the op gives."""
    return np.asarray(ENTRY.make(ArgmaxKwargs(**kwargs), axes, None)(np.asarray(tensor), {}))


class TestNeeds:
    """What is planned."""

    def test_channel(self) -> None:
        """The axis of the classes is not cut, and has size 1 afterwards."""
        expected = Needs(whole_axes=("channel",), shape=ShapeChange(axes=AXES, sizes={"channel": 1}), dtype="uint16")
        assert ENTRY.requirements(ArgmaxKwargs(), AXES) == expected

    def test_refused(self) -> None:
        """An axis that the tensor lacks."""
        with pytest.raises(DescriptionError, match="expected axis to be one of the tensor's axes y, x, found 'channel'"):
            ENTRY.requirements(ArgmaxKwargs(), ("y", "x"))


class TestClasses:
    """Which class wins."""

    def test_first_of_several(self) -> None:
        """The lowest number among the largest scores."""
        assert classes_of([[1.0, 0, 3], [1, 2, 3], [0, 2, 4]]).tolist() == [[0, 1, 2]]

    def test_nan(self) -> None:
        """NaN loses against every number; where there is nothing else, it is class 0."""
        nan = np.nan
        assert classes_of([[nan, nan, 2], [-5.0, nan, nan], [-7, nan, 1]]).tolist() == [[1, 0, 0]]

    @pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "float16", "float64"])
    def test_dtype(self, dtype: str) -> None:
        """Classes are uint16 whatever the scores are."""
        found = classes_of(np.array([[0, 1], [1, 0]], dtype))
        assert found.dtype == np.uint16
        assert found.tolist() == [[1, 0]]

    def test_many_classes(self) -> None:
        """The last of 65,536 classes has a number; more are refused, and never wrap."""
        scores = np.zeros((65_537, 1), np.uint8)
        scores[-2] = 1
        assert classes_of(scores[:-1]).tolist() == [[65_535]]
        with pytest.raises(DescriptionError, match="expected at most 65536 classes along axis 'channel', found 65537"):
            classes_of(scores)

    @settings(deadline=None, max_examples=50)
    @given(st.integers(0, 2**32 - 1), st.sampled_from(["channel", "y", "x"]))
    def test_as_numpy(self, seed: int, axis: str) -> None:
        """The same as `numpy.argmax`."""
        scores = np.random.default_rng(seed).integers(0, 3, (2, 3, 4, 5))
        position = AXES.index(axis)
        np.testing.assert_array_equal(classes_of(scores, AXES, axis=axis), scores.argmax(position, keepdims=True))
