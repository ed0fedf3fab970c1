"""Labels of two windows that share pixels, beside a loop over all pixels."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from bioimageio_core.objects import shared_labels


@st.composite
def two_labellings(draw: st.DrawFn) -> tuple[NDArray[Any], NDArray[Any]]:
    """Draw two arrays of labels of one shape, which may be empty."""
    shape = draw(hnp.array_shapes(max_dims=3, max_side=5, min_side=0))
    a, b = (draw(hnp.arrays(np.uint32, shape, elements=st.integers(0, 3))) for _ in range(2))
    return a, b


class TestSharedLabels:
    @given(two_labellings(), st.none() | st.sampled_from([0.0, 0.25, 0.5, 0.75]))
    def test_equal_a_loop(self, arrays: tuple[NDArray[Any], NDArray[Any]], overlap: float | None) -> None:
        """Each pair once, sorted; the intersection over union is above `overlap`, not equal to it."""
        a, b = arrays
        shared = Counter((i, j) for i, j in zip(a.flat, b.flat, strict=True) if i and j)
        pixels_a, pixels_b = Counter(a.reshape(-1).tolist()), Counter(b.reshape(-1).tolist())
        expected = [
            [i, j]
            for (i, j), pixels in sorted(shared.items())
            if overlap is None or pixels / (pixels_a[int(i)] + pixels_b[int(j)] - pixels) > overlap
        ]
        found = shared_labels(a, b, overlap=overlap)
        assert (found.dtype, found.shape[1]) == (np.int64, 2)
        assert found.tolist() == expected

    def test_large_labels(self) -> None:
        """Products of labels exceed 32 bits."""
        a, b = np.array([2**31, 0], np.uint32), np.array([2**31 - 2, 5], np.uint32)
        assert shared_labels(a, b).tolist() == [[2**31, 2**31 - 2]]

    def test_different_shapes(self) -> None:
        """Shapes that numpy would broadcast are refused."""
        with pytest.raises(ValueError, match="shapes"):
            shared_labels(np.ones((2, 3), int), np.ones((1, 3), int))
