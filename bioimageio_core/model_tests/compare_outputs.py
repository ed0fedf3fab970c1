"""Compares outputs with the expected arrays."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from ..objects import match_labels
from ..prediction.model.tensor_spec import TensorIO
from ..spec.model.tolerances import Tolerance
from ..typing import AxisId, FrozenMapping

__all__ = ["OutputComparison", "compare", "difference", "label_difference", "without_halo"]


@attrs.frozen(kw_only=True)
class OutputComparison:
    """The comparison of an output with its test tensor."""

    output: str
    passed: bool
    message: str
    """Empty where it passed."""

    greatest_deviation: float
    """Greatest absolute difference; of labels, 1 if a pixel is in another object, else 0; NaN where the two cannot be compared."""

    at: tuple[int, ...]
    """Position of the greatest deviation."""

    mismatched: int
    """Number of elements beyond the tolerance; of labels, that of pixels in other objects."""

    elements: int
    relative_tolerance: float
    absolute_tolerance: float
    mismatched_per_million: float
    """Elements per million that may be beyond the tolerance."""

    labels: bool = False
    """Whether it was compared as labels of objects, whatever their numbers."""

    cropped: FrozenMapping[AxisId, int] = FrozenMapping()
    """Halo by axis that the test tensor lacks, so that the output is compared without it."""


def without_halo(
    tensor: TensorIO, actual: NDArray[np.generic], expected: NDArray[np.generic]
) -> tuple[NDArray[np.generic], dict[AxisId, int]]:
    """Return an output without its halo along axes where the test tensor lacks it, and this halo by axis; else the output itself.

    The format allows test tensors with and without halo.
    """
    if actual.ndim != expected.ndim:
        return actual, {}
    sizes = zip(tensor.axes, actual.shape, expected.shape, strict=True)
    halos = {axis.id: axis.halo for axis, found, wanted in sizes if axis.halo and found == wanted + 2 * axis.halo}
    index = tuple(slice(halos.get(axis, 0), size - halos.get(axis, 0)) for axis, size in zip(tensor.axis_ids, actual.shape, strict=True))
    cropped = actual[index]
    return (cropped, halos) if cropped.shape == expected.shape else (actual, {})


def compare(
    output: str, actual: NDArray[np.generic], expected: NDArray[np.generic], tolerance: Tolerance, *, labels: bool = False
) -> OutputComparison:
    """Compare an output with its test tensor.

    An element matches if ``|actual - expected| <= absolute + relative * |expected|``, in float64;
    NaN matches only NaN, and an infinity only itself.
    Labels of objects match whatever their numbers: objects are matched one to one, and a pixel differs if it is in no matched pair.

    Args:
        output: Id of the output.
        actual: The output.
        expected: Its test tensor.
        tolerance: Of labels, only the number of mismatched elements counts.
        labels: Whether both are labels of objects.

    """

    def verdict(
        passed: bool, message: str, deviation: float = float("nan"), at: Sequence[int] = (), mismatched: int = 0
    ) -> OutputComparison:
        return OutputComparison(
            output=output,
            passed=passed,
            message=message,
            greatest_deviation=deviation,
            at=tuple(at),
            mismatched=mismatched,
            elements=int(actual.size),
            relative_tolerance=tolerance.relative,
            absolute_tolerance=tolerance.absolute,
            mismatched_per_million=tolerance.mismatched_per_million,
            labels=labels,
        )

    if actual.shape != expected.shape:
        return verdict(False, f"has shape {actual.shape}, the test tensor {expected.shape}")
    if not actual.size:
        return verdict(True, "", 0.0)
    if labels:
        match = match_labels(_as_labels(actual), _as_labels(expected))
        mismatched = int(np.count_nonzero(match.differs))
        at = [int(i) for i in np.unravel_index(int(np.argmax(match.differs)), actual.shape)]
        per_million = mismatched / actual.size * 1e6
        if per_million <= tolerance.mismatched_per_million:
            return verdict(True, "", float(mismatched > 0), at, mismatched)
        message = (
            f"{mismatched} of {actual.size} pixels are in other objects than in the test tensor "
            f"({per_million:.0f} per million, {tolerance.mismatched_per_million:g} allowed), as at {tuple(at)}: "
            f"found {match.found} objects, expected {match.expected}, of which {match.matched} match"
        )
        return verdict(False, message, 1.0, at, mismatched)
    away = difference(actual, expected)
    size = np.abs(expected.astype(np.float64))
    beyond = ~(away <= tolerance.absolute + tolerance.relative * np.where(np.isfinite(size), size, 0.0))
    mismatched = int(np.count_nonzero(beyond))
    at = [int(i) for i in np.unravel_index(int(np.argmax(away)), away.shape)]
    greatest = float(away[tuple(at)])
    per_million = mismatched / actual.size * 1e6
    if per_million <= tolerance.mismatched_per_million:
        return verdict(True, "", greatest, at, mismatched)
    message = (
        f"{mismatched} of {actual.size} elements differ by more than {tolerance.absolute:g} + {tolerance.relative:g} * |expected| "
        f"({per_million:.0f} per million, {tolerance.mismatched_per_million:g} allowed); "
        f"the greatest difference is {greatest:.4g}, at {tuple(at)}"
    )
    return verdict(False, message, greatest, at, mismatched)


def label_difference(first: NDArray[np.generic], second: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return, for two labellings of equal shape, 1 at each pixel that is in another object, else 0."""
    return match_labels(_as_labels(first), _as_labels(second)).differs.astype(np.float64)


def _as_labels(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return labels as integers; test tensors may hold them as floats."""
    return array if array.dtype.kind in "iu" else np.nan_to_num(array.astype(np.float64)).astype(np.int64)


def difference(actual: NDArray[np.generic], expected: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return the absolute difference of two arrays of equal shape, in float64.

    It is 0 for two NaN and for equal infinities, and infinite where one of the two is NaN.
    """
    a, e = actual.astype(np.float64), expected.astype(np.float64)
    with np.errstate(invalid="ignore"):
        away = np.abs(a - e)
    same = (a == e) | (np.isnan(a) & np.isnan(e))
    return np.asarray(np.where(same, 0.0, np.where(np.isnan(away), np.inf, away)))
