"""Histograms: those of numpy, however the tensor is cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bioimageio_core.registry import Measure
from bioimageio_core.statistics import DatasetStatistics, StreamingStatistics, partial_from_bytes, partial_to_bytes

AXES = ("channel", "y", "x")
OVER = st.sampled_from([("y", "x"), ("channel", "y", "x"), ("channel",), ("x",), ()])
FLOATS = st.floats(width=32) | st.sampled_from([0.0, -0.0, float(np.float32(0.1)), 0.5, 1.0, 2.0, np.nan, np.inf, -np.inf])


def measured(image: np.ndarray[Any, Any], measures: list[Measure], cut: int) -> dict[Measure, np.ndarray[Any, Any]]:
    """Return statistics of an image that is measured in slices along y, each through the bytes that shards share."""
    statistics = StreamingStatistics(measures, axes=AXES, shape=image.shape, dtype=image.dtype)
    while not statistics.done:
        merged = statistics.partial()
        for begin in range(0, image.shape[1], cut):
            part = statistics.partial()
            part.update(image[:, begin : begin + cut], (0, begin, 0))
            merged.merge(partial_from_bytes(partial_to_bytes(part), statistics.partial()))
        statistics.end_pass(merged)
    return statistics.results()


def numpys(image: np.ndarray[Any, Any], measure: Measure) -> np.ndarray[Any, Any]:
    """Return the histograms that numpy counts, for each position along the axes that are not reduced."""
    assert measure.bins is not None
    assert measure.range is not None
    edges = np.linspace(*measure.range, measure.bins + 1)
    reduced = tuple(AXES.index(a) for a in measure.axes)
    kept = tuple(n for n in range(3) if n not in reduced)
    shape = tuple(1 if n in reduced else size for n, size in enumerate(image.shape))
    groups = image.astype(np.float64).transpose(kept + reduced).reshape(int(np.prod(shape)), -1)
    return np.array([np.histogram(group[~np.isnan(group)], edges)[0] for group in groups]).reshape(*shape, measure.bins)


@given(
    arrays(np.float32, (2, 3, 4), elements=FLOATS)
    | arrays(np.int16, (2, 3, 4), elements=st.integers(-9, 9))
    | arrays(np.uint64, (2, 3, 4), elements=st.integers(0, 2**64 - 1) | st.integers(0, 9))
    | arrays(np.bool_, (2, 3, 4)),
    OVER,
    st.integers(1, 40),
    st.floats(-1e3, 1e3),
    st.floats(-1e3, 1e3),
    st.integers(1, 4),
)
def test_equals_numpys(image: np.ndarray[Any, Any], over: tuple[str, ...], bins: int, low: float, high: float, cut: int) -> None:
    """Exactly, of any dtype, in any blocks, beside other statistics, which may take more passes."""
    assume(high - low > 1e-6)
    measure = Measure(kind="histogram", axes=over, bins=bins, range=(low, high))
    other = Measure(kind="histogram", axes=over, bins=2, range=(-5, 5))
    found = measured(image, [measure, Measure(kind="median", axes=over), other, Measure(kind="count", axes=over)], cut)
    np.testing.assert_array_equal(found[measure], numpys(image, measure))
    np.testing.assert_array_equal(found[other], numpys(image, other))


@pytest.mark.parametrize(("bins", "low", "high"), [(10, 0.0, 1.0), (7, -0.3, 0.4), (256, 0, 65535), (1, 2, 3), (3, 1.0, 1.0 + 2**-48)])
def test_equals_numpys_with_a_range(bins: int, low: float, high: float) -> None:
    """As when numpy is given the number of bins and their range: values on edges, and the numbers next to them, are in the same bins."""
    edges = np.linspace(low, high, bins + 1)
    values = np.concatenate([edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf)])
    measure = Measure(kind="histogram", axes=AXES, bins=bins, range=(low, high))
    found = measured(values[None, None], [measure], 1)[measure]
    np.testing.assert_array_equal(found[0, 0, 0], np.histogram(values, bins, (low, high))[0])


def test_edges() -> None:
    """Each bin has its lower edge, the last one both; NaN and values outside are in none."""
    image = np.array([[[0, 1, 1.5, 2, np.nan, -0.5, 2.5, np.inf]]])
    measure = Measure(kind="histogram", axes=AXES, bins=2, range=(0, 2))
    assert measured(image, [measure], 1)[measure].tolist() == [[[[1, 3]]]]


def test_many_groups() -> None:
    """More groups than bins, so that rows are short."""
    image = np.random.default_rng(0).random((2, 50, 60))
    measure = Measure(kind="histogram", axes=("channel",), bins=8, range=(0, 1))
    np.testing.assert_array_equal(measured(image, [measure], 7)[measure], numpys(image, measure))


def test_of_a_dataset() -> None:
    """Two images of different size, as one, for each channel."""
    measure = Measure(kind="histogram", axes=("y", "x"), bins=2, range=(0, 2))
    first, second = np.array([[[0.0, 1.0]], [[1.0, 1.0]]]), np.array([[[0.5]], [[2.0]]])
    statistics = DatasetStatistics([measure], axes=AXES, shapes=[first.shape, second.shape], dtype="float64")
    merged = statistics.partial()
    merged.update(first, (0, 0, 0))
    merged.update(second, (0, 0, 0))
    statistics.end_pass(merged)
    assert statistics.results()[measure].tolist() == [[[[2, 1]]], [[[0, 3]]]]
