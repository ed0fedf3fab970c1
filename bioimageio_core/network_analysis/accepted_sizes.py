"""Finds the sizes that a network takes along an axis, and the sizes of outputs that follow from them, by calling it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from math import floor

import attrs

from ..blocks import FixedSize, Size, SteppedSize
from ..prediction.geometry.signature import Variable
from .network_caller import NetworkCaller, Shapes

__all__ = ["FoundSizes", "Law", "find_sizes", "presumed_sizes"]

GREAT_STEPS = (96, 144, 160, 224, 288, 128, 420, 100, 256)
"""Growths that are tried first; a network that takes none of them has a fixed size. Steps are sought among their divisors."""

LARGEST_DENOMINATOR = 64
"""Largest denominator of a ratio; other ratios come from networks that drop pixels which do not fill a window."""

LARGEST_SCAN = 64
"""Largest step for which all sizes within it are tried, to find one for which the network drops fewer pixels."""

PLAUSIBLE = tuple(
    Fraction(n, d) for n, d in [(1, 1), *((n, 1) for n in (2, 3, 4, 5, 6, 8, 16, 32)), *((1, d) for d in (2, 3, 4, 5, 6, 8, 16, 32))]
)
"""Ratios that are assumed for networks of fixed size."""


@attrs.frozen(kw_only=True)
class Law:
    """The size of an output axis: ``floor(size * ratio) + offset`` pixels."""

    output: int
    axis: int
    """Number of the axis among the axes of the output."""

    ratio: Fraction
    offset: int
    seen_at: int
    """A size for which the output was observed."""

    def size(self, size: int) -> int | None:
        """Return the size of the output axis; None where the growth is not an integer number of output pixels."""
        return floor(size * self.ratio) + self.offset if ((size - self.seen_at) * self.ratio).denominator == 1 else None


@attrs.frozen(kw_only=True)
class FoundSizes:
    """Sizes along a variable, and the laws of the output axes that follow it."""

    size: Size
    laws: tuple[Law, ...]


def find_sizes(caller: NetworkCaller, variables: tuple[Variable, ...], variable: Variable) -> FoundSizes:
    """Return the sizes that the network takes along a variable, with the initial sizes along all others.

    A size counts if the network runs and every output has the size that follows from growing by steps:
    sizes at which a network silently drops pixels that do not fill a pooling window do not count.
    """
    if variable.fixed:
        return presumed_sizes(caller, variables, variable)

    def shapes(size: int) -> Shapes | None:
        return caller.shapes(variables, {variable.key: size}) if size > 0 else None

    base = variable.size
    at_base = shapes(base)
    for great in GREAT_STEPS:
        once = shapes(base + great)
        more = [] if once is None else [shapes(base + n * great) for n in (2, 3)]
        if at_base is None or once is None or not _linear([at_base, once, *more]):
            continue
        laws = tuple(_laws(at_base, once, base, great))
        if all(w.ratio.denominator <= LARGEST_DENOMINATOR for w in laws):
            break
    else:
        return presumed_sizes(caller, variables, variable)

    def valid(size: int) -> bool:
        found = shapes(size)
        fits = found is not None and all(0 < found[w.output][w.axis] == w.size(size) for w in laws)
        return fits and found is not None and _same_elsewhere(found, at_base, laws)

    step = next(d for d in _divisors(great) if d == great or (valid(base + d) and valid(base + 2 * d)))
    if any(w.offset < 0 for w in laws) and 1 < step <= LARGEST_SCAN:
        better = _fuller(shapes, base, step, at_base, laws)
        if better is not None:
            base, laws = better
    return FoundSizes(size=SteppedSize(_smallest(valid, base, step), step), laws=laws)


def presumed_sizes(caller: NetworkCaller, variables: tuple[Variable, ...], variable: Variable) -> FoundSizes:
    """Return the only size of a variable, and the most plausible laws of output axes of the same id."""
    shapes = caller.shapes(variables, {variable.key: variable.size})
    laws = []
    for number, (output, shape) in enumerate(zip(caller.signature.outputs, shapes or (), strict=False)):
        if variable.axis in output.axes:
            axis = output.axes.index(variable.axis)
            ratio = min(PLAUSIBLE, key=lambda r: (abs(shape[axis] - floor(variable.size * r)), abs(r - 1)))
            if abs(shape[axis] - variable.size * ratio) * 2 < shape[axis]:
                offset = shape[axis] - floor(variable.size * ratio)
                laws.append(Law(output=number, axis=axis, ratio=ratio, offset=offset, seen_at=variable.size))
    return FoundSizes(size=FixedSize(variable.size), laws=tuple(laws))


def _laws(at_base: Shapes, once: Shapes, base: int, great: int) -> Iterator[Law]:
    for number, (first, second) in enumerate(zip(at_base, once, strict=True)):
        for axis, (a, b) in enumerate(zip(first, second, strict=True)):
            if b > a:
                ratio = Fraction(b - a, great)
                yield Law(output=number, axis=axis, ratio=ratio, offset=a - floor(base * ratio), seen_at=base)


def _linear(seen: Sequence[Shapes | None]) -> bool:
    """Return whether all output axes grow by equal amounts."""
    known = [s for s in seen if s is not None]
    if len(known) < len(seen):
        return False
    growths = [[b - a for one, other in zip(s, t, strict=True) for a, b in zip(one, other, strict=True)] for s, t in pairwise(known)]
    return min(growths[0], default=0) >= 0 and all(g == growths[0] for g in growths)


def _same_elsewhere(found: Shapes, at_base: Shapes | None, laws: tuple[Law, ...]) -> bool:
    """Return whether all output axes without a law kept their size."""
    follow = {(w.output, w.axis) for w in laws}
    return at_base is not None and all(
        a == b
        for number, (one, other) in enumerate(zip(found, at_base, strict=True))
        for axis, (a, b) in enumerate(zip(one, other, strict=True))
        if (number, axis) not in follow
    )


def _fuller(
    shapes: Callable[[int], Shapes | None], base: int, step: int, at_base: Shapes | None, laws: tuple[Law, ...]
) -> tuple[int, tuple[Law, ...]] | None:
    """Return another initial size with its laws if outputs lose fewer pixels there: the first size may not have filled the last window."""
    best: tuple[int, tuple[Law, ...]] | None = None
    least = sum(-min(w.offset, 0) for w in laws)
    for size in range(base + 1, base + step):
        found = shapes(size)
        if found is None or not _same_elsewhere(found, at_base, laws):
            continue
        moved = tuple(attrs.evolve(w, offset=found[w.output][w.axis] - floor(size * w.ratio), seen_at=size) for w in laws)
        lost = sum(-min(w.offset, 0) for w in moved)
        again = shapes(size + step) if lost < least else None
        if again is not None and all(again[w.output][w.axis] == w.size(size + step) for w in moved):
            best, least = (size, moved), lost
    return best


def _smallest(valid: Callable[[int], bool], base: int, step: int) -> int:
    """Return the smallest valid size, by bisection: a network that takes a size takes all larger ones at multiples of the step."""
    low, high = -((base - 1) // step), 0  # in steps from base
    while low < high:
        middle = (low + high) // 2
        if valid(base + middle * step):
            high = middle
        else:
            low = middle + 1
    return base + high * step


def _divisors(number: int) -> list[int]:
    return [d for d in range(1, number + 1) if number % d == 0]
