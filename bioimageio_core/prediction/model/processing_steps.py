"""Processing ops of a tensor, looked up in the registry, with the needs of each."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import attrs

from ...errors import InputError, PluginError
from ...packaging.argument_files import ArgumentFiles
from ...registry import Measure, Needs, ProcessingOp, Registry, blamed
from ...typing import AxisId
from .tensor_spec import TensorIO

__all__ = ["Step", "check_references", "measure_text", "plan_steps"]


@attrs.frozen(kw_only=True)
class Step:
    """One op of a tensor, and its needs."""

    number: int
    """Position among the steps of the tensor, from 1; implied casts count."""

    name: str
    kwargs: Any
    axes: tuple[AxisId, ...]
    """Axes of the tensor."""

    needs: Needs
    files: ArgumentFiles | None = attrs.field(default=None, eq=False, repr=False)
    """Local paths of the files that the arguments name; None where they cannot name any."""

    def make(self, registry: Registry) -> ProcessingOp:
        """Import the implementation and bind the arguments.

        Raises:
            PluginError: A plugin's implementation cannot be imported or made.
            SourceError: A file that the arguments name is missing.
            HashMismatchError: The SHA-256 of a file is not the described one.

        """
        with blamed(f"making {registry.words_for('processing_ops', self.name)}"):
            return registry.processing_ops[self.name].make(self.kwargs, self.axes, self.files)

    def sees_whole(self, cut_axes: Collection[AxisId]) -> bool:
        """Return whether the op needs the whole tensor at once where these axes are cut into blocks."""
        return self.needs.whole_sample or any(a in cut_axes for a in self.needs.whole_axes)

    def needs_halo(self, cut_axes: Collection[AxisId]) -> bool:
        """Return whether the op needs pixels of neighbouring blocks where these axes are cut."""
        return any(size and axis in cut_axes for axis, size in self.needs.halo.items())

    def key(self, tensor: str, measure: Measure) -> str:
        """Return the name of a statistic in results and in supplied statistics: tensor, step and measure."""
        return f"{tensor}: {self.number}. {self.name}: {measure_text(measure)}"

    @property
    def own_measures(self) -> bool:
        """Whether the op needs statistics of its own tensor, measured after the steps before it."""
        return any(m.tensor is None for m in self.needs.measures)


def plan_steps(tensor: TensorIO, registry: Registry) -> tuple[Step, ...]:
    """Return the steps of a tensor with their needs.

    Raises:
        PluginError: A plugin's ``requirements`` fails, or returns what is not about this tensor.
        InputError: A plugin's ``requirements`` refuses the arguments.

    """
    axes = tensor.axis_ids
    steps = []
    for number, op in enumerate(tensor.ops, start=1):
        entry = registry.processing_ops[op.name]
        what = f"requirements of {registry.words_for('processing_ops', op.name)} for tensor {tensor.id!r}"
        with blamed(what):
            needs = entry.requirements(op.kwargs, axes)
        _check_needs(needs, axes, what)
        steps.append(Step(number=number, name=op.name, kwargs=op.kwargs, axes=axes, needs=needs, files=op.files))
    return tuple(steps)


def _check_needs(needs: object, axes: tuple[AxisId, ...], what: str) -> None:
    if not isinstance(needs, Needs):
        raise PluginError(f"{what}: expected Needs, found {type(needs).__name__}")
    try:
        needs.check_axes(axes)
    except ValueError as error:
        raise PluginError(f"{what}: {error}") from None


def check_references(steps: Iterable[tuple[str, Step]], inputs: Collection[str], registry: Registry) -> None:
    """Check that statistics of other tensors are those of inputs that there are.

    Args:
        steps: All steps, each after the id of its tensor.
        inputs: Ids of the inputs that are given.
        registry: The registry with the ops.

    Raises:
        InputError: An op needs a statistic of another tensor.

    """
    for tensor, step in steps:
        for measure in step.needs.measures:
            if measure.tensor is not None and measure.tensor not in inputs:
                raise InputError(
                    f"{registry.words_for('processing_ops', step.name)} of {tensor!r} needs the {measure_text(measure)}: "
                    f"expected one of the given inputs ({', '.join(inputs)})"
                )


def measure_text(measure: Measure) -> str:
    """Return a measure in words, as in ``percentile 99.8 over y, x`` or ``histogram 256 0 65535 over y, x``."""
    q = "" if measure.q is None else f" {measure.q:g}"
    ddof = " (n - 1)" if measure.ddof else ""
    of = "" if measure.tensor is None else f" of {measure.tensor}"
    name = measure.kind if measure.statistic is None else measure.statistic.name
    bins = (
        "" if measure.bins is None else " ".join(["", str(measure.bins), *(repr(float(e)).removesuffix(".0") for e in measure.range or ())])
    )
    return f"{name}{q}{ddof}{bins}{of} over {', '.join(measure.axes)}"
