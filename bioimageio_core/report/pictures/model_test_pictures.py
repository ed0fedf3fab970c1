"""Pictures of test tensors: inputs; outputs as expected and as found, and how far these are apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...model_tests.compare_outputs import OutputComparison, difference, label_difference
from ...model_tests.test_report import TestReport, WeightsTest
from .side_by_side import in_a_row, subsampled, to_colours, to_grey, to_png

__all__ = ["BAR", "difference_picture", "difference_pictures", "input_pictures"]

BAR = 2.0
"""Difference in units of the tolerance that has the brightest colour; the tolerance itself lies in the middle of the colours."""

MAX_PIXELS, MIN_PIXELS = 512, 160
"""Pixels of the longer side of each panel; larger planes are subsampled, smaller ones enlarged."""


def input_pictures(report: TestReport) -> dict[str, bytes]:
    """Return a PNG in grey for each test input that has axes y and x, by id."""
    planes = {name: _plane(array, report.axes[name]) for name, array in report.inputs.items()}
    return {name: to_png(to_grey(_fitting(np.asarray(plane, np.float64)))) for name, plane in planes.items() if plane is not None}


def difference_pictures(test: WeightsTest, report: TestReport) -> dict[str, bytes]:
    """Return a PNG for each output that has axes y and x, by id."""
    pictures = {}
    for compared in test.outputs:
        name = compared.output
        if name in test.found:
            picture = difference_picture(test.found[name], report.expected[name], report.axes[name], compared)
            if picture is not None:
                pictures[name] = picture
    return pictures


def difference_picture(
    found: NDArray[Any], expected: NDArray[Any], axes: Sequence[str], compared: OutputComparison | None = None
) -> bytes | None:
    """Return a PNG with three panels: expected and found, in the same colours, and their absolute difference.

    Shows the middle of axis z, and the first position of all other axes but y and x.

    Args:
        found: The output.
        expected: The test tensor; there is no third panel if the shapes differ.
        axes: Axes of both.
        compared: The difference is in units of its tolerance, up to `BAR`; of labels, the third panel shows pixels that are in another
            object. None: up to the greatest difference.

    Returns:
        The file; None if there is no such plane.

    """
    planes = [_plane(array, axes) for array in (expected, found)]
    if any(plane is None for plane in planes):
        return None
    wanted, got = (_fitting(np.asarray(plane, np.float64)) for plane in planes if plane is not None)
    finite = np.concatenate([plane[np.isfinite(plane)] for plane in (wanted, got)])
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    panels = [to_colours(wanted, low, high), to_colours(got, low, high)]
    if wanted.shape == got.shape:
        panels.append(_difference(got, wanted, compared))
    return to_png(in_a_row(panels))


def _difference(got: NDArray[Any], wanted: NDArray[Any], compared: OutputComparison | None) -> NDArray[np.uint8]:
    if compared is not None and compared.labels:
        return to_colours(label_difference(got, wanted), 0.0, 1.0)
    away = difference(got, wanted)
    if compared is None:
        finite = away[np.isfinite(away)]
        return to_colours(away, 0.0, float(finite.max()) if finite.size else 1.0)
    tolerance = compared.absolute_tolerance + compared.relative_tolerance * np.nan_to_num(np.abs(wanted), posinf=0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(away == 0, 0.0, away / tolerance)
    return to_colours(np.nan_to_num(parts, nan=BAR, posinf=BAR), 0.0, BAR)


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
