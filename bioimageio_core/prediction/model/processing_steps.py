"""Processing ops of a tensor, looked up in the registry, with the needs of each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeAlias

import attrs

from ...errors import InputError, PluginError
from ...packaging.argument_files import ArgumentFiles
from ...registry import Measure, Needs, OpContext, ProcessingOp, Registry, blamed
from ...typing import AxisId, FrozenMapping
from .described_files import DescribedFiles
from .implicit_casts import CAST
from .loaded_model import LoadedModel
from .tensor_spec import TensorIO

__all__ = ["OpsByStep", "Step", "check_references", "check_sizes", "make_ops", "measure_text", "plan_steps"]

OpsByStep: TypeAlias = "Mapping[tuple[str, int], ProcessingOp]"
"""Made ops by id of the tensor and number of the step."""


@attrs.frozen(kw_only=True)
class Step:
    """One op of a tensor, and its needs."""

    number: int
    """Position among the steps of the tensor, from 1; implied casts count."""

    name: str
    kwargs: Any
    axes: tuple[AxisId, ...]
    """Axes of the tensor, after the steps before."""

    needs: Needs
    described: Any = attrs.field(default=None, eq=False, repr=False)
    """The node of the complete step; None for an implied cast."""

    def make(self, model: LoadedModel, *, trust: bool) -> ProcessingOp:
        """Import the implementation and bind the arguments.

        Args:
            model: The model, for ops that are made from its files.
            trust: Whether code that comes with the model may run.

        Raises:
            PluginError: A plugin's implementation cannot be imported or made.
            TrustError: The op is code of the model, which is not trusted.
            ModelRunError: The code of the model fails.
            SourceError: A file of the model that the op needs is missing.
            HashMismatchError: The SHA-256 of a file is not the described one.

        """
        entry = model.registry.processing_ops[self.name]
        files: Mapping[str, str] | None = ArgumentFiles.of(self.kwargs, model.package)
        if entry.runs_model_code:
            files = DescribedFiles(self.described, model.package, model.descr.attachments, with_source=True)
        context = None if files is None else OpContext(step=self.described, files=files, trust=trust)
        with blamed(f"making {model.registry.words_for('processing_ops', self.name)}"):
            return entry.make(self.kwargs, self.axes, context)

    @property
    def result_axes(self) -> tuple[AxisId, ...]:
        """Axes of the result."""
        return self.needs.result_axes(self.axes)

    @property
    def changes(self) -> bool:
        """Whether the result has another shape than the tensor, or labels objects: then blocks are not replaced by their results."""
        return self.needs.shape is not None or self.needs.objects is not None

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

    Casts after a step that labels objects are left out: labels stay integers, wide enough for all objects. Nothing else can follow.

    Raises:
        PluginError: A plugin's ``requirements`` fails, or returns what is not about this tensor.
        InputError: A plugin's ``requirements`` refuses the arguments, or an op cannot follow the one before.

    """
    axes = tensor.axis_ids
    steps: list[Step] = []
    for number, op in enumerate(tensor.ops, start=1):
        entry = registry.processing_ops[op.name]
        what = f"requirements of {registry.words_for('processing_ops', op.name)} for tensor {tensor.id!r}"
        with blamed(what):
            needs = entry.requirements(op.kwargs, axes)
        _check_needs(needs, axes, what)
        labels = next((s for s in steps if s.needs.objects is not None), None)
        if labels is not None and op.name == CAST:
            continue
        step = Step(number=number, name=op.name, kwargs=op.kwargs, axes=axes, needs=needs, described=op.step)
        if labels is not None:
            raise InputError(f"tensor {tensor.id!r}: {op.name} cannot follow {labels.name}, which labels objects: remove it")
        steps.append(step)
        axes = step.result_axes
    return tuple(steps)


def check_sizes(tensor: str, steps: Iterable[Step], sizes: Mapping[AxisId, int]) -> None:
    """Check that each step gets a tensor that is as large as its op needs.

    Args:
        tensor: Id of the tensor.
        steps: Its steps, in order.
        sizes: Size of each axis before them; those that are not known are negative.

    Raises:
        InputError: A tensor is smaller, as where an op names a channel that is not there.

    """
    sizes = dict(sizes)
    for step in steps:
        for axis, least in step.needs.least.items():
            if 0 <= sizes.get(axis, -1) < least:
                found = f"at least {least} along axis {axis!r}, found {sizes[axis]}"
                raise InputError(f"tensor {tensor!r}: {step.name} needs {found}: give it other arguments")
        if step.needs.shape is not None:
            sizes |= {axis: size * step.needs.shape.scale.get(axis, 1) for axis, size in sizes.items() if size >= 0}
            sizes |= step.needs.shape.sizes


def _check_needs(needs: object, axes: tuple[AxisId, ...], what: str) -> None:
    if not isinstance(needs, Needs):
        raise PluginError(f"{what}: expected Needs, found {type(needs).__name__}")
    try:
        needs.check_axes(axes)
    except ValueError as error:
        raise PluginError(f"{what}: {error}") from None


def make_ops(steps: Iterable[tuple[str, Step]], model: LoadedModel, *, trust: bool) -> OpsByStep:
    """Make the ops of steps, each of which is given after the id of its tensor; raises what `Step.make` does."""
    return FrozenMapping({(tensor, step.number): step.make(model, trust=trust) for tensor, step in steps})


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
