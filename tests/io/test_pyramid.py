"""Levels of a pyramid."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bioimageio_core.io.writing.pyramid import plan_levels

SIZES = st.one_of(st.floats(), st.sampled_from([0.0, -1.0, float("nan"), float("inf"), 1e308, 5e-324]))


class TestPlanLevels:
    """The shapes of levels."""

    @given(shape=st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)), sizes=st.tuples(SIZES, SIZES))
    def test_every_level_is_smaller(self, shape: tuple[int, int], sizes: tuple[float, float]) -> None:
        """Law: whatever the pixel sizes are, levels shrink, and the last one is small."""
        levels = plan_levels(shape, (64, 64), (None, None), (True, True), sizes)
        assert levels[0].shape == shape
        assert max(levels[-1].shape) <= 256
        for before, after in pairwise(levels):
            assert sum(after.shape) < sum(before.shape)

    def test_unknown_sizes_count_as_1(self) -> None:
        """Both axes are halved together, as with pixels of size 1."""
        expected = plan_levels((1000, 1000), (64, 64), (None, None), (True, True), (1.0, 1.0))
        for sizes in ((0.0, 0.0), (float("nan"), 1.0), (-2.0, float("inf"))):
            assert plan_levels((1000, 1000), (64, 64), (None, None), (True, True), sizes) == expected
