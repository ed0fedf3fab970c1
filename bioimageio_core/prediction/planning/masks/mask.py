"""A mask of the pixels to predict: blocks outside of it are not computed, and pixels outside of it are 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ....blocks import AxisGrid, AxisTie
from ....errors import InputError
from ....io import Image
from ..blocks.axis_groups import SizedGroup

__all__ = ["Mask", "any_along", "mask_warnings", "plan_mask"]


@attrs.frozen(kw_only=True, eq=False)
class Mask:
    """An image that is nonzero where pixels are predicted; it may be coarser or finer than the input.

    Pixel i of N pixels of the input lies in pixel ``i * M // N`` of M pixels of the mask.
    """

    image: Image
    axes: tuple[int | None, ...]
    """For each grid: the axis of the mask along it; None where the mask lacks the axis."""

    grids: tuple[AxisGrid, ...]
    skips: bool = True
    """Whether blocks without a covered pixel are skipped; else all are computed, since postprocessing needs the complete output."""

    tasks: bytes = attrs.field(default=b"", repr=False)
    """A byte per task of the pass over regions: 1 if the mask covers a pixel of its regions; other tasks do not run."""

    @property
    def task_count(self) -> int:
        """Number of tasks that run."""
        return self.tasks.count(1)

    def span(self, number: int, blocks: range) -> slice:
        """Return the pixels of the mask that the cores of neighbouring blocks along a grid lie in.

        Args:
            number: Number of a grid along which the mask has an axis.
            blocks: Numbers of blocks along this grid.

        """
        grid, axis = self.grids[number], self.axes[number]
        assert axis is not None
        size = self.image.shape[axis]
        start, stop = grid.core_of_image(blocks[0])[0], grid.core_of_image(blocks[-1])[1]
        return slice(start * size // grid.image_size, (stop - 1) * size // grid.image_size + 1)

    def selected(self, index: tuple[slice, ...]) -> NDArray[np.bool_]:
        """Return which pixels of a region of the mask select: those that are not 0; NaN, as of masked pixels, selects nothing."""
        region = self.image.read(index)
        return np.asarray((region != 0) & (region == region), bool)

    def covers(self, block: Sequence[int]) -> bool:
        """Return whether to compute a block: whether the mask covers any pixel of its core, if it skips others.

        Args:
            block: Its number along each grid.

        """
        if not self.skips:
            return True
        index = [slice(None)] * len(self.image.shape)
        for number, (axis, k) in enumerate(zip(self.axes, block, strict=True)):
            if axis is not None:
                index[axis] = self.span(number, range(k, k + 1))
        return bool(self.selected(tuple(index)).any())

    def of_output(self, ties: Sequence[AxisTie | None], start: Sequence[int], shape: Sequence[int]) -> NDArray[np.bool_]:
        """Return the mask of a region of an output; of size 1 along axes that the mask lacks.

        Args:
            ties: For each axis of the output, how it follows the grids.
            start: Where the region begins in the output.
            shape: Shape of the region.

        """
        index = [slice(None)] * len(self.image.shape)
        taken: dict[int, tuple[int, NDArray[np.intp]]] = {}
        for n, (tie, begin, size) in enumerate(zip(ties, start, shape, strict=True)):
            axis = None if tie is None else self.axes[tie.grid]
            if tie is None or axis is None:
                continue
            grid, tied = self.grids[tie.grid], tie.tied
            at = np.arange(begin, begin + size) + grid.origin(tied)
            at = np.minimum(at * tied.ratio.denominator // tied.ratio.numerator, grid.image_size - 1)
            at = at * self.image.shape[axis] // grid.image_size
            index[axis] = slice(int(at[0]), int(at[-1]) + 1)
            taken[n] = axis, at - at[0]
        part: Any = self.selected(tuple(index))
        # Along axes of the mask that the output lacks, any covered pixel counts.
        part = any_along(part, [axis for axis, _ in taken.values()])
        for position, (_, at) in enumerate(taken.values()):
            part = np.take(part, at, position)
        whole = [shape[n] if n in taken else 1 for n in range(len(shape))]
        covered: NDArray[np.bool_] = part.reshape(whole)
        return covered


def any_along(part: NDArray[Any], kept: Sequence[int]) -> NDArray[Any]:
    """Return a region of a mask along some of its axes, in this order; along the others, any covered pixel counts."""
    others = [axis for axis in range(part.ndim) if axis not in kept]
    return np.asarray(part.transpose([*kept, *others]).any(axis=tuple(range(len(kept), part.ndim))))


def plan_mask(image: Image, groups: Sequence[SizedGroup], grids: tuple[AxisGrid, ...]) -> Mask:
    """Match a mask to the axes of the inputs.

    Args:
        image: The mask; without axes, it has those along which blocks are cut, in order.
        groups: All axis groups.
        grids: Their grids.

    Raises:
        InputError: The mask has an axis along which no block is cut, or too few or too many axes.

    """
    cut = [g.group.name for g in groups if g.group.may_cut or g.cutting == "per_item"]
    if image.axes is None:
        space = [g.group.name for g in groups if g.group.may_cut and g.cutting != "per_item"]
        if len(image.shape) != len(space):
            raise InputError(
                f"the mask has {len(image.shape)} axes of sizes {image.shape}, without names: "
                f"expected {len(space)} ({', '.join(space)}), or an image that names its axes"
            )
        image = image.with_axes(space)
    assert image.axes is not None
    names = [g.group.name for g in groups]
    uncut = [a for a, size in zip(image.axes, image.shape, strict=True) if a not in cut and size > 1]
    if uncut:
        raise InputError(f"the mask has the axis {uncut[0]!r}: expected some of {', '.join(cut)}")
    return Mask(image=image, axes=tuple(image.axes.index(n) if n in image.axes else None for n in names), grids=grids)


def mask_warnings(mask: Mask, roi: Mapping[str, tuple[int, int | None]]) -> tuple[str, ...]:
    """Return a sentence if the size of a mask makes it doubtful that it is one of the complete image.

    A mask of the image has its size, is coarser or finer by an integer along each axis, or by one factor along all.

    Args:
        mask: The mask.
        roi: Start and stop of the predicted part of the image by axis.

    """
    axes = [(g.group.name, g.image_size, mask.image.shape[n]) for g, n in zip(mask.grids, mask.axes, strict=True) if n is not None]
    sizes = "the mask has " + ", ".join(f"{size} pixels along {name}" for name, _, size in axes)
    image = "the image " + ", ".join(str(size) for _, size, _ in axes)
    parts = {name: (size if stop is None else stop) - start for name, size, _ in axes for start, stop in (roi.get(name, (0, None)),)}
    if any(parts[name] < size for name, size, _ in axes) and all(parts[name] == found for name, _, found in axes):
        return (f"{sizes}, as roi= (--roi), {image}: it is stretched over the complete image; expected a mask of the complete image",)
    if all(_by_an_integer(size, found) for _, size, found in axes):
        return ()
    factors = [(size / (found + 1), size / max(found - 1, 1)) for _, size, found in axes if found > 1]  # the mask's size is rounded
    if max(low for low, _ in factors) <= min(high for _, high in factors):
        return ()
    return (f"{sizes}, {image}: it is stretched by another factor along each axis; is it a mask of this image, with these axes?",)


def _by_an_integer(image: int, mask: int) -> bool:
    """Return whether an axis has the same size in the image and its mask, or sizes of which one is a fraction of the other, rounded."""
    large, small = max(image, mask), min(image, mask)
    factor = max(1, round(large / small))
    return small == 1 or large // factor <= small <= -(-large // factor)
