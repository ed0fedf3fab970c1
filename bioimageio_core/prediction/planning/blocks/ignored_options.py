"""Warnings of options that have no effect on the blocks of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ....blocks import AxisGrid
from ...options import PlanOptions
from .axis_groups import SizedGroup

__all__ = ["ignored_options"]


def ignored_options(
    groups: Sequence[SizedGroup], grids: Sequence[AxisGrid], options: PlanOptions, of_complete: Sequence[str]
) -> tuple[str, ...]:
    """Return a sentence for each of `block`, `halo`, `overlap`, `mask` and `skip_empty` that is given and that the blocks do not follow.

    Args:
        groups: All axis groups.
        grids: Their grids.
        options: The options, with sizes for each axis.
        of_complete: Outputs whose postprocessing needs the complete output.

    """
    return (*_blocks(groups, grids, options), *_one_call(groups, options), *_skipping(options, of_complete))


def _blocks(groups: Sequence[SizedGroup], grids: Sequence[AxisGrid], options: PlanOptions) -> Iterator[str]:
    for sized, grid in zip(groups, grids, strict=True):
        name, size = grid.group.name, grid.block_size(0)
        wanted = options.block.get(name)
        if wanted is not None and wanted < size and sized.cutting in ("whole", "one_call", "fixed"):
            why = "an axis that is never cut" if sized.cutting == "whole" else "the one size that the network takes"
            yield f"block= (--block) is {wanted} along axis {name!r}, but blocks of it have {size} pixels, {why}: it is ignored"


def _skipping(options: PlanOptions, of_complete: Sequence[str]) -> Iterator[str]:
    if not of_complete:
        return
    why = f"the postprocessing of output {of_complete[0]!r} needs the complete output, as for its statistics"
    if options.mask is not None:
        yield f"{why}: all blocks are computed, and mask= (--mask) only sets pixels outside of it to 0"
    if options.skip_empty:
        yield f"{why}: skip_empty= (--skip-empty) is ignored"


def _one_call(groups: Sequence[SizedGroup], options: PlanOptions) -> Iterator[str]:
    axes = {t.axis for g in groups if g.cutting == "one_call" for t in g.group.outputs}
    given = [f"halo={{'{axis}': {halo}}} (--halo {axis}={halo})" for axis, halo in options.halos.items() if axis in axes and halo]
    given += ["overlap= (--overlap)"] * (bool(axes) and options.overlap != "crop")
    if given:
        yield (
            f"the image has exactly the one size that the network takes, so it is one call without padding and without a halo: "
            f"{' and '.join(given)} {'is' if len(given) == 1 else 'are'} ignored"
        )
