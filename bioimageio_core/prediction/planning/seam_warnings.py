"""Warnings of seams between the blocks of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...blocks import AxisGrid
from ...typing import AxisId
from ..geometry.network_geometry import NetworkAnalysis
from ..geometry.shortfalls import Shortfall, shortfalls
from ..model.tensor_spec import ModelIO
from .blocks.axis_groups import CUTTABLE, SizedGroup

__all__ = ["seam_warnings"]


def seam_warnings(
    model: ModelIO, groups: Sequence[SizedGroup], grids: Sequence[AxisGrid], analysis: NetworkAnalysis | None, block: Mapping[AxisId, int]
) -> tuple[str, ...]:
    """Return a sentence for every axis that is cut and whose blocks may differ from the prediction of the complete image.

    Args:
        model: Inputs and outputs of the model.
        groups: All axis groups.
        grids: Their grids.
        analysis: The remembered analysis of the network; without it, only axes without any halo count.
        block: Block sizes that options give by axis; other axes without a halo are cut to fit the memory budget.

    """
    return tuple(
        sentence
        for sized, grid in zip(groups, grids, strict=True)
        if grid.count > 1 and sized.cutting in CUTTABLE and not grid.group.concatenable
        for sentence in (_without_analysis(sized, grid, block) if analysis is None else _with_analysis(model, grid, analysis))
    )


def _with_analysis(model: ModelIO, grid: AxisGrid, analysis: NetworkAnalysis) -> Iterator[str]:
    tied = {(t.tensor, t.axis): t.halo for t in grid.group.outputs}
    halo = {axis: min(h for (_, a), h in tied.items() if a == axis) for _, axis in tied}
    found: dict[tuple[str, AxisId], Shortfall] = {}
    for shortfall in shortfalls(model, analysis, halo=halo, stride={grid.group.name: grid.group.granularity}):
        if (shortfall.tensor, shortfall.axis) in tied or (shortfall.kind == "step" and shortfall.axis == grid.group.name):
            found.setdefault((shortfall.kind, shortfall.axis), shortfall)
    return (shortfall.in_words() for shortfall in found.values())


def _without_analysis(sized: SizedGroup, grid: AxisGrid, block: Mapping[AxisId, int]) -> Iterator[str]:
    name = grid.group.name
    if any(o.halo for o in grid.group.outputs):
        return
    for_memory = sized.cutting == "if_needed" and name not in block
    why = " because one block does not fit the memory budget" if for_memory else ""
    remedy = f"halo={{'{name}': N}} (--halo {name}=N){' or more memory= (--memory)' if for_memory else ''}"
    yield (
        f"axis {name!r} is cut into {grid.count} blocks{why}, and no halo is described, so there may be seams between blocks: "
        f"give {remedy}; analyse_network() (bmz info MODEL --measure) measures the halo, verify() (bmz verify) the seams"
    )
