"""Statistics of plugins: measured in parts, merged as arrays, equal to those of the whole."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bioimageio_core.errors import PluginError
from bioimageio_core.registry import Measure, Statistic
from bioimageio_core.statistics import DatasetStatistics, StreamingStatistics, partial_from_bytes, partial_to_bytes


def power_sums(values: Any) -> Any:
    """Return number and sum of squares of the values of each group."""
    return np.stack([(~np.isnan(values)).sum(axis=1), np.nansum(values**2, axis=1)], axis=1)


def add(earlier: Any, later: Any) -> Any:
    return earlier + later


def root_mean_square(state: Any) -> Any:
    with np.errstate(invalid="ignore"):
        return np.sqrt(state[:, 1] / state[:, 0])


RMS = Statistic(name="rms", state=power_sums, merge=add, finish=root_mean_square, empty=(0.0, 0.0))


@given(
    arrays(np.float32, (3, 4, 6), elements=st.floats(-100, 100, width=32) | st.just(np.nan)),
    st.sampled_from([("y", "x"), ("channel", "y", "x"), ("channel",), ("x",)]),
    st.integers(1, 3),
)
def test_equals_the_whole(image: np.ndarray, over: tuple[str, ...], cut: int) -> None:
    """Beside a percentile, which takes a second pass, and through the bytes that shards share."""
    measure = Measure(kind="own", axes=over, statistic=RMS)
    axes = ("channel", "y", "x")
    statistics = StreamingStatistics([measure, Measure(kind="median", axes=over)], axes=axes, shape=image.shape, dtype=image.dtype)
    while not statistics.done:
        merged = statistics.partial()
        for begin in range(0, 4, cut):
            part = statistics.partial()
            part.update(image[:, begin : begin + cut], (0, begin, 0))
            merged.merge(partial_from_bytes(partial_to_bytes(part), statistics.partial()))
        statistics.end_pass(merged)
    reduced = tuple(axes.index(a) for a in over)
    values = image.astype(np.float64)
    with np.errstate(invalid="ignore"):
        number = (~np.isnan(values)).sum(axis=reduced, keepdims=True)
        expected = np.sqrt(np.nansum(values**2, axis=reduced, keepdims=True) / number)
    np.testing.assert_allclose(statistics.results()[measure], expected, rtol=1e-12)


def test_of_a_dataset() -> None:
    """Two images of different size, as one."""
    measure = Measure(kind="own", axes=("y", "x"), statistic=RMS)
    first, second = np.full((2, 2), 1.0), np.full((1, 4), 7.0)
    statistics = DatasetStatistics([measure], axes=("y", "x"), shapes=[first.shape, second.shape], dtype="float64")
    merged = statistics.partial()
    merged.update(first, (0, 0))
    merged.update(second, (0, 0))
    statistics.end_pass(merged)
    assert statistics.results()[measure].tolist() == [[5.0]]  # the root of (4 + 4 * 49) / 8


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"state": lambda values: values.sum()}, r"state of the statistic 'rms': expected float64 of shape \(1, 2\), found float64"),
        ({"merge": lambda earlier, later: later[0]}, r"merge of the statistic 'rms': expected float64 of shape \(1, 2\), found"),
        ({"finish": lambda state: 3.0}, r"finish of the statistic 'rms': expected float64 of shape \(1,\), found float"),
        ({"state": lambda values: 1 / 0}, r"state of the statistic 'rms' fails: ZeroDivisionError: division by zero \(.*test_own_statis"),
    ],
)
def test_wrong_results(wrong: dict[str, Any], message: str) -> None:
    """What a function returns has one shape; an error names the statistic and the function."""
    measure = Measure(kind="own", axes=("x",), statistic=attrs.evolve(RMS, **wrong))
    statistics = StreamingStatistics([measure], axes=("x",), shape=(3,), dtype=np.dtype("f4"))
    partial = statistics.partial()
    with pytest.raises(PluginError, match=message):  # noqa: PT012 (each of the three steps calls one of the functions)
        partial.update(np.ones(3, np.float32), (0,))
        statistics.end_pass(partial)
        statistics.results()
