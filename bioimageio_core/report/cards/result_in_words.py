"""What ops make of an output, in words, where that is another thing than the tensor that is described."""

from __future__ import annotations

from ...errors import BioimageioError
from ...prediction.model.processing_steps import Step, plan_steps
from ...prediction.model.tensor_spec import TensorIO
from ...prediction.planning.outputs.changed_output import LABELS
from ...registry import Registry
from ...typing import AxisId

__all__ = ["result_in_words"]


def result_in_words(tensor: TensorIO, registry: Registry) -> str:
    """Return what an output is after its ops, as in ``labels of objects (uint32) with axes batch, channel 1, y, x``.

    Empty where no op labels objects or changes axes and sizes, or where that is not known, since no plugin provides an op.
    """
    try:
        steps = plan_steps(tensor, registry)
    except (BioimageioError, LookupError):  # an unknown op, or arguments that it refuses
        return ""
    if not any(step.changes for step in steps):
        return ""
    labels = any(step.needs.objects is not None for step in steps)
    dtype = tensor.dtype
    for step in steps:
        dtype = step.needs.expected_dtype(dtype)
    what = f"labels of objects ({LABELS})" if labels else dtype
    return f"{what} with axes {', '.join(_axes(steps))}"


def _axes(steps: tuple[Step, ...]) -> list[str]:
    fixed, times = dict[AxisId, int](), dict[AxisId, int]()
    for change in (step.needs.shape for step in steps):
        if change is not None:
            fixed |= change.sizes
            times |= {axis: times.get(axis, 1) * n for axis, n in change.scale.items()}
    return [
        f"{axis} {fixed[axis]}" if axis in fixed else f"{axis} ({times[axis]} times the pixels)" if times.get(axis, 1) > 1 else axis
        for axis in steps[-1].result_axes
    ]
