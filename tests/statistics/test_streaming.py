"""Streaming statistics equal those of numpy on the whole tensor."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bioimageio_core.registry import Measure
from bioimageio_core.statistics import StreamingStatistics

AXES = ("batch", "channel", "y", "x")
DTYPES = ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64")

NUMPY = {"min": np.min, "max": np.max, "median": np.median}


def measure_all(stats: StreamingStatistics, data: np.ndarray[Any, Any], blocks: list[tuple[slice, ...]], workers: int = 2) -> None:
    """Run all passes, blocks dealt out to workers, whose accumulators travel as bytes."""
    while not stats.done:
        parts = [stats.partial() for _ in range(workers)]
        for index, block in enumerate(blocks):
            parts[index % workers].update(data[block], tuple(s.start for s in block))
        parts = [pickle.loads(pickle.dumps(part)) for part in parts]
        for part in parts[1:]:
            parts[0].merge(part)
        stats.end_pass(parts[0])


def split(shape: tuple[int, ...], size: tuple[int, ...]) -> list[tuple[slice, ...]]:
    """Return the blocks of a regular grid."""
    counts = [-(-n // b) for n, b in zip(shape, size, strict=True)]
    return [tuple(slice(i * b, min((i + 1) * b, n)) for i, b, n in zip(index, size, shape, strict=True)) for index in np.ndindex(*counts)]


def whole(data: np.ndarray[Any, Any], *measures: Measure, axes: tuple[str, ...] = AXES) -> list[np.ndarray[Any, Any]]:
    """Measure data fed as a single block."""
    stats = StreamingStatistics(measures, axes=axes, shape=data.shape, dtype=data.dtype)
    measure_all(stats, data, [tuple(slice(0, n) for n in data.shape)], workers=1)
    results = stats.results()
    return [results[m] for m in measures]


def expected(data: np.ndarray[Any, Any], measure: Measure, axes: tuple[str, ...]) -> np.ndarray[Any, Any]:
    """Measure with numpy, group by group, from the elements that are not NaN."""
    reduced = tuple(i for i, a in enumerate(axes) if a in measure.axes)
    kept = tuple(i for i in range(data.ndim) if i not in reduced)
    shape = tuple(1 if i in reduced else n for i, n in enumerate(data.shape))
    groups = data.transpose(kept + reduced).reshape(int(np.prod([data.shape[i] for i in kept])), -1)
    out = np.full(len(groups), np.nan)
    for i, group in enumerate(groups):
        values = group[~np.isnan(group)].astype(np.float64)
        if measure.kind == "count":
            out[i] = values.size
        elif values.size <= measure.ddof:
            continue
        elif measure.kind in NUMPY:
            out[i] = NUMPY[measure.kind](values)
        elif measure.kind == "percentile":
            out[i] = np.percentile(values, measure.q, method=measure.method)
        else:
            # Deviations from the first element, so that constant data is as exact as ours.
            deviations = values - values[0]
            out[i] = values[0] + deviations.mean() if measure.kind == "mean" else deviations.std(ddof=measure.ddof)
    return out.reshape(shape)


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray[Any, Any], tuple[int, ...], list[Measure], int]:
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    shape = tuple(draw(st.integers(1, n)) for n in (2, 3, 7, 9))
    elements: Any = None
    if dtype.kind == "f":
        limit = float(np.finfo(np.float16).max) if dtype.itemsize == 2 else 2.0**100
        elements = hnp.from_dtype(dtype, allow_infinity=False, allow_nan=False, min_value=-limit, max_value=limit) | st.just(np.nan)
    data = draw(hnp.arrays(dtype, shape, elements=elements))
    size = tuple(draw(st.integers(1, n)) for n in shape)
    measures = []
    for _ in range(draw(st.integers(1, 5))):
        axes = tuple(a for a in AXES if draw(st.booleans()))
        kind = draw(st.sampled_from(("mean", "std", "percentile", "percentile", "min", "max", "median", "count")))
        if kind == "percentile":
            q = draw(st.sampled_from((0.0, 0.1, 5.0, 25.0, 30.0, 50.0, 99.8, 100.0)) | st.floats(0, 100))
            measures.append(Measure(kind=kind, axes=axes, q=q, method=draw(st.sampled_from(("linear", "inverted_cdf")))))
        else:
            measures.append(Measure(kind=kind, axes=axes, ddof=draw(st.integers(0, 1)) if kind == "std" else 0))
    return data, size, measures, draw(st.integers(1, 3))


class TestEqualsNumpy:
    @settings(max_examples=150, deadline=None)
    @given(cases())
    def test_any_tensor_any_blocks(self, case: tuple[np.ndarray[Any, Any], tuple[int, ...], list[Measure], int]) -> None:
        """Percentiles are those of numpy exactly, means and deviations to rounding, however the tensor is cut."""
        data, size, measures, workers = case
        before = data.copy()
        stats = StreamingStatistics(measures, axes=AXES, shape=data.shape, dtype=data.dtype)
        measure_all(stats, data, split(data.shape, size), workers)
        results = stats.results()
        np.testing.assert_array_equal(data, before)
        assert set(results) == set(measures)
        assert stats.nan_count == np.isnan(data).sum()
        for measure, found in results.items():
            want = expected(data, measure, AXES)
            assert found.dtype == np.float64
            assert found.shape == want.shape
            if measure.kind == "percentile":
                np.testing.assert_array_equal(found, want)
            else:
                scale = np.nanmax(np.abs(data.astype(np.float64)), initial=0.0)
                np.testing.assert_allclose(found, want, rtol=1e-9, atol=1e-13 * scale)

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_large_groups(self, dtype: str) -> None:
        """Many elements in few groups, where counts are kept densely, and a layout with channels last."""
        rng = np.random.default_rng(3)
        raw = rng.integers(0, 256, (300, 301, 2 * np.dtype(dtype).itemsize), np.uint8)
        data = (raw % 2).astype(bool)[..., :2] if dtype == "bool" else raw.view(dtype)
        if data.dtype.kind == "f":
            data = np.where(np.abs(data) < data.dtype.type(min(1e30, float(np.finfo(dtype).max))), data, 0).astype(dtype)
            data[5, 7, 0] = np.nan
        axes = ("y", "x", "channel")
        measures = [
            Measure(kind="percentile", axes=over, q=q, method=method)
            for over in (("y", "x"), axes, ("channel", "y"))
            for q in (1.0, 99.8)
            for method in ("linear", "inverted_cdf")
        ]
        stats = StreamingStatistics(measures, axes=axes, shape=data.shape, dtype=data.dtype)
        measure_all(stats, data, split(data.shape, (128, 301, 2)))
        for measure, found in stats.results().items():
            np.testing.assert_array_equal(found, expected(data, measure, axes))


class TestPasses:
    @pytest.mark.parametrize(("dtype", "passes"), [("bool", 1), ("int8", 1), ("uint16", 1), ("int32", 2), ("float32", 2), ("float64", 4)])
    def test_count(self, dtype: str, passes: int) -> None:
        """Percentiles take one pass for each 16 bits, everything else takes one."""
        made = [
            StreamingStatistics(ms, axes=("x",), shape=(3,), dtype=np.dtype(dtype)).passes
            for ms in (
                [Measure(kind="percentile", axes=("x",), q=50.0)],
                [Measure(kind="mean", axes=("x",)), Measure(kind="std", axes=("x",))],
                [Measure(kind="percentile", axes=("x",), q=0.0), Measure(kind="percentile", axes=("x",), q=100.0)],
                [],
            )
        ]
        assert made == [passes, 1, 1, 0]

    def test_incomplete(self) -> None:
        """A pass that has not seen all elements once is not ended, and results wait for the last pass."""
        stats = StreamingStatistics([Measure(kind="mean", axes=("x",))], axes=("x",), shape=(4,), dtype=np.dtype("f4"))
        part = stats.partial()
        part.update(np.zeros(3, np.float32), (0,))
        with pytest.raises(ValueError, match="expected each of the 4 elements to be seen once in a pass, found 3"):
            stats.end_pass(part)
        with pytest.raises(RuntimeError, match="0 of 1 passes"):
            stats.results()

    def test_foreign_block(self) -> None:
        """A block that reaches beyond the tensor is refused."""
        stats = StreamingStatistics([Measure(kind="mean", axes=("x",))], axes=("x",), shape=(4,), dtype=np.dtype("f4"))
        with pytest.raises(ValueError, match="expected a block within the tensor of shape"):
            stats.partial().update(np.zeros(3, np.float32), (2,))

    def test_complex(self) -> None:
        """Complex numbers have no order."""
        with pytest.raises(ValueError, match="expected a real dtype"):
            StreamingStatistics([], axes=("x",), shape=(4,), dtype=np.dtype("c8"))


class TestNumbers:
    def test_far_from_zero(self) -> None:
        """Means of float32 keep the digits that float32 itself has none for: 16777210..16777216 and 16777216 once more."""
        data = np.array([*range(16777210, 16777217), 16777216], np.float32)
        mean, std = whole(data, Measure(kind="mean", axes=("x",)), Measure(kind="std", axes=("x",)), axes=("x",))
        assert mean == [16777213.375]
        np.testing.assert_allclose(std**2, [4.484375], rtol=1e-14)

    def test_pooled(self) -> None:
        """Percentiles are those of all elements, not the mean of percentiles of samples."""
        data = np.array([[0, 1, 2, 3], [10, 20, 30, 60]], np.float32)
        measures = [Measure(kind="percentile", axes=("batch", "x"), q=q) for q in (0.0, 25.0, 100.0)]
        moments = [Measure(kind=kind, axes=("batch", "x")) for kind in ("mean", "std")]
        found = [float(v.item()) for v in whole(data, *measures, *moments, axes=("batch", "x"))]
        assert found[:4] == [0, 1.75, 60, 15.75]
        assert found[4] == pytest.approx(19.4598947, abs=1e-7)

    def test_constant(self) -> None:
        """A constant that binary fractions cannot hold has exactly itself as mean, and no deviation."""
        data = np.full((3, 1001), 0.1, np.float32)
        stats = StreamingStatistics(
            [Measure(kind="mean", axes=("y", "x")), Measure(kind="std", axes=("y", "x"))],
            axes=("y", "x"),
            shape=data.shape,
            dtype=data.dtype,
        )
        measure_all(stats, data, split(data.shape, (2, 77)))
        mean, std = stats.results().values()
        assert mean == np.float64(np.float32(0.1))
        assert std == 0

    def test_infinities(self) -> None:
        """Infinities are ordered like numbers; their mean is infinite and their deviation undefined."""
        data = np.array([[np.inf, np.nan, 1, 2], [-np.inf, np.inf, 1, np.nan]], np.float32)
        percentiles = [Measure(kind="percentile", axes=("x",), q=q, method="inverted_cdf") for q in (0.0, 50.0, 99.0)]
        low, middle, high, mean, std = whole(
            data, *percentiles, Measure(kind="mean", axes=("x",)), Measure(kind="std", axes=("x",)), axes=("y", "x")
        )
        np.testing.assert_array_equal(low, [[1], [-np.inf]])
        np.testing.assert_array_equal(middle, [[2], [1]])
        np.testing.assert_array_equal(high, [[np.inf], [np.inf]])
        np.testing.assert_array_equal(mean, [[np.inf], [np.nan]])
        np.testing.assert_array_equal(std, [[np.nan], [np.nan]])

    @pytest.mark.parametrize("sign", [0, 1])
    def test_odd_nan(self, sign: int) -> None:
        """NaN of either sign and smallest payload, which share their leading bits with infinity, are left out."""
        bits = np.array([0x7F800001 | sign << 31, 0x7F800000, 0xFF800000, 0x3F800000], np.uint32)
        measures = [Measure(kind="percentile", axes=("x",), q=q, method="inverted_cdf") for q in (10.0, 50.0, 90.0)]
        found = [float(v.item()) for v in whole(bits.view(np.float32), *measures, axes=("x",))]
        assert found == [-np.inf, 1, np.inf]

    def test_nothing_but_nan(self) -> None:
        """A group without numbers measures NaN."""
        data = np.array([[np.nan, np.nan], [1, 3]], np.float64)
        measures = [Measure(kind="percentile", axes=("x",), q=q) for q in (0.0, 50.0)]
        for found, value in zip(whole(data, *measures, Measure(kind="mean", axes=("x",)), axes=("y", "x")), (1, 2, 2), strict=True):
            np.testing.assert_array_equal(found, [[np.nan], [value]])

    def test_strange_axes(self) -> None:
        """Axes of a measure that the tensor lacks are ignored."""
        (found,) = whole(np.arange(4, dtype=np.uint8), Measure(kind="mean", axes=("channel", "x")), axes=("x",))
        assert found == [1.5]
