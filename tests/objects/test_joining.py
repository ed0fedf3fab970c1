"""Objects that boxes cut are joined and numbered as if the array was labelled in one piece."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_boxes import Box, grid, label_in_boxes
from numpy.typing import NDArray

from bioimageio_core.objects import BoxObjects, WindowObjects, number_objects

ndimage = pytest.importorskip("scipy.ndimage")


def components(mask: NDArray[Any], connectivity: int) -> NDArray[Any]:
    """Return the connected components of a mask, numbered in the order of their first pixels."""
    labels: NDArray[Any] = ndimage.label(mask, ndimage.generate_binary_structure(mask.ndim, connectivity))[0]
    return labels


@st.composite
def cut_masks(draw: st.DrawFn) -> tuple[NDArray[Any], list[Box], int]:
    """Draw a mask of 2 or 3 dimensions, boxes that cut it anywhere, in any order, and a connectivity."""
    shape = tuple(draw(st.lists(st.integers(1, 12), min_size=2, max_size=3)))
    density = draw(st.sampled_from([0.2, 0.45, 0.6, 0.9]))
    mask = np.random.default_rng(draw(st.integers(0, 2**32))).random(shape) < density
    cuts = [draw(st.lists(st.integers(0, size), max_size=5)) for size in shape]
    boxes = draw(st.permutations(grid(shape, cuts, (1,) * len(shape))))
    return mask, boxes, draw(st.sampled_from([1, len(shape)]))


class TestTouch:
    """Connected components, whose boxes see one pixel around them."""

    @settings(max_examples=60)
    @given(cut_masks())
    def test_equal_those_of_the_complete_array(self, case: tuple[NDArray[Any], list[Box], int]) -> None:
        """Whatever the boxes and their order, ids are those of `scipy.ndimage.label`."""
        mask, boxes, connectivity = case
        expected = components(mask, connectivity)
        found, numbering = label_in_boxes(mask, lambda window: components(window, connectivity), boxes, rule="touch")
        np.testing.assert_array_equal(found, expected)
        assert (numbering.count, numbering.doubtful) == (expected.max(initial=0), 0)

    def test_snakes_across_many_boxes(self) -> None:
        """Objects that leave boxes and come back, across 64 of them, are joined from end to end."""
        mask = np.zeros((64, 64), bool)
        mask[0:57:4] = True  # rows, ...
        for turn in range(0, 56, 8):
            mask[turn : turn + 4, -1] = mask[turn + 4 : turn + 8, 0] = True  # ... joined at their ends by turns
        mask[60] = True
        boxes = grid(mask.shape, [range(0, 64, 8)] * 2, (1, 1))
        found, numbering = label_in_boxes(mask, lambda window: components(window, 1), boxes, rule="touch")
        np.testing.assert_array_equal(found, components(mask, 1))
        assert numbering.count == 2
        assert sum(1 in numbering.table_of(box) for box in range(64)) == 64

    def test_least_pixels_counts_joined_pixels(self) -> None:
        """An object of 6 pixels in three boxes stays, one of 5 goes, and ids stay dense."""
        mask = np.zeros((5, 9), bool)
        mask[0, 0:5] = mask[2, 2:8] = mask[4, 1:9] = True
        boxes = grid(mask.shape, [[], [3, 6]], (1, 1))
        found, numbering = label_in_boxes(mask, lambda window: components(window, 1), boxes, rule="touch", least_pixels=6)
        assert numbering.count == 2
        np.testing.assert_array_equal(found[[0, 2, 4]].max(axis=1), [0, 1, 2])
        np.testing.assert_array_equal(found > 0, mask & (np.arange(5)[:, None] > 0))

    def test_samples_stay_apart(self) -> None:
        """Along an axis without halo, objects that lie upon each other are never one, and none of them is doubtful."""
        mask = np.zeros((3, 4, 4), bool)
        mask[:, 1:3, 1:3] = True
        boxes = grid(mask.shape, [[1, 2], [2], [2]], (0, 1, 1))

        def by_sample(window: NDArray[Any]) -> NDArray[Any]:
            return components(window[0], 1)[None]

        for rule in ("touch", "overlap"):
            found, numbering = label_in_boxes(mask, by_sample, boxes, rule=rule, overlap=0.5 if rule == "overlap" else None)
            assert numbering.count == 3
            np.testing.assert_array_equal(found[:, 1, 1], [1, 2, 3])


def discs(rng: np.random.Generator, size: int, radius: int) -> NDArray[Any]:
    """Return discs that do not touch, each with a value of its own, which boxes see as they see a picture."""
    image = np.zeros((size, size), np.uint16)
    rows, columns = np.ogrid[:size, :size]
    for number, (y, x) in enumerate(rng.integers(0, size, (60, 2)), start=1):
        disc = (rows - y) ** 2 + (columns - x) ** 2 <= rng.integers(2, radius + 1) ** 2
        grown = (rows - y) ** 2 + (columns - x) ** 2 <= (radius + 1) ** 2
        if not image[grown].any():
            image[disc] = number
    return image


def in_any_order(window: NDArray[Any]) -> NDArray[Any]:
    """Label the discs of a window with numbers that tell nothing of their values."""
    values = np.unique(window[window > 0])
    table = np.zeros(int(window.max()) + 1, np.int32)
    table[values] = np.random.default_rng(window.size).permutation(values.size) * 7 + 3
    return table[window]


@st.composite
def layouts(draw: st.DrawFn) -> tuple[NDArray[Any], list[Box]]:
    """Draw discs of up to 13 pixels, in boxes that see as much around them."""
    image = discs(np.random.default_rng(draw(st.integers(0, 2**32))), 80, 6)
    cuts = [draw(st.lists(st.integers(1, 79), max_size=4)) for _ in range(2)]
    return image, draw(st.permutations(grid(image.shape, cuts, (13, 13))))


class TestOverlapAndOwner:
    """Objects that a window shows in full, as it shows its core and the size of an object around it."""

    @pytest.mark.parametrize("rule", ["overlap", "owner"])
    @settings(max_examples=20)
    @given(case=layouts())
    def test_ids_are_the_same_for_any_layout(self, rule: Any, case: tuple[NDArray[Any], list[Box]]) -> None:
        """Ids follow the first pixels of the objects, whatever the boxes; none is doubtful."""
        image, boxes = case
        found, numbering = label_in_boxes(image, in_any_order, boxes, rule=rule, overlap=0.5 if rule == "overlap" else None)
        values, first = np.unique(image[image > 0], return_index=True)
        table = np.zeros(image.max() + 1, int)
        table[values[np.argsort(first)]] = np.arange(1, values.size + 1)
        np.testing.assert_array_equal(found, table[image])
        assert (numbering.count, numbering.doubtful, numbering.doubtful_boxes.size) == (values.size, 0, 0)

    def test_touching_objects_stay_apart(self) -> None:
        """Two objects side by side that `touch` would join keep their border, also where a box cuts both."""
        image = np.zeros((12, 24), np.uint8)
        image[2:10, 4:10], image[2:10, 10:16] = 1, 2
        for rule in ("overlap", "owner"):
            boxes = grid(image.shape, [[6], [8, 13]], (8, 8))
            found, numbering = label_in_boxes(image, in_any_order, boxes, rule=rule, overlap=0.5 if rule == "overlap" else None)
            np.testing.assert_array_equal(found, image)
            assert numbering.doubtful == 0

    def test_an_object_larger_than_the_halo_is_doubtful(self) -> None:
        """It is counted once, with the boxes that show it in part; objects that only lie in the halo of a box are not."""
        image = np.zeros((10, 40), np.uint8)
        image[4, 5:35] = 1
        image[8, 11:13] = 2  # in the core of the second box, at the end of the halo of the first one
        boxes = grid(image.shape, [[], [10, 20, 30]], (3, 3))
        _, numbering = label_in_boxes(image, in_any_order, boxes, rule="overlap", overlap=0.5)
        assert numbering.doubtful == 1
        np.testing.assert_array_equal(numbering.doubtful_boxes, [0, 1, 2, 3])
        _, numbering = label_in_boxes(image, in_any_order, boxes, rule="owner")
        assert numbering.doubtful >= 1

    def test_an_object_at_the_edge_of_the_image_is_not_doubtful(self) -> None:
        """Beyond the image there is nothing to see."""
        image = np.ones((6, 6), np.uint8)
        _, numbering = label_in_boxes(image, in_any_order, grid(image.shape, [[], []], (2, 2)), rule="overlap", overlap=0.5)
        assert (numbering.count, numbering.doubtful) == (1, 0)

    def test_least_pixels_of_owned_objects(self) -> None:
        """An object counts with all its pixels, also those outside of the core."""
        image = np.zeros((4, 12), np.uint8)
        image[1, 3:8], image[3, 9:11] = 1, 2
        found, numbering = label_in_boxes(image, in_any_order, grid(image.shape, [[], [5]], (6, 6)), rule="owner", least_pixels=5)
        assert numbering.count == 1
        np.testing.assert_array_equal(found, image == 1)


def window(*pixels: int, first: tuple[int, ...]) -> WindowObjects:
    """Return what a window knows of labels that all have pixels in its core."""
    some = np.array(pixels, np.int64)
    return WindowObjects(pixels=some, first=np.array(first, np.int64), owned=some > 0, cut=np.zeros(some.size, bool))


class TestNumbering:
    """Tables of ids, computed by hand."""

    def test_tables(self) -> None:
        """The second label of box 0 and the first of box 1 are one object, whose first pixel comes first; box 2 is empty."""
        boxes = [
            BoxObjects(objects=window(3, 4, first=(7, 2))),
            BoxObjects(objects=window(0, 5, first=(-1, 20)), pairs={0: np.array([[2, 1]])}),
            BoxObjects(objects=window(first=())),
        ]
        numbering = number_objects(boxes, rule="touch")
        assert [numbering.table_of(n).tolist() for n in range(3)] == [[0, 2, 1], [0, 1, 3], [0]]
        assert numbering.tables.dtype == np.uint32
        assert number_objects(boxes, rule="touch", least_pixels=4).table_of(0).tolist() == [0, 0, 1]

    def test_nothing(self) -> None:
        """A run without objects, and one without boxes."""
        assert number_objects([BoxObjects(objects=window(first=()))], rule="overlap").count == 0
        assert number_objects([], rule="owner").count == 0

    def test_pairs_name_earlier_boxes(self) -> None:
        """Pairs with a box that comes later have no offset yet."""
        with pytest.raises(ValueError, match="before"):
            number_objects([BoxObjects(objects=window(1, first=(0,)), pairs={1: np.array([[1, 1]])})], rule="touch")

    def test_pairs_are_reduced(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Pairs that outnumber the labels are replaced by fewer on the way, with the same result."""
        rng = np.random.default_rng(0)
        boxes = [BoxObjects(objects=window(*[1] * 20, first=tuple(range(n * 20, n * 20 + 20)))) for n in range(10)]
        some = [{m: rng.integers(1, 21, (9, 2)) for m in range(n)} for n in range(10)]
        boxes = [BoxObjects(objects=box.objects, pairs=pairs) for box, pairs in zip(boxes, some, strict=True)]
        expected = number_objects(boxes, rule="touch").tables
        monkeypatch.setattr("bioimageio_core.objects.numbering.FEWEST_PAIRS", 10)
        np.testing.assert_array_equal(number_objects(boxes, rule="touch").tables, expected)
