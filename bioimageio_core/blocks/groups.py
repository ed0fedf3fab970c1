"""Axis groups: an independent input axis with every axis tied to it."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from math import ceil, lcm

import attrs

from ..errors import BlockError
from ..typing import AxisId
from .sizes import FixedSize, Size

__all__ = ["AxisGroup", "TiedAxis"]


@attrs.frozen(kw_only=True)
class TiedAxis:
    """An axis of a tensor whose size follows that of the group's base axis: ``floor(base * ratio) + offset``."""

    tensor: str
    axis: AxisId
    ratio: Fraction = Fraction(1)
    """Pixels of this axis per pixel of the base axis."""

    offset: int = 0
    """In pixels of this axis; negative for valid convolutions."""

    halo: int = 0
    """Outputs only: pixels at either end of a block that depend on pixels outside of it."""

    @cached_property
    def _integers(self) -> tuple[int, int]:
        """Numerator and denominator of the ratio, which every small block needs several times."""
        return self.ratio.numerator, self.ratio.denominator

    def size(self, base: int) -> int:
        """Return the size of this axis if the base axis has ``base`` pixels."""
        numerator, denominator = self._integers
        return base * numerator // denominator + self.offset

    def at(self, base: int) -> int:
        """Return the position on this axis of position ``base`` of the base axis; both are on the group's grid."""
        numerator, denominator = self._integers
        position, between = divmod(base * numerator, denominator)
        if between:
            raise BlockError(f"position {base} lies between pixels of axis {self.axis!r} of {self.tensor!r} (ratio {self.ratio})")
        return position


@attrs.frozen(kw_only=True)
class AxisGroup:
    """Axes of inputs and outputs that are cut together, described in pixels of the base axis ``inputs[0]``.

    Values that every block needs are cached: computing with fractions would take longer than the rest of a small block.
    """

    size: Size
    inputs: tuple[TiedAxis, ...]
    outputs: tuple[TiedAxis, ...]
    may_cut: bool = False
    """False: the network always gets the complete axis."""

    concatenable: bool = False
    """Whether the description declares that the axis may be cut anywhere: blocks need no halo."""

    network_stride: int | None = None
    """Product of the network's pooling factors, if known; it replaces the guess from the size."""

    @property
    def name(self) -> AxisId:
        """Id of the base axis."""
        return self.inputs[0].axis

    @cached_property
    def denominator(self) -> int:
        """Smallest distance between positions that are integer pixels of every tied axis."""
        return lcm(*(t.ratio.denominator for t in (*self.inputs, *self.outputs)))

    @cached_property
    def granularity(self) -> int:
        """Distance between block origins at the same phase of the network: origins are multiples of it.

        It is the step of a stepped size. For a fixed size, its largest power of two up to 32 is a safe guess
        (networks pool by powers of two, and the size is divisible by the product of their pooling factors).
        """
        if self.network_stride is not None:
            return lcm(self.network_stride, self.denominator)
        if isinstance(self.size, FixedSize):
            return lcm(_power_of_two_in(self.size.value, limit=32), self.denominator)
        return lcm(self.size.step, self.denominator)

    @cached_property
    def left(self) -> int:
        """Pixels that a block reads before its core, for the halo of every output.

        Rounded up to the granularity, so that blocks agree with a prediction in one block;
        with a fixed size that does not exist, and fewer pixels leave a larger core.
        """
        need = max((ceil(o.halo / o.ratio) for o in self.outputs), default=0)
        grain = self.denominator if isinstance(self.size, FixedSize) else self.granularity
        return -(-need // grain) * grain

    @cached_property
    def right(self) -> int:
        """Pixels that a block reads behind its core, for halo and negative offset of every output."""
        return max((ceil((o.halo - min(o.offset, 0)) / o.ratio) for o in self.outputs), default=0)

    def check(self, size: int) -> None:
        """Raise BlockError if an image of ``size`` pixels leaves no pixel of some output."""
        for output in self.outputs:
            if output.size(size) < 1:
                least = ceil((1 - output.offset) / output.ratio)
                raise BlockError(
                    f"axis {self.name!r} of input {self.inputs[0].tensor!r} has {size} pixels, which leaves no pixel of output "
                    f"{output.tensor!r} (ratio {output.ratio}, offset {output.offset}): give at least {least} pixels"
                )


def _power_of_two_in(value: int, *, limit: int) -> int:
    """Return the largest power of two that divides ``value``, at most ``limit``."""
    return min(value & -value, limit)
