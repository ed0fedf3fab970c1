"""Tensors in slabs, where statistics have more groups than fit in memory at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bioimageio_core.prediction.data.split_along_axis import slab_count
from bioimageio_core.prediction.data.tensor_view import TensorView
from bioimageio_core.prediction.data.whole_tensors import ArraySource
from bioimageio_core.prediction.execution.measure_unplanned import measure_view
from bioimageio_core.registry import Measure

AXES = ("z", "y", "x")


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ({"kind": "histogram", "bins": 2**10, "range": (0, 1)}, 4),  # 128 * 128 groups of 2**10 counts, at most 2**22 at once
        ({"kind": "histogram", "bins": 2**5, "range": (0, 1)}, 1),
        ({"kind": "median"}, 1),
        ({"kind": "mean"}, 1),
    ],
)
def test_number(measure: dict[str, Any], expected: int) -> None:
    """By the counts that are kept for each group."""
    assert slab_count(AXES, (9, 128, 128), (9, 16, 16), [Measure(axes=("z",), **measure)]) == expected


def test_same_histograms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every pixel over z, in slabs along y."""
    image = np.random.default_rng(0).random((5, 12, 7))
    view = TensorView(source=ArraySource(array=image), axes=AXES, shape=image.shape, chunks=(5, 4, 4), extra=0)
    measure = Measure(kind="histogram", axes=("z",), bins=3, range=(0, 1))
    whole = measure_view(view, [measure], name="whole").values[measure].values
    monkeypatch.setattr("bioimageio_core.prediction.data.split_along_axis.MAX_COUNTS", 50)
    assert slab_count(AXES, image.shape, view.chunks, [measure]) > 1
    found = measure_view(view, [measure], name="slabs").values[measure].values
    assert found.shape == (1, 12, 7, 3)
    np.testing.assert_array_equal(found, whole)
    np.testing.assert_array_equal(found.sum(axis=-1), np.full((1, 12, 7), 5))
