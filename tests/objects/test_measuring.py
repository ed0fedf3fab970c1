"""Measurements of objects, beside `skimage.measure.regionprops_table`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_boxes import grid
from numpy.typing import NDArray

from bioimageio_core.objects import Measurements, TableLayout, measure_objects

measure = pytest.importorskip("skimage.measure")

DTYPES = ("bool", "uint8", "int16", "uint32", "int64", "float16", "float32", "float64")


def table_of(
    labels: NDArray[Any], image: NDArray[Any] | None = None, cuts: Any = None, order: Any = None, **layout: Any
) -> dict[str, NDArray[Any]]:
    """Return the columns of labels that are measured box by box, in any order."""
    axes = ("t", "z", "y", "x")[-labels.ndim :]
    given = {"channels": tuple("abc"[: len(image)]), "dtype": image.dtype} if image is not None else {}
    table = Measurements(int(labels.max(initial=0)), TableLayout(axes=axes, shape=labels.shape, **{**given, **layout}))
    boxes = grid(labels.shape, cuts or [[]] * labels.ndim, [0] * labels.ndim)
    for box in (order or list)(boxes):
        table.add(measure_objects(labels[box.window], None if image is None else image[(slice(None), *box.window)], box.start))
    return dict(table.columns())


@st.composite
def measured(draw: st.DrawFn) -> tuple[NDArray[Any], NDArray[Any], Any]:
    """Draw dense ids in 2D or 3D, an image of one or two channels of any dtype, and where it is cut."""
    shape = tuple(draw(st.lists(st.integers(1, 9), min_size=2, max_size=3)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    labels = rng.integers(0, draw(st.integers(1, 9)) + 1, shape)
    labels = np.unique(np.append(labels, 0), return_inverse=True)[1].reshape(-1)[:-1].reshape(shape).astype(np.uint32)
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    image = rng.integers(0 if dtype.kind in "ub" else -100, 100, (draw(st.integers(1, 2)), *shape)).astype(dtype)
    if dtype.kind == "f" and dtype.itemsize > 2:
        image += rng.random(image.shape).astype(dtype)
    return labels, image, [draw(st.lists(st.integers(0, size), max_size=4)) for size in shape]


class TestMeasurements:
    """Columns of all objects."""

    @settings(max_examples=25)
    @given(measured(), st.randoms())
    def test_equal_regionprops(self, case: tuple[NDArray[Any], NDArray[Any], Any], random: Any) -> None:
        """Ids, pixels, centroids, boxes and intensities, whatever the boxes that are measured and their order."""
        labels, image, cuts = case
        found = table_of(labels, image, cuts, lambda boxes: random.sample(boxes, len(boxes)))
        names = ("label", "area", "centroid", "bbox", "intensity_mean", "intensity_min", "intensity_max")
        pixels = np.moveaxis(image, 0, -1).astype(np.float64)
        expected = measure.regionprops_table(labels.astype(int), pixels, properties=names) if labels.any() else {}
        axes = ("t", "z", "y", "x")[-labels.ndim :]
        ours = {"label": "id", "area": "pixels"}
        for number, axis in enumerate(axes):
            ours |= {f"centroid-{number}": f"centroid-{axis}", f"bbox-{number}": f"first-{axis}"}
            ours[f"bbox-{number + labels.ndim}"] = f"stop-{axis}"
        for number, channel in enumerate("abc"[: len(image)]):
            ours |= {f"intensity_{kind}-{number}": f"{kind}-{channel}" for kind in ("mean", "min", "max")}
        for theirs, values in expected.items():
            np.testing.assert_allclose(found[ours[theirs]], values, rtol=1e-13, atol=1e-12, err_msg=theirs)
        assert found["id"].size == labels.max()

    @settings(max_examples=30)
    @given(measured())
    def test_boxes_equal_the_whole(self, case: tuple[NDArray[Any], NDArray[Any], Any]) -> None:
        """Each number is the same bit for bit; sums of fractions are so up to their last digits."""
        labels, image, cuts = case
        whole, parts = table_of(labels, image), table_of(labels, image, cuts)
        assert list(whole) == list(parts)
        for name, values in whole.items():
            if image.dtype.kind == "f" and name.startswith(("sum", "mean")):
                np.testing.assert_allclose(parts[name], values, rtol=1e-13, atol=1e-12)
            else:
                np.testing.assert_array_equal(parts[name], values)

    def test_by_hand(self) -> None:
        """Two objects of 3 and 1 pixels, one of them at an edge."""
        labels = np.array([[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 0, 2], [0, 0, 0, 0]], np.uint32)
        image = np.arange(16, dtype=np.uint8).reshape(1, 4, 4)
        found = table_of(labels, image)
        assert {name: values.tolist() for name, values in found.items()} == {
            "id": [1, 2],
            "pixels": [3, 1],
            "centroid-y": [4 / 3, 2],
            "centroid-x": [4 / 3, 3],
            "first-y": [1, 2],
            "stop-y": [3, 3],
            "first-x": [1, 3],
            "stop-x": [3, 4],
            "touches_edge": [False, True],
            "mean-a": [20 / 3, 11],
            "min-a": [5, 11],
            "max-a": [9, 11],
            "sum-a": [20, 11],
        }
        assert found["sum-a"].dtype == np.uint64

    def test_nan_and_infinity(self) -> None:
        """Pixels that are NaN count nowhere; an object of these alone has no mean."""
        labels = np.array([[1, 1, 1, 2, 2, 3, 3]], np.uint32)
        image = np.array([[[np.nan, 2, 4, np.nan, np.nan, np.inf, -np.inf]]], np.float32)
        for cuts in ([[], []], [[], range(7)]):
            found = table_of(labels, image, cuts)
            np.testing.assert_array_equal(found["pixels"], [3, 2, 2])
            np.testing.assert_array_equal(found["mean-a"], [3, np.nan, np.nan])
            np.testing.assert_array_equal(found["sum-a"], [6, 0, np.nan])
            np.testing.assert_array_equal(found["min-a"], [2, np.nan, -np.inf])
            np.testing.assert_array_equal(found["max-a"], [4, np.nan, np.inf])

    def test_sums_of_integers_are_exact(self) -> None:
        """Up to 32 bits; those of 64 bits do not wrap."""
        image = np.array([[[2**32 - 1, 2**32 - 1, 1]]], np.uint32)
        assert table_of(np.ones((1, 3), np.uint8), image, [[], [1, 2]])["sum-a"].tolist() == [2**33 - 1]
        large = np.full((1, 1, 3), 2**63, np.uint64)
        assert table_of(np.ones((1, 3), np.uint8), large, [[], [1, 2]])["sum-a"].tolist() == [3 * 2.0**63]

    def test_physical_units(self) -> None:
        """Volume in the unit of the last axis; centroids each in the unit of their axis."""
        size = {"z": (2000.0, "nanometer"), "y": (0.5, "µm"), "x": (0.5, "micrometer")}
        found = table_of(np.ones((2, 3, 4), np.uint8), pixel_size=size)
        assert found["volume-micrometer3"].tolist() == pytest.approx([24 * 2 * 0.5 * 0.5])
        assert found["centroid-z-nanometer"].tolist() == [1000]
        assert found["centroid-x-micrometer"].tolist() == [0.75]
        plane = table_of(np.ones((3, 4), np.uint8), pixel_size=size)
        assert plane["area-micrometer2"].tolist() == [3]

    def test_unknown_units(self) -> None:
        """Without a length along each axis there is no physical size; no unit is made up."""
        found = table_of(np.ones((3, 4), np.uint8), pixel_size={"y": (2.0, None), "x": (0.5, "micrometer")})
        assert [name for name in found if "meter" in name] == ["centroid-x-micrometer"]

    def test_samples(self) -> None:
        """An axis of samples has the position of each object, is no part of its place, and no edge."""
        labels = np.zeros((2, 5, 5), np.uint32)
        labels[0, 1:3, 2], labels[1, 2, 2] = 1, 2
        size = {"y": (1.0, "micrometer"), "x": (1.0, "micrometer"), "z": (3.0, "micrometer")}
        found = table_of(labels, sample_axes=("z",), pixel_size=size)
        assert list(found)[:4] == ["id", "z", "pixels", "area-micrometer2"]
        assert found["z"].tolist() == [0, 1]
        assert not [name for name in found if name.endswith("-z")]
        assert found["touches_edge"].tolist() == [False, False]

    def test_names_of_channels(self) -> None:
        """Channels of one name, or of none, are named by their numbers."""
        for names, expected in ((("a", "a"), ("0", "1")), (("", "a"), ("0", "1")), (("b", "a"), ("b", "a"))):
            assert TableLayout(axes=("x",), shape=(1,), channels=names).channel_names == expected

    def test_covered_objects_have_no_row(self) -> None:
        """An id without pixels is left out, in pieces too; a table without objects has its columns."""
        found = table_of(np.array([[1, 3, 3]], np.uint32))
        assert found["id"].tolist() == [1, 3]
        table = Measurements(5, TableLayout(axes=("x",), shape=(9,)))
        table.add(measure_objects(np.array([5, 0, 2], np.uint64), None, (6,)))
        assert [piece["id"].tolist() for piece in table.pieces(2)] == [[2], [], [5]]
        assert [piece["first-x"].tolist() for piece in table.pieces(2)] == [[8], [], [6]]
        (nothing,) = Measurements(0, TableLayout(axes=("x",), shape=(9,))).pieces()
        assert list(nothing) == ["id", "pixels", "centroid-x", "first-x", "stop-x", "touches_edge"]


class TestMeasureObjects:
    def test_an_empty_box(self) -> None:
        """No object, no measurement; nor in a box without pixels."""
        for shape in ((2, 3), (0, 3)):
            part = measure_objects(np.zeros(shape, np.uint32), np.zeros((1, *shape), np.float32), (0, 0))
            assert part.ids.size == part.pixels.size == part.first.size == 0

    def test_another_shape(self) -> None:
        """An image that numpy would broadcast is refused."""
        with pytest.raises(ValueError, match="shape"):
            measure_objects(np.ones((2, 3), np.uint8), np.ones((1, 1, 3)), (0, 0))
