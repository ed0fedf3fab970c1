"""Pictures of test outputs: what was expected, what was found, and the difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..model_tests.compare_outputs import difference
from ..model_tests.test_report import TestReport, WeightsTest
from .picture import encode_png, in_a_row, in_colours, thinned

__all__ = ["difference_picture", "pictures_of"]

MAX_PIXELS, MIN_PIXELS = 512, 160
"""Of the longer side of each panel; larger planes are thinned out, pixels of smaller ones drawn larger."""


def pictures_of(test: WeightsTest, report: TestReport) -> dict[str, bytes]:
    """Return a PNG for each output that has axes y and x, by id."""
    pictures = {}
    for name, found in test.found.items():
        picture = difference_picture(found, report.expected[name], report.axes[name])
        if picture is not None:
            pictures[name] = picture
    return pictures


def difference_picture(found: NDArray[Any], expected: NDArray[Any], axes: Sequence[str]) -> bytes | None:
    """Return a PNG with three panels: expected and found, in the same colours, and their absolute difference, up to its greatest value.

    Of other axes than y and x the first position is shown, of z the middle one.
    None where there is no such plane; the difference is left out where the two are of different shapes.
    """
    planes = [_plane(array, axes) for array in (expected, found)]
    if any(plane is None or not plane.size for plane in planes):
        return None
    wanted, got = (_fitting(np.asarray(plane, np.float64)) for plane in planes if plane is not None)
    finite = np.concatenate([plane[np.isfinite(plane)] for plane in (wanted, got)])
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    panels = [in_colours(wanted, low, high), in_colours(got, low, high)]
    if wanted.shape == got.shape:
        away = difference(got, wanted)
        finite = away[np.isfinite(away)]
        panels.append(in_colours(away, 0.0, float(finite.max()) if finite.size else 1.0))
    return encode_png(in_a_row(panels))


def _fitting(plane: NDArray[Any]) -> NDArray[Any]:
    """Return a plane that is neither too large nor too small to be looked at."""
    times = max(1, MIN_PIXELS // max(plane.shape))
    return thinned(plane, MAX_PIXELS) if times == 1 else plane.repeat(times, axis=0).repeat(times, axis=1)


def _plane(array: NDArray[Any], axes: Sequence[str]) -> NDArray[Any] | None:
    if "y" not in axes or "x" not in axes or array.ndim != len(axes):
        return None
    index = tuple(slice(None) if a in "yx" else n // 2 if a == "z" else 0 for a, n in zip(axes, array.shape, strict=True))
    plane = array[index]
    return plane if list(axes).index("y") < list(axes).index("x") else plane.T
