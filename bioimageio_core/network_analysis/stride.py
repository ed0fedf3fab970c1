"""Finds the stride of a network: the smallest shift of an input that shifts all outputs equally."""

from __future__ import annotations

from collections.abc import Iterator
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..blocks import FixedSize
from ..prediction.geometry.signature import Variable
from .accepted_sizes import FoundSizes, Law
from .network_caller import Arrays, NetworkCaller, Sizes

__all__ = ["find_stride"]

CANDIDATES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 15, 16, 18, 20, 24, 25, 27, 32, 48, 64)
SIZES = (256, 512)
"""Sizes of images, tried until a stride is found: far from the border of an image, outputs do not depend on it."""

AMPLITUDES = (1.0, 30.0)
ROUNDING = 1e-5
"""Differences that count as rounding, as a fraction of the range of the response: shifted sums are added in another order."""

MUCH_LESS = 0.01
"""Allowed difference for a shift by the stride, as a fraction of that for the smallest shift: in networks with statistics over the image,
its border has a small effect."""


def find_stride(caller: NetworkCaller, variables: tuple[Variable, ...], variable: Variable, found: FoundSizes, others: Sizes) -> int | None:
    """Return the stride along a variable; None where no shift up to 64 shifts the outputs equally.

    The image is empty except for noise in its middle, which is moved.
    Statistics over the complete image, as in instance normalisation, stay the same.

    Args:
        caller: The network.
        variables: All variables of the network.
        variable: The variable to analyse.
        found: Its sizes, and the outputs that follow it.
        others: Sizes along the other variables.

    """
    if not found.laws:
        return None
    grain = lcm(*(w.ratio.denominator for w in found.laws), *(r.denominator for _, r in variable.members))
    for at_least in SIZES:
        size = found.size.value if isinstance(found.size, FixedSize) else found.size.smallest(at_least)
        moved = _Moved(caller, variables, variable, {**others, variable.key: size}, size)
        for shift in (lcm(c, grain) for c in CANDIDATES):
            if shift * 8 <= size and moved.agrees(shift, found.laws, least=grain):
                return shift
        if isinstance(found.size, FixedSize):
            return None
    return None


class _Moved:
    """Runs the network once for each shift of the image."""

    def __init__(self, caller: NetworkCaller, variables: tuple[Variable, ...], variable: Variable, sizes: Sizes, size: int) -> None:
        self._trial, self._variable, self._size = caller, variable, size
        self._images = {a: caller.images(variables, sizes, seed=11, amplitude=a) for a in AMPLITUDES}
        self._outputs: dict[tuple[int, float], list[NDArray[Any]]] = {}

    def agrees(self, shift: int, laws: tuple[Law, ...], *, least: int) -> bool:
        """Return whether a shift of the noise shifts all outputs and changes nothing else."""
        found = [self._difference(shift, least, a, law) for a in AMPLITUDES for law in laws]
        return all(agrees for agrees, _ in found) and any(responded for _, responded in found)

    def _difference(self, shift: int, least: int, amplitude: float, law: Law) -> tuple[bool, bool]:
        """Return whether an output moves with a shift, and whether it responded to the noise at all."""
        start, stop = int(self._size * law.ratio * 3 // 8), int(self._size * law.ratio * 5 // 8)

        def moved(by: int) -> NDArray[np.float64]:
            output = np.moveaxis(self._run(by, amplitude)[law.output], law.axis, 0)
            first = start + int(by * law.ratio)
            return output[first : first + stop - start].astype(np.float64)

        still = moved(0)
        span = float(np.ptp(still)) if still.size else 0.0
        rounding = ROUNDING * span
        difference, of_least = (float(np.abs(moved(by) - still).max(initial=0.0)) for by in (shift, least))
        return difference <= rounding or (shift != least and difference <= MUCH_LESS * of_least), span > 0

    def _run(self, shift: int, amplitude: float) -> list[NDArray[Any]]:
        if (shift, amplitude) not in self._outputs:
            images = self._images[amplitude]
            assert images is not None  # the sizes were found to be valid
            self._outputs[(shift, amplitude)] = self._trial.run(list(self._shifted(images, shift)))
        return self._outputs[(shift, amplitude)]

    def _shifted(self, images: Arrays, shift: int) -> Iterator[NDArray[Any] | None]:
        for tensor, image in zip(self._trial.signature.inputs, images, strict=True):
            ratio = self._variable.ratio_of(tensor.id)
            if image is None or ratio is None:
                yield image
                continue
            axis = tensor.axes.index(self._variable.axis)
            size = image.shape[axis]
            seen = np.moveaxis(np.zeros_like(image), axis, 0)
            start, stop, by = size * 3 // 8, size * 5 // 8, int(shift * ratio)
            seen[start + by : stop + by] = np.moveaxis(image, axis, 0)[start:stop]
            yield np.ascontiguousarray(np.moveaxis(seen, 0, axis))
