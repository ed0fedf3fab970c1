"""How an output axis of a fixed size follows the input axis of the same id.

Descriptions may write the sizes of the test tensors in place of references: 64 in and 128 out of a network that doubles each pixel.
An image of any other size needs the rule behind the numbers.
"""

from __future__ import annotations

from fractions import Fraction

import attrs

from ....blocks import FixedSize, SteppedSize
from ...model.tensor_spec import AxisIO, ModelIO, TensorIO, as_fraction

__all__ = ["Followed", "followed_size", "size_warnings"]


@attrs.frozen(kw_only=True)
class Followed:
    """The rule ``floor(size of the input axis * ratio) + offset``."""

    ratio: Fraction
    offset: int


def followed_size(axis: AxisIO, followed: AxisIO) -> Followed | None:
    """Return the rule by which a fixed size of an output axis follows an input axis.

    Its ratio is, in this order:

    - the ratio of the pixel sizes, if both are described and differ;
    - the ratio of the sizes, if one divides the other;
    - 1, with an offset: the network loses pixels at the edges.

    Of an input with steps, the size to compare is its smallest size, or the fixed size of the output if the input may have it, too.

    Args:
        axis: An output axis.
        followed: The input axis of the same id.

    Returns:
        None if the size of the output is not fixed, or does not depend on that of the input: it is 1, and the pixel sizes do not say
        that this pixel is as large as many of the input; or no rule fits.

    """
    if not isinstance(axis.size, FixedSize):
        return None
    if followed.size == axis.size:
        return Followed(ratio=Fraction(1), offset=0)
    if axis.kind not in ("space", "time"):
        return None
    size, described = axis.size.value, _described_ratio(axis, followed)
    if size == 1 == described:  # one value for the complete axis, most likely
        return None
    if isinstance(followed.size, FixedSize):
        return _between(followed.size.value, size, described)
    if not isinstance(followed.size, SteppedSize):
        return None
    found = _between(followed.size.min, size, described)
    if found.offset and followed.size.step and size >= followed.size.min and (size - followed.size.min) % followed.size.step == 0:
        return Followed(ratio=Fraction(1), offset=0)  # the size of a test tensor that is larger than the smallest
    return None if found.offset else found


def _described_ratio(axis: AxisIO, followed: AxisIO) -> Fraction:
    """Return the ratio of sizes that the pixel sizes imply."""
    return as_fraction(followed.scale, axis.scale)


def _between(size: int, output_size: int, described: Fraction) -> Followed:
    """Return the rule that leads from one size to the other."""
    ratio = Fraction(output_size, size)
    if described != 1 and 2 * abs(output_size - size * described) < output_size:
        return Followed(ratio=described, offset=output_size - int(size * described))
    if ratio.denominator == 1 or ratio.numerator == 1:
        return Followed(ratio=ratio, offset=0)
    return Followed(ratio=Fraction(1), offset=output_size - size)


def size_warnings(model: ModelIO) -> tuple[str, ...]:
    """Return a line for each fixed output size that contradicts the pixel sizes or the sizes that the input may have."""
    return tuple(line for output in model.outputs for axis in output.axes for line in _contradictions(output, axis, model))


def _contradictions(output: TensorIO, axis: AxisIO, model: ModelIO) -> list[str]:
    source = next((t for t in model.inputs if t.axis(axis.id) is not None), None)
    followed = None if source is None else source.axis(axis.id)
    found = None if followed is None else followed_size(axis, followed)
    if source is None or followed is None or found is None:
        return []
    assert isinstance(axis.size, FixedSize)
    what = f"axis {axis.id!r} of output {output.id!r} has the fixed size {axis.size.value}"
    rule = f"input {source.id!r} times {found.ratio}" + (f" {'+' if found.offset > 0 else '-'} {abs(found.offset)}" if found.offset else "")
    if isinstance(followed.size, SteppedSize):
        return [f"{what} in the description, though the sizes of input {source.id!r} vary: taken as the size of {rule}"]
    described = _described_ratio(axis, followed)
    if described not in (1, found.ratio):
        assert isinstance(followed.size, FixedSize)
        return [
            f"{what} for {followed.size.value} pixels of input {source.id!r}, in contradiction to the pixel sizes {axis.scale:g} and "
            f"{followed.scale:g} in the description: the sizes are taken as right"
        ]
    return []
