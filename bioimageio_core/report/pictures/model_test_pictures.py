"""Pictures of test outputs: expected, found, and the difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...model_tests.compare_outputs import difference, label_difference
from ...model_tests.test_report import TestReport, WeightsTest
from .side_by_side import in_a_row, subsampled, to_colours, to_png

__all__ = ["difference_picture", "difference_pictures"]

MAX_PIXELS, MIN_PIXELS = 512, 160
"""Pixels of the longer side of each panel; larger planes are subsampled, smaller ones enlarged."""


def difference_pictures(test: WeightsTest, report: TestReport) -> dict[str, bytes]:
    """Return a PNG for each output that has axes y and x, by id."""
    pictures = {}
    labels = {output.output for output in test.outputs if output.labels}
    for name, found in test.found.items():
        picture = difference_picture(found, report.expected[name], report.axes[name], labels=name in labels)
        if picture is not None:
            pictures[name] = picture
    return pictures


def difference_picture(found: NDArray[Any], expected: NDArray[Any], axes: Sequence[str], *, labels: bool = False) -> bytes | None:
    """Return a PNG with three panels: expected and found, in the same colours, and their absolute difference, up to its greatest value.

    Of labels, the third panel shows pixels that are in another object.
    Shows the middle of axis z, and the first position of all other axes but y and x.
    None if there is no such plane; there is no difference if the shapes differ.
    """
    planes = [_plane(array, axes) for array in (expected, found)]
    if any(plane is None for plane in planes):
        return None
    wanted, got = (_fitting(np.asarray(plane, np.float64)) for plane in planes if plane is not None)
    finite = np.concatenate([plane[np.isfinite(plane)] for plane in (wanted, got)])
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    panels = [to_colours(wanted, low, high), to_colours(got, low, high)]
    if wanted.shape == got.shape:
        away = label_difference(got, wanted) if labels else difference(got, wanted)
        finite = away[np.isfinite(away)]
        panels.append(to_colours(away, 0.0, float(finite.max()) if finite.size else 1.0))
    return to_png(in_a_row(panels))


def _fitting(plane: NDArray[Any]) -> NDArray[Any]:
    """Return a plane in a size that people can see: subsampled if it is large, enlarged if it is small."""
    times = max(1, MIN_PIXELS // max(plane.shape))
    return subsampled(plane, MAX_PIXELS) if times == 1 else plane.repeat(times, axis=0).repeat(times, axis=1)


def _plane(array: NDArray[Any], axes: Sequence[str]) -> NDArray[Any] | None:
    if "y" not in axes or "x" not in axes or array.ndim != len(axes) or not array.size:
        return None
    index = tuple(slice(None) if a in "yx" else n // 2 if a == "z" else 0 for a, n in zip(axes, array.shape, strict=True))
    plane = array[index]
    return plane if list(axes).index("y") < list(axes).index("x") else plane.T
