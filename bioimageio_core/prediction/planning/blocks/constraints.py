"""What options require of the grid of an axis group: chunks, a region of interest, the blocks of a resumed run."""

from __future__ import annotations

from ....errors import BlockError, InputError
from ....typing import AxisId
from ...options import PlanOptions
from .axis_groups import SizedGroup
from .block_sizes import GroupConstraints

__all__ = ["check_part", "constraints_of"]


def check_part(axis: AxisId, low: int, high: int, size: int) -> None:
    """Refuse a part of an axis that is empty, or reaches beyond the image."""
    if not 0 <= low < high <= size:
        raise InputError(f"roi along axis {axis!r} is {low}:{high}: expected a nonempty part of 0:{size}")


def constraints_of(sized: SizedGroup, options: PlanOptions, stride: int | None) -> GroupConstraints:
    """Return the constraints of an axis group: requested chunks or shards, the region of interest, a resumed run."""
    name, grain = sized.group.name, sized.group.denominator
    begin, end = 0, None
    if name in options.roi:
        low, stop = options.roi[name]
        high = sized.image_size if stop is None else stop
        check_part(name, low, high, sized.image_size)
        if sized.cutting == "whole":
            raise InputError(f"roi= (--roi) names the axis {name!r}, which is never cut: choose channels with channel= (--channel)")
        begin = low // grain * grain
        end = None if high == sized.image_size else min(sized.image_size, -(-high // grain) * grain)
    return GroupConstraints(chunks=_chunks_in_base(sized, options), begin=begin, end=end, stride=stride)


def _chunks_in_base(sized: SizedGroup, options: PlanOptions) -> tuple[int, ...]:
    """Return the requested sizes of chunks, or of shards, along the outputs of a group, in pixels of its base axis."""
    found = []
    for tied in sized.group.outputs:
        requested = options.shards.get(tied.axis) or options.chunks.get(tied.axis)
        if requested is not None:
            chunk = requested / tied.ratio
            if chunk.denominator != 1 or chunk % sized.group.denominator:
                raise BlockError(
                    f"chunks of {requested} pixels along axis {tied.axis!r} of output {tied.tensor!r} do not start at integer "
                    f"input pixels (ratio {tied.ratio}): give a multiple of {tied.ratio * sized.group.denominator}"
                )
            found.append(int(chunk))
    return tuple(dict.fromkeys(found))
