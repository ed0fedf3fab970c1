"""Padding by index arithmetic, against numpy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimageio_core.blocks import PadMode, window


class TestWindow:
    """What a window that hangs over the edge reads."""

    def test_plain(self) -> None:
        """Inside the image nothing is padded."""
        w = window(3, 4, 10, "symmetric")
        assert (w.start, w.stop, w.is_plain) == (3, 7, True)

    def test_symmetric(self) -> None:
        """Two pixels before the first: 1, 0."""
        w = window(-2, 4, 10, "symmetric")
        assert (w.start, w.stop, w.before, w.core, w.after) == (0, 2, (1, 0), (0, 2), ())

    def test_one_pixel(self) -> None:
        """An axis of one pixel pads to any size."""
        for mode in ("symmetric", "reflect", "edge"):
            w = window(-3, 8, 1, mode)  # type: ignore[arg-type]
            assert (w.start, w.stop, w.before, w.after) == (0, 1, (0,) * 3, (0,) * 4)

    @pytest.mark.parametrize("mode", ["symmetric", "reflect", "edge", "constant"])
    @given(size=st.integers(1, 12), start=st.integers(-30, 11), length=st.integers(1, 60))
    def test_as_numpy(self, mode: PadMode, size: int, start: int, length: int) -> None:
        """A window is a cut of the padded axis, however far it hangs over."""
        image = np.arange(1, size + 1)
        w = window(start, length, size, mode)
        read = image[w.start : w.stop]
        parts = [[0 if i < 0 else read[i] for i in w.before], read[slice(*w.core)], [0 if i < 0 else read[i] for i in w.after]]
        padded = np.pad(image, 100, mode=mode)
        np.testing.assert_array_equal(np.concatenate(parts), padded[100 + start : 100 + start + length])
        assert w.size == length
