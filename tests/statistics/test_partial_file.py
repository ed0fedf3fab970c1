"""Accumulators as bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bioimageio_core.registry import Measure
from bioimageio_core.statistics import StreamingStatistics, partial_from_bytes, partial_to_bytes

MEASURES = (
    Measure(kind="mean", axes=("y", "x")),
    Measure(kind="std", axes=("x",)),
    Measure(kind="percentile", q=0, axes=("y", "x")),
    Measure(kind="percentile", q=99.8, axes=("x",)),
    Measure(kind="percentile", q=50, axes=("y", "x")),
)


@given(arrays(np.float32, (5, 7), elements=st.floats(width=32, allow_nan=True, allow_infinity=False)), st.integers(1, 4))
def test_results_are_the_same(image: np.ndarray, cut: int) -> None:
    """Statistics merged from accumulators that were bytes meanwhile equal those of the accumulators, bit by bit, in every pass."""
    directly, via_bytes = (StreamingStatistics(MEASURES, axes=("y", "x"), shape=image.shape, dtype=image.dtype) for _ in range(2))
    while not directly.done:
        for statistics, travel in ((directly, False), (via_bytes, True)):
            merged = statistics.partial()
            for start, stop in ((0, cut), (cut, 5)):
                partial = statistics.partial()
                partial.update(image[start:stop], (start, 0))
                merged.merge(partial_from_bytes(partial_to_bytes(partial), statistics.partial()) if travel else partial)
            statistics.end_pass(merged)
    for measure, values in directly.results().items():
        np.testing.assert_array_equal(via_bytes.results()[measure], values)
    assert via_bytes.nan_count == directly.nan_count


@pytest.mark.parametrize("data", [b"", b"PK", b"x" * 100])
def test_damaged(data: bytes) -> None:
    """Bytes that are something else, as a power failure may leave them, are refused."""
    statistics = StreamingStatistics(MEASURES, axes=("y", "x"), shape=(5, 7), dtype=np.dtype("float32"))
    with pytest.raises(ValueError):  # noqa: PT011 (numpy's own for some of them)
        partial_from_bytes(data, statistics.partial())


def test_of_another_pass() -> None:
    """An accumulator of another pass is refused."""
    image = np.zeros((5, 7), np.float32)
    statistics = StreamingStatistics(MEASURES, axes=("y", "x"), shape=image.shape, dtype=image.dtype)
    partial = statistics.partial()
    partial.update(image, (0, 0))
    data = partial_to_bytes(partial)
    statistics.end_pass(partial)
    with pytest.raises(ValueError, match="pass 2"):
        partial_from_bytes(data, statistics.partial())
