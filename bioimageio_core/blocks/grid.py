"""The grid of blocks along one axis group.

With N the size of the image, S the stride, p and q the pixels read before and behind the core::

    image    0                 S                2S                3S      N
    core     |--------0--------|--------1--------|--------2--------|---3--|
    reads   [p|-------0--------|q]      :        :                 :      :
                    [p|--------1--------|q]      :                 :      :
                                             ...              [p|---3--|q] padded

Blocks start at multiples of S, minus p.
The last one is smaller, never shifted: a shifted origin changes the phase of pooling and with it the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from math import ceil, floor

import attrs

from ..errors import BlockError
from .groups import AxisGroup, TiedAxis
from .sizes import FixedSize

__all__ = ["AxisGrid", "strides", "whole_axis", "with_room_for_a_core"]


@attrs.frozen(kw_only=True)
class AxisGrid:
    """Blocks along one axis group of an image; positions are in pixels of the base axis unless stated otherwise."""

    group: AxisGroup
    image_size: int
    stride: int
    """Distance between the cores of neighbouring blocks."""

    begin: int = 0
    """Begin of the computed range, a multiple of the group's denominator; more than 0 for a region of interest."""

    end: int | None = None
    """End of the computed range, a multiple of the denominator or the end of the image; None for the end of the image."""

    @cached_property
    def alignment(self) -> int:
        """Additional pixels that every block reads before its core, because it starts to read at a multiple of the granularity."""
        return self.begin % self.group.granularity

    @cached_property
    def extent(self) -> int:
        """End of the image's pixels that outputs correspond to, without those that offsets and halo need beyond them."""
        sizes = [ceil(min(o.size(self.image_size), floor(self.image_size * o.ratio)) / o.ratio) for o in self.group.outputs]
        extent = max(1, *sizes) if sizes else self.image_size
        return extent if self.end is None else max(self.begin + 1, min(extent, self.end))

    @cached_property
    def count(self) -> int:
        """Number of blocks, at least one."""
        return -(-(self.extent - self.begin) // self.stride)

    def start(self, block: int) -> int:
        """Return the first pixel that block number ``block`` reads; negative in the padding."""
        return self.begin + block * self.stride - self.alignment - self.group.left

    def block_size(self, block: int) -> int:
        """Return the number of pixels that block number ``block`` reads: the smallest valid size for core, halo and offset."""
        need = self.alignment + min(self.stride, self.extent - self.begin - block * self.stride)
        size = self.group.size.smallest(need + self.group.left + self.group.right)
        if size is None:
            raise BlockError(
                f"a core of {need} pixels with {self.group.left} before and {self.group.right} behind it "
                f"does not fit the fixed size {self.group.size} of axis {self.group.name!r}"
            )
        return size

    def input_window(self, block: int, tied: TiedAxis) -> tuple[int, int]:
        """Return ``(start, size)`` of the window that block number ``block`` reads of a tied input, in pixels of this input."""
        return tied.at(self.start(block)), tied.size(self.block_size(block))

    def span_window(self, blocks: range, tied: TiedAxis) -> tuple[int, int]:
        """Return ``(start, size)`` of the window that neighbouring blocks together read of a tied input, in pixels of this input."""
        start = tied.at(self.start(blocks[0]))
        # The last block may be so small that the previous one reads further.
        stop = max(sum(self.input_window(k, tied)) for k in blocks[-2:])
        return start, stop - start

    def core(self, block: int, output: TiedAxis) -> tuple[int, int]:
        """Return ``(start, stop)`` of the core of block number ``block`` in an output, in pixels of this output from its `origin`."""
        # All positions from the begin of the computed range, which is on the group's grid, as strides are.
        end, begin = self.output_size(output), block * self.stride
        start = output.at(begin)
        stop = end if block + 1 == self.count else min(end, output.at(begin + self.stride))
        return min(start, end), stop

    def core_of_image(self, block: int) -> tuple[int, int]:
        """Return ``(start, stop)`` of the core of block number ``block`` in pixels of the base axis."""
        start = self.begin + block * self.stride
        return start, min(start + self.stride, self.extent)

    def crop(self, output: TiedAxis) -> int:
        """Return the start of the core within a block's output, in pixels of this output."""
        return output.at(self.alignment + self.group.left)

    def origin(self, output: TiedAxis) -> int:
        """Return the begin of the computed range in the output of the complete image."""
        return output.at(self.begin)

    def output_size(self, output: TiedAxis) -> int:
        """Return the computed size of an output; without a region of interest, the size of the network's output for the complete image."""
        whole = output.size(self.image_size)
        if self.end is not None and self.end < self.image_size:
            whole = min(whole, output.at(self.end))
        return whole - self.origin(output)

    def within(self, block: int, stride: int) -> AxisGrid:
        """Return the grid that cuts the core of one block into smaller ones at the same phase of the network."""
        start, stop = self.core_of_image(block)
        return attrs.evolve(self, begin=start, end=self.end if block + 1 == self.count else stop, stride=stride)

    @property
    def computed_per_kept(self) -> float:
        """Pixels that all blocks read per pixel of the image: the overhead of overlap and padding."""
        first, last = self.block_size(0), self.block_size(self.count - 1)
        return (first * (self.count - 1) + last) / (min(self.image_size, self.end or self.image_size) - self.begin)


def whole_axis(group: AxisGroup, image_size: int, begin: int = 0, end: int | None = None) -> AxisGrid:
    """Return the grid of one block that covers the axis, or a region of interest of it, including the halo.

    Raises:
        BlockError: The image is too small for the outputs, or too large for a fixed size.

    """
    group.check(image_size)
    size = (image_size if end is None else end) - begin
    stride = -(-size // group.granularity) * group.granularity
    grid = AxisGrid(group=group, image_size=image_size, stride=stride, begin=begin, end=end)
    grid.block_size(0)
    return grid


def strides(group: AxisGroup, *, largest_block: int, chunks: tuple[int, ...] = (), begin: int = 0) -> Iterator[int]:
    """Yield the strides whose blocks have at most ``largest_block`` pixels, the largest stride first.

    Args:
        group: The axis group to be cut.
        largest_block: Pixels of the base axis that a block may read, including the halo.
        chunks: Sizes of output chunks in pixels of the base axis;
            each stride is a divisor or a multiple of each of them, so that regions of complete chunks are complete blocks.
        begin: Where the region of interest begins.

    """
    largest = group.size.largest(largest_block)
    if largest is None:
        return
    grain = group.granularity
    room = largest - group.left - group.right - begin % grain
    for stride in range(room // grain * grain, 0, -grain):
        if all(stride % chunk == 0 or chunk % stride == 0 for chunk in chunks):
            yield stride


def with_room_for_a_core(group: AxisGroup, begin: int = 0) -> AxisGroup:
    """Return the group, with its granularity reduced if necessary until a block of its fixed size holds a core.

    Args:
        group: A group of fixed size.
        begin: Where the region of interest begins.

    Raises:
        BlockError: The halo leaves no core at all.

    """
    assert isinstance(group.size, FixedSize)
    room = group.size.value - group.left - group.right
    grain = group.granularity
    while grain > room - begin % grain and grain % 2 == 0 and (grain // 2) % group.denominator == 0:
        grain //= 2
    if room - begin % grain < grain:
        raise BlockError(
            f"axis {group.name!r} of input {group.inputs[0].tensor!r} has the fixed size {group.size.value}, "
            f"of which {group.left} pixels before and {group.right} behind the core are halo: nothing is left to keep"
        )
    return group if grain == group.granularity else attrs.evolve(group, network_stride=grain)
