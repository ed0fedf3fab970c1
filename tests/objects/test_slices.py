"""Objects of neighbouring slices are joined by their overlap, whatever the boxes and their order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bioimageio_core.objects import SliceJoining, slice_overlaps, slices

pytest.importorskip("scipy", reason="scipy is not installed")

from sliced_volumes import balls, branches, joined, sliced, tubes


def joined_in_boxes(labels: NDArray[Any], overlap: float, cuts: tuple[list[int], list[int]], seed: int) -> NDArray[Any]:
    """Join slices box by box, in random order."""
    edges = [sorted({0, *cut, size}) for cut, size in zip(cuts, labels.shape[1:], strict=True)]
    places = [(slice(*y), slice(*x)) for y in zip(edges[0], edges[0][1:], strict=False) for x in zip(edges[1], edges[1][1:], strict=False)]
    boxes = [(z, place) for z in range(len(labels)) for place in places]
    joining = SliceJoining(int(labels.max(initial=0)))
    for number in np.random.default_rng(seed).permutation(len(boxes)):
        z, place = boxes[number]
        joining.add(slice_overlaps(labels[z][place], labels[z + 1][place] if z + 1 < len(labels) else None))
    return joining.ids(overlap)[labels]


@st.composite
def volumes(draw: st.DrawFn) -> NDArray[np.int64]:
    """Draw labels of slices; objects need not be connected."""
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 7), st.integers(1, 7)))
    most = draw(st.integers(1, 6))
    labels = np.random.default_rng(draw(st.integers(0, 2**32))).integers(0, most, shape)
    for z in range(len(labels)):
        found, first = np.unique(labels[z], return_index=True)
        dense, order = np.zeros(most, np.int64), np.argsort(first)
        objects = found[order][found[order] > 0]
        dense[objects] = np.arange(objects.size) + labels[:z].max(initial=0) + 1
        labels[z] = dense[labels[z]]
    return labels


CUTS = st.lists(st.integers(1, 6), max_size=3)


class TestEqualsWhole:
    """Beside a reference that takes the whole volume, pair by pair."""

    @settings(max_examples=80)
    @given(volumes(), st.sampled_from([0.01, 0.1, 0.2, 0.25, 1 / 3, 0.5]), st.tuples(CUTS, CUTS), st.integers(0, 99))
    def test_noise(self, labels: NDArray[np.int64], overlap: float, cuts: tuple[list[int], list[int]], seed: int) -> None:
        """Where all objects of a slice overlap all of the next one, with many ties."""
        np.testing.assert_array_equal(joined_in_boxes(labels, overlap, cuts, seed), joined(labels, overlap))

    @pytest.mark.parametrize("volume", [balls(), tubes(), branches()], ids=["balls", "tubes", "branches"])
    @pytest.mark.parametrize("overlap", [0.1, 0.25, 0.5])
    def test_shapes(self, volume: NDArray[np.float32], overlap: float, monkeypatch: pytest.MonkeyPatch) -> None:
        """Also where pairs are added up again and again, and few are Python objects at a time."""
        monkeypatch.setattr(slices, "FEWEST_PAIRS", 3)
        monkeypatch.setattr(slices, "PAIRS_AT_ONCE", 2)
        labels = sliced(volume)
        expected = joined(labels, overlap)
        for seed, cuts in enumerate([([], []), ([9, 10, 33], [7, 31]), (list(range(1, 70)), [])]):
            np.testing.assert_array_equal(joined_in_boxes(labels, overlap, cuts, seed), expected)

    def test_new_ids_are_in_the_order_of_the_old(self) -> None:
        """An object without a single pixel keeps its place: ids of the others count it."""
        labels = np.array([[[1, 0, 3]], [[4, 0, 5]]])
        np.testing.assert_array_equal(joined_in_boxes(labels, 0.5, ([], []), 0), [[[1, 0, 3]], [[1, 0, 3]]])


class TestRule:
    """Numbers by hand."""

    def test_branches(self) -> None:
        """The better match goes on; of two that match equally, the one with the smaller id."""
        labels = sliced(branches())
        assert [len(np.unique(s)) - 1 for s in labels] == [2, 1, 2, 2]
        found = joined_in_boxes(labels, 0.25, ([], []), 0)
        at = [found[0, 10, 4], found[0, 10, 20], found[1, 10, 4], found[2, 10, 4], found[2, 10, 20], found[3, 10, 30], found[3, 30, 4]]
        assert at == [1, 2, 1, 1, 3, 4, 5]  # 40/96 before 24/96; 32/96 twice; 16/80 is too little

    def test_second_choice(self) -> None:
        """An object whose best match has a better one takes the next that is left."""
        slices_ = np.zeros((2, 1, 20), np.int64)
        slices_[0, 0, :10], slices_[0, 0, 10:16] = 1, 2
        slices_[1, 0, :6], slices_[1, 0, 6:14] = 3, 4
        # 1-3: 6/10, 1-4: 4/14, 2-4: 4/10
        np.testing.assert_array_equal(joined_in_boxes(slices_, 0.25, ([], []), 0)[1, 0, [0, 6]], [1, 2])
        slices_[0, 0, 10:] = 0
        slices_[0, 0, 13:16] = 2
        # 1-3: 6/10, 1-4: 4/14, 2-4: 1/10
        np.testing.assert_array_equal(joined_in_boxes(slices_, 0.05, ([], []), 0)[1, 0, [0, 6]], [1, 2])
        np.testing.assert_array_equal(joined_in_boxes(slices_, 0.1, ([], []), 0)[1, 0, [0, 6]], [1, 3])

    def test_tie(self) -> None:
        """Of two equal matches, the object that begins first is joined, whatever it was joined with before."""
        labels = np.array([[[0, 1, 2]], [[3, 0, 4]], [[5, 6, 5]]])
        np.testing.assert_array_equal(joined_in_boxes(labels, 0.25, ([], []), 0), [[[0, 1, 2]], [[3, 0, 2]], [[3, 4, 3]]])

    @pytest.mark.parametrize(("overlap", "count"), [(0.29, 1), (0.3, 2), (0.31, 2)])
    def test_threshold(self, overlap: float, count: int) -> None:
        """Is exceeded, not reached: 3 shared positions of 10."""
        labels = np.zeros((2, 1, 10), np.int64)
        labels[0, 0, :7], labels[1, 0, 4:] = 1, 2
        assert joined_in_boxes(labels, overlap, ([], [5]), 0).max() == count

    def test_same_in_both_directions(self) -> None:
        """Turned upside down, a volume without ties has the same objects."""
        labels = sliced(balls(3))
        down, up = (joined_in_boxes(volume, 0.2, ([], []), 0) for volume in (labels, sliced(balls(3)[::-1])))
        pairs = np.unique(np.stack([down.ravel(), up[::-1].ravel()]), axis=1)
        assert pairs.shape[1] == down.max() + 1 == up.max() + 1

    def test_other_shape(self) -> None:
        """Is an error of the caller."""
        with pytest.raises(ValueError, match="same shape"):
            slice_overlaps(np.zeros((2, 3), np.uint32), np.zeros((3, 2), np.uint32))

    def test_large_ids(self) -> None:
        """Products of ids beyond 64 bits do no harm."""
        big = 2**40
        found = slice_overlaps(np.array([[big, big, 0]], np.uint64), np.array([[0, big + 1, big + 2]], np.uint64))
        assert (found.ids.tolist(), found.pixels.tolist()) == ([big], [2])
        assert (found.pairs.tolist(), found.shared.tolist()) == ([[big, big + 1]], [1])
