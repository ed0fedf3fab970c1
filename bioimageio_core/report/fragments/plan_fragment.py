"""A plan in a notebook: its blocks over the image, and what a run will take."""

from __future__ import annotations

from collections.abc import Iterator

from ...prediction.planning.plan import Plan
from ..html.fragment import Fragment
from ..plain_text import bytes_in_words, sizes_in_words
from ..text.plan_text import estimated_time, plan_text
from .plan_drawing import plan_drawing

__all__ = ["plan_fragment"]


def plan_fragment(plan: Plan) -> Fragment:
    """Return a plan with a drawing of its blocks."""
    return Fragment(
        kind="plan",
        title=plan.model.name,
        status=f"{len(plan.warnings)} warning{'s' * (len(plan.warnings) != 1)}" if plan.warnings else "",
        good=False if plan.warnings else None,
        facts=tuple(_facts(plan)),
        drawing=plan_drawing(plan),
        opens="plan",
        more=plan_text(plan),
    )


def _facts(plan: Plan) -> Iterator[tuple[str, str]]:
    for planned in plan.inputs:
        sizes = sizes_in_words(planned.bound.axes, planned.bound.shape)
        yield f"input {planned.id}", f"{planned.bound.image.name}: {sizes}; {planned.bound.dtype}"
    for output in plan.outputs:
        sizes = sizes_in_words(output.axes, (None if n < 0 else n for n in output.shape))
        yield f"output {output.id}", f"{sizes}; {output.storage_dtype.dtype}"
    yield "blocks", _blocks(plan)
    weights = plan.weights
    yield "weights", f"{weights.weights_format} on {', '.join(weights.devices)}, {plan.workers} call{'s' * (plan.workers != 1)} at once"
    yield "time", estimated_time(plan)
    yield "memory", f"about {bytes_in_words(plan.estimated_memory)} of {bytes_in_words(plan.memory)}"
    for line in plan.cautions:
        yield "warning", line


def _blocks(plan: Plan) -> str:
    cut = [(grid.group.name, grid) for grid, sized in zip(plan.grids, plan.groups, strict=True) if sized.cutting != "per_item"]
    sizes = ", ".join(f"{name} {grid.block_size(0)}" for name, grid in cut if grid.image_size > 1)
    halo = ", ".join(f"{name} {grid.group.left}" for name, grid in cut if grid.count > 1 and grid.group.left)
    count = plan.regions.block_count
    return f"{count} block{'s' * (count != 1)}{f' of {sizes}' if sizes else ''}{f'; halo {halo}' if halo else ''}"
