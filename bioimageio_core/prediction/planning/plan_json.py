"""A plan as plain data for JSON."""

from __future__ import annotations

from typing import Any

from ...blocks import AxisGrid
from ...structuring.freezing import thaw
from ..model.processing_steps import measure_text
from .blocks.axis_groups import SizedGroup
from .plan import Plan

__all__ = ["plan_as_dict"]

PLAN_FORMAT = "3"


def plan_as_dict(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain data for JSON; ``plan_format`` changes when the meaning of a key changes."""
    return {
        "plan_format": PLAN_FORMAT,
        "model": plan.model.name,
        "format_version": plan.model.format,
        "weights_format": plan.weights.weights_format,
        "adapter": plan.weights.adapter,
        "devices": list(plan.weights.devices),
        "precision": plan.weights.precision,
        "compile": plan.weights.compile,
        "run_mode": None if plan.run_mode is None else {"name": plan.run_mode.name, "kwargs": thaw(plan.run_mode.kwargs)},
        "workers": plan.workers,
        "threads_per_call": plan.threads,
        "batch_size": plan.batch_size,
        "inputs": {
            i.id: {
                "image": i.bound.image.name,
                "axes": list(i.bound.axes),
                "axes_guessed": i.bound.axes_guessed,
                "shape": list(i.bound.shape),
                "dtype": str(i.bound.image.dtype),
                "padding": i.bound.tensor.pad_mode,
                "preprocessing": [s.name for s in i.steps],
                "statistics": [measure_text(m) for s in i.steps for m in s.needs.measures],
            }
            for i in plan.inputs
        },
        "outputs": {
            o.id: {
                "axes": list(o.axes),
                "shape": [None if n < 0 else n for n in o.shape],
                "dtype": o.tensor.dtype,
                "stored_as": o.storage_dtype.as_dict(),
                "overlap": o.blend or "crop",
                "origin": list(o.origin),
                "chunks": list(o.chunks),
                "shards": None if o.shards is None else list(o.shards),
                "postprocessing": [s.name for s in o.steps],
                "postprocessing_of_the_whole": [s.name for s in o.late_steps],
            }
            for o in plan.outputs
        },
        "axes": [_axis(g, s) for g, s in zip(plan.grids, plan.groups, strict=True)],
        "blocks": plan.regions.block_count,
        "regions": plan.regions.count,
        "regions_per_brick": list(plan.regions.brick),
        "tasks": plan.task_count,
        "tasks_to_run": len(plan.tasks),
        "join_slices": dict(plan.join_slices),
        "table": plan.table,
        "passes": [step.as_dict() for step in plan.passes],
        "skip_empty": plan.skip_empty,
        "mask": None if plan.mask is None else plan.mask.image.name,
        "computed_per_kept": round(plan.computed_per_kept, 4),
        "statistics_pooled_over": list(plan.pool_over),
        "memory": plan.memory,
        "estimated_memory": plan.estimated_memory,
        "floor": plan.floor,
        "reason": plan.reason,
        "estimated_seconds": round(plan.estimated_seconds, 3),
        "measured": plan.profile.measured,
        "warnings": list(plan.warnings),
    }


def _axis(grid: AxisGrid, sized: SizedGroup) -> dict[str, Any]:
    return {
        "axis": grid.group.name,
        "size": grid.image_size,
        "cut": sized.cutting,
        "blocks": grid.count,
        "block": grid.block_size(0),
        "last_block": grid.block_size(grid.count - 1),
        "stride": grid.stride,
        "granularity": grid.group.granularity,
        "overlap": [grid.group.left, grid.group.right],
        "tied": [f"{t.tensor}.{t.axis}" for t in (*grid.group.inputs, *grid.group.outputs)],
    }
