"""The receptive field of a network, found by changing slabs of the input.

A slab of the input is changed, and all pixels of the output that differ are found: any difference counts.
The slab is placed at every phase of the network's stride, in several images and with several sizes of the change.
A large change of an image of zeros has an effect through deep stacks of small weights and through rectifiers,
a small change through functions that saturate.

The result is a lower bound, which is tight for networks whose weights are not zero.
If the runtime passes not-a-number through all operations, as PyTorch does, a slab of not-a-number spreads along every path of the graph,
whatever the weights are: then the result is exact. The rectifiers and poolings of ONNX Runtime drop it, which is detected.
Arithmetic that spreads rounding errors (Winograd's, Fourier transforms) makes the receptive field appear larger, never smaller.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, lcm
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ..blocks import FixedSize
from ..prediction.geometry.network_geometry import AnalysedOutputAxis
from ..prediction.geometry.signature import Variable
from .accepted_sizes import FoundSizes, Law
from .network_caller import Arrays, NetworkCaller, Sizes

__all__ = ["find_receptive_field"]

SIZES = (128, 256, 640)
"""Sizes of images, tried until a change has no effect on some pixels. An effect across 640 pixels is taken as an effect everywhere."""

STATES = ((1.0, 1.0), (0.0, 1e4), (1.0, 1e3))
"""Standard deviations of the image and of the change."""

CHECKED = 1
"""The state that not-a-number is compared with: it must spread at least as far as differences do."""

MOST_PHASES = 64
"""Largest number of positions of a slab at either side."""

STANDS_OUT = 3.0
"""Ratio of a local effect to the effect at the far end; the local effect ends where no pixel exceeds it for the thickness of a slab."""


@attrs.frozen(kw_only=True)
class _Reached:
    """Output pixels along an axis that changed."""

    first: int
    last: int
    local: int
    """The last pixel that changed more than pixels far away."""

    def joined(self, other: _Reached | None) -> _Reached:
        """Return the range that contains both, with the local extent of this one."""
        if other is None:
            return self
        return attrs.evolve(self, first=min(self.first, other.first), last=max(self.last, other.last))


def find_receptive_field(
    caller: NetworkCaller, variables: tuple[Variable, ...], variable: Variable, found: FoundSizes, others: Sizes, stride: int | None
) -> tuple[AnalysedOutputAxis, ...]:
    """Return the receptive field along every output axis that follows a variable.

    Args:
        caller: The network.
        variables: All variables of the network.
        variable: The variable to analyse.
        found: Its sizes, and the outputs that follow it.
        others: Sizes along the other variables.
        stride: The stride of the network, if it has one.

    """
    if not found.laws:
        return ()
    denominator = lcm(*(w.ratio.denominator for w in found.laws), *(r.denominator for _, r in variable.members))
    phases = min(lcm(stride or (16 if isinstance(found.size, FixedSize) else found.size.step), denominator), MOST_PHASES)
    for at_least in SIZES:
        size = found.size.value if isinstance(found.size, FixedSize) else found.size.smallest(max(at_least, 8 * phases))
        slabs = _Slabs(caller, variables, variable, {**others, variable.key: size}, size, phases)
        through = [slabs.through(law) for law in found.laws]
        if not any(through) or isinstance(found.size, FixedSize):
            break
    grain = None if stride is None else lcm(stride, denominator)
    return tuple(_measured(slabs, law, grain, denominator, through=t) for law, t in zip(found.laws, through, strict=True))


def _measured(slabs: _Slabs, law: Law, grain: int | None, denominator: int, *, through: bool) -> AnalysedOutputAxis:
    positions = 1 if through else None  # enough for an estimate, which is rounded up to the stride
    left = [(c, slabs.effects(c, "left")[law]) for c in slabs.left_positions[:positions]]
    right = [(c, slabs.effects(c, "right")[law]) for c in slabs.right_positions[:positions]]

    def halo(grid: int, *, local: bool = False) -> int:
        """Return the halo for blocks whose origins are multiples of ``grid``.

        A change at input pixel c has an effect up to output pixel j. The core of the last block with an effect starts at the multiple of
        the grid before j, and this block must read c: the distance is what it must read before its core. The same holds behind the core.
        """
        before, behind = 0, 0
        for c, effect in left:
            if effect is not None:
                before = max(before, _grid_before(effect.local if local else effect.last, law.ratio, grid) - c)
        for c, effect in right:
            if effect is not None:
                behind = max(behind, c + 1 - grid - _grid_before(effect.local if local else effect.first, law.ratio, grid))
        return max(ceil(before * law.ratio), ceil(behind * law.ratio + min(law.offset, 0)), 0)

    output = slabs.caller.signature.outputs[law.output]
    return AnalysedOutputAxis(
        tensor=output.id,
        axis=output.axes[law.axis],
        ratio=law.ratio,
        offset=law.offset,
        halo=None if through else halo(grain or denominator),
        halo_anywhere=None if through else halo(denominator),
        local_halo=halo(grain or denominator, local=True) if through else None,
        exact=slabs.exact,
    )


def _grid_before(pixel: int, ratio: Fraction, grid: int) -> int:
    """Return the multiple of the grid, in input pixels, at or before an output pixel."""
    return floor(pixel / (ratio * grid)) * grid


class _Slabs:
    """Changes slabs of the input across an axis, and finds the effect on the outputs.

    A slab is as thick as the number of phases, and ends at the pixel in question, so that no other pixel of it has an effect farther away.
    """

    def __init__(
        self, caller: NetworkCaller, variables: tuple[Variable, ...], variable: Variable, sizes: Sizes, size: int, phases: int
    ) -> None:
        self.caller, self._variable, self._size = caller, variable, size
        self._thick = max(phases, 4)
        start = min(-(-self._thick // phases) * phases, max(size - phases, 0))
        self.left_positions = range(start, min(start + phases, size))
        self.right_positions = range(max(size - 1 - start, 0), max(size - 1 - start - phases, -1), -1)
        images = [caller.images(variables, sizes, seed=21 + 10 * n, amplitude=base or 1.0) for n, (base, _) in enumerate(STATES)]
        changes = [caller.images(variables, sizes, seed=26 + 10 * n, amplitude=change) for n, (_, change) in enumerate(STATES)]
        self._images = [_made(i, empty=not base) for i, (base, _) in zip(images, STATES, strict=True)]
        self._changes = [_made(c, empty=False) for c in changes]
        self._before = [caller.run(i) for i in self._images]
        self._noise = _repeated(self._before[0], caller.run(self._images[0]))
        self.exact = self._lets_nan_pass()
        self._effects: dict[tuple[int, str], dict[Law, _Reached | None]] = {}
        self._laws: list[Law] = []

    def through(self, law: Law) -> bool:
        """Return whether a change at one end of the axis has an effect at the other."""
        self._laws.append(law)
        self._effects.clear()
        pixels = self._before[0][law.output].shape[law.axis]
        left, right = self.effects(self.left_positions[0], "left")[law], self.effects(self.right_positions[0], "right")[law]
        return (left is not None and left.last == pixels - 1) or (right is not None and right.first == 0)

    def effects(self, position: int, side: str) -> dict[Law, _Reached | None]:
        """Return the effect of a slab that ends (on the left side) or starts (on the right side) at a position, by law."""
        if (position, side) not in self._effects:
            self._effects[(position, side)] = self._measure(position, side)
        return self._effects[(position, side)]

    def _measure(self, position: int, side: str) -> dict[Law, _Reached | None]:
        start, stop = (max(position + 1 - self._thick, 0), position + 1) if side == "left" else (position, position + self._thick)
        at_an_end = position in (self.left_positions[0], self.right_positions[0])
        reached: dict[Law, _Reached | None] = dict.fromkeys(self._laws)
        for n, (image, change) in enumerate(zip(self._images, self._changes, strict=True)):
            if not self.exact or at_an_end or n == CHECKED:
                self._join(reached, self._before[n], self.caller.run(self._put(image, change, start, stop)), side)
        if self.exact:
            nans = [None if c is None else np.full_like(c, np.nan) for c in self._changes[0]]
            passed: dict[Law, _Reached | None] = dict.fromkeys(self._laws)
            self._join(passed, self._before[0], self.caller.run(self._put(self._images[0], nans, start, stop)), side)
            if not all(_covers(passed[law], reached[law]) for law in self._laws):
                self.exact = False
                return self._measure(position, side)
            for law, more in passed.items():
                known = reached[law]
                reached[law] = more if known is None else known.joined(more)
        return reached

    def _join(self, reached: dict[Law, _Reached | None], before: list[NDArray[Any]], after: list[NDArray[Any]], side: str) -> None:
        for law in reached:
            found = _reached(before[law.output], after[law.output], law.axis, self._noise, side, self._thick)
            known = reached[law]
            reached[law] = found if known is None else known.joined(found)

    def _put(self, image: Arrays, change: Arrays, start: int, stop: int) -> Arrays:
        """Return the image with a slab of the change in it."""
        made: Arrays = []
        for tensor, a, b in zip(self.caller.signature.inputs, image, change, strict=True):
            ratio = self._variable.ratio_of(tensor.id)
            if a is None or b is None or ratio is None:
                made.append(a)
                continue
            at = (slice(None),) * tensor.axes.index(self._variable.axis) + (slice(floor(start * ratio), ceil(stop * ratio)),)
            changed = a.copy()
            changed[at] = b[at]
            made.append(changed)
        return made

    def _lets_nan_pass(self) -> bool:
        """Return whether inputs of not-a-number alone give such outputs; always False for integers, which have none."""
        if any(i is not None and i.dtype.kind != "f" for i in self._images[0]):
            return False
        outputs = self.caller.run([None if i is None else np.full_like(i, np.nan) for i in self._images[0]])
        return all(o.dtype.kind == "f" and bool(np.isnan(o).all()) for o in outputs)


def _made(images: Arrays | None, *, empty: bool) -> Arrays:
    assert images is not None  # the sizes were found to be valid
    return [None if i is None else np.zeros_like(i) if empty else i for i in images]


def _repeated(once: list[NDArray[Any]], again: list[NDArray[Any]]) -> float:
    """Return the greatest difference between two equal calls: zero, except on devices that sum in no fixed order."""
    with np.errstate(invalid="ignore"):
        return max(
            (float(np.nan_to_num(np.abs(a.astype(np.float64) - b)).max(initial=0)) for a, b in zip(once, again, strict=True)), default=0
        )


def _reached(before: NDArray[Any], after: NDArray[Any], axis: int, noise: float, side: str, gap: int) -> _Reached | None:
    others = tuple(n for n in range(before.ndim) if n != axis)
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(after.astype(np.float64) - before.astype(np.float64))
        same = (before == after) | (np.isnan(before) & np.isnan(after)) if before.dtype.kind in "fc" else before == after
        difference = np.where(same, 0.0, np.nan_to_num(difference, nan=np.inf, posinf=np.inf))
    along = difference.max(axis=others)
    changed = np.flatnonzero(along > 10 * noise)
    if not changed.size:
        return None
    outwards = along if side == "left" else along[::-1]
    stands_out = outwards > STANDS_OUT * float(np.median(outwards[-(len(along) // 3 + 1) :]))
    end = _end_of_run(stands_out, gap)
    local = end if side == "left" else len(along) - 1 - end
    return _Reached(first=int(changed[0]), last=int(changed[-1]), local=local)


def _end_of_run(mask: NDArray[np.bool_], gap: int) -> int:
    """Return the last true value before the first gap of more than ``gap`` positions; 0 where no value is true."""
    at = np.flatnonzero(mask)
    if not at.size:
        return 0
    holes = np.flatnonzero(np.diff(at) > gap)
    return int(at[holes[0]] if holes.size else at[-1])


def _covers(one: _Reached | None, other: _Reached | None) -> bool:
    return other is None or (one is not None and one.first <= other.first and one.last >= other.last)
