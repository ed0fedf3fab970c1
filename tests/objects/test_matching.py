"""Labels compared as objects."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bioimageio_core.objects import match_labels


@st.composite
def labels(draw: st.DrawFn) -> NDArray[np.int64]:
    """Draw labels of a few pixels, in numbers with gaps."""
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    numbers = np.array([0, *draw(st.lists(st.integers(1, 2**31), min_size=6, max_size=6, unique=True))])
    return numbers[np.random.default_rng(draw(st.integers(0, 2**32))).integers(0, 7, shape)]


def partition(found: NDArray[np.int64]) -> set[frozenset[int]]:
    """Return the objects as sets of pixels."""
    return {frozenset(np.flatnonzero(found.ravel() == n).tolist()) for n in np.unique(found) if n}


class TestMatchLabels:
    @settings(max_examples=60)
    @given(labels(), st.data())
    def test_numbers_do_not_matter(self, found: NDArray[np.int64], data: st.DataObject) -> None:
        """Other numbers for the same objects are the same labels."""
        ids = [int(n) for n in np.unique(found) if n]
        others = data.draw(st.lists(st.integers(1, 2**16 - 1), min_size=len(ids), max_size=len(ids), unique=True))
        renamed = np.zeros(found.shape, np.uint16)
        for one, other in zip(ids, others, strict=True):
            renamed[found == one] = other
        match = match_labels(renamed, found)
        assert not match.differs.any()
        assert (match.found, match.expected, match.matched) == (len(ids),) * 3

    @settings(max_examples=60)
    @given(labels(), st.data())
    def test_other_objects_differ(self, found: NDArray[np.int64], data: st.DataObject) -> None:
        """No pixel differs if and only if the objects consist of the same pixels."""
        changed = found.copy()
        pixel = data.draw(st.integers(0, found.size - 1))
        changed.flat[pixel] = data.draw(st.sampled_from([0, int(found.max()) + 1, *map(int, found.ravel())]))
        match = match_labels(changed, found)
        assert match.differs.any() == (partition(changed) != partition(found))

    def test_by_hand(self) -> None:
        """Objects 1 and 2 are joined: the larger one matches; object 3 lost a pixel to the background, object 4 is new."""
        expected = np.array([[1, 1, 1, 2, 2, 0, 3, 3, 0]])
        found = np.array([[7, 7, 7, 7, 7, 0, 5, 0, 4]])
        match = match_labels(found, expected)
        assert match.differs.astype(int).tolist() == [[0, 0, 0, 1, 1, 0, 0, 1, 1]]
        assert (match.found, match.expected, match.matched) == (3, 3, 2)

    def test_background_is_no_object(self) -> None:
        """An object matches no background, and no labels at all have none."""
        match = match_labels(np.full((2, 3), 5), np.zeros((2, 3), np.int64))
        assert match.differs.all()
        assert (match.found, match.expected, match.matched) == (1, 0, 0)
        assert match_labels(np.zeros((0, 3), np.uint8), np.zeros((0, 3), np.uint8)).differs.shape == (0, 3)
