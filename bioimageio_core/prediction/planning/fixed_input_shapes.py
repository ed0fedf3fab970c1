"""Fixed input sizes of the weights, which may contradict the description."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import InputError
from ...registry import WeightsAdapter
from .plan import Plan
from .planned_tensors import PlannedInput

__all__ = ["check_fixed_input_shapes", "fixed_size_conflict"]


def fixed_size_conflict(
    adapter: WeightsAdapter, given: Sequence[tuple[str, Sequence[str], Sequence[int]]]
) -> tuple[str, str, int, int] | None:
    """Return the first conflict between fixed sizes of the weights and the sizes of given inputs.

    Args:
        adapter: The network; its optional attribute ``input_shapes`` has the fixed sizes.
        given: Id, ids of the axes, and shape of each input, in described order.

    Returns:
        Id of the input, id of the axis, the given size, and the required size; None without a conflict.

    """
    for required, (tensor, axes, sizes) in zip(getattr(adapter, "input_shapes", ()), given, strict=False):
        for axis, size, only in zip(axes, sizes, required, strict=False):
            if only not in (None, size):
                return tensor, axis, size, only
    return None


def check_fixed_input_shapes(plan: Plan, adapter: WeightsAdapter) -> None:
    """Refuse blocks whose sizes the weights cannot take, before anything is computed.

    Raises:
        InputError: A block has a different size; the message has the remedy.

    """
    for last in (False, True):
        given = [(i.id, i.bound.tensor.axis_ids, _block_shape(plan, i, last=last)) for i in plan.inputs]
        found = fixed_size_conflict(adapter, given)
        if found is not None:
            tensor, axis, size, only = found
            remedy = (
                "fewer blocks at once (batch_size=, --batch-size)" if axis == "batch" else f"blocks of that size (--block {axis}={only})"
            )
            raise InputError(
                f"the {plan.weights.weights_format} weights require size {only} along axis {axis!r} of {tensor!r}, "
                f"in contradiction to the description, and a block has {size}: "
                f"use weights of another format (--weights-format), or {remedy}"
            )


def _block_shape(plan: Plan, planned: PlannedInput, *, last: bool) -> list[int]:
    """Return the shape of the first or last block of an input, along the axes of its tensor."""
    shape = []
    ties = planned.ties[len(planned.bound.axes) - len(planned.bound.tensor.axes) :]
    for axis, tie, size in zip(planned.bound.tensor.axis_ids, ties, planned.bound.shape[-len(ties) :], strict=True):
        if axis == "batch":
            shape.append(plan.batch_size)
        elif tie is None:
            shape.append(size)
        else:
            grid = plan.grids[tie.grid]
            shape.append(tie.tied.size(grid.block_size(grid.count - 1 if last else 0)))
    return shape
